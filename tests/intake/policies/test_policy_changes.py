"""A policy that comes into force, or goes back: every record follows, once and for all."""

import pytest

from flagservice.audit.log import Deed, Work
from flagservice.domain.elements import Kind
from flagservice.domain.errors import Conflict, Invalid, NotFound
from flagservice.intake.policies import enforcement, in_force
from flagservice.intake.policies.effect import policy_effect
from flagservice.intake.policies.in_force import PoliciesInForce
from flagservice.policy.desks import load_desks
from flagservice.policy.proof.prove import load
from flagservice.policy.table import UnusablePolicy
from flagservice.store import tables
from tests.intake.people import a_plan, child, father, mother, rows
from tests.intake.policies.officers import (
    AMED,
    BRUCE,
    CP,
    NARROWER,
    Service,
    given_a_plan_and_approvers,
    signed,
    why_of,
)
from tests.policy.approved import policy_text
from tests.world import COUNCIL, HOME, World


@pytest.fixture
def service(any_world: World) -> Service:
    return given_a_plan_and_approvers(any_world)


def test_a_first_start_puts_the_releases_own_policies_in_force_and_a_second_changes_nothing(
    service: Service,
) -> None:
    shipped = {kind: load(policy_text(kind)).version for kind in Kind}
    assert service.rules_by() == shipped
    service.world.starts()
    changes = rows(service.world, of=tables.PolicyChangeRow)
    assert sorted(change.kind for change in changes) == sorted(Kind)
    why = service.do(lambda work: why_of(work, changes[0]))
    assert why == {"how": in_force.FIRST}


def test_a_newer_file_of_a_release_changes_nothing_by_itself(service: Service) -> None:
    newer = [load(NARROWER)]
    service.do(lambda work: in_force.start(work, newer, desks=service.in_force.desks))
    assert service.rules_by()[Kind.CHILD_PROTECTION] == 1


def test_a_file_that_is_not_what_ruled_under_its_version_stops_the_start(service: Service) -> None:
    edited = [load(CP.replace('"A child protection plan', '"Some child protection plan'))]
    with pytest.raises(UnusablePolicy, match="child-protection v1 has ruled with another text"):
        service.do(lambda work: in_force.start(work, edited, desks=service.in_force.desks))


def test_a_desk_that_is_gone_though_its_agency_has_plans_stops_the_start(service: Service) -> None:
    text = (HOME / "policies/desks.toml").read_text("utf-8")
    desks = load_desks(text.replace("[agency.E08000032]", "[agency.E08000099]"))
    with pytest.raises(UnusablePolicy, match=f"{COUNCIL} has submitted plans"):
        service.do(lambda work: in_force.start(work, [], desks=desks))


def test_two_different_people_bring_a_policy_into_force_and_every_record_follows(
    service: Service,
) -> None:
    before = service.held()
    told = [id_ for id_, (says, _, _) in before.items() if "plan-category placed" in says]
    service.changes_to()
    assert service.rules_by()[Kind.CHILD_PROTECTION] == 2
    assert service.held() == before, "nothing is issued in the commit that changes the policy"
    service.sweeps()
    after = service.held()
    assert told
    for id_, (says, number, status) in after.items():
        if id_ in told:
            assert (says, number, status) == (
                before[id_][0].replace("plan-category ", ""),
                before[id_][1] + 1,
                "active",
            )
        else:
            assert after[id_] == before[id_]
    owed = {row.copy_id for row in rows(service.world, of=tables.DeliveryRow) if row.number == 2}
    assert owed == set(told)
    withdrawn = {v.copy_id for v in rows(service.world, of=tables.VersionRow) if v.withdrawn}
    assert withdrawn == set(told), "less is told, so the earlier words go, too"


def test_ruling_on_everybody_again_issues_nothing_twice(service: Service) -> None:
    service.changes_to()
    service.sweeps()
    held = service.held()
    service.do(_sweep_anew)
    assert service.sweeps()
    assert service.held() == held


def _sweep_anew(work: Work) -> None:
    for change in in_force.current_changes(work):
        change.swept = ""
        work.session.add(change)
    work.record(Deed.POLICY_READ)


def test_who_goes_on_after_a_crash_goes_on_where_it_stopped(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enforcement, "A_BATCH", 1)
    service.changes_to()
    people = len(rows(service.world, of=tables.PersonRow))
    assert service.do(lambda work: enforcement.sweep(work, service.in_force)) == 1
    (change,) = [c for c in rows(service.world, of=tables.PolicyChangeRow) if c.swept is not None]
    assert change.swept == min(person.id for person in rows(service.world, of=tables.PersonRow))
    service.in_force = PoliciesInForce(service.in_force.desks, service.in_force.profiles)
    assert service.sweeps() == people - 1
    with pytest.raises(NotFound, match="ruled on everybody"):
        service.do(lambda work: enforcement.sweep(work, service.in_force))


