"""What a change of policy does to what is there: nobody missed, nothing put off, nothing stale."""

import threading
from datetime import date

import pytest
from sqlalchemy import text
from sqlmodel import col

from flagservice.audit.log import Deed, Work
from flagservice.domain.elements import Kind
from flagservice.domain.errors import Conflict
from flagservice.intake.policies import in_force
from flagservice.intake.policies.effect import policy_effect
from flagservice.policy.proof.prove import load
from flagservice.store import tables
from tests.intake.people import (
    ELSEWHERE,
    UNBORN,
    a_born_plan,
    a_notification,
    an_unborn_plan,
    father,
    mother,
    rows,
)
from tests.intake.policies.officers import (
    AMED,
    BRUCE,
    NARROWER,
    Service,
    given_a_plan_and_approvers,
)
from tests.patience import enough
from tests.policy.approved import policy_text
from tests.world import COUNCIL, POLICE, World


@pytest.fixture
def service(any_world: World) -> Service:
    return given_a_plan_and_approvers(any_world)


def test_a_policy_waits_for_whoever_is_ruling_so_that_nobody_is_missed(
    migrated_postgresql_url: str,
) -> None:
    """Who read the old policy commits first; who comes next reads the new one."""
    world = World(migrated_postgresql_url)
    service = Service(world)
    service.knows_the_approvers()
    service.proposes(NARROWER)
    service.approves(AMED)
    service.approves(BRUCE)
    reading, go_on, order = threading.Event(), threading.Event(), list[str]()

    def rules() -> None:
        def deed(work: Work) -> None:
            service.in_force.rulebook(work)
            reading.set()
            go_on.wait(enough())
            order.append("ruled by the old")
            work.record(Deed.POLICY_READ)

        service.do(deed)

    def changes() -> None:
        service.enforces()
        order.append("in force")

    threads = [threading.Thread(target=deed) for deed in (rules, changes)]
    threads[0].start()
    assert reading.wait(enough())
    threads[1].start()
    while threads[1].is_alive() and not _somebody_waits(world):
        pass
    go_on.set()
    for thread in threads:
        thread.join(enough())
    assert order == ["ruled by the old", "in force"]
    assert service.rules_by()[Kind.CHILD_PROTECTION] == 2
    world.close()


def _somebody_waits(world: World) -> bool:
    asked = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with world.database.engine.connect() as connection:
        return bool(connection.execute(asked).scalar_one())


def test_a_policy_that_amends_nothing_puts_off_no_review(service: Service) -> None:
    """Overdue stays overdue: the practice has checked nothing because a policy changed."""
    before = {copy.id: copy.review for copy in rows(service.world, of=tables.CopyRow)}
    service.world.on("2022-04-20")
    service.changes_to()
    service.sweeps()
    assert {copy.id: copy.review for copy in rows(service.world, of=tables.CopyRow)} == before


def test_a_shorter_life_reaches_the_copies_that_are_there(service: Service) -> None:
    """Counted from the day it was placed, not from the day of the change."""
    world = service.world
    world.posts(POLICE, a_notification())
    world.decides(ELSEWHERE)
    (copy,) = rows(world, col(tables.CopyRow.expires).is_not(None), of=tables.CopyRow)
    assert copy.expires == date(2023, 1, 4)
    world.on("2022-02-01")
    shorter = policy_text(Kind.PERPETRATOR).replace('expires = "12 months"', 'expires = "6 months"')
    policy = load(shorter.replace("version = 2", "version = 3", 1))
    why = {"how": "by a test"}
    service.do(lambda work: in_force.bring_into_force(work, policy, why=why, sweep=True))
    service.sweeps()
    (after,) = rows(world, col(tables.CopyRow.expires).is_not(None), of=tables.CopyRow)
    assert (after.id, after.expires, after.number) == (copy.id, date(2022, 7, 4), 2)


def test_an_approval_that_was_overtaken_is_void(service: Service) -> None:
    service.proposes(NARROWER)
    for name in (AMED, BRUCE):
        service.approves(name)
    service.changes_to(NARROWER.replace("version = 2", "version = 3", 1), 3)
    with pytest.raises(Conflict, match="v3 has ruled: an older approval is void"):
        service.enforces(2)


def test_the_effect_counts_what_was_left_behind_at_a_birth(service: Service) -> None:
    world = service.world
    world.posts(COUNCIL, an_unborn_plan())
    world.posts(COUNCIL, a_born_plan())
    old = load(policy_text(Kind.UNBORN_CHILD_IN_NEED))
    found = service.do(
        lambda work: policy_effect(work, old, old, rulebook=service.in_force.rulebook(work))
    )
    assert found.stored == 1


def test_a_policy_for_the_unborn_reaches_a_mother_whom_a_notification_names(
    service: Service,
) -> None:
    """She is held: no copy says whom it concerns, and the notification is of another kind."""
    people = mother(identity="unconfirmed"), father(standing="alleged-perpetrator")
    service.world.posts(POLICE, a_notification(UNBORN, *people))
    old = load(policy_text(Kind.UNBORN_DOMESTIC_ABUSE))
    found = service.do(
        lambda work: policy_effect(work, old, old, rulebook=service.in_force.rulebook(work))
    )
    assert found.stored == 1
