"""Knows which policies rule now, and which ruled before. Every text that ruled is kept.

The database says which version of each kind is in force. An installation takes only its first ones
from the release's files. Later ones are proposed.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.elements import Kind
from flagservice.domain.errors import NotFound
from flagservice.fhir.profile.check import Profile
from flagservice.intake.rulebook import Rulebook
from flagservice.policy.desks import Desks
from flagservice.policy.proof.prove import load
from flagservice.policy.table import Policy, UnusablePolicy, digest_of
from flagservice.store import advisory_locks, tables

FIRST: Final = "first start: the version that came with the release, approved by nobody here"


class Shipped(Protocol):
    """A policy of the release, read only where it is to rule."""

    @property
    def kind(self) -> Kind:
        """The kind that it rules."""

    @property
    def version(self) -> int:
        """Its number."""

    @property
    def text(self) -> str:
        """Its text."""

    @property
    def digest(self) -> str:
        """The text's digest."""


@dataclass
class PoliciesInForce:
    """Gives each unit of work the rulebook in force. Loads each policy once."""

    desks: Desks
    profiles: Callable[[], Mapping[str, Profile]]
    _last: tuple[dict[Kind, str], Rulebook] | None = field(default=None, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def rulebook(self, work: Work) -> Rulebook:
        """Returns what rules until this unit of work ends: no policy comes into force meanwhile."""
        advisory_locks.share_policies(work.session)
        digests = {Kind(change.kind): change.digest for change in current_changes(work)}
        last = self._last
        if last is None or last[0] != digests:
            with self._turn:
                last = self._loaded(work, digests)
        return last[1]

    def _loaded(self, work: Work, digests: dict[Kind, str]) -> tuple[dict[Kind, str], Rulebook]:
        if self._last is None or self._last[0] != digests:
            texts = {kind: signed_text_by(work, digest) for kind, digest in digests.items()}
            self._last = digests, Rulebook(ProvedPolicies(texts), self.desks, self.profiles())
        return self._last


class ProvedPolicies(Mapping[Kind, Policy]):
    """The policies of these texts, each proved when it is first asked for, and then kept.

    Proving one takes a tenth of a second, and most commands rule by none.
    """

    def __init__(self, texts: Mapping[Kind, str]) -> None:
        self._texts = dict(texts)
        self._proved: dict[Kind, Policy] = {}
        self._turn = threading.Lock()

    def __getitem__(self, kind: Kind) -> Policy:
        known = self._proved.get(kind)
        if known is None:
            # One thread proves it; the others wait, and do not prove it, too.
            with self._turn:
                if kind not in self._proved:
                    self._proved[kind] = load(self._texts[kind])
                known = self._proved[kind]
        return known

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def current_changes(work: Work) -> list[tables.PolicyChangeRow]:
    """Returns what is in force, a row for each kind."""
    asked = (
        select(tables.PolicyChangeRow)
        .where(col(tables.PolicyChangeRow.current))
        .order_by(col(tables.PolicyChangeRow.kind))
    )
    return list(work.session.exec(asked).all())


def changes_of_kind(work: Work, kind: Kind) -> list[tables.PolicyChangeRow]:
    """Returns all that was ever in force for a kind, newest first."""
    asked = (
        select(tables.PolicyChangeRow)
        .where(col(tables.PolicyChangeRow.kind) == kind)
        .order_by(col(tables.PolicyChangeRow.number).desc())
    )
    return list(work.session.exec(asked).all())


def newest_that_ruled(work: Work, kind: Kind) -> int:
    """Returns the highest version of a kind that was ever in force, or 0."""
    digests = [change.digest for change in changes_of_kind(work, kind)]
    texts_ = (work.session.get_one(tables.PolicyTextRow, digest) for digest in digests)
    return max((text.version for text in texts_), default=0)


def texts_of_kind(work: Work, kind: Kind) -> list[tables.PolicyTextRow]:
    """Returns every text of a kind, by version."""
    asked = (
        select(tables.PolicyTextRow)
        .where(col(tables.PolicyTextRow.kind) == kind)
        .order_by(col(tables.PolicyTextRow.version))
    )
    return list(work.session.exec(asked).all())


def policy_by(work: Work, digest: str) -> Policy:
    """Returns the policy with this digest, proved anew. Raises UnusablePolicy."""
    return load(signed_text_by(work, digest))


def signed_text_by(work: Work, digest: str) -> str:
    """Returns the text with this digest. Raises UnusablePolicy where it was changed since."""
    kept = work.session.get_one(tables.PolicyTextRow, digest)
    if digest_of(kept.text) != digest:
        raise UnusablePolicy(
            f"{kept.kind} v{kept.version}: the text that is kept is not the one that was signed"
        )
    return kept.text


def proposed_text(work: Work, kind: Kind, version: int) -> tables.PolicyTextRow:
    """Returns the text that was proposed as this version. Raises NotFound."""
    asked = select(tables.PolicyTextRow).where(
        col(tables.PolicyTextRow.kind) == kind, col(tables.PolicyTextRow.version) == version
    )
    row = work.session.exec(asked).first()
    if row is None:
        raise NotFound(f"{kind} v{version} was not proposed")
    return row


def keep_text(work: Work, policy: Policy) -> None:
    """Keeps a text by its digest. Raises UnusablePolicy where its version has another text."""
    asked = select(tables.PolicyTextRow).where(
        col(tables.PolicyTextRow.kind) == policy.kind,
        col(tables.PolicyTextRow.version) == policy.version,
        col(tables.PolicyTextRow.digest) != policy.digest,
    )
    if work.session.exec(asked).first() is not None:
        raise UnusablePolicy(f"{policy.name} stands here with another text: save it as a new one")
    if work.session.get(tables.PolicyTextRow, policy.digest) is None:
        row = tables.PolicyTextRow(
            digest=policy.digest, kind=policy.kind, version=policy.version, text=policy.text
        )
        work.session.add(row)
        work.session.flush()


def start(work: Work, shipped: Iterable[Shipped], *, desks: Desks) -> None:
    """Puts the release's policies in force, for each kind that has none yet.

    A newer file changes nothing: it may be proposed. Raises UnusablePolicy for a file that is not
    what ruled under its version, and for a desk that is gone.
    """
    _check_desks(work, desks)
    advisory_locks.change_policies(work.session)
    ruling = {change.kind for change in current_changes(work)}
    for policy in shipped:
        if policy.kind in ruling:
            _check_unchanged(work, policy)
        else:
            bring_into_force(work, _read(policy), why={"how": FIRST}, sweep=False)
    work.record(Deed.POLICY_READ, in_force=len(current_changes(work)))


def bring_into_force(work: Work, policy: Policy, *, why: dict[str, str], sweep: bool) -> None:
    """Lets this policy rule its kind from the next unit of work on."""
    keep_text(work, policy)
    before = changes_of_kind(work, policy.kind)
    for change in before:
        change.current = False
        work.session.add(change)
    row_id, data_key = work.new_id(), work.vault.new_data_key()
    row = tables.PolicyChangeRow(
        id=row_id,
        kind=policy.kind,
        number=before[0].number + 1 if before else 1,
        digest=policy.digest,
        at=work.now,
        swept="" if sweep else None,
        data_key=data_key,
        sealed=b"",
    )
    row.sealed = work.vault.seal_row(row, json.dumps(why).encode())
    work.session.add(row)
    work.session.flush()
    previous = before[0].digest if before else ""
    work.record(
        Deed.POLICY_IN_FORCE, kind=policy.kind, policy=policy.digest, before=previous, change=row_id
    )


def authority_of(work: Work, change: tables.PolicyChangeRow) -> dict[str, str]:
    """Returns by whose word a policy came into force, and why."""
    opened = work.vault.open_row(change)
    found: dict[str, str] = json.loads(opened)
    return found


def with_policy(rulebook: Rulebook, policy: Policy) -> Rulebook:
    """Returns the rulebook with this policy in force."""
    return replace(rulebook, policies={**rulebook.policies, policy.kind: policy})


def _check_desks(work: Work, desks: Desks) -> None:
    """Raises UnusablePolicy for a submitter without a desk: other agencies' posts would fail."""
    for ods in work.session.exec(select(col(tables.PlanRow.ods)).distinct()):
        if not desks.has(ods):
            raise UnusablePolicy(f"desks: {ods} has submitted plans, and no duty desk any more")


def _read(shipped: Shipped) -> Policy:
    policy = load(shipped.text)
    if (policy.kind, policy.version) != (shipped.kind, shipped.version):
        raise UnusablePolicy(f"{policy.name} is in the file of {shipped.kind} v{shipped.version}")
    return policy


def _check_unchanged(work: Work, policy: Shipped) -> None:
    """Raises UnusablePolicy for a version that has ruled with another text."""
    for change in changes_of_kind(work, policy.kind):
        ruled = work.session.get_one(tables.PolicyTextRow, change.digest)
        if ruled.version == policy.version and ruled.digest != policy.digest:
            raise UnusablePolicy(
                f"{policy.kind} v{policy.version} has ruled with another text:"
                " save it as a new version"
            )
