"""A push trusts who an authority vouches for, by name; to anybody else no byte of it is sent."""

import datetime as dt
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from flagservice.admission.endpoints import Endpoint
from flagservice.delivery.push.channel import OutgoingVersion, Reply, SendOutcome
from flagservice.delivery.push.fhir_rest import FhirRest
from tests.api.edge.test_tls import Authority
from tests.delivery.push.test_hostile_receivers import ECHO, HEAD, OK, read_whole
from tests.delivery.push.test_replies import FLAG
from tests.delivery.steps import OWN
from tests.patience import enough


@contextmanager
def a_receiver(certificate: tuple[Path, Path], heard: list[bytes]) -> Iterator[int]:
    """Speaks TLS with this certificate, hears one request and answers as the best would."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, certificate))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(enough())
        thread = threading.Thread(target=_answer, args=(listening, context, heard))
        thread.start()
        yield listening.getsockname()[1]
        thread.join(timeout=enough())
    assert not thread.is_alive()


def _answer(listening: socket.socket, context: ssl.SSLContext, heard: list[bytes]) -> None:
    line, _ = listening.accept()
    with line, suppress(OSError), context.wrap_socket(line, server_side=True) as secured:
        heard += filter(None, [secured.recv(1)])
        read_whole(secured)
        secured.sendall(OK + HEAD + ECHO)


def when_pushed(url: str) -> Reply:
    channel = FhirRest(within=dt.timedelta(seconds=10))
    try:
        return channel.send(
            OutgoingVersion(Endpoint(OWN, url, "secret"), json.dumps(FLAG).encode())
        )
    finally:
        channel.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nothing_is_sent_to_a_receiver_that_no_authority_vouches_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Nor does the environment vouch for it: what is trusted is what the library brings."""
    authority = Authority(tmp_path, "authority")
    heard: list[bytes] = []
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with a_receiver(authority.issues("gp"), heard) as port:
        assert when_pushed(f"https://{host}:{port}/fhir") == Reply(SendOutcome.UNKNOWN)
    assert heard == []
