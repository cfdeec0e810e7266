"""A client with a key of its own, as any agency's or supplier's: signed assertion, token, calls."""

import time
import uuid
from pathlib import Path
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_EARLY = 30


class KeyedClient:
    """One organisation's client. The private key never leaves this process."""

    def __init__(self, ods: str, kind: str) -> None:
        self.ods = ods
        self.kind = kind
        self.client_id = ""
        self._key = ECKey.generate_key("P-384", {"use": "sig"}, private=True)
        self._token = ""
        self._expires = 0.0
        self._http = httpx.Client(timeout=30, trust_env=False)

    def write_public_key(self, folder: Path) -> Path:
        """Writes the public key for registration, and returns its path."""
        path = folder / f"{self.kind}-{self.ods}.pem"
        path.write_bytes(self._key.as_pem(private=False))
        return path

    def call(self, method: str, url: str, **more: Any) -> httpx.Response:
        """Sends one call with a valid token."""
        base = url.split("/", 3)
        headers = {
            "Authorization": f"Bearer {self._fresh_token('/'.join(base[:3]))}",
            "X-Request-ID": str(uuid.uuid4()),
            **more.pop("headers", {}),
        }
        return self._http.request(method, url, headers=headers, **more)

    def _fresh_token(self, service: str) -> str:
        if time.time() > self._expires - _EARLY:
            address = f"{service}/oauth2/token"
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": _ASSERTION,
                "client_assertion": self._assertion(address),
            }
            reply = self._http.post(address, data=form)
            reply.raise_for_status()
            self._token = reply.json()["access_token"]
            self._expires = time.time() + reply.json()["expires_in"]
        return self._token

    def _assertion(self, audience: str) -> str:
        header = {"alg": "ES384", "typ": "JWT", "kid": self._key.thumbprint()}
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            "jti": str(uuid.uuid4()),
            "exp": int(time.time()) + 240,
        }
        return jwt.encode(header, claims, self._key, algorithms=["ES384"])
