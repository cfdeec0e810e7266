"""Verifies client assertions, and refuses in the words that GP suppliers' clients know.

It takes what the NHS API platform takes (RS512) and SMART Backend Services (RS384, ES384):
https://hl7.org/fhir/smart-app-launch/backend-services.html. Errors are the platform's, with two
exceptions: it names one algorithm where we take three, and it fetches keys from a caller's address,
which we never do.
"""

import hashlib
import json
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from sqlmodel import col, delete

from flagservice.audit.log import Work
from flagservice.domain.errors import Unauthenticated
from flagservice.store import tables

ALGORITHMS: Final = ("RS512", "RS384", "ES384")
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME: Final = 300
SKEW: Final = 30
"""Seconds by which a client's clock may differ from ours."""
_KEPT: Final = 2 * SKEW
"""Seconds for which a used assertion is kept after its end: it is valid for `SKEW` of them."""
_ELSEWHERE: Final = frozenset(
    {"jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc"}
)
"""Headers that bring or name a key, or change what is signed. They are never followed."""
_NOBODY: Final = "Invalid 'iss'/'sub' claims in client_assertion JWT"
_FORGED: Final = "JWT signature verification failed"
_KEY_ERROR: Final = "public_key error"


class BadAssertion(Unauthenticated):
    """A refusal of the token endpoint; `error` is OAuth's or the platform's word for it."""

    def __init__(self, rule: str, error: str = "invalid_request", *, status: int = 400) -> None:
        super().__init__(rule)
        self.error = error
        self.status = status


