"""Commands that start a program of the kit: each as a process of its own, without a store."""

import os
import sys
from typing import Final

import typer

from flagservice.app.commands.line import group

patient_view: Final = group()
demo: Final = group()
HANDED_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True}


@patient_view.command(context_settings=HANDED_ON, add_help_option=False)
def start_patient_view(given: typer.Context) -> None:
    """Shows what a patient may see of a Bundle."""
    become("flagservice.kit.patient_view", given.args)


@demo.command(context_settings=HANDED_ON, add_help_option=False)
def start_demo(given: typer.Context) -> None:
    """Plays three families through the public API, and checks what each practice received."""
    become("flagservice.kit.demo", given.args)


def become(module: str, words: list[str]) -> None:
    """Runs the module in place of this process."""
    command = [sys.executable, "-m", module, *words]
    os.execv(command[0], command)  # noqa: S606, ourselves, in a fresh process
