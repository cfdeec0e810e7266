"""The command by which a supplier checks its own system for leaks; it opens no database."""

from pathlib import Path
from typing import Annotated, Final

import typer

from flagservice.app.clock import clock_of
from flagservice.app.commands.line import group
from flagservice.app.files import read_text
from flagservice.app.version import software_version
from flagservice.kit.leak_check.check import run as crawl
from flagservice.kit.leak_check.config import read_system
from flagservice.kit.leak_check.crawl.transcript import Transcript
from flagservice.kit.leak_check.result import LeakCheckVerdict, ResultSigner, write_out
from flagservice.settings import Settings

commands: Final = group()
_STATUS: Final = {
    LeakCheckVerdict.CLEAN: 0,
    LeakCheckVerdict.LEAKS: 1,
    LeakCheckVerdict.INCONCLUSIVE: 2,
}


@commands.command()
def leak_check(
    system: Annotated[Path, typer.Argument(help="TOML: addresses, tokens, the two twins")],
    key: Annotated[Path, typer.Option(help="Ed25519 private key, PEM: signs the result")],
    signer: Annotated[str, typer.Option(help="The name that the service knows the key by")],
    out: Annotated[Path, typer.Option(help="Where the signed result goes")],
    transcript: Annotated[Path | None, typer.Option(help="Keep every answer here, too")] = None,
) -> None:
    """Crawls a system as twin patients, one of them flagged; exit 0 clean, 1 leaks, 2 unsure."""
    settings = Settings()
    signing = ResultSigner.read(signer, read_text(key).encode())
    kept = Transcript()
    outcome = crawl(
        read_system(read_text(system)),
        examples=settings.home / "profiles" / "examples",
        now=clock_of(settings)(),
        transcript=kept,
        tell=lambda line: typer.echo(line, err=True),
    )
    write_out(outcome, out, by=signing, tool_version=software_version())
    if transcript is not None:
        transcript.write_text(kept.text, encoding="utf-8")
    for finding in outcome.findings:
        typer.echo(f"{finding.name}: {finding.where}")
    for doubt in outcome.doubts:
        typer.echo(f"in doubt: {doubt}")
    names = sorted({finding.name for finding in outcome.findings})
    typer.echo(f"{outcome.verdict}{': ' + ', '.join(names) if names else ''}")
    raise typer.Exit(_STATUS[outcome.verdict])
