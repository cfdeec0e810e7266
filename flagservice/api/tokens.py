"""The only way in: OAuth 2 client credentials with `private_key_jwt`, and short tokens of our own.

Assertions as the NHS API platform takes them (RS512), and as SMART Backend Services does (RS384,
ES384): https://hl7.org/fhir/smart-app-launch/backend-services.html. Tokens use real time, always.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from sqlmodel import col, delete

from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Unauthenticated
from flagservice.store import tables

ALGORITHMS: Final = ("RS512", "RS384", "ES384")
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME: Final = 300
_OURS: Final = "ES256"
_CLAIMS: Final = frozenset({"iss", "aud", "sub", "ods", "kind", "scope", "iat", "exp", "jti"})
_SKEW = 10
_NOBODY: Final = "Invalid 'iss'/'sub' claims in client_assertion JWT"


class BadAssertion(Unauthenticated):
    """The token endpoint refuses; `error` is OAuth's word for it."""

    def __init__(self, rule: str, error: str = "invalid_request") -> None:
        super().__init__(rule)
        self.error = error


@dataclass(frozen=True)
class Caller:
    """Who calls: a registered client of one organisation, and what it may do."""

    client_id: str
    ods: str
    kind: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class Tokens:
    """Issues tokens for one address, and checks them. `clock` is real time in seconds."""

    url: str
    key: ECKey = field(repr=False)
    clock: Callable[[], float] = time.time

    def issue(self, work: Work, form: dict[str, str]) -> dict[str, Any]:
        """The answer of the token endpoint; raises BadAssertion."""
        _check_form(form)
        client = self._proven(work, form["client_assertion"])
        granted = _granted(client, form.get("scope", ""))
        now = int(self.clock())
        claims = {
            "iss": self.url,
            "aud": self.url,
            "sub": client.id,
            "ods": client.ods,
            "kind": client.kind,
            "scope": " ".join(granted),
            "iat": now,
            "exp": now + LIFETIME,
            "jti": work.new_id(),
        }
        work.record(Deed.TOKEN_ISSUED, client=client.id)
        token = jwt.encode({"alg": _OURS, "typ": "at+jwt"}, claims, self.key, algorithms=[_OURS])
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "scope": " ".join(granted),
        }

    def caller(self, token: str) -> Caller:
        """Whose token this is; any flaw, and any claim that is absent, raises Unauthenticated."""
        try:
            opened = jwt.decode(token, self.key, algorithms=[_OURS])
            claims = opened.claims
            fresh = claims["iat"] - _SKEW <= self.clock() < claims["exp"]
            ours = claims["iss"] == claims["aud"] == self.url
            whole = opened.header.get("typ") == "at+jwt" and claims.keys() >= _CLAIMS
            found = Caller(
                claims["sub"], claims["ods"], claims["kind"], frozenset(claims["scope"].split())
            )
        except (JoseError, KeyError, TypeError, ValueError, AttributeError):
            raise Unauthenticated("the token is not one of ours") from None
        if not (fresh and ours and whole):
            raise Unauthenticated("the token has expired, or is not one of ours")
        return found

    def _proven(self, work: Work, assertion: str) -> tables.Client:
        """The client that signed the assertion, once, for this address, just now."""
        header = _header(assertion)
        client_id = _claimed_client(assertion)
        client = work.session.get(tables.Client, client_id)
        if client is None or client.revoked:
            raise BadAssertion(_NOBODY)
        keys = KeySet.import_key_set({"keys": _keys(client)})
        if all(key.kid != header["kid"] for key in keys.keys):
            raise BadAssertion(
                "Invalid 'kid' header in client_assertion JWT - no matching public key"
            )
        try:
            claims = jwt.decode(assertion, keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError):
            raise BadAssertion("JWT signature verification failed", "invalid_client") from None
        self._check_claims(claims)
        self._use_once(work, client.id, claims)
        return client

    def _check_claims(self, claims: dict[str, Any]) -> None:
        if claims.get("aud") != self.url:
            raise BadAssertion("Missing or invalid 'aud' claim in client_assertion JWT")
        expires, now = claims.get("exp"), self.clock()
        if expires is None:
            raise BadAssertion("Missing 'exp' claim in client_assertion JWT")
        if not isinstance(expires, int) or isinstance(expires, bool):
            raise BadAssertion("Invalid 'exp' claim in client_assertion JWT - must be an integer")
        if expires <= now:
            raise BadAssertion("Invalid 'exp' claim in client_assertion JWT - JWT has expired")
        if expires > now + LIFETIME + _SKEW:
            raise BadAssertion(
                "Invalid 'exp' claim in client_assertion JWT - more than 5 minutes in future"
            )
        if "jti" not in claims:
            raise BadAssertion("Missing 'jti' claim in client_assertion JWT")
        jti = claims["jti"]
        if not isinstance(jti, str) or not 1 <= len(jti) <= 200 or not jti.isprintable():
            raise BadAssertion(
                "Invalid 'jti' claim in client_assertion JWT - must be a unique string value such"
                " as a GUID"
            )

    def _use_once(self, work: Work, client_id: str, claims: dict[str, Any]) -> None:
        """Two that use one assertion at once meet in the primary key: the second finds it used."""
        row_id = hashlib.sha256(f"{client_id}|{claims['jti']}".encode()).hexdigest()
        if work.session.get(tables.Assertion, row_id) is not None:
            raise BadAssertion("Non-unique 'jti' claim in client_assertion JWT")
        now = int(self.clock())
        work.session.exec(delete(tables.Assertion).where(col(tables.Assertion.expires) < now - 60))
        work.session.add(tables.Assertion(id=row_id, expires=claims["exp"]))
        work.session.flush()


def _check_form(form: dict[str, str]) -> None:
    if "grant_type" not in form:
        raise BadAssertion("grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise BadAssertion("grant_type is invalid", "unsupported_grant_type")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise BadAssertion(f"Missing or invalid client_assertion_type - must be '{ASSERTION_TYPE}'")
    if not form.get("client_assertion"):
        raise BadAssertion("Missing client_assertion")


def _header(assertion: str) -> dict[str, Any]:
    try:
        header = dict(jws.extract_compact(assertion.encode()).headers())
    except (JoseError, ValueError):
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
    return header


def _claimed_client(assertion: str) -> str:
    """Only to find the key to check it with; nothing here is believed yet."""
    try:
        claims = json.loads(jws.extract_compact(assertion.encode()).payload)
        issuer, subject = claims["iss"], claims["sub"]
    except (JoseError, ValueError, KeyError, TypeError, RecursionError):
        issuer, subject = None, None
    if not isinstance(issuer, str) or issuer != subject:
        raise BadAssertion("Missing or non-matching 'iss'/'sub' claims in client_assertion JWT")
    if not (issuer.isascii() and issuer.isalnum()):
        raise BadAssertion(_NOBODY)
    return issuer


def _keys(client: tables.Client) -> list[dict[str, Any]]:
    return list(json.loads(client.keys)["keys"])


def _granted(client: tables.Client, asked: str) -> list[str]:
    """What the client has, or the part of it that it asks for."""
    has = client.scopes.split()
    wanted = asked.split() or has
    granted = [scope for scope in has if scope in wanted]
    if not granted:
        raise BadAssertion("none of the requested scopes is granted", "invalid_scope")
    return granted
