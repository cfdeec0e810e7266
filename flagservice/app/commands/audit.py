"""The command that verifies the audit, with the database and the keys."""

from typing import Final

import typer

from flagservice.app.build import Installation, opened
from flagservice.app.commands.line import group
from flagservice.app.witness import Witness
from flagservice.audit.verify import Verified, verify_audit
from flagservice.domain.errors import CannotRun

commands: Final = group("What was done, provably.")


@commands.callback()
def _group() -> None:
    """Proves what was done."""


@commands.command("verify")
def audit_verify() -> None:
    """Verifies the audit; exit status 1 if anything is wrong."""
    with opened() as installation:
        found = _verified(installation)
    for finding in found.findings:
        typer.echo(finding)
    counts = f"{found.leaves} leaves, {found.checkpoints} checkpoints"
    typer.echo(f"{counts}, {len(found.findings)} findings")
    raise typer.Exit(1 if found.findings else 0)


def _verified(installation: Installation) -> Verified:
    try:
        installation.sequencer().catch_up()
        kept = Witness(installation.settings.witness_folder).heads()
    except OSError as wrong:
        raise CannotRun(f"what is kept outside the database: {wrong.strerror}") from None
    signer = installation.keys.signer
    return verify_audit(
        installation.database,
        origin=signer.name,
        public_key=signer.public_key_bytes,
        now=installation.log.clock(),
        kept=kept,
    )
