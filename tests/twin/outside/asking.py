"""One request as bytes and one answer as bytes, with no client between that would tidy either."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlencode

HOST = "flags.example"
FORM = "application/x-www-form-urlencoded"
Header = tuple[str, str]


@dataclass(frozen=True)
class Request:
    """What goes over the wire. `who` is for people to read; it is sent to nobody."""

    method: str
    target: str
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    who: str = "nobody"

    def bearing(self, token: str) -> "Request":
        """The same, with a token."""
        return self.having(("Authorization", f"Bearer {token}"))

    def having(self, *headers: Header) -> "Request":
        """The same, with more headers."""
        return replace(self, headers=(*self.headers, *headers))


@dataclass(frozen=True)
class Answer:
    """All that comes back, and the statements that were issued for it."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    statements: tuple[str, ...] = ()

    @property
    def wire(self) -> bytes:
        """The answer as it is written: status line, every header in order, body."""
        lines = [b"HTTP/1.1 %d" % self.status, *(b"%s: %s" % pair for pair in self.headers)]
        return b"\r\n".join([*lines, b"", self.body])

    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


def get(target: str) -> Request:
    """A plain read."""
    return Request("GET", target)


def post(target: str, body: object, *headers: Header) -> Request:
    """A JSON body."""
    content = json.dumps(body).encode()
    return Request("POST", target, (("Content-Type", "application/json"), *headers), content)


def post_form(target: str, fields: dict[str, str]) -> Request:
    """A form."""
    return Request("POST", target, (("Content-Type", FORM),), urlencode(fields).encode())


async def ask(app: Any, request: Request, *, statements: Callable[[], list[str]]) -> Answer:
    """The application's answer; `statements` gives what was issued since it was last called."""
    statements()
    sent: list[dict[str, Any]] = []
    waiting = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(_scope(request), receive, send)
    start = next(one for one in sent if one["type"] == "http.response.start")
    body = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    headers = tuple((bytes(name), bytes(value)) for name, value in start["headers"])
    return Answer(start["status"], headers, body, tuple(statements()))


def _scope(request: Request) -> dict[str, Any]:
    """As a server makes it: the path is decoded once, the names of headers are small letters."""
    raw, _, query = request.target.partition("?")
    headers = [("Host", HOST), *request.headers]
    if request.body:
        headers.append(("Content-Length", str(len(request.body))))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": unquote(raw),
        "raw_path": raw.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers],
        "client": ("192.0.2.1", 40000),
        "server": (HOST, 443),
        "state": {},
    }
