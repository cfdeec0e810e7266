"""The commands by which a policy is read, proved, compared, approved, and put in force."""

from pathlib import Path
from typing import Annotated, Final

import typer

from flagservice.app import build, policies
from flagservice.app.policies import NewApprover, Signer, counted
from flagservice.domain.elements import Kind
from flagservice.policy.compare import Change, compare
from flagservice.policy.printed.answers import table
from flagservice.policy.proof.invariants import INVARIANTS
from flagservice.policy.proof.prove import ON_READING, load, prove
from flagservice.policy.table import UnusablePolicy, read
from flagservice.settings import Settings

policy = typer.Typer(no_args_is_help=True, help="What may be told to which record.")
approver = typer.Typer(no_args_is_help=True, help="Who may approve a policy.")
GROUPS: Final = (("policy", policy), ("approver", approver))
Name = Annotated[str, typer.Option(help="The approver's name, as registered")]
Key = Annotated[Path, typer.Option(help="The approver's own private key, Ed25519, PEM")]


@policy.command("table")
def policy_table(
    kind: Annotated[Kind | None, typer.Argument()] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Without what an officer is asked to own.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(help="A policy file, as one that is proposed; else the shipped")
    ] = None,
) -> None:
    """Prints every answer that the shipped policies, or a file, can ever give."""
    if file is not None:
        wanted = [load(file.read_text("utf-8"))]
    else:
        shipped = build.read_rulebook(Settings().home).policies
        wanted = [shipped[one] for one in ([kind] if kind else list(Kind))]
    typer.echo("\n".join(table(one, owned=not plain) for one in wanted), nl=False)


@policy.command("prove")
def policy_prove(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Policy files; without one, all that are shipped")
    ] = None,
) -> None:
    """Checks every answer against every invariant; exit status 1 if a file breaks one."""
    counts = [_prove(path) for path in files or build.policy_files(Settings().home)]
    promises = [*ON_READING, *(invariant.name for invariant in INVARIANTS)]
    for promise in promises:
        typer.echo(f"    {promise}")
    cells, refused = sum(count or 0 for count in counts), counts.count(None)
    typer.echo(f"{cells} cells checked, {len(promises)} invariants, {refused} files refused")
    raise typer.Exit(1 if refused else 0)


def _prove(path: Path) -> int | None:
    """How many cells were checked; None where the file is refused, with what to say of it."""
    try:
        proof = prove(read(path.read_text("utf-8")))
    except UnusablePolicy as unusable:
        typer.echo(f"{path.parent.name} {path.stem}: refused\n{unusable}")
        return None
    if proof.broken:
        typer.echo("\n".join([f"{proof.policy.name}: refused", *proof.broken]))
        return None
    typer.echo(f"{proof.policy.name}: {proof.cells} cells, every invariant held")
    return proof.cells


@policy.command("compare")
def policy_compare(
    old: Path,
    new: Path,
    effect: Annotated[bool, typer.Option(help="Also count what it does to what is stored.")] = True,
) -> None:
    """Prints every answer that changes, widenings first, and what it does to what is stored."""
    before, after = (load(path.read_text("utf-8")) for path in (old, new))
    changes = compare(before, after)
    typer.echo(f"# {before.name} to {after.name}: {len(changes)} changes")
    for change in changes:
        typer.echo(_in_words(change))
    if effect:
        found = policies.effect_of(build.build(Settings()), before, after)
        typer.echo(f"\nof {found.stored} records held now: {counted(found.stored_changes)}")
        typer.echo(f"of {found.ruled} rulings in the last 90 days: {counted(found.ruled_changes)}")


def _in_words(change: Change) -> str:
    return (
        f"\n{change.difference.direction}: {change.difference.says}\n"
        f"    in {len(change.cases)} answers, on the records of {', '.join(change.roles)}\n"
        f"    for example: {change.example}"
    )


@policy.command("propose")
def policy_propose(file: Path) -> None:
    """Keeps a file as its kind's next version, for two people to approve."""
    kept = policies.propose(build.build(Settings()), file.read_text("utf-8"))
    typer.echo(f"{kept.name} is proposed, sha256 {kept.digest}")


@policy.command("approve")
def policy_approve(kind: Kind, version: int, name: Name, key: Key) -> None:
    """Records one person's approval of a proposed version, signed with their own key."""
    parts = build.build(Settings())
    digest = policies.digest_of(parts, kind, version)
    typer.echo(f"signing {kind} v{version}, sha256 {digest}")
    count = policies.approve(parts, kind, version, signer=Signer(name, key))
    typer.echo(f"{kind} v{version}: {count} approvals")


@policy.command("enforce")
def policy_enforce(kind: Kind, version: int) -> None:
    """Puts an approved version in force; every record that it concerns is ruled on again."""
    people = policies.enforce(build.build(Settings()), kind, version)
    typer.echo(f"{kind} v{version} is in force; {people} people were ruled on again")


@policy.command("back")
def policy_back(
    kind: Kind, name: Name, key: Key, reason: Annotated[str, typer.Option(help="Why")]
) -> None:
    """Puts the version before back in force; every record that it concerns is ruled on again."""
    parts = build.build(Settings())
    version, people = policies.go_back(parts, kind, signer=Signer(name, key), reason=reason)
    typer.echo(f"{kind} v{version} is in force again; {people} people were ruled on again")


@policy.command("status")
def policy_status() -> None:
    """Prints what is in force, what was, and what is proposed, and by whose word."""
    for one in policies.standings(build.build(Settings())):
        typer.echo(f"{one.kind} v{one.version}: {one.state}" + (f"; {one.by}" if one.by else ""))


@approver.command("add")
def approver_add(
    name: str,
    public_key: Annotated[Path, typer.Argument(help="Ed25519, PEM file")],
    role: Annotated[str, typer.Option(help="Caldicott Guardian, safeguarding lead, …")],
    vouched_by: Annotated[str, typer.Option(help="From the third on: who is there already")] = "",
    key: Annotated[Path | None, typer.Option(help="The private key of who vouches")] = None,
) -> None:
    """Registers somebody who may approve policies, by a public key of their own."""
    voucher = Signer(vouched_by, key) if vouched_by and key else None
    new = NewApprover(name, role, public_key)
    policies.add_approver(build.build(Settings()), new, voucher=voucher)


@approver.command("revoke")
def approver_revoke(name: str) -> None:
    """Takes somebody's right to approve."""
    policies.revoke_approver(build.build(Settings()), name)
