"""The command line."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from flagservice.app import building, operating, serving
from flagservice.app.clocks import NotInProduction
from flagservice.app.keys import KeysMissing, add_key_encryption_key
from flagservice.app.logs import configure
from flagservice.app.witness import Witness
from flagservice.audit.verify import verify_audit
from flagservice.directory.endpoints import Admission
from flagservice.domain.elements import Kind
from flagservice.domain.errors import Refusal
from flagservice.policy.proof import table
from flagservice.settings import Settings
from flagservice.store.database import UnsafeDatabase

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
client = typer.Typer(no_args_is_help=True, help="Organisations that may call.")
endpoint = typer.Typer(no_args_is_help=True, help="Practices' systems.")
register = typer.Typer(no_args_is_help=True, help="Where people are registered.")
policy = typer.Typer(no_args_is_help=True, help="What may be told to which record.")
audit = typer.Typer(no_args_is_help=True, help="What was done, provably.")
keys = typer.Typer(no_args_is_help=True, help="The keys of the service.")
for name, group in (
    ("client", client),
    ("endpoint", endpoint),
    ("register", register),
    ("policy", policy),
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
    sequencer.start()
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


@endpoint.command("admit")
def endpoint_admit(
    practice: str,
    url: str,
    token_file: Path,
    by: Annotated[str, typer.Option(help="Who decided")],
    reason: Annotated[str, typer.Option(help="Why: how it is known that patients see no flag")],
) -> None:
    """Admits a practice's system: flags are pushed to it from now on, and it may read its feed."""
    token = token_file.read_text().strip()
    admission = Admission(practice, url, token, by, reason)
    operating.admit_practice(building.build(Settings()), admission)


@endpoint.command("suspend")
def endpoint_suspend(
    practice: str,
    by: Annotated[str, typer.Option(help="Who decided")],
    reason: Annotated[str, typer.Option(help="Why")],
) -> None:
    """Suspends a practice's system: nothing goes out to it, until it is admitted anew."""
    operating.suspend_practice(building.build(Settings()), practice, by=by, reason=reason)


@register.command("load")
def register_load(file: Path) -> None:
    """Loads a local register: CSV with nhs_number, date_of_birth, practice."""
    print(operating.load_register(building.build(Settings()), file), "registrations are news")


@policy.command("table")
def policy_table(kind: Annotated[Kind | None, typer.Argument()] = None) -> None:
    """Prints every answer that the policy of a kind, or of every kind, can ever give."""
    policies = building.read_rulebook(Settings().home).policies
    wanted = [kind] if kind else list(Kind)
    print("\n".join(table(policies[one]) for one in wanted), end="")


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
    except (KeysMissing, NotInProduction, UnsafeDatabase) as unfit:
        sys.exit(f"flagservice: {unfit}")


if __name__ == "__main__":
    os.umask(0o077)
    main()
