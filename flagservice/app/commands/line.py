"""The table of commands. Each is imported only when it is used."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from flagservice.domain.errors import CannotRun, Refusal

_ABOUT: Final = "Safeguarding plans and notifications as flags in the right GP records."


@dataclass(frozen=True)
class CommandEntry:
    """A command, or a group of commands: what imports its module, and what it is for."""

    load: Callable[[], ModuleType]
    about: str
    name: str = "commands"
    alone: bool = False
    """It takes the whole process, and so cannot be one of many."""


def _serve() -> ModuleType:
    from flagservice.app.commands import serve

    return serve


def _operate() -> ModuleType:
    from flagservice.app.commands import operate

    return operate


def _clients() -> ModuleType:
    from flagservice.app.commands import clients

    return clients


def _register() -> ModuleType:
    from flagservice.app.commands import register

    return register


def _admission() -> ModuleType:
    from flagservice.app.commands import admission

    return admission


def _leak_check() -> ModuleType:
    from flagservice.app.commands import leak_check

    return leak_check


def _policy() -> ModuleType:
    from flagservice.app.commands import policy

    return policy


def _audit() -> ModuleType:
    from flagservice.app.commands import audit

    return audit


def _keys() -> ModuleType:
    from flagservice.app.commands import keys

    return keys


def _kit() -> ModuleType:
    from flagservice.app.commands import kit

    return kit


def _sandbox() -> ModuleType:
    from flagservice.app.sandbox import commands

    return commands


COMMANDS: Final = {
    "serve": CommandEntry(_serve, "Runs the API.", "serving", alone=True),
    "deliver": CommandEntry(_serve, "Runs a delivery worker.", "delivering", alone=True),
    "operate": CommandEntry(_operate, "Runs the commands on standard input.", alone=True),
    "client": CommandEntry(_clients, "Organisations that may call."),
    "register": CommandEntry(_register, "Where people are registered."),
    "endpoint": CommandEntry(_admission, "Practices' systems.", "endpoints"),
    "checker": CommandEntry(_admission, "Who may sign leak-check results.", "checkers"),
    "leak-check": CommandEntry(_leak_check, "Checks a practice's system for leaks.", alone=True),
    "leak-check-result": CommandEntry(_admission, "Results of leak checks.", "results"),
    "policy": CommandEntry(_policy, "What may be told to which record.", "policies"),
    "approver": CommandEntry(_policy, "Who may approve a policy.", "approvers"),
    "audit": CommandEntry(_audit, "What was done, provably."),
    "keys": CommandEntry(_keys, "The keys of the service."),
    "openapi": CommandEntry(_serve, "Prints the API's description.", "describing"),
    "sandbox": CommandEntry(_sandbox, "For suppliers and councils."),
    "patient-view": CommandEntry(
        _kit, "Shows what a patient may see of a Bundle.", "patient_view", alone=True
    ),
    "demo": CommandEntry(_kit, "Plays three families end to end.", "demo", alone=True),
}


class _OnDemand(Mapping[str, Any]):
    """The commands by name; asking for one imports it."""

    def __getitem__(self, name: str) -> Any:
        entry = COMMANDS[name]
        with _no_collection():
            command = get_command(getattr(entry.load(), entry.name))
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Stops garbage collection, which takes a tenth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class CommandLine(TyperGroup):
    """The group of all commands; its own help imports none of them."""

    def __init__(self) -> None:
        super().__init__(
            name="flagservice", no_args_is_help=True, rich_markup_mode=None, help=_ABOUT
        )
        self.commands = _OnDemand()  # type: ignore[assignment]  # it is read, and never added to

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002, the base class's own
        """Returns the names, and imports nothing."""
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002, as above
        """Writes the names and what they are for, and imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.about) for name, entry in COMMANDS.items()])


def group(about: str = "") -> typer.Typer:
    """Returns a new group of commands, or a command, with plain-text help."""
    return typer.Typer(
        no_args_is_help=bool(about),
        help=about or None,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def run(words: Sequence[str]) -> int:
    """Runs one command, and returns its exit status.

    Every refusal is one sentence: a traceback could hold what was sent.
    """
    try:
        CommandLine().main(list(words), prog_name="flagservice")
    except SystemExit as over:
        return over.code if isinstance(over.code, int) else int(over.code is not None)
    except Refusal as refused:
        return _said(refused.rule)
    except CannotRun as unfit:
        return _said(str(unfit))
    return 0


def _said(why: str) -> int:
    typer.echo(f"flagservice: {why}", err=True)
    return 1