def check_form(form: dict[str, str]) -> None:
    """Raises BadAssertion unless the form asks for client credentials with an assertion."""
    if not form.get("grant_type"):
        raise BadAssertion("grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise BadAssertion("grant_type is invalid", "unsupported_grant_type")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise BadAssertion(f"Missing or invalid client_assertion_type - must be '{ASSERTION_TYPE}'")
    if not form.get("client_assertion"):
        raise BadAssertion("Missing client_assertion")


def proven(work: Work, assertion: str, *, url: str, now: float) -> tuple[tables.ClientRow, str]:
    """Returns the client that signed this assertion, and its key's thumbprint.

    Raises BadAssertion, also where the assertion is for another address or was used before.
    """
    header = _header(assertion)
    client = work.session.get(tables.ClientRow, _claimed_client(assertion))
    if client is None or client.revoked:
        raise BadAssertion(_NOBODY, status=401)
    key = _key(client, header)
    claims = _verified(assertion, key)
    check_claims(claims, url=url, now=now)
    _use_once(work, client.id, jti=claims["jti"], expires=claims["exp"], now=now)
    return client, key.thumbprint()


def claimed_client(form: dict[str, str]) -> str:
    """Returns the client that the form names, unproved: only to count by."""
    try:
        return _claimed_client(form.get("client_assertion", ""))
    except BadAssertion:
        return ""


def check_claims(claims: dict[str, Any], *, url: str, now: float) -> None:
    """Raises BadAssertion where a claim is missing, or for another address or time."""
    if claims.get("aud") != url:
        raise BadAssertion("Missing or invalid 'aud' claim in client_assertion JWT", status=401)
    _check_expiry(claims.get("exp"), now)
    for name in ("iat", "nbf"):
        _check_begun(name, claims.get(name, now), now)
    if "jti" not in claims:
        raise BadAssertion("Missing 'jti' claim in client_assertion JWT")
    jti = claims["jti"]
    if not isinstance(jti, str) or not 1 <= len(jti) <= 200 or not jti.isprintable():
        raise BadAssertion(
            "Invalid 'jti' claim in client_assertion JWT - must be a unique string value such"
            " as a GUID"
        )


def _check_expiry(expires: Any, now: float) -> None:
    if expires is None:
        raise BadAssertion("Missing 'exp' claim in client_assertion JWT")
    if not isinstance(expires, int) or isinstance(expires, bool):
        raise BadAssertion("Invalid 'exp' claim in client_assertion JWT - must be an integer")
    if expires <= now - SKEW:
        raise BadAssertion("Invalid 'exp' claim in client_assertion JWT - JWT has expired")
    if expires > now + LIFETIME + SKEW:
        raise BadAssertion(
            "Invalid 'exp' claim in client_assertion JWT - more than 5 minutes in future"
        )


def _check_begun(name: str, instant: Any, now: float) -> None:
    if not isinstance(instant, int | float) or isinstance(instant, bool):
        raise BadAssertion(f"Invalid '{name}' claim in client_assertion JWT - must be a number")
    if instant > now + SKEW:
        raise BadAssertion(f"Invalid '{name}' claim in client_assertion JWT - in the future")


def _header(assertion: str) -> dict[str, Any]:
    try:
        header = dict(jws.extract_compact(assertion.encode()).headers())
    except (JoseError, ValueError, RecursionError):
        raise BadAssertion("Malformed JWT in client_assertion") from None
    if header.get("alg") not in ALGORITHMS:
        raise BadAssertion(
            "Invalid 'alg' header in client_assertion JWT - unsupported JWT algorithm - must be one"
            f" of {', '.join(ALGORITHMS)}"
        )
    if header.get("typ") != "JWT":
        raise BadAssertion("Invalid 'typ' header in client_assertion JWT - must be 'JWT'")
    if not isinstance(header.get("kid"), str):
        raise BadAssertion("Missing 'kid' header in client_assertion JWT")
    if not _ELSEWHERE.isdisjoint(header):
        raise BadAssertion("Malformed JWT in client_assertion")
    return header


def _claimed_client(assertion: str) -> str:
    """Returns the client that the assertion names, unproved."""
    try:
        claims = json.loads(jws.extract_compact(assertion.encode()).payload)
        issuer, subject = claims["iss"], claims["sub"]
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        issuer, subject = None, None
    if not isinstance(issuer, str) or issuer != subject:
        raise BadAssertion("Missing or non-matching 'iss'/'sub' claims in client_assertion JWT")
    if not (issuer.isascii() and issuer.isalnum() and len(issuer) <= 64):
        raise BadAssertion(_NOBODY, status=401)
    return issuer


def _key(client: tables.ClientRow, header: dict[str, Any]) -> RSAKey | ECKey:
    registered = json.loads(client.keys)
    if not registered["keys"]:
        raise BadAssertion(
            "You need to register a public key to use this authentication method",
            _KEY_ERROR,
            status=403,
        )
    keys = KeySet.import_key_set(registered).keys
    named = next((key for key in keys if key.kid == header["kid"]), None)
    if named is None:
        raise BadAssertion(
            "Invalid 'kid' header in client_assertion JWT - no matching public key", status=401
        )
    sort: type[RSAKey | ECKey] = RSAKey if header["alg"].startswith("RS") else ECKey
    if not isinstance(named, sort):
        raise BadAssertion(_FORGED, _KEY_ERROR, status=401)
    return named


def _verified(assertion: str, key: RSAKey | ECKey) -> dict[str, Any]:
    try:
        return jwt.decode(assertion, key, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, RecursionError):
        raise BadAssertion(_FORGED, _KEY_ERROR, status=401) from None


def _use_once(work: Work, client_id: str, *, jti: str, expires: int, now: float) -> None:
    """Raises BadAssertion for a used assertion; of two at once, the primary key lets one in."""
    row_id = hashlib.sha256(f"{client_id}|{jti}".encode()).hexdigest()
    if work.session.get(tables.AssertionRow, row_id) is not None:
        raise BadAssertion("Non-unique 'jti' claim in client_assertion JWT")
    over = col(tables.AssertionRow.expires) < int(now) - _KEPT
    work.session.exec(delete(tables.AssertionRow).where(over))
    work.session.add(tables.AssertionRow(id=row_id, expires=expires))
    work.session.flush()
