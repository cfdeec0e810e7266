"""Commands of the sandbox: its operator adds a tenant by its public key."""

from pathlib import Path
from typing import Annotated, Final

import typer

from flagservice.app.commands.line import group
from flagservice.app.files import read_bytes
from flagservice.app.sandbox.guide import table
from flagservice.app.sandbox.tenants import FACES, Tenants
from flagservice.clients.registry import public_jwk
from flagservice.settings import Settings

commands: Final = group("The sandbox for suppliers and councils.")


@commands.command("add-tenant")
def sandbox_add_tenant(
    name: str,
    public_key: Annotated[Path, typer.Option(help="RSA or P-384, PEM file: proves every client")],
) -> None:
    """Adds a tenant with a world of its own, and prints the key's id and its clients' ids."""
    from flagservice.app.sandbox.furnishing import add_tenant  # noqa: PLC0415, it brings a leak check

    pem = read_bytes(public_key)
    kid = public_jwk(pem)["kid"]
    tenant = add_tenant(Settings(), name, public_key=pem.decode())
    typer.echo(f"kid\t{kid}")
    for face, client_id in tenant.clients.items():
        typer.echo(f"{face}\t{client_id}\t{FACES[face][0]}")


@commands.command("tenants")
def sandbox_tenants() -> None:
    """Lists the tenants, and how often each world was reset."""
    for tenant in Tenants.of(Settings()).everybody():
        typer.echo(f"{tenant.name}\t{tenant.generation - 1}")


@commands.command("scenarios")
def sandbox_scenarios() -> None:
    """Prints the table of synthetic people."""
    typer.echo(table(), nl=False)
