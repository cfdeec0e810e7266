"""Our own short tokens: the only way in. Issued for a proven assertion, and checked at each use.

A token that was verified once is known again by its SHA-256, so that the hot path checks no
signature twice; its times are looked at every time, and the client's registration in the unit of
work. Tokens use real time, always.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from flagservice.audit.log import Deed, Work
from flagservice.clients.assertions import LIFETIME, SKEW, BadAssertion, check_form, proven
from flagservice.clients.kinds import ClientKind
from flagservice.clients.scopes import granted
from flagservice.domain.errors import Unauthenticated

_OURS: Final = "ES256"
_CLAIMS: Final = frozenset(
    {"iss", "aud", "sub", "ods", "kind", "kid", "scope", "iat", "exp", "jti"}
)
_MOST_KNOWN: Final = 16_384
"""Two live tokens for each practice of England; some ten megabytes."""


@dataclass(frozen=True)
class Caller:
    """Who calls: a registered client of one organisation, and what it may do.

    `kid` is the thumbprint of the key that fetched the token: dropping the key ends the token.
    """

    client_id: str
    ods: str
    kind: ClientKind
    kid: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class Verified:
    """What a token of ours says, and from when until when it says so."""

    caller: Caller
    issued: int
    expires: int


class Known:
    """The tokens that were verified lately, by digest. Bounded: the oldest makes room."""

    def __init__(self, most: int = _MOST_KNOWN) -> None:
        self._most = most
        self._found: dict[bytes, Verified] = {}
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return len(self._found)

    def find(self, digest: bytes) -> Verified | None:
        """What was verified under this digest."""
        return self._found.get(digest)

    def keep(self, digest: bytes, verified: Verified) -> None:
        """From now on it is known."""
        with self._turn:
            while len(self._found) >= self._most:
                del self._found[next(iter(self._found))]
            self._found[digest] = verified

    def forget(self, digest: bytes) -> None:
        """It is over."""
        with self._turn:
            self._found.pop(digest, None)


@dataclass(frozen=True)
class Tokens:
    """Issues tokens for one address, and checks them. `clock` is real time in seconds."""

    url: str
    key: ECKey = field(repr=False)
    clock: Callable[[], float] = time.time
    known: Known = field(default_factory=Known, repr=False, compare=False)

    def issue(self, work: Work, form: dict[str, str]) -> dict[str, Any]:
        """The answer of the token endpoint; raises BadAssertion."""
        check_form(form)
        client, kid = proven(work, form["client_assertion"], url=self.url, now=self.clock())
        held = client.scopes.split()
        scopes = granted(held, form.get("scope", "").split() or held)
        if not scopes:
            raise BadAssertion("none of the requested scopes is granted", "invalid_scope")
        now = int(self.clock())
        claims = {
            "iss": self.url,
            "aud": self.url,
            "sub": client.id,
            "ods": client.ods,
            "kind": client.kind,
            "kid": kid,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + LIFETIME,
            "jti": work.new_id(),
        }
        work.record(Deed.TOKEN_ISSUED, client=client.id, key=kid)
        token = jwt.encode({"alg": _OURS, "typ": "at+jwt"}, claims, self.key, algorithms=[_OURS])
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "scope": " ".join(scopes),
        }

    def caller(self, token: str) -> Caller:
        """Whose token this is; any flaw, and any claim that is absent, raises Unauthenticated."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self.known.find(digest)
        found = known or self._verified(token)
        if not found.issued - SKEW <= self.clock() < found.expires:
            self.known.forget(digest)
            raise Unauthenticated("the token has expired, or is not one of ours")
        if known is None:
            self.known.keep(digest, found)
        return found.caller

    def _verified(self, token: str) -> Verified:
        try:
            opened = jwt.decode(token, self.key, algorithms=[_OURS])
            claims = opened.claims
            ours = claims["iss"] == claims["aud"] == self.url
            whole = opened.header.get("typ") == "at+jwt" and claims.keys() >= _CLAIMS
            named = [claims[name] for name in ("sub", "ods", "kid", "scope", "jti")]
            kind, issued, expires = ClientKind(claims["kind"]), claims["iat"], claims["exp"]
        except (JoseError, KeyError, TypeError, ValueError):
            raise Unauthenticated("the token is not one of ours") from None
        typed = all(isinstance(one, str) for one in named) and type(issued) is type(expires) is int
        if not (ours and whole and typed and expires - issued <= LIFETIME):
            raise Unauthenticated("the token has expired, or is not one of ours")
        client_id, ods, kid, scope, _ = named
        return Verified(
            Caller(client_id, ods, kind, kid, frozenset(scope.split())), issued, expires
        )
