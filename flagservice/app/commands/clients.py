"""Commands that add an organisation's client, change its keys, and revoke it."""

from pathlib import Path
from typing import Annotated, Final

import typer

from flagservice.app.build import opened
from flagservice.app.commands.line import group
from flagservice.app.files import read_bytes
from flagservice.clients.keys import add_key, drop_key, keys_of
from flagservice.clients.kinds import ClientKind
from flagservice.clients.registry import add_client, revoke_client

commands: Final = group("Organisations that may call.")
key: Final = group("A client's keys: several may live at once.")
commands.add_typer(key, name="key")
PublicKey = Annotated[Path, typer.Argument(help="PEM file")]


@commands.command("add")
def client_add(
    ods: str,
    kind: ClientKind,
    public_key: Annotated[
        Path | None, typer.Argument(help="PEM file; without one it gets no token yet")
    ] = None,
) -> None:
    """Registers an organisation's client by its public key, and prints its id."""
    pem = read_bytes(public_key) if public_key else b""
    with opened() as installation:
        desks = installation.policies.desks
        added = installation.perform(
            lambda work: add_client(work, ods, kind, desks=desks, public_key=pem)
        )
    typer.echo(added)


@commands.command("revoke")
def client_revoke(client_id: str) -> None:
    """Ends a client's right to call."""
    with opened() as installation:
        installation.perform(lambda work: revoke_client(work, client_id))


@key.command("add")
def key_add(client_id: str, public_key: PublicKey) -> None:
    """Adds a key beside those that are there, and prints its thumbprint: the assertions' `kid`."""
    pem = read_bytes(public_key)
    with opened() as installation:
        typer.echo(installation.perform(lambda work: add_key(work, client_id, pem)))


@key.command("list")
def key_list(client_id: str) -> None:
    """Lists the client's keys, by thumbprint."""
    with opened() as installation:
        for one in installation.perform(lambda work: keys_of(work, client_id)):
            typer.echo(f"{one.kid}\t{one.sort}")


# A thumbprint may begin with a hyphen, and is no option then.
@key.command("drop", context_settings={"ignore_unknown_options": True})
def key_drop(client_id: str, kid: str) -> None:
    """Ends a key's right to sign; refuses the last one."""
    with opened() as installation:
        installation.perform(lambda work: drop_key(work, client_id, kid))
