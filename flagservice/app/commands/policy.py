"""Commands that read, prove, compare, approve and enforce a policy."""

from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from flagservice.app.build import opened
from flagservice.app.commands.line import group
from flagservice.app.files import read_bytes, read_text
from flagservice.app.release import policy_files, read_rulebook
from flagservice.audit.log import Deed, Work
from flagservice.domain.elements import Kind
from flagservice.domain.errors import Fault, Invalid
from flagservice.intake.policies import approval, enforcement, in_force
from flagservice.intake.policies.approval import Approval
from flagservice.intake.policies.effect import policy_effect
from flagservice.policy.compare import Change, compare
from flagservice.policy.printed.answers import table
from flagservice.policy.proof.invariants import INVARIANTS
from flagservice.policy.proof.prove import ON_READING, load, prove
from flagservice.policy.table import UnusablePolicy, read
from flagservice.settings import Settings
from flagservice.store import tables

policies: Final = group("What may be told to which record.")
approvers: Final = group("Who may approve a policy.")
Name = Annotated[str, typer.Option(help="The approver's name, as registered")]
Key = Annotated[Path, typer.Option(help="The approver's own private key, Ed25519, PEM")]


@policies.command("table")
def policy_table(
    kind: Annotated[Kind | None, typer.Argument()] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Without what an officer is asked to own.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(help="A policy file, as one that is proposed; else the shipped")
    ] = None,
) -> None:
    """Prints every answer that the shipped policies, or a file, can give."""
    if file is not None:
        wanted = [load(read_text(file))]
    else:
        shipped = read_rulebook(Settings().home).policies
        wanted = [shipped[one] for one in ([kind] if kind else list(Kind))]
    typer.echo("\n".join(table(one, owned=not plain) for one in wanted), nl=False)


@policies.command("prove")
def policy_prove(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Policy files; without one, all that are shipped")
    ] = None,
) -> None:
    """Checks every answer against every invariant; exit status 1 if a file breaks one."""
    counts = [_prove(path) for path in files or policy_files(Settings().home)]
    promises = [*ON_READING, *(invariant.name for invariant in INVARIANTS)]
    for promise in promises:
        typer.echo(f"    {promise}")
    cells, refused = sum(count or 0 for count in counts), counts.count(None)
    typer.echo(f"{cells} cells checked, {len(promises)} invariants, {refused} files refused")
    raise typer.Exit(1 if refused else 0)


def _prove(path: Path) -> int | None:
    """Prints what became of a file; returns the cells checked, or None where it is refused."""
    try:
        proof = prove(read(read_text(path)))
    except UnusablePolicy as unusable:
        typer.echo(f"{path.parent.name} {path.stem}: refused\n{unusable}")
        return None
    if proof.broken:
        typer.echo("\n".join([f"{proof.policy.name}: refused", *proof.broken]))
        return None
    typer.echo(f"{proof.policy.name}: {proof.cells} cells, every invariant held")
    return proof.cells


@policies.command("compare")
def policy_compare(
    old: Path,
    new: Path,
    effect: Annotated[bool, typer.Option(help="Also count what it does to what is stored.")] = True,
) -> None:
    """Prints every answer that changes, widenings first, and what it does to what is stored."""
    before, after = (load(read_text(path)) for path in (old, new))
    changes = compare(before, after)
    typer.echo(f"# {before.name} to {after.name}: {len(changes)} changes")
    for change in changes:
        typer.echo(_in_words(change))
    if effect:
        with opened() as installation:
            found = installation.perform(
                lambda work: policy_effect(
                    work, before, after, rulebook=installation.policies.rulebook(work)
                )
            )
        typer.echo(f"\nof {found.stored} records held now: {_counted(found.stored_changes)}")
        typer.echo(f"of {found.ruled} rulings in the last 90 days: {_counted(found.ruled_changes)}")


def _counted(changes: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in changes.most_common()) or "none changes"


def _in_words(change: Change) -> str:
    return (
        f"\n{change.difference.direction}: {change.difference.says}\n"
        f"    in {len(change.cases)} answers, on the records of {', '.join(change.roles)}\n"
        f"    for example: {change.example}"
    )


@policies.command("propose")
def policy_propose(file: Path) -> None:
    """Keeps a file as its kind's next version, for two people to approve."""
    text = read_text(file)
    with opened() as installation:
        kept = installation.perform(lambda work: approval.propose(work, text))
    typer.echo(f"{kept.name} is proposed, sha256 {kept.digest}")


