"""Real processes on loopback: the service as it is started anywhere, and a bare one beside it."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey
from sqlmodel import select

from flagservice.api.access.tokens import Tokens
from flagservice.app.keys.keyset import load_keys
from flagservice.clients.assertions import LIFETIME
from flagservice.settings import Settings
from flagservice.store import tables
from flagservice.store.database import Database
from tests.benchmarks.databases import Where
from tests.databases.postgresql import wait_for
from tests.generated import HOME
from tests.world import WIDE

_HELLO = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/hello")
async def hello():
    return {"status": "pass"}
uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False,
            log_config=None, server_header=False, date_header=False)
"""


@dataclass
class Served:
    """A running service of one or more processes, its database, and tokens for its clients."""

    ports: Sequence[int]
    processes: Sequence[subprocess.Popen[bytes]]
    settings: Settings
    clients: dict[str, tables.ClientRow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._database = Database(self.settings.database)
        key = ECKey.import_key(load_keys(self.settings).token_pem, {"use": "sig"})
        self._tokens = Tokens(f"{self.settings.base}/oauth2/token", key)
        self.clients = {one.ods: one for one in self.rows(select(tables.ClientRow))}

    def rows(self, asked: Any) -> list[Any]:
        """What the database has now."""
        with self._database.transaction() as session:
            return list(session.exec(asked).all())

    def token(self, ods: str) -> str:
        """As the token endpoint gives it to this organisation's client: for five minutes."""
        client, now = self.clients[ods], int(time.time())
        claims = {
            "iss": self._tokens.url,
            "aud": self._tokens.url,
            "sub": client.id,
            "ods": ods,
            "kind": client.kind,
            "kid": json.loads(client.keys)["keys"][0]["kid"],
            "scope": client.scopes,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": f"{ods}-{now}",
        }
        header = {"alg": "ES256", "typ": "at+jwt"}
        return str(jwt.encode(header, claims, self._tokens.key, algorithms=["ES256"]))

    def get(self, ods: str, path: str) -> str:
        """A request of this organisation's client."""
        return f"{self._head('GET', path, by=ods)}\r\n"

    def post(self, path: str, bodies: Iterable[bytes], *, by: str) -> list[str]:
        """Requests of one client."""
        head = f"{self._head('POST', path, by=by)}Content-Type: application/json\r\n"
        return [f"{head}Content-Length: {len(body)}\r\n\r\n{body.decode()}" for body in bodies]

    def _head(self, method: str, path: str, *, by: str) -> str:
        said = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n"
        return f"{said}Authorization: Bearer {self.token(by)}\r\n"

    def memory(self) -> float:
        """The most that one of its processes ever had resident, in megabytes; 0 where untold."""
        return max(_peak(one) for one in self.processes)

    def close(self) -> None:
        """The connections of the benchmark to its database."""
        self._database.close()


@contextlib.contextmanager
def serving(where: Where, *, processes: int = 1) -> Iterator[Served]:
    """Ordinary processes of the service on one database; one address stands for all of them."""
    ports = [_free_port() for _ in range(processes)]
    settings = Settings(
        data=where.folder,
        database_url=where.url,
        keys=where.folder / "keys",
        port=ports[0],
        synthetic=True,
    )
    environment = {
        **os.environ,
        "FLAGSERVICE_DATA": str(where.folder),
        "FLAGSERVICE_DATABASE_URL": where.url,
        "FLAGSERVICE_KEYS": str(where.folder / "keys"),
        "FLAGSERVICE_WITNESS": str(where.folder / f"witness-{where.name}"),
        "FLAGSERVICE_BASE_URL": settings.base,
        "FLAGSERVICE_SYNTHETIC": "true",
        "FLAGSERVICE_LIMITS": json.dumps(WIDE),
    }
    words = ["-m", "flagservice", "serve", "--no-deliver", "--port"]
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(_process([*words, str(port)], port, environment=environment))
            for port in ports
        ]
        served = Served(ports, started, settings)
        stack.callback(served.close)
        yield served


@contextlib.contextmanager
def hello() -> Iterator[int]:
    """The port of a process with one route that says nothing much."""
    port = _free_port()
    with _process(["-c", _HELLO, str(port)], port, environment=dict(os.environ)):
        yield port


@contextlib.contextmanager
def _process(
    words: list[str], port: int, *, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, *words], cwd=HOME, env=environment)
    try:
        wait_for(("127.0.0.1", port))
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _peak(process: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return 0.0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024
