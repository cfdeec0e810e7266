"""A client that gets no answer asks again, with the same words, at whichever door is open."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from flagservice.kit.demo.stage import client as demo
from tests.patience import enough, slowness, until

_EARLY = 60
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Client(demo.KeyedClient):
    """One organisation, several addresses of one service; the first gives the service its name."""

    def __init__(self, ods: str, kind: str, *, gates: Sequence[str]) -> None:
        super().__init__(ods, kind)
        self._name, self._gates = gates[0], list(gates)
        self._http.timeout = enough(30)
        self.unanswered = 0
        self.progress: Callable[[], object] = lambda: None
        """Shows that it is still worth asking again."""

    def another(self) -> "Client":
        """The same organisation with connections of its own."""
        twin = Client(self.ods, self.kind, gates=self._gates)
        twin.client_id, twin._key, twin._name = self.client_id, self._key, self._name
        twin.progress = self.progress
        return twin

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Until there is an answer."""

        def answer() -> tuple[httpx.Response] | None:
            try:
                return (self.call(method, f"{self._gates[0]}{path}", **more),)
            except httpx.TransportError:
                self.unanswered += 1
                self._gates.append(self._gates.pop(0))
                return None

        what = f"nobody answered {method} {path}"
        (reply,) = until(answer, progress=self.progress, what=what, every=0.02 * slowness())
        return reply

    def close(self) -> None:
        self._http.close()

    def _fresh_token(self, service: str) -> str:
        if time.time() > self._expires - _EARLY:
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": _ASSERTION,
                "client_assertion": self._assertion(f"{self._name}/oauth2/token"),
            }
            reply = self._http.post(f"{service}/oauth2/token", data=form)
            reply.raise_for_status()
            self._token = reply.json()["access_token"]
            self._expires = time.time() + reply.json()["expires_in"]
        return self._token
