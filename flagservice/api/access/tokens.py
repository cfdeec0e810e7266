"""Our own short tokens, issued for a proven assertion and verified at each use.

A verified token is known again by its SHA-256, so that the hot path checks no signature twice. Its
times are checked at every use, and the client's registration in the unit of work. Tokens use real
time, also where the service's clock is set.
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
class TokenClaims:
    """What a verified token says: a registered client, what it may do, and how long.

    `kid` is the thumbprint of the key that fetched the token: dropping the key ends the token.
    """

    client_id: str
    ods: str
    kind: ClientKind
    kid: str
    scopes: frozenset[str]
    issued: int
    expires: int


class VerifiedTokens:
    """The claims of the last verified tokens, by digest; the oldest makes room."""

    def __init__(self, most: int = _MOST_KNOWN) -> None:
        self._most = most
        self._claims: dict[bytes, TokenClaims] = {}
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return len(self._claims)

    def find(self, digest: bytes) -> TokenClaims | None:
        """Returns the kept claims of this token, if any."""
        return self._claims.get(digest)

    def keep(self, digest: bytes, claims: TokenClaims) -> None:
        """Keeps the claims of this token."""
        with self._turn:
            while len(self._claims) >= self._most:
                del self._claims[next(iter(self._claims))]
            self._claims[digest] = claims

    def forget(self, digest: bytes) -> None:
        """Forgets this token."""
        with self._turn:
            self._claims.pop(digest, None)


@dataclass(frozen=True)
class Tokens:
    """Issues tokens for one address, and verifies them. `clock` is real time in seconds."""

    url: str
    key: ECKey = field(repr=False)
    clock: Callable[[], float] = time.time
    verified: VerifiedTokens = field(default_factory=VerifiedTokens, repr=False, compare=False)

    def issue(self, work: Work, form: dict[str, str]) -> dict[str, Any]:
        """Returns the answer of the token endpoint; raises BadAssertion."""
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

    def verify(self, token: str) -> TokenClaims:
        """Returns the token's claims; raises Unauthenticated for any flaw or absent claim."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self.verified.find(digest)
        claims = known or self._read(token)
        if not claims.issued - SKEW <= self.clock() < claims.expires:
            self.verified.forget(digest)
            raise Unauthenticated("the token has expired, or is not one of ours")
        if known is None:
            self.verified.keep(digest, claims)
        return claims

    def _read(self, token: str) -> TokenClaims:
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
        return TokenClaims(client_id, ods, kind, kid, frozenset(scope.split()), issued, expires)
