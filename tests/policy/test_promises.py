"""What no policy may break, checked over the whole space of every kind."""

import pytest

from flagservice.domain.elements import Element, Kind
from flagservice.domain.people import Knows, Role, Standing
from flagservice.policy.case import every_case
from flagservice.policy.proof.prove import load
from flagservice.policy.ruling import rule_on
from flagservice.policy.table import Policy
from tests.policy.approved import policy_text

POLICIES = [load(policy_text(kind)) for kind in Kind]
ALLEGED = (Standing.ALLEGED_PERPETRATOR, Standing.BOTH)
SOMEBODY_ELSES = {
    Element.PLAN_CATEGORY,
    Element.START,
    Element.END,
    Element.REVIEW_DUE,
    Element.EXPECTED_DATE,
    Element.AGENCY,
}


@pytest.mark.parametrize("policy", POLICIES, ids=list(Kind))
def test_an_alleged_perpetrators_record_gets_nothing_that_comes_from_somebody_else(
    policy: Policy,
) -> None:
    for case in every_case(policy.kind):
        if case.standing in ALLEGED and case.role not in (Role.CHILD, Role.SIBLING):
            ruling = rule_on(policy, case)
            assert not SOMEBODY_ELSES & set(ruling.disclosed)
            assert ruling.placement.desk in (None, "neutral")


@pytest.mark.parametrize("policy", POLICIES, ids=list(Kind))
def test_who_is_not_known_to_know_never_gets_more_than_who_knows(policy: Policy) -> None:
    for case in every_case(policy.kind):
        if case.knows is Knows.KNOWS:
            told = set(rule_on(policy, case).disclosed)
            for knows in Knows:
                other = rule_on(policy, type(case)(**{**vars(case), "knows": knows}))
                assert set(other.disclosed) <= told


@pytest.mark.parametrize("policy", POLICIES, ids=list(Kind))
def test_every_element_is_ruled_on_in_every_case_and_none_without_a_rule_is_told(
    policy: Policy,
) -> None:
    for case in every_case(policy.kind):
        ruling = rule_on(policy, case)
        assert [one.element for one in ruling.elements] == list(Element)
        assert all(one.rules for one in ruling.elements if one.action == "disclose")


@pytest.mark.parametrize("policy", POLICIES, ids=list(Kind))
def test_confidentiality_follows_the_kind_alone(policy: Policy) -> None:
    labels = {row.labels for row in policy.placements if row.labels}
    assert len({"V" in found for found in labels}) == 1
