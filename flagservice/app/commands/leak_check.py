"""Starts the kit's leak check with the examples and the day of these settings."""

from typing import Final

import typer

from flagservice.app.clock import clock_of
from flagservice.app.commands.kit import HANDED_ON, become
from flagservice.app.commands.line import group
from flagservice.settings import Settings

commands: Final = group()


@commands.command(context_settings=HANDED_ON, add_help_option=False)
def leak_check(given: typer.Context) -> None:
    """Crawls a system as twin patients, one of them flagged, and signs what it found."""
    settings = Settings()
    examples = str(settings.home / "profiles" / "examples")
    run_at = clock_of(settings)().isoformat()
    words = ["--examples", examples, "--run-at", run_at, *given.args]
    become("flagservice.kit.leak_check", words)
