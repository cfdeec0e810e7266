"""The commands by which a practice's system is checked, and admitted or not."""

from pathlib import Path
from typing import Annotated, Final

import typer

from flagservice.admission.checkers import NewChecker
from flagservice.admission.endpoints import EndpointRegistration
from flagservice.admission.results import OperatorDecision
from flagservice.app import build, operating
from flagservice.app.clock import clock_of
from flagservice.domain.errors import Fault, Invalid
from flagservice.kit.leak_check.check import run
from flagservice.kit.leak_check.config import read_system
from flagservice.kit.leak_check.crawl.transcript import Transcript
from flagservice.kit.leak_check.result import LeakCheckVerdict, ResultSigner, write_out
from flagservice.settings import Settings

endpoint = typer.Typer(no_args_is_help=True, help="Practices' systems.")
checker = typer.Typer(no_args_is_help=True, help="Who may sign leak-check results.")
result = typer.Typer(no_args_is_help=True, help="Results of leak checks.")
GROUPS: Final = (("endpoint", endpoint), ("checker", checker), ("leak-check-result", result))

By = Annotated[str, typer.Option(help="Who decided")]
Reason = Annotated[str, typer.Option(help="Why")]
_STATUS: Final = {
    LeakCheckVerdict.CLEAN: 0,
    LeakCheckVerdict.LEAKS: 1,
    LeakCheckVerdict.INCONCLUSIVE: 2,
}


@endpoint.command("register")
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
    token = _text(token_file).strip()
    said = EndpointRegistration(practice, url, token, system, version, by, reason)
    checked = operating.register_practice(build.build(Settings()), said)
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


@endpoint.command("list")
def endpoint_list() -> None:
    """Every registered practice, whether it is admitted, and its name in the manual list."""
    for one in operating.practices(build.build(Settings())):
        lapsed = "admitted" if one.lapsed is None else f"not admitted since {one.lapsed:%Y-%m-%d}"
        typer.echo(f"{one.practice}\t{one.system}\t{one.version}\t{lapsed}\t{one.name}")


@endpoint.command("suspend")
def endpoint_suspend(practice: str, by: By, reason: Reason) -> None:
    """Suspends a practice's system: nothing goes out to it, until it is registered anew."""
    operating.suspend_practice(build.build(Settings()), practice, by=by, reason=reason)


@checker.command("add")
def checker_add(
    name: str,
    public_key: Annotated[Path, typer.Argument(help="Ed25519, PEM file")],
    by: By,
    reason: Reason,
) -> None:
    """Registers a key that may sign leak-check results."""
    new = NewChecker(name, _text(public_key).encode(), by, reason)
    operating.add_a_checker(build.build(Settings()), new)


@checker.command("revoke")
def checker_revoke(name: str, by: By, reason: Reason) -> None:
    """Takes a key's right to sign; nothing that it ever signed counts any more."""
    operating.revoke_a_checker(build.build(Settings()), name, by=by, reason=reason)


@result.command("accept")
def result_accept(file: Path, by: By, reason: Reason) -> None:
    """Takes in a signed result, and prints its id: its version is admitted, or suspended."""
    decided = OperatorDecision(by, reason)
    taken = operating.accept_result(build.build(Settings()), _text(file), decided=decided)
    typer.echo(taken.id)
    if taken.suspends:
        typer.echo("a finding: nobody on this version is admitted, until a newer check is clean")


@result.command("withdraw")
def result_withdraw(identity: str, by: By, reason: Reason) -> None:
    """Withdraws a result: it and every earlier one of its version admit nobody any more."""
    decided = OperatorDecision(by, reason)
    operating.withdraw_result(build.build(Settings()), identity, decided=decided)


def leak_check(
    system: Annotated[Path, typer.Argument(help="TOML: addresses, tokens, the two twins")],
    key: Annotated[Path, typer.Option(help="Ed25519 private key, PEM: signs the result")],
    signer: Annotated[str, typer.Option(help="The name that the service knows the key by")],
    out: Annotated[Path, typer.Option(help="Where the signed result goes")],
    transcript: Annotated[Path | None, typer.Option(help="Keep every answer here, too")] = None,
) -> None:
    """Crawls a system as twin patients, one of them flagged; exit 0 clean, 1 leaks, 2 unsure."""
    settings = Settings()
    signing = ResultSigner.read(signer, _text(key).encode())
    kept = Transcript()
    outcome = run(
        read_system(_text(system)),
        examples=settings.home / "profiles" / "examples",
        now=clock_of(settings)(),
        transcript=kept,
        tell=lambda line: typer.echo(line, err=True),
    )
    write_out(outcome, out, by=signing, tool_version=build.software_version())
    if transcript is not None:
        transcript.write_text(kept.text, encoding="utf-8")
    for finding in outcome.findings:
        typer.echo(f"{finding.name}: {finding.where}")
    for doubt in outcome.doubts:
        typer.echo(f"in doubt: {doubt}")
    names = sorted({finding.name for finding in outcome.findings})
    typer.echo(f"{outcome.verdict}{': ' + ', '.join(names) if names else ''}")
    raise typer.Exit(_STATUS[outcome.verdict])


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Invalid(Fault(path.name, "is a file that can be read, in UTF-8")) from None
