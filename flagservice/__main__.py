"""The command line."""

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from flagservice.app import building, commands_admission, commands_policy, operating, serving
from flagservice.app.clocks import NotInProduction
from flagservice.app.keys import KeysMissing, add_key_encryption_key
from flagservice.app.logs import configure
from flagservice.app.policies import sweep
from flagservice.app.witness import Witness
from flagservice.audit.verify import verify_audit
from flagservice.domain.errors import Refusal
from flagservice.policy.table import UnusablePolicy
from flagservice.settings import Settings
from flagservice.store.database import UnsafeDatabase

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
client = typer.Typer(no_args_is_help=True, help="Organisations that may call.")
register = typer.Typer(no_args_is_help=True, help="Where people are registered.")
audit = typer.Typer(no_args_is_help=True, help="What was done, provably.")
keys = typer.Typer(no_args_is_help=True, help="The keys of the service.")
for name, group in (
    ("client", client),
    *commands_admission.GROUPS,
    ("register", register),
    *commands_policy.GROUPS,
    ("audit", audit),
    ("keys", keys),
):
    cli.add_typer(group, name=name)


@cli.command()
def serve(
    host: str = "",
    port: int = 0,
    sandbox: bool = False,
    clock_file: Path | None = None,
    deliver: Annotated[bool, typer.Option(help="Run a delivery worker inside.")] = True,
) -> None:
    """Runs the API; on the embedded default the delivery worker, too."""
    given = {"host": host, "port": port, "sandbox": sandbox, "clock_file": clock_file}
    settings = Settings().model_copy(update={n: value for n, value in given.items() if value})
    parts = building.build(settings)
    app = serving.application(parts, threads=serving.loops(parts, deliver=deliver))
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
    )


@cli.command()
def deliver() -> None:
    """Runs a delivery worker as a process of its own; start as many as you like."""
    parts = building.build(Settings())
    worker = serving.Loop("worker", parts.worker().run_once, pause=0.2)
    sequencer = serving.Loop("sequencer", parts.sequencer().sequence, pause=0.5)
    policies = serving.Loop("policies", partial(sweep, parts), pause=2)
    sequencer.start()
    policies.start()
    worker.run()


@cli.command()
def openapi() -> None:
    """Prints the API's description."""
    json.dump(serving.described().openapi(), sys.stdout, indent=2, sort_keys=True)
    print()


@client.command("add")
def client_add(
    ods: str, kind: str, public_key: Annotated[Path, typer.Argument(help="PEM file")]
) -> None:
    """Registers an organisation's client by its public key, and prints its id."""
    new = operating.NewClient(ods, kind, public_key.read_bytes())
    print(operating.add_client(building.build(Settings()), new))


@client.command("revoke")
def client_revoke(client_id: str) -> None:
    """Takes a client's right to call."""
    operating.revoke_client(building.build(Settings()), client_id)


@register.command("load")
def register_load(file: Path) -> None:
    """Loads a local register: CSV with nhs_number, date_of_birth, practice."""
    print(operating.load_register(building.build(Settings()), file), "registrations are news")


@audit.command("verify")
def audit_verify() -> None:
    """Verifies the audit; exit status 1 if anything at all is wrong."""
    parts = building.build(Settings())
    witness = Witness(parts.settings).read()
    while parts.sequencer().sequence():
        pass
    signer = parts.keys.signer
    found = verify_audit(
        parts.database,
        origin=signer.name,
        public_key=signer.public_key_bytes,
        now=parts.log.clock(),
        witness=witness,
    )
    for finding in found.findings:
        print(finding)
    print(f"{found.leaves} leaves, {found.checkpoints} checkpoints, {len(found.findings)} findings")
    raise typer.Exit(1 if found.findings else 0)


@keys.command("init")
def keys_init() -> None:
    """Makes the keys that are not there yet; an existing key is never touched."""
    building.init_keys(Settings())


@keys.command("rotate")
def keys_rotate() -> None:
    """Adds a key-encryption key and wraps every data key under it."""
    settings = Settings()
    name = add_key_encryption_key(settings.keys_folder)
    print(operating.rewrap_data_keys(building.build(settings)), "data keys wrapped under", name)


cli.command("leak-check")(commands_admission.leak_check)


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
    configure()
    try:
        cli()
    except Refusal as refused:
        sys.exit(f"flagservice: {refused.rule}")
    except (KeysMissing, NotInProduction, UnsafeDatabase, UnusablePolicy) as unfit:
        sys.exit(f"flagservice: {unfit}")


if __name__ == "__main__":
    os.umask(0o077)
    main()
