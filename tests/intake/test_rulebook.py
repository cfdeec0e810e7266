"""What rules is kept by its digest, and nothing that has ruled is changed behind anybody's back."""

from dataclasses import replace

import pytest

from flagservice.audit.log import Actor
from flagservice.domain.elements import Kind
from flagservice.intake.rulebook import Rulebook, put_in_force
from flagservice.policy.desks import load_desks
from flagservice.policy.proof import load
from flagservice.policy.table import UnusablePolicy
from flagservice.store import tables
from tests.intake.people import a_plan, given_the_family, rows
from tests.world import COUNCIL, HOME, World

OPERATOR = Actor("operator")


def put(world: World, rulebook: Rulebook) -> None:
    world.log.perform(OPERATOR, lambda work: put_in_force(work, rulebook))


def with_policy(rulebook: Rulebook, old: str, new: str) -> Rulebook:
    text = rulebook.policies[Kind.SECTION_47].text
    assert text.count(old) == 1
    changed = load(text.replace(old, new))
    return replace(rulebook, policies={**rulebook.policies, Kind.SECTION_47: changed})


def test_every_policy_in_force_is_kept_by_its_digest_and_once(any_world: World) -> None:
    put(any_world, any_world.rulebook)
    put(any_world, any_world.rulebook)
    assert {row.digest: row.text for row in rows(any_world, of=tables.PolicyText)} == {
        policy.digest: policy.text for policy in any_world.rulebook.policies.values()
    }


def test_a_version_that_ruled_with_another_text_is_refused(world: World) -> None:
    put(world, world.rulebook)
    edited = with_policy(world.rulebook, '"An enquiry under', '"Some enquiry under')
    with pytest.raises(UnusablePolicy, match="section-47 v1 has ruled with another text"):
        put(world, edited)
    put(world, world.rulebook)


def test_the_next_version_is_kept_beside_the_one_before(world: World) -> None:
    put(world, world.rulebook)
    put(world, with_policy(world.rulebook, "version = 1", "version = 2"))
    assert len(rows(world, of=tables.PolicyText)) == len(Kind) + 1


def test_a_desk_that_is_gone_though_its_agency_has_plans_is_refused(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    put(world, world.rulebook)
    text = (HOME / "policies/desks.toml").read_text("utf-8")
    desks = load_desks(text.replace("[agency.E08000032]", "[agency.E08000099]"))
    with pytest.raises(UnusablePolicy, match=f"{COUNCIL} has submitted plans"):
        put(world, replace(world.rulebook, desks=desks))
