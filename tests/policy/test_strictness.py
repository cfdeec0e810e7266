"""The strictest rule wins in any order, and what is withheld has no way out."""

import copy
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flagservice.domain.codes import CODES, NEUTRAL
from flagservice.domain.copies import CopyStatus, Form
from flagservice.domain.elements import Desk, Element, Elements, Kind, Organisation, PlanCategory
from flagservice.domain.people import RECORDS, Knows, Phase, Role, Standing, State
from flagservice.policy import disclosure
from flagservice.policy.case import Case, every_case
from flagservice.policy.disclosure import Disclosure, disclose, disclose_together, form_of, removal
from flagservice.policy.proof.prove import load
from flagservice.policy.rows import ElementAction, ElementRule
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.policy.table import Policy
from tests.policy.approved import policy_text

POLICIES = [load(policy_text(kind)) for kind in Kind]
CASES = {policy.kind: list(every_case(policy.kind))[::3] for policy in POLICIES}
"""Every third case, so that every part of a case still takes every value."""
policies = st.sampled_from(POLICIES)
DAY = date(2022, 1, 4)
EVERYTHING: Elements = {
    **dict.fromkeys(Element, DAY),
    Element.CONCERN: NEUTRAL,
    Element.PLAN_CATEGORY: (PlanCategory.NEGLECT,),
    Element.DUTY_DESK: Desk("A duty desk", "01632 960100"),
    Element.AGENCY: Organisation("E08000032", "A council"),
}


def some(words: Iterable[object]) -> st.SearchStrategy[list[str]]:
    listed = [str(word) for word in words]
    return st.lists(st.sampled_from(listed), min_size=1, unique=True)


def rules(action: ElementAction) -> st.SearchStrategy[ElementRule]:
    return st.builds(
        lambda **said: ElementRule.model_validate(said),
        id=st.just("ZZ-D99"),
        roles=some(RECORDS),
        standings=some(Standing),
        knows=some(Knows),
        states=some(State),
        phases=some(Phase),
        elements=some(Element),
        action=st.just(action),
        because=st.just("it is put in by a test"),
        source=st.just(["S01 J"]),
    )


def told(policy: Policy) -> dict[Case, set[Element]]:
    return {case: set(rule_on(policy, case).disclosed) for case in CASES[policy.kind]}


def with_rule(policy: Policy, rule: ElementRule, place: int) -> Policy:
    listed = list(policy.disclosures)
    listed.insert(place % (len(listed) + 1), rule)
    return replace(policy, disclosures=tuple(listed))


@settings(max_examples=25)
@given(policies, rules(ElementAction.REDACT), st.integers(0, 50))
def test_a_rule_that_redacts_wins_wherever_it_stands_and_discloses_nothing(
    policy: Policy, rule: ElementRule, place: int
) -> None:
    before, after = told(policy), told(with_rule(policy, rule, place))
    for case in CASES[policy.kind]:
        taken = set(rule.elements) if rule.matches(case) else set()
        assert after[case] == before[case] - taken


@settings(max_examples=25)
@given(policies, rules(ElementAction.DISCLOSE), st.integers(0, 50))
def test_a_rule_that_discloses_gives_what_it_says_and_never_past_a_redaction(
    policy: Policy, rule: ElementRule, place: int
) -> None:
    before, after = told(policy), told(with_rule(policy, rule, place))
    for case in CASES[policy.kind]:
        given_more = after[case] - before[case]
        assert before[case] <= after[case]
        assert given_more <= (set(rule.elements) if rule.matches(case) else set())
        redacted = [r for r in policy.disclosures if r.action == "redact" and r.matches(case)]
        assert not given_more & {element for r in redacted for element in r.elements}


@pytest.mark.parametrize("standing", Standing)
def test_a_rule_about_one_standing_opens_nothing_that_a_rule_about_all_of_them_closes(
    standing: Standing,
) -> None:
    """What is more specific does not go first: the strictest wins, however narrow the other is."""
    policy = next(policy for policy in POLICIES if policy.kind is Kind.CHILD_PROTECTION)
    every = dict.fromkeys(("roles", "standings", "knows", "states", "phases"), "any")
    said = {**every, "elements": "any", "because": "a test puts it in", "source": ["S01 J"]}
    closing = {**said, "id": "ZZ-R98", "action": "redact"}
    opening = {**said, "id": "ZZ-D98", "action": "disclose", "standings": [standing]}
    both = tuple(ElementRule.model_validate(one) for one in (closing, opening))
    closed = replace(policy, disclosures=(*policy.disclosures, *both))
    assert not any(told(closed).values())


@settings(max_examples=25)
@given(policies, st.randoms(use_true_random=False))
def test_the_order_of_the_rules_does_not_matter(policy: Policy, chance: random.Random) -> None:
    shuffled = list(policy.disclosures)
    chance.shuffle(shuffled)
    assert told(replace(policy, disclosures=tuple(shuffled))) == told(policy)


