"""The command line."""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from flagservice.app import build, listen, operating
from flagservice.app import serve as serving
from flagservice.app.clock import NotInProduction
from flagservice.app.commands import admission, clients, keys, policy
from flagservice.app.keys.keyset import KeysMissing
from flagservice.app.logs import configure
from flagservice.app.policies import sweep
from flagservice.app.sandbox import commands
from flagservice.app.witness import Witness
from flagservice.audit.verify import verify_audit
from flagservice.domain.errors import Refusal
from flagservice.policy.table import UnusablePolicy
from flagservice.settings import Settings
from flagservice.store.database import UnsafeDatabase

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
register = typer.Typer(no_args_is_help=True, help="Where people are registered.")
audit = typer.Typer(no_args_is_help=True, help="What was done, provably.")
for name, group in (
    *clients.GROUPS,
    *admission.GROUPS,
    ("register", register),
    *policy.GROUPS,
    ("audit", audit),
    *keys.GROUPS,
    ("sandbox", commands.group),
):
    cli.add_typer(group, name=name)


@cli.command()
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
    given = {"host": host, "port": port, "synthetic": sandbox, "clock_file": clock_file}
    tls = {"tls_certificate": certificate, "tls_key": key, "tls_client_ca": client_ca}
    set_ = {name: value for name, value in {**given, **tls}.items() if value}
    settings = Settings().model_copy(update=set_)
    listen.tls_of(settings)
    if sandbox:
        commands.serve_sandbox(settings)
        return
    parts = build.build(settings)
    app = serving.application(parts, threads=serving.loops(parts, deliver=deliver))
    listen.listen(app, settings)


@cli.command()
def deliver() -> None:
    """Runs a delivery worker as a process of its own; start as many as you like.

    SIGTERM ends it: what is on its way is concluded, and what was not begun is given back.
    """
    parts = build.build(Settings())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    sequencer = serving.Loop("sequencer", parts.sequencer().sequence, pause=0.5)
    policies = serving.Loop("policies", partial(sweep, parts), pause=2)
    serving.run(sequencer, policies, serving.worker_loop(parts.worker()))


@cli.command()
def openapi() -> None:
    """Prints the API's description."""
    json.dump(serving.described().openapi(), sys.stdout, indent=2, sort_keys=True)
    print()


@register.command("load")
def register_load(file: Path) -> None:
    """Loads a local register: CSV with nhs_number, date_of_birth, practice."""
    print(operating.load_register(build.build(Settings()), file), "registrations are news")


@audit.command("verify")
def audit_verify() -> None:
    """Verifies the audit; exit status 1 if anything at all is wrong."""
    parts = build.build(Settings())
    try:
        parts.sequencer().catch_up()
        kept = Witness(parts.settings.witness_folder).heads()
    except OSError as wrong:
        sys.exit(f"flagservice: what is kept outside the database: {wrong.strerror}")
    signer = parts.keys.signer
    found = verify_audit(
        parts.database,
        origin=signer.name,
        public_key=signer.public_key_bytes,
        now=parts.log.clock(),
        kept=kept,
    )
    for finding in found.findings:
        print(finding)
    print(f"{found.leaves} leaves, {found.checkpoints} checkpoints, {len(found.findings)} findings")
    raise typer.Exit(1 if found.findings else 0)


cli.command("leak-check")(admission.leak_check)


@cli.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def patient_view(given: typer.Context) -> None:
    """Shows what a patient may see of a Bundle, as a process of its own that has no store."""
    command = [sys.executable, "-m", "flagservice.kit.patient_view", *given.args]
    os.execv(command[0], command)  # noqa: S606 - ourselves, in a fresh process


@cli.command()
def demo(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print counts and checks as JSON.")
    ] = False,
) -> None:
    """Plays the three families through the public API, and checks what each practice received."""
    from flagservice.kit.demo import run

    raise typer.Exit(run(as_json=as_json))


def main() -> None:
    """Every refusal is one sentence; a traceback could hold what was sent."""
    os.umask(0o077)
    configure()
    try:
        cli()
    except Refusal as refused:
        sys.exit(f"flagservice: {refused.rule}")
    except (KeysMissing, NotInProduction, UnsafeDatabase, UnusablePolicy) as unfit:
        sys.exit(f"flagservice: {unfit}")


if __name__ == "__main__":
    main()
