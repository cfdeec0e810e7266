"""Commands that make keys, replace them while the service runs, and drop them."""

from typing import Annotated, Final

import typer

from flagservice.app.build import init_keys, opened
from flagservice.app.commands.line import group
from flagservice.app.keys.keyset import add_pseudonym_key
from flagservice.app.keys.pseudonyms import carried_by, drop_pseudonyms, rotate_pseudonyms
from flagservice.app.keys.rotation import drop_data_key_wrapping, rotate_data_keys, wrapped_by
from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Conflict, Fault, Invalid
from flagservice.settings import Settings

commands: Final = group("The keys of the service.")
Pseudonyms = Annotated[bool, typer.Option("--pseudonyms", help="The pseudonym key instead")]


@commands.command("init")
def keys_init() -> None:
    """Makes the missing keys, and leaves existing ones."""
    init_keys(Settings())


@commands.command("rotate")
def keys_rotate(pseudonyms: Pseudonyms = False) -> None:
    """Replaces the current key by a new one, everywhere, or ends what was cut short."""
    with opened() as installation:
        if pseudonyms:
            given = rotate_pseudonyms(installation)
            version = installation.keys.vault.newest_pseudonym_version()
            typer.echo(f"{given} rows given a pseudonym of version {version}")
        else:
            wrapped = rotate_data_keys(installation)
            typer.echo(
                f"{wrapped} data keys wrapped under {installation.keys.vault.current_key_id()}"
            )


@commands.command("add-pseudonym-key")
def keys_add_pseudonym_key() -> None:
    """Makes the next pseudonym key and no more: copy the file to every machine, then rotate."""
    settings = Settings()
    if settings.pseudonym_keys is not None:
        raise Conflict("these keys are given by the environment: add it there")
    typer.echo(f"version {add_pseudonym_key(settings.keys_folder)} is there; no row carries it yet")


@commands.command("status")
def keys_status() -> None:
    """Prints how many rows each key wraps, and how many carry each pseudonym key."""
    with opened() as installation:
        installation.perform(_status)


def _status(work: Work) -> None:
    work.record(Deed.STATUS_READ, what="keys")
    current = work.vault.current_key_id()
    wrapped = wrapped_by(work)
    for key_id in sorted({current, *wrapped}):
        rows = wrapped.get(key_id, {})
        _say(f"key-encryption key {key_id}", rows, is_current=key_id == current)
    carried = carried_by(work)
    for version, rows in sorted(carried.items()):
        _say(f"pseudonym key {version}", rows, is_current=version == max(carried))


@commands.command("drop")
def keys_drop(key: str, pseudonyms: Pseudonyms = False) -> None:
    """Takes an old key out of its file; refused while any row needs it.

    Backups from before the rotation open with the old key alone: keep it with them.
    """
    if pseudonyms and not key.isdecimal():
        raise Invalid(Fault("key", "is the number of a version"))
    with opened() as installation:
        if pseudonyms:
            drop_pseudonyms(installation, int(key))
        else:
            drop_data_key_wrapping(installation, key)


def _say(name: str, rows: dict[str, int], *, is_current: bool) -> None:
    by_table = ", ".join(f"{table} {count}" for table, count in sorted(rows.items()) if count)
    current = ", current" if is_current else ""
    typer.echo(f"{name}{current}: {sum(rows.values())} rows{f' ({by_table})' if by_table else ''}")
