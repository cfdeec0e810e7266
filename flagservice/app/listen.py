"""The outermost door: where the service listens, with TLS of its own or behind a proxy's.

With a client authority, every handshake needs a certificate that it signed. That does not say who
calls: identity stays with the key that signed the client's assertion, so a lost certificate opens
nothing by itself.
"""

import gc
import ssl
from typing import Final

import uvicorn

from flagservice.api.edge.envelope import ALWAYS, Application
from flagservice.connections.bounds import Bounds, affordable
from flagservice.connections.endings import answers
from flagservice.connections.registry import Connections
from flagservice.domain.errors import Fault, Invalid
from flagservice.fhir.outcomes import outcome
from flagservice.settings import Settings

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2, the oldest that is spoken; TLS 1.3 has only good ones."""


def listen(app: Application, settings: Settings) -> None:
    """Serves until stopped."""
    # What is loaded by now lasts as long as the process. Looked through for garbage, all of it,
    # again and again, it would stop everybody for a tenth of a second each time.
    gc.collect()
    gc.freeze()
    bounds = bounds_of(settings)
    connections = Connections(bounds, refusals())
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=connections.protocol(tls_of(settings)),
        ws="none",
        timeout_keep_alive=bounds.idle_seconds,  # type: ignore[arg-type]  # any number does
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
    )


def bounds_of(settings: Settings) -> Bounds:
    """Returns what a connection may take, and how many the descriptors allow."""
    return Bounds(
        connections=affordable(settings.connections),
        head_seconds=settings.head_seconds,
        body_seconds=settings.body_seconds,
        idle_seconds=settings.idle_seconds,
        unread_seconds=settings.unread_seconds,
    )


def refusals() -> dict[int, bytes]:
    """Returns the answers given before there is a request, the same for every caller."""
    return answers(ALWAYS, media_type=b"application/fhir+json", body_of=outcome)


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Returns how TLS is spoken; None where a proxy speaks it.

    Raises Invalid where half of it is set, or a file is missing.
    """
    files = {
        "tls_certificate": settings.tls_certificate,
        "tls_key": settings.tls_key,
        "tls_client_ca": settings.tls_client_ca,
    }
    if not any(files.values()):
        return None
    for name in ("tls_certificate", "tls_key"):
        if files[name] is None:
            raise Invalid(Fault(name, "is needed beside the other settings of TLS"))
    for name, path in files.items():
        if path is not None and not path.is_file():
            raise Invalid(Fault(name, "is a file that can be read"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.load_cert_chain(str(settings.tls_certificate), str(settings.tls_key))
    if settings.tls_client_ca is not None:
        context.load_verify_locations(str(settings.tls_client_ca))
        context.verify_mode = ssl.CERT_REQUIRED
    return context
