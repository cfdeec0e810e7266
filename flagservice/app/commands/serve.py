"""Commands that run the API and a delivery worker, and print the API's description."""

import json
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from flagservice.app import logs
from flagservice.app.build import build
from flagservice.app.commands.line import group
from flagservice.app.listen import listen, tls_of
from flagservice.app.sandbox.dispatch import Sandbox
from flagservice.app.serve import Loop, application, described, loops, run, worker_loop, worker_of
from flagservice.intake.policies.enforcement import sweep_next
from flagservice.settings import Settings

serving: Final = group()
delivering: Final = group()
describing: Final = group()


@serving.command()
def serve(
    host: str = "",
    port: int = 0,
    sandbox: Annotated[bool, typer.Option(help="A world for each tenant; nobody real.")] = False,
    clock_file: Path | None = None,
    deliver: Annotated[bool, typer.Option(help="Run a delivery worker inside.")] = True,
    certificate: Annotated[Path | None, typer.Option(help="TLS: the server's, PEM")] = None,
    key: Annotated[Path | None, typer.Option(help="TLS: its private key, PEM")] = None,
    client_ca: Annotated[Path | None, typer.Option(help="Mutual TLS: clients' authority")] = None,
) -> None:
    """Runs the API; on the embedded default the delivery worker, too."""
    logs.configure()
    given = {"host": host, "port": port, "synthetic": sandbox, "clock_file": clock_file}
    tls = {"tls_certificate": certificate, "tls_key": key, "tls_client_ca": client_ca}
    set_ = {name: value for name, value in {**given, **tls}.items() if value}
    settings = Settings().model_copy(update=set_)
    tls_of(settings)
    if sandbox:
        listen(Sandbox(settings), settings)
        return
    installation = build(settings)
    listen(application(installation, threads=loops(installation, deliver=deliver)), settings)


@delivering.command()
def deliver() -> None:
    """Runs a delivery worker as a process of its own; start as many as you like.

    SIGTERM ends it: what is on its way is concluded, and what was not begun is given back.
    """
    logs.configure()
    installation = build(Settings())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    sequencer = Loop("sequencer", installation.sequencer().sequence, pause=0.5)
    policies = Loop(
        "policies", partial(sweep_next, installation.log, installation.policies), pause=2
    )
    run(sequencer, policies, worker_loop(worker_of(installation)))


@describing.command()
def openapi() -> None:
    """Prints the API's description."""
    typer.echo(json.dumps(described().openapi(), indent=2, sort_keys=True))
