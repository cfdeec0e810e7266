"""What rules: one policy for each kind, the duty desks, and the profiles that a copy must fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.elements import Kind
from flagservice.fhir.profile import Profile
from flagservice.policy.desks import Desks
from flagservice.policy.table import Policy, UnusablePolicy
from flagservice.store import tables

_SATURDAY = 5


@dataclass(frozen=True)
class Rulebook:
    """Everything in force, as values."""

    policies: Mapping[Kind, Policy]
    desks: Desks
    profiles: Mapping[str, Profile]


def put_in_force(work: Work, rulebook: Rulebook) -> None:
    """Keeps every policy's text by its digest, so that any ruling can be made again."""
    _check_desks(work, rulebook)
    for policy in rulebook.policies.values():
        _check_unchanged(work, policy)
        if work.session.get(tables.PolicyText, policy.digest) is None:
            work.session.add(
                tables.PolicyText(
                    digest=policy.digest, kind=policy.kind, version=policy.version, text=policy.text
                )
            )
    digests = {policy.name: policy.digest for policy in rulebook.policies.values()}
    work.record(Deed.POLICY_IN_FORCE, **digests)


def _check_desks(work: Work, rulebook: Rulebook) -> None:
    """Whoever has a plan here has a desk: without one, other agencies' posts would fail."""
    for ods in work.session.exec(select(col(tables.Plan.ods)).distinct()):
        if not rulebook.desks.has(ods):
            raise UnusablePolicy(f"desks: {ods} has submitted plans, and no duty desk any more")


def _check_unchanged(work: Work, policy: Policy) -> None:
    """A version never changes once it has ruled: an edited file is the next version."""
    asked = select(tables.PolicyText).where(
        col(tables.PolicyText.kind) == policy.kind,
        col(tables.PolicyText.version) == policy.version,
        col(tables.PolicyText.digest) != policy.digest,
    )
    if work.session.exec(asked).first() is not None:
        raise UnusablePolicy(f"{policy.name} has ruled with another text: save it as a new version")


def day_after(day: date, interval: str | None) -> date | None:
    """The day that lies a policy's interval later: `3 months`, `45 working days`, `30 days`.

    Working days are Monday to Friday; public holidays are not known here, so a clock that counts
    working days runs out on the early side.
    """
    if interval is None or interval == "with-plan":
        return None
    count, unit = interval.split(" ", 1)
    match unit:
        case "months":
            return _months_after(day, int(count))
        case "working days" | "working day":
            return _working_days_after(day, int(count))
        case _:
            return day + timedelta(days=int(count))


def _months_after(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    last = (date(day.year + year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(day.year + year, month + 1, min(day.day, last))


def _working_days_after(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day