def test_what_is_posted_between_the_change_and_the_sweep_is_ruled_on_by_the_new_policy(
    service: Service,
) -> None:
    service.changes_to()
    service.do(lambda work: _adopt(work, service))
    service.world.posts(COUNCIL, {**a_plan(), "reference": "P-2"})
    by = {ruling.policy_version for ruling in rows(service.world, of=tables.RulingRow)}
    assert by == {1, 2}
    assert {
        says for says, _, _ in service.held().values() if "plan-category placed" in says
    } == set()


def _adopt(work: Work, service: Service) -> None:
    work.record(Deed.POLICY_READ)
    service.world.rulebook = service.in_force.rulebook(work)


def test_one_command_goes_back_and_every_record_with_it(service: Service) -> None:
    before = {says for says, _, _ in service.held().values()}
    service.changes_to()
    service.sweeps()
    assert service.goes_back() == 1
    assert service.rules_by()[Kind.CHILD_PROTECTION] == 1
    service.sweeps()
    assert {says for says, _, _ in service.held().values()} == before
    changes = rows(service.world, of=tables.PolicyChangeRow)
    whys = [service.do(lambda work, c=c: why_of(work, c)) for c in changes]
    (back,) = [why for why in whys if why["how"] == "back"]
    assert (back["by"], back["reason"]) == (AMED, "it told too little")


def test_what_was_taken_back_returns_only_as_a_new_version(service: Service) -> None:
    service.changes_to()
    service.goes_back()
    with pytest.raises(Conflict, match="so propose anew"):
        service.enforces()
    with pytest.raises(Conflict, match="so the next is v3"):
        service.proposes(NARROWER)
    service.changes_to(NARROWER.replace("version = 2", "version = 3", 1), 3)
    assert service.rules_by()[Kind.CHILD_PROTECTION] == 3


def test_there_is_nothing_to_go_back_to_before_the_first_change(service: Service) -> None:
    with pytest.raises(Conflict, match="nothing to go back to"):
        service.goes_back()
    with pytest.raises(Conflict, match="nothing to go back to"):
        service.do(lambda work: enforcement.would_go_back_to(work, Kind.CHILD_PROTECTION))
    service.changes_to()
    found = service.do(lambda work: enforcement.would_go_back_to(work, Kind.CHILD_PROTECTION))
    assert found.version == 1
    with pytest.raises(Invalid, match="say why"):
        service.do(
            lambda work: enforcement.go_back(
                work, Kind.CHILD_PROTECTION, approval=signed(AMED, "back", 1, text=CP), reason=" "
            )
        )


def test_every_step_leaves_a_leaf(service: Service) -> None:
    service.changes_to()
    service.sweeps()
    service.goes_back()
    bodies = b"".join(leaf.body for leaf in rows(service.world, of=tables.LeafRow))
    for deed in (
        Deed.APPROVER_ADDED,
        Deed.POLICY_PROPOSED,
        Deed.POLICY_APPROVED,
        Deed.POLICY_IN_FORCE,
        Deed.POLICY_RULED_AGAIN,
    ):
        assert f'"deed":"{deed}"'.encode() in bodies
    for name in (AMED, BRUCE):
        assert name.encode() not in bodies


def test_what_a_policy_would_change_is_counted_and_nothing_changes(service: Service) -> None:
    held, rulings = service.held(), len(rows(service.world, of=tables.RulingRow))
    old, new = load(CP), load(NARROWER)
    found = service.do(
        lambda work: policy_effect(work, old, new, rulebook=service.in_force.rulebook(work))
    )
    assert found.stored_changes == {"told less": 1}
    assert found.ruled_changes == {"told less": 1}
    assert found.stored == found.ruled == len(held)
    assert service.held() == held
    assert len(rows(service.world, of=tables.RulingRow)) == rulings
    service.world.on("2022-06-04")
    later = service.do(
        lambda work: policy_effect(work, old, new, rulebook=service.in_force.rulebook(work))
    )
    assert (later.stored, later.ruled) == (len(held), 0)


def test_a_person_whom_a_later_version_withdrew_is_no_part_of_the_effect(service: Service) -> None:
    wrong = mother(withdrawn="wrong-person")
    service.world.posts(COUNCIL, a_plan(child(), wrong, father(), version=2))
    found = service.do(
        lambda work: policy_effect(
            work, load(CP), load(NARROWER), rulebook=service.in_force.rulebook(work)
        )
    )
    assert not found.stored_changes
