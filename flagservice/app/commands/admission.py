"""Commands that admit a practice's system, or suspend it."""

from pathlib import Path
from typing import Annotated, Final

import typer

from flagservice.admission.checkers import add_checker, revoke_checker
from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.endpoints import EndpointRegistration, register, suspend
from flagservice.admission.lapses import practice_systems
from flagservice.admission.result_notes import CheckedAddresses
from flagservice.admission.results import accept, newest_checked_addresses, withdraw
from flagservice.app.build import opened
from flagservice.app.commands.line import group
from flagservice.app.files import read_bytes, read_text
from flagservice.audit.log import Work

endpoints: Final = group("Practices' systems.")
checkers: Final = group("Who may sign leak-check results.")
results: Final = group("Results of leak checks.")

By = Annotated[str, typer.Option(help="Who decided")]
Reason = Annotated[str, typer.Option(help="Why")]


@endpoints.command("register")
def endpoint_register(
    practice: str,
    url: str,
    token_file: Path,
    system: Annotated[str, typer.Option(help="The system's name, as its leak check says it")],
    version: Annotated[str, typer.Option(help="The exact version that this practice runs")],
    by: By,
    reason: Reason,
) -> None:
    """Records how a practice is reached and what it runs, and says whether that is admitted."""
    token = read_text(token_file).strip()
    registration = EndpointRegistration(practice, url, token, system, version)
    decision = OperatorDecision(by, reason)

    def deed(work: Work) -> CheckedAddresses | None:
        register(
            work, registration, decision=decision, allow_loopback=installation.settings.synthetic
        )
        return newest_checked_addresses(work, system=system, version=version)

    with opened() as installation:
        checked = installation.perform(deed)
    if checked is None:
        typer.echo("not admitted: no valid result for this version")
        return
    typer.echo(f"admitted by the check of {checked.run_at}, which you may hold against {url}:")
    for side, base in (
        ("pushed to", checked.push),
        ("patient's side", checked.patient),
        ("clinician's side", checked.clinician),
    ):
        typer.echo(f"  {side}: {base}")


@endpoints.command("list")
def endpoint_list() -> None:
    """Lists every registered practice, whether it is admitted, and its name in the manual list."""
    with opened() as installation:
        practices = installation.perform(practice_systems)
    for one in practices:
        lapsed = "admitted" if one.lapsed is None else f"not admitted since {one.lapsed:%Y-%m-%d}"
        typer.echo(f"{one.practice}\t{one.system}\t{one.version}\t{lapsed}\t{one.name}")


@endpoints.command("suspend")
def endpoint_suspend(practice: str, by: By, reason: Reason) -> None:
    """Suspends a practice's system: nothing goes out to it, until it is registered anew."""
    decision = OperatorDecision(by, reason)
    with opened() as installation:
        installation.perform(lambda work: suspend(work, practice, decision=decision))


@checkers.command("add")
def checker_add(
    name: str,
    public_key: Annotated[Path, typer.Argument(help="Ed25519, PEM file")],
    by: By,
    reason: Reason,
) -> None:
    """Registers a key that may sign leak-check results."""
    key, decision = read_bytes(public_key), OperatorDecision(by, reason)
    with opened() as installation:
        installation.perform(lambda work: add_checker(work, name, key, decision=decision))


@checkers.command("revoke")
def checker_revoke(name: str, by: By, reason: Reason) -> None:
    """Revokes a key's right to sign; nothing that it ever signed counts any more."""
    decision = OperatorDecision(by, reason)
    with opened() as installation:
        installation.perform(lambda work: revoke_checker(work, name, decision=decision))


@results.command("accept")
def result_accept(file: Path, by: By, reason: Reason) -> None:
    """Takes in a signed result, and prints its id: its version is admitted, or suspended."""
    note, decision = read_text(file), OperatorDecision(by, reason)
    with opened() as installation:
        taken = installation.perform(lambda work: accept(work, note, decision=decision))
    typer.echo(taken.id)
    if taken.suspends:
        typer.echo("a finding: nobody on this version is admitted, until a newer check is clean")


@results.command("withdraw")
def result_withdraw(identity: str, by: By, reason: Reason) -> None:
    """Withdraws a result: it and every earlier one of its version admit no practice any more."""
    decision = OperatorDecision(by, reason)
    with opened() as installation:
        installation.perform(lambda work: withdraw(work, identity, decision=decision))
