"""The commands by which an organisation's client comes, changes its keys, and goes."""

from pathlib import Path
from typing import Annotated, Final

import typer

from flagservice.app import build, operating
from flagservice.app.keys import clients
from flagservice.domain.errors import Fault, Invalid
from flagservice.settings import Settings

client = typer.Typer(no_args_is_help=True, help="Organisations that may call.")
key = typer.Typer(no_args_is_help=True, help="A client's keys: several may live at once.")
client.add_typer(key, name="key")
GROUPS: Final = (("client", client),)
PublicKey = Annotated[Path, typer.Argument(help="PEM file")]


@client.command("add")
def client_add(
    ods: str,
    kind: str,
    public_key: Annotated[
        Path | None, typer.Argument(help="PEM file; without one it gets no token yet")
    ] = None,
) -> None:
    """Registers an organisation's client by its public key, and prints its id."""
    pem = _pem(public_key) if public_key else b""
    new = operating.NewClient(ods, kind, pem)
    typer.echo(operating.add_client(build.build(Settings()), new))


@client.command("revoke")
def client_revoke(client_id: str) -> None:
    """Takes a client's right to call."""
    operating.revoke_client(build.build(Settings()), client_id)


@key.command("add")
def key_add(client_id: str, public_key: PublicKey) -> None:
    """Adds a key beside those that are there, and prints its thumbprint: the assertions' `kid`."""
    pem = _pem(public_key)
    typer.echo(clients.add_key(build.build(Settings()), client_id, public_key=pem))


@key.command("list")
def key_list(client_id: str) -> None:
    """The client's keys, by thumbprint."""
    for one in clients.keys_of(build.build(Settings()), client_id):
        typer.echo(f"{one.kid}\t{one.sort}")


@key.command("drop")
def key_drop(client_id: str, kid: str) -> None:
    """Takes a key's right to sign; never the last one's."""
    clients.drop_key(build.build(Settings()), client_id, kid=kid)


def _pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise Invalid(Fault(path.name, "is a file that can be read")) from None