@settings(max_examples=25)
@given(policies, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_in_the_file_does_not_matter(
    policy: Policy, chance: random.Random
) -> None:
    head, *rows = policy.text.split("\n[[")
    chance.shuffle(rows)
    # TOML keeps one list for each sort of row, however they are mixed.
    shuffled = load("\n[[".join([head, *rows]))
    assert told(shuffled) == told(policy)
    assert {case: row.id for case, row in shuffled.placement_of.items()} == {
        case: row.id for case, row in policy.placement_of.items()
    }


def a_ruling(kind: Kind, role: Role, **more: object) -> Ruling:
    said = {"standing": Standing.NEITHER, "knows": Knows.KNOWS, "state": State.INCLUDED}
    case = Case(kind, role, phase=Phase.OPEN, **said)
    policy = next(policy for policy in POLICIES if policy.kind is kind)
    return rule_on(policy, replace(case, **more))


def test_a_disclosure_is_made_at_its_door_and_nowhere_else() -> None:
    for door in (None, object(), "door"):
        with pytest.raises(TypeError):
            Disclosure(form=Form.FLAG, status=CopyStatus.ACTIVE, labels=(), says={}, door=door)
    assert disclosure.__doc__
    made = removal(Form.FLAG, ("NOPAT",))
    with pytest.raises(AttributeError):
        copy.copy(made)


def test_a_disclosure_does_not_change() -> None:
    says = dict(EVERYTHING)
    made = disclose(a_ruling(Kind.CHILD_PROTECTION, Role.CHILD), says)
    before = dict(made.says)
    with pytest.raises(AttributeError):
        made.says = {}
    with pytest.raises(AttributeError):
        del made.says
    with pytest.raises(AttributeError):
        made.anything = 1
    with pytest.raises(TypeError):
        made.says[Element.END] = DAY
    says[Element.START] = date(2000, 1, 1)
    assert made.says == before


@pytest.mark.parametrize("policy", POLICIES, ids=list(Kind))
def test_it_says_what_the_ruling_discloses_of_what_was_said_and_no_more(policy: Policy) -> None:
    for case in every_case(policy.kind):
        ruling = rule_on(policy, case)
        if ruling.remains:
            made = disclose(ruling, EVERYTHING)
            assert tuple(made.says) == ruling.disclosed
            assert made.status == ("active" if case.phase is Phase.OPEN else "inactive")
            assert made.labels == ruling.placement.labels
            assert set(disclose(ruling, {}).says) <= {Element.CONCERN}
        else:
            with pytest.raises(ValueError, match="nothing is told"):
                disclose(ruling, EVERYTHING)


def test_what_was_said_never_chooses_the_code() -> None:
    """`concern` is the placement's, and at the end the code that ends it."""
    ruling = a_ruling(Kind.CHILD_PROTECTION, Role.CHILD)
    assert disclose(ruling, EVERYTHING).code == CODES["342191000000101"].coding
    ended = a_ruling(Kind.CHILD_PROTECTION, Role.CHILD, phase=Phase.ENDED)
    assert disclose(ended, EVERYTHING).code == CODES["342891000000105"].coding
    no_end_code = a_ruling(Kind.PERPETRATOR, Role.CHILD, phase=Phase.ENDED)
    assert disclose(no_end_code, EVERYTHING).code == CODES["881081000000100"].coding


def test_a_request_and_a_removal_carry_a_code_that_says_nothing() -> None:
    asked = disclose(a_ruling(Kind.SECTION_47, Role.MOTHER), EVERYTHING)
    assert (asked.form, asked.code) == (Form.REQUEST, CODES["contact-duty-desk"].coding)
    assert removal(Form.REQUEST, ()).code == CODES["contact-duty-desk"].coding
    taken_back = removal(Form.FLAG, ("NOPAT", "R", "PERSISTLABEL"))
    assert (taken_back.code, taken_back.says, taken_back.status) == (NEUTRAL, {}, "inactive")
    assert removal(Form.FLAG, (), in_error=True).status is CopyStatus.ENTERED_IN_ERROR
    assert form_of(a_ruling(Kind.SECTION_47, Role.CHILD)) is Form.FLAG


def test_what_is_not_one_concern_is_no_one_flag() -> None:
    policy = next(one for one in POLICIES if one.kind is Kind.CHILD_PROTECTION)
    told = [rule_on(policy, case) for case in every_case(policy.kind)]
    child, mother = (
        next(one for one in told if one.remains and one.case.role is role)
        for role in (Role.CHILD, Role.MOTHER)
    )
    with pytest.raises(ValueError, match="one flag has one form, one code and one phase"):
        disclose_together([child, mother], EVERYTHING)
