"""The command that loads a local register of patients."""

from functools import partial
from pathlib import Path
from typing import Final

import typer

from flagservice.app.build import Installation, opened
from flagservice.app.commands.line import group
from flagservice.audit.log import Work
from flagservice.intake.registration import update_registration
from flagservice.people.registers import CsvRegister
from flagservice.people.registrations import Registration

commands: Final = group("Where people are registered.")


@commands.callback()
def _group() -> None:
    """Loads where people are registered."""


@commands.command("load")
def register_load(file: Path) -> None:
    """Loads a local register: CSV with nhs_number, date_of_birth, practice."""
    with opened() as installation:
        typer.echo(f"{load_register(installation, file)} registrations are news")


def load_register(installation: Installation, file: Path) -> int:
    """Takes in a register, person by person, and returns how many registrations were news.

    Records that waited for a practice are reached at once.
    """
    known = CsvRegister(file).everybody()
    return sum(
        installation.perform(partial(_take, installation, number, said)) for number, said in known
    )


def _take(installation: Installation, number: str, said: Registration, work: Work) -> bool:
    rulebook = installation.policies.rulebook(work)
    return update_registration(work, number, registration=said, rulebook=rulebook)
