"""What the server in front of the application takes and does not: ciphers, frames, addresses."""

import gc
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvicorn

from flagservice.api.edge.envelope import Receive, Scope, Send
from flagservice.app.listen import listen, tls_of
from flagservice.settings import Settings
from tests.api.edge.test_tls import Authority
from tests.patience import enough, until

FORGED = [(b"x-forwarded-for", b"203.0.113.9"), (b"x-real-ip", b"203.0.113.9")]


async def says_who_asks(scope: Scope, _: Receive, send: Send) -> None:
    """An application that answers with the address that it was told."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(scope["client"][0]).encode()})


def the_server(monkeypatch: pytest.MonkeyPatch, **set_: Any) -> uvicorn.Config:
    """As `serve` sets it up, but for that it does not begin."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda app, **more: given.update(app=app, **more))
    listen(says_who_asks, Settings(**set_))
    assert gc.get_freeze_count() > 0  # what is loaded is not looked through for garbage
    gc.unfreeze()
    config = uvicorn.Config(**given)
    config.load()
    return config


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The server as `serve` sets it up, in a thread."""
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    config = the_server(monkeypatch, port=0)
    server = uvicorn.Server(config)
    monkeypatch.setattr(server, "capture_signals", nullcontext)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, what="the server did not start")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(timeout=enough())


def test_every_cipher_has_forward_secrecy_and_seals_what_it_encrypts(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path, "authority").issues("server")
    context = tls_of(Settings(tls_certificate=certificate, tls_key=key))
    assert context is not None
    named = [cipher["name"] for cipher in context.get_ciphers()]
    assert named[0].startswith("TLS_")
    for name in named:
        assert re.fullmatch(r"(TLS_|ECDHE-).*(GCM|CHACHA20).*", name), name


def peer_told(config: uvicorn.Config, peer: str) -> str:
    """Whom the application takes a request to be from, that came from there and says otherwise."""
    said = bytearray()

    async def send(message: Any) -> None:
        said.extend(message.get("body", b""))

    async def ask() -> None:
        scope = {"type": "http", "client": (peer, 1), "headers": FORGED, "scheme": "http"}
        await config.loaded_app(scope, None, send)

    anyio.run(ask)
    return said.decode()


def test_whoever_is_no_proxy_of_ours_is_who_its_connection_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    config = the_server(monkeypatch)
    assert peer_told(config, "192.0.2.1") == "192.0.2.1"
    assert peer_told(config, "127.0.0.1") == "203.0.113.9"


def test_a_proxy_that_is_named_is_believed_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.7")
    config = the_server(monkeypatch)
    assert peer_told(config, "192.0.2.7") == "203.0.113.9"
    assert peer_told(config, "192.0.2.1") == "192.0.2.1"
    assert peer_told(config, "127.0.0.1") == "127.0.0.1"


SMUGGLED = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
AMBIGUOUS = {
    "two ways to say its length": b"Transfer-Encoding: chunked\r\nContent-Length: 4",
    "two lengths": b"Content-Length: 4\r\nContent-Length: 40",
    "a length with a sign": b"Content-Length: +4",
    "an encoding that is none": b"Transfer-Encoding: xchunked",
    "a header that goes on in the next line": b"Content-Length:\r\n 4",
    "a space before the colon": b"Content-Length : 4",
}


@pytest.mark.parametrize("why", AMBIGUOUS)
def test_a_request_whose_end_is_in_doubt_is_refused_and_nothing_behind_it_is_read(
    port: int, why: str
) -> None:
    asked = b"POST /first HTTP/1.1\r\nHost: a\r\n" + AMBIGUOUS[why] + b"\r\n\r\n0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=enough()) as line:
        line.sendall(asked + SMUGGLED)
        answered = b""
        while more := line.recv(65_536):
            answered += more
    assert answered.startswith(b"HTTP/1.1 400 ")
    assert answered.count(b"HTTP/1.1 ") == 1