@policies.command("approve")
def policy_approve(kind: Kind, version: int, name: Name, key: Key) -> None:
    """Records one person's approval of a proposed version, signed with their own key."""

    def read_digest(work: Work) -> str:
        work.record(Deed.POLICY_READ, kind=kind)
        return in_force.proposed_text(work, kind, version).digest

    def approve(work: Work) -> int:
        text = in_force.proposed_text(work, kind, version)
        signed = approval.signed_text("approve", kind, version=version, digest=text.digest)
        approval.approve(work, kind, version, approval=_signed(signed, name=name, key=key))
        return len(approval.approved_by(work, text))

    with opened() as installation:
        digest = installation.perform(read_digest)
        typer.echo(f"signing {kind} v{version}, sha256 {digest}")
        typer.echo(f"{kind} v{version}: {installation.perform(approve)} approvals")


@policies.command("enforce")
def policy_enforce(kind: Kind, version: int) -> None:
    """Puts an approved version in force; every record that it concerns is ruled on again."""
    with opened() as installation:
        installation.perform(lambda work: enforcement.enforce(work, kind, version))
        people = enforcement.sweep_all(installation.log, installation.policies)
    typer.echo(f"{kind} v{version} is in force; {people} people were ruled on again")


@policies.command("back")
def policy_back(
    kind: Kind, name: Name, key: Key, reason: Annotated[str, typer.Option(help="Why")]
) -> None:
    """Puts the version before back in force; every record that it concerns is ruled on again."""

    def go_back(work: Work) -> int:
        before = enforcement.would_go_back_to(work, kind)
        signed = approval.signed_text("back", kind, version=before.version, digest=before.digest)
        approved = _signed(signed, name=name, key=key)
        return enforcement.go_back(work, kind, approval=approved, reason=reason)

    with opened() as installation:
        version = installation.perform(go_back)
        people = enforcement.sweep_all(installation.log, installation.policies)
    typer.echo(f"{kind} v{version} is in force again; {people} people were ruled on again")


@policies.command("status")
def policy_status() -> None:
    """Prints what is in force, what was, and what is proposed, and by whose decision."""
    with opened() as installation:
        for line in installation.perform(_status):
            typer.echo(line)


def _status(work: Work) -> list[str]:
    work.record(Deed.POLICY_READ)
    found: list[str] = []
    for kind in Kind:
        changes = {
            change.digest: change for change in reversed(in_force.changes_of_kind(work, kind))
        }
        for text in in_force.texts_of_kind(work, kind):
            state = _state(work, text, changes.get(text.digest))
            found.append(f"{kind} v{text.version}: {state}")
    return found


def _state(work: Work, text: tables.PolicyTextRow, change: tables.PolicyChangeRow | None) -> str:
    if change is None:
        names = approval.approved_by(work, text)
        state, by = f"proposed, {len(names)} of {approval.NEEDED} approvals", ", ".join(names)
    else:
        why = in_force.authority_of(work, change)
        state = "in force" if change.current else "was in force"
        state += ", not everybody is ruled on again yet" if change.swept is not None else ""
        by = "; ".join(why[part] for part in ("how", "by", "reason") if part in why)
    return f"{state}; {by}" if by else state


@approvers.command("add")
def approver_add(
    name: str,
    public_key: Annotated[Path, typer.Argument(help="Ed25519, PEM file")],
    role: Annotated[str, typer.Option(help="Caldicott Guardian, safeguarding lead, …")],
    vouched_by: Annotated[str, typer.Option(help="From the third on: who is there already")] = "",
    key: Annotated[Path | None, typer.Option(help="The private key of who vouches")] = None,
) -> None:
    """Registers a person who may approve policies, by a public key of their own."""
    pem = read_bytes(public_key)
    signed = approval.vouching_text(name, approval.read_public_key(pem))
    vouched = _signed(signed, name=vouched_by, key=key) if vouched_by and key else None
    with opened() as installation:
        installation.perform(
            lambda work: approval.add_approver(
                work, name=name, role=role, public_key=pem, vouched=vouched
            )
        )


@approvers.command("revoke")
def approver_revoke(name: str) -> None:
    """Ends a person's right to approve."""
    with opened() as installation:
        installation.perform(lambda work: approval.revoke_approver(work, name))


def _signed(statement: bytes, *, name: str, key: Path) -> Approval:
    try:
        private = load_pem_private_key(read_bytes(key), password=None)
    except (ValueError, TypeError):
        raise Invalid(Fault("key", "is not a private key in PEM without password")) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise Invalid(Fault("key", "is not an Ed25519 key"))
    return Approval(name, b64encode(private.sign(statement)).decode())
