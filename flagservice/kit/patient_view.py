"""Runs the patient's view beside a GP system: over a pipe, or as a process that has no store.

python -m flagservice.kit.patient_view --help
"""

import argparse
import json
import os
import socket
import sys
from asyncio import to_thread
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import uvicorn

from flagservice.connections.bounds import Bounds, affordable
from flagservice.connections.endings import answers
from flagservice.connections.registry import Connections
from flagservice.fhir.patient_view.text import patient_view_of
from flagservice.fhir.patient_view.view import FilteredBundle

MOST_BYTES: Final = 16_000_000
_MOST_CONNECTIONS: Final = 64
"""Each may bring as many bytes."""
_HOST: Final = "127.0.0.1"
_FHIR_JSON: Final = b"application/fhir+json"
_NOT_KEPT: Final = ((b"cache-control", b"no-store"),)
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Report:
    """Tells the operator alone what was kept and removed, a line for each Bundle."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.add(None)

    def add(self, view: FilteredBundle | None) -> None:
        """Writes one line; without a view it only tests that the file can be written."""
        if self._file is None:
            return
        removals = [] if view is None else [vars(one) for one in view.removals]
        said = view and {"kept": view.kept, "removed": len(removals), "removals": removals}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n" if said else "")


class PatientView:
    """Answers `POST /` with what a patient may see of the Bundle."""

    def __init__(self, report: Report) -> None:
        self._report = report

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answers one request: https://asgi.readthedocs.io/en/latest/specs/www.html."""
        if scope["method"] != "POST" or scope["path"] != "/":
            await _answer(send, 404, b"")
            return
        text = await _body(receive)
        if text is None:
            await _answer(send, 413, b"")
            return
        shown, view = await to_thread(patient_view_of, text)
        self._report.add(view)
        await _answer(send, 200, shown)


async def _body(receive: Receive) -> bytes | None:
    """Returns the whole body, or None if it is too long: half a record is not a record."""
    text, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        text += message.get("body", b"")
        more = message.get("more_body", False)
        if len(text) > MOST_BYTES:
            return None
    return bytes(text)


def _refusals() -> dict[int, bytes]:
    """Returns the answers to what is no request, as empty as every other refusal here."""
    return answers(_NOT_KEPT, media_type=_FHIR_JSON, body_of=lambda _, __: b"")


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode()), *_NOT_KEPT]
    if body:
        headers.append((b"content-type", _FHIR_JSON))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Filters one Bundle, or serves. The exit status tells nothing of what is in a Bundle."""
    asked = _arguments()
    os.umask(0o077)
    try:
        report = Report(asked.report)
    except OSError:
        sys.exit("flagservice: --report cannot be written")
    if asked.serve:
        _serve(report, port=asked.port)
        return
    shown, view = patient_view_of(sys.stdin.buffer.read())
    sys.stdout.buffer.write(shown)
    sys.stdout.buffer.flush()
    report.add(view)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="flagservice patient-view",
        description="Reads a FHIR R4 Bundle and writes what its patient, or a proxy, may see.",
    )
    parser.add_argument("--report", type=Path, help="where the operator reads what was removed")
    parser.add_argument("--serve", action="store_true", help="answer POST / on this machine")
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    return parser.parse_args()


def _serve(report: Report, *, port: int) -> None:
    with socket.create_server((_HOST, port)) as listening:
        address = f"http://{_HOST}:{listening.getsockname()[1]}"
        sys.stdout.write(f"listening {address}\n")
        sys.stdout.flush()
        bounds = Bounds(connections=affordable(_MOST_CONNECTIONS))
        config = uvicorn.Config(
            PatientView(report),
            http=Connections(bounds, _refusals()).protocol(),
            timeout_keep_alive=bounds.idle_seconds,  # type: ignore[arg-type]  # any number does
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            log_level="critical",  # a traceback could hold what was sent
            server_header=False,
            date_header=False,
        )
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
