"""What several threads and processes share of the policies in force, and what is found by a name.

Where two meet, the other one's turn is played at the very moment at which it would come.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import select

from flagservice.audit.log import Actor, Deed, Log, Work
from flagservice.domain.elements import Kind
from flagservice.intake.plans import natural_key_of
from flagservice.intake.policies import enforcement, in_force
from flagservice.intake.policies.approval import name_key_of
from flagservice.intake.policies.in_force import PoliciesInForce, ProvedPolicies
from flagservice.policy.proof import prove
from flagservice.policy.table import UnusablePolicy, digest_of
from flagservice.store import tables
from tests.intake.people import rows
from tests.intake.policies.officers import CP, Service, given_a_plan_and_approvers
from tests.policy.approved import policy_text
from tests.world import World


@pytest.fixture
def service(any_world: World) -> Service:
    return given_a_plan_and_approvers(any_world)


class AfterAnother(AbstractContextManager[None]):
    """A turn that comes when somebody else has just had theirs."""

    def __init__(self, theirs: Callable[[], object]) -> None:
        self._theirs = theirs

    def __enter__(self) -> None:
        self._theirs()

    def __exit__(self, *_: object) -> None:
        return None


@dataclass(frozen=True)
class Shipped:
    """A policy of a release, as a file names it."""

    kind: Kind
    version: int
    text: str

    @property
    def digest(self) -> str:
        return digest_of(self.text)


class HastyLog:
    """Says that something waits, though another process has seen to it since."""

    def __init__(self, log: Log) -> None:
        self.perform = log.perform

    def is_waiting(self, *_: object) -> bool:
        return True


def when_proofs_are_counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    proved: list[str] = []
    load = prove.load

    def counted(text: str) -> Any:
        proved.append(text)
        return load(text)

    monkeypatch.setattr(in_force, "load", counted)
    return proved


def test_a_policy_is_proved_when_it_is_first_asked_for_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proved = when_proofs_are_counted(monkeypatch)
    policies = ProvedPolicies({kind: policy_text(kind) for kind in Kind})
    assert (len(policies), set(policies), proved) == (len(Kind), set(Kind), [])
    assert policies[Kind.CHILD_PROTECTION] is policies[Kind.CHILD_PROTECTION]
    assert proved == [CP]


def test_a_policy_that_another_thread_has_proved_meanwhile_is_not_proved_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policies = ProvedPolicies({Kind.CHILD_PROTECTION: CP})
    other = ProvedPolicies({Kind.CHILD_PROTECTION: CP})[Kind.CHILD_PROTECTION]
    proved = when_proofs_are_counted(monkeypatch)
    theirs = AfterAnother(lambda: policies._proved.update({Kind.CHILD_PROTECTION: other}))
    monkeypatch.setattr(policies, "_turn", theirs)
    assert policies[Kind.CHILD_PROTECTION] is other
    assert proved == []


def test_a_rulebook_that_another_thread_has_read_meanwhile_is_taken(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deed(work: Work) -> tuple[object, object]:
        work.record(Deed.POLICY_READ)
        other = PoliciesInForce(service.in_force.desks, service.in_force.profiles)
        theirs = other.rulebook(work)
        mine = PoliciesInForce(service.in_force.desks, service.in_force.profiles)
        turn = AfterAnother(lambda: setattr(mine, "_last", other._last))
        monkeypatch.setattr(mine, "_turn", turn)
        return mine.rulebook(work), theirs

    mine, theirs = service.do(deed)
    assert mine is theirs


def test_a_file_that_holds_another_kinds_policy_stops_a_first_start(world: World) -> None:
    wrong = [Shipped(Kind.CHILD_IN_NEED, 1, CP)]
    with pytest.raises(UnusablePolicy, match="is in the file of child-in-need v1"):
        world.log.perform(
            Actor("start"), lambda work: in_force.start(work, wrong, desks=world.in_force.desks)
        )


def test_a_sweep_reaches_everybody_and_then_there_is_nothing_to_do(service: Service) -> None:
    service.changes_to()
    log = service.world.log
    people = len(rows(service.world, of=tables.PersonRow))
    assert enforcement.sweep_all(log, service.in_force) == people
    assert enforcement.sweep_next(log, service.in_force) == 0


def test_a_sweep_that_another_process_has_ended_meanwhile_is_no_fault(service: Service) -> None:
    log: Any = HastyLog(service.world.log)
    assert enforcement.sweep_next(log, service.in_force) == 0


def test_plans_and_approvers_are_found_by_what_their_pseudonyms_stand_for(service: Service) -> None:
    """A new pseudonym is made of just this when the key is replaced."""

    def deed(work: Work) -> list[bool]:
        work.record(Deed.POLICY_READ)
        vault = work.vault
        return [
            vault.pseudonym(natural_key_of(work, plan), purpose="reference") == plan.reference
            for plan in rows_of(work, tables.PlanRow)
        ] + [
            vault.pseudonym(name_key_of(work, one), purpose="approver") == one.pseudonym
            for one in rows_of(work, tables.ApproverRow)
        ]

    found = service.do(deed)
    assert len(found) >= 3
    assert all(found)


def rows_of(work: Work, table: Any) -> list[Any]:
    return list(work.session.exec(select(table)).all())
