"""The outermost door: where the service listens, with TLS of its own or behind somebody else's.

With a client authority, no handshake ends without a certificate that it signed. That is a second
door in front of the first, and says nothing of who calls: identity stays with the key that signed
the client's assertion, so a certificate opens nothing by itself and a lost one nothing more.
"""

import gc
import ssl
from typing import Any, Final

import uvicorn

from flagservice.api.envelope import Application
from flagservice.domain.errors import Fault, Invalid
from flagservice.settings import Settings

_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2, the oldest that is spoken; TLS 1.3 has good ones alone."""


def listen(app: Application, settings: Settings) -> None:
    """Serves until stopped."""
    # What is loaded by now lasts as long as the process. Looked through for garbage, all of it,
    # again and again, it would stop everybody for a tenth of a second each time.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        **tls_of(settings),
    )


def tls_of(settings: Settings) -> dict[str, Any]:
    """What the server has to know of TLS; nothing, where somebody in front speaks it.

    Raises Invalid where half of it is set, or a file is not there.
    """
    files = {
        "tls_certificate": settings.tls_certificate,
        "tls_key": settings.tls_key,
        "tls_client_ca": settings.tls_client_ca,
    }
    if not any(files.values()):
        return {}
    for name in ("tls_certificate", "tls_key"):
        if files[name] is None:
            raise Invalid(Fault(name, "is needed beside the other settings of TLS"))
    for name, path in files.items():
        if path is not None and not path.is_file():
            raise Invalid(Fault(name, "is a file that can be read"))
    asked = {
        "ssl_certfile": str(settings.tls_certificate),
        "ssl_keyfile": str(settings.tls_key),
        "ssl_ciphers": _CIPHERS,
    }
    if settings.tls_client_ca is None:
        return asked
    return asked | {"ssl_ca_certs": str(settings.tls_client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
