"""The command by which anybody with the database and the keys verifies the audit."""

from typing import Final

import typer

from flagservice.app.build import Parts, opened
from flagservice.app.commands.line import group
from flagservice.app.witness import Witness
from flagservice.audit.verify import Verified, verify_audit
from flagservice.domain.errors import CannotRun

commands: Final = group("What was done, provably.")


@commands.callback()
def _group() -> None:
    """What was done, provably."""


@commands.command("verify")
def audit_verify() -> None:
    """Verifies the audit; exit status 1 if anything at all is wrong."""
    with opened() as parts:
        found = _verified(parts)
    for finding in found.findings:
        typer.echo(finding)
    counts = f"{found.leaves} leaves, {found.checkpoints} checkpoints"
    typer.echo(f"{counts}, {len(found.findings)} findings")
    raise typer.Exit(1 if found.findings else 0)


def _verified(parts: Parts) -> Verified:
    try:
        parts.sequencer().catch_up()
        kept = Witness(parts.settings.witness_folder).heads()
    except OSError as wrong:
        raise CannotRun(f"what is kept outside the database: {wrong.strerror}") from None
    signer = parts.keys.signer
    return verify_audit(
        parts.database,
        origin=signer.name,
        public_key=signer.public_key_bytes,
        now=parts.log.clock(),
        kept=kept,
    )
