"""Who there is: inside, those who post and hold what differs; outside, those who may never tell."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from flagservice.clients.assertions import ASSERTION_TYPE
from flagservice.clients.kinds import SCOPES
from tests.intake.families import NHS_NUMBERS
from tests.twin.outside.asking import HOST, Request, post_form
from tests.world import COUNCIL, HEALTH, POLICE

OTHER_COUNCIL, OTHER_POLICE, OTHER_HEALTH = "E08000035", "Q0SYP", "TAD11"
INSIDE = ("B83901", "B83902")
OUTSIDE = ("B83905", "B83906")
NOT_ADMITTED = "B83907"
DESKS = "".join(
    f'\n[agency.{ods}]\norganisation = "{name}"\nname = "{name} desk"\nphone = "{phone}"\n'
    for ods, name, phone in (
        (OTHER_COUNCIL, "Another council", "01632 960135"),
        (OTHER_POLICE, "Another police force", "01632 960155"),
        (OTHER_HEALTH, "Another 0-19 service", "01632 960120"),
    )
)


def repeatable(key: ECKey) -> ECKey:
    """The same key, whose signatures do not differ from time to time (RFC 6979)."""
    return _Repeatable(key.raw_value, key.raw_value, {"use": "sig"})


class _Repeatable(ECKey):
    def get_op_key(self, operation: str) -> object:
        found = super().get_op_key(operation)
        return _Signs(found) if operation == "sign" else found


class _Signs:
    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    def sign(self, message: bytes, how: ec.ECDSA) -> bytes:
        again = ec.ECDSA(how.algorithm, deterministic_signing=True)
        return self._key.sign(message, again)


@cache
def client_key() -> ECKey:
    """The key of every client: which of them it is, its id says."""
    return repeatable(ECKey.derive_key("a client of the twin worlds", "P-384"))


@cache
def token_key() -> ECKey:
    """The service's own."""
    return repeatable(ECKey.derive_key("tokens of the twin worlds", "P-256"))


@dataclass(frozen=True)
class Party:
    """A client of an organisation. Its id is the same in every world."""

    name: str
    kind: str
    ods: str

    @property
    def id(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()[:32]

    @property
    def submits(self) -> bool:
        return any(scope.endswith(".write") for scope in SCOPES.get(self.kind, ()))

    def asks_for_a_token(self, *, now: int, nonce: str) -> Request:
        """The same bytes for every world."""
        key = client_key()
        claims = {
            "iss": self.id,
            "sub": self.id,
            "aud": f"https://{HOST}/oauth2/token",
            "jti": nonce,
            "exp": now + 240,
        }
        header = {"alg": "ES384", "typ": "JWT", "kid": key.thumbprint()}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": jwt.encode(header, claims, key, algorithms=["ES384"]),
        }
        return Request(**{**vars(post_form("/oauth2/token", form)), "who": self.name})


COUNCIL_IN = Party("council", "childrens-services", COUNCIL)
POLICE_IN = Party("police", "police", POLICE)
HEALTH_IN = Party("health", "zero-to-nineteen", HEALTH)
SUBMITTERS = (COUNCIL_IN, POLICE_IN, HEALTH_IN)
PRACTICES = tuple(Party(f"gp {ods}", "gp-system", ods) for ods in INSIDE)
LEADS = tuple(Party(f"lead {ods}", "practice-lead", ods) for ods in INSIDE)
INSIDERS = (*SUBMITTERS, *PRACTICES, *LEADS)

OTHERS = (
    Party("other-council", "childrens-services", OTHER_COUNCIL),
    Party("other-police", "police", OTHER_POLICE),
    Party("other-health", "zero-to-nineteen", OTHER_HEALTH),
)
OTHER_PRACTICES = tuple(Party(f"gp {ods}", "gp-system", ods) for ods in OUTSIDE)
OTHER_LEADS = tuple(Party(f"lead {ods}", "practice-lead", ods) for ods in OUTSIDE)
UNADMITTED = Party(f"gp {NOT_ADMITTED}", "gp-system", NOT_ADMITTED)
CALLING = (*OTHERS, *OTHER_PRACTICES, *OTHER_LEADS, UNADMITTED)
"""Outsiders with a right of their own to call."""
REVOKED = Party("revoked gp", "gp-system", INSIDE[0])
PATIENT_APP = Party("patient-facing app", "patient-facing", INSIDE[0])
"""Clients of the very practice that holds the flags; one has no right any more, one never had."""
EVERYBODY = (*INSIDERS, *CALLING, REVOKED, PATIENT_APP)


@dataclass(frozen=True)
class Member:
    """Somebody with a record."""

    role: str
    number: str
    born: str
    practice: str


def _family(place: int, practices: tuple[str, ...]) -> tuple[Member, ...]:
    roles = (("child", "2019-05-01"), ("mother", "1991-02-03"), ("father", "1990-07-09"))
    numbers = NHS_NUMBERS[place * 3 : place * 3 + 3]
    return tuple(
        Member(role, number, born, practices[(place + n) % len(practices)])
        for n, ((role, born), number) in enumerate(zip(roles, numbers, strict=True))
    )


HIDDEN_FAMILIES = tuple(_family(place, (*INSIDE, NOT_ADMITTED)) for place in range(3))
"""What differs between the worlds is about them. One of each is at a practice that may not read."""
OPEN_FAMILIES = tuple(_family(place, OUTSIDE) for place in range(3, 6))
"""What the outsiders may see is about them."""


def public_keys() -> str:
    """As the register of clients keeps them."""
    key = client_key()
    jwk = {**key.as_dict(private=False), "use": "sig", "kid": key.thumbprint()}
    return json.dumps({"keys": [jwk]})
