"""The commands of the sandbox: a tenant is added by whoever runs it, by its public key."""

from pathlib import Path
from typing import Annotated

import typer

from flagservice.app.listen import listen
from flagservice.app.operating import public_jwk
from flagservice.app.sandbox.dispatch import Sandbox, add_tenant
from flagservice.app.sandbox.guide import table
from flagservice.app.sandbox.tenants import FACES, Tenants
from flagservice.domain.errors import Fault, Invalid
from flagservice.settings import Settings

group = typer.Typer(no_args_is_help=True, help="The sandbox for suppliers and councils.")


@group.command("add-tenant")
def sandbox_add_tenant(
    name: str,
    public_key: Annotated[Path, typer.Option(help="RSA or P-384, PEM file: proves every client")],
) -> None:
    """Adds a tenant with a world of its own, and prints the key's id and its clients' ids."""
    try:
        pem = public_key.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        raise Invalid(Fault(public_key.name, "is a file that can be read, in PEM")) from None
    tenant = add_tenant(Settings(), name, public_key=pem)
    typer.echo(f"kid\t{public_jwk(pem.encode())['kid']}")
    for face, client_id in tenant.clients.items():
        typer.echo(f"{face}\t{client_id}\t{FACES[face][0]}")


@group.command("tenants")
def sandbox_tenants() -> None:
    """Every tenant by name, and how often its world was put back."""
    for tenant in Tenants.of(Settings()).everybody():
        typer.echo(f"{tenant.name}\t{tenant.generation - 1}")


@group.command("scenarios")
def sandbox_scenarios() -> None:
    """The table of synthetic people, as the documents have it."""
    typer.echo(table(), nl=False)


def serve_sandbox(settings: Settings) -> None:
    """Runs every tenant's service behind one address, until stopped."""
    listen(Sandbox(settings), settings)
