"""What a submission may state: every rule across its fields, told by field and rule."""

import json
from datetime import date
from typing import Any

import pytest

from flagservice.domain.elements import Element, Kind, PlanCategory
from flagservice.domain.people import Role, Standing
from flagservice.domain.submissions import Enquiry, Notification, Plan, Submission
from tests.world import a_submission, person

TODAY = date(2022, 1, 4)
CHILD = person("child", "9990001111", "2021-12-06")
MOTHER = person("mother", "9990002258", "1995-03-14")
ALLEGED = person("father", "9990002517", "1993-09-30", standing="alleged-perpetrator")
UNBORN = {"role": "unborn", "expected_date": "2022-05-01"}
LEAST = {"role", "nhs_number", "date_of_birth"}
PARTNER = person("partner", "9990004811", "1988-12-12", nomination="cares-for-child")


def read(model: type[Submission], body: dict[str, Any]) -> Submission:
    return model.model_validate_json(json.dumps(body))


def a_plan(*people: dict[str, Any], **more: Any) -> Plan:
    body = a_submission("child-protection", "CPP-1", *(people or (CHILD,)))
    return Plan.model_validate_json(json.dumps({**body, **more}))


def found(submission: Submission) -> list[tuple[str, str]]:
    return [(fault.field, fault.rule) for fault in submission.faults(TODAY)]


@pytest.mark.parametrize(
    "people", [(CHILD,), (UNBORN, MOTHER), (CHILD, MOTHER, PARTNER), (CHILD, MOTHER)]
)
def test_a_whole_plan_breaks_no_rule(people: tuple[dict[str, Any], ...]) -> None:
    assert found(a_plan(*people)) == []


@pytest.mark.parametrize(
    ("plan", "field", "rule"),
    [
        (a_plan(MOTHER), "people", "exactly one is child or unborn"),
        (a_plan(CHILD, {**MOTHER, "role": "child"}), "people", "exactly one is child or unborn"),
        (a_plan(CHILD, UNBORN, MOTHER), "people", "exactly one is child or unborn"),
        (a_plan(UNBORN), "people", "exactly one is mother, where a child is unborn"),
        (a_plan(CHILD, CHILD | {"role": "sibling"}), "people[1].nhs_number", "this person is"),
        (a_plan(review_due="2021-12-31"), "review_due", "is not after start"),
        (a_plan(start="2022-01-05"), "start", "is in the future"),
        (a_plan(end="2022-01-05"), "end", "is in the future"),
        (a_plan(end="2021-12-31"), "end", "is before start"),
        (a_plan(categories=[]), "categories", "a child protection plan has at least one"),
        (a_plan(categories=["neglect", "neglect"]), "categories", "the same category stands"),
        (a_plan(kind="child-in-need"), "categories", "only a child protection plan has them"),
        (a_plan(reference="CPP-9990001111"), "reference", "holds an NHS number"),
        (a_plan({**CHILD, "expected_date": "2022-05-01"}), "people[0].expected_date", "is only"),
        (a_plan({"role": "child"}), "people[0].nhs_number", "is needed"),
        (a_plan({**CHILD, "date_of_birth": None}), "people[0].date_of_birth", "is needed"),
        (a_plan({**CHILD, "nhs_number": None}), "people[0].nhs_number", "is needed"),
        (a_plan({**CHILD, "not_identified": "not-named"}), "people[0].not_identified", "does not"),
        (a_plan(CHILD, {**PARTNER, "nomination": None}), "people[1].nomination", "is needed"),
        (
            a_plan(CHILD, {**PARTNER, "involvement": "excluded"}),
            "people[1].nomination",
            "is only for a partner",
        ),
        (a_plan({**CHILD, "nomination": "cares-for-child"}), "people[0].nomination", "is only"),
        (a_plan({"role": "unborn"}, MOTHER), "people[0].expected_date", "is needed for an unborn"),
        (
            a_plan({**UNBORN, "nhs_number": "9990001111"}, MOTHER),
            "people[0].nhs_number",
            "an unborn child has no NHS number",
        ),
        (
            a_plan({**UNBORN, "date_of_birth": "2022-01-01"}, MOTHER),
            "people[0].date_of_birth",
            "an unborn child has no date of birth",
        ),
    ],
)
def test_a_plan_that_breaks_a_rule_is_told_where_and_which(
    plan: Plan, field: str, rule: str
) -> None:
    told = dict(found(plan))
    assert told[field].startswith(rule)


@pytest.mark.parametrize(
    ("consent", "field", "rule"),
    [
        ({"sought": True}, "consent.answer", "is needed when"),
        ({"sought": True, "answer": "given", "why_not": "urgent"}, "consent.why_not", "is only"),
        ({"sought": False}, "consent.why_not", "is needed when"),
        ({"sought": False, "why_not": "urgent", "answer": "given"}, "consent.answer", "is only"),
    ],
)
def test_consent_has_the_answer_or_the_reason_that_belongs_to_it(
    consent: dict[str, Any], field: str, rule: str
) -> None:
    ((where, said),) = found(a_plan(consent=consent))
    assert where == field
    assert said.startswith(rule)


def test_consent_that_was_not_sought_says_why() -> None:
    assert found(a_plan(consent={"sought": False, "why_not": "would-increase-risk"})) == []


ENQUIRIES = ("section-47", "strategy-meeting", "pre-proceedings")
NOTICES = ("perpetrator", "domestic-abuse-victim", "marac")


@pytest.mark.parametrize("kind", ENQUIRIES)
def test_an_enquiry_is_about_one_child_born_or_unborn(kind: str) -> None:
    born = read(Enquiry, a_submission(kind, "E-1", CHILD, MOTHER))
    unborn = read(Enquiry, a_submission(kind, "E-1", UNBORN, MOTHER))
    assert (found(born), found(unborn)) == ([], [])
    assert (born.rules_as, unborn.rules_as) == (kind, f"unborn-{kind}")
    assert born.elements() == {}
    assert unborn.elements() == {Element.EXPECTED_DATE: date(2022, 5, 1)}
    both = read(Enquiry, a_submission(kind, "E-1", CHILD, UNBORN, MOTHER))
    assert found(both) == [("people", "exactly one is child or unborn")]


def test_a_notification_has_somebody_alleged() -> None:
    whole = read(Notification, a_submission("perpetrator", "N-1", ALLEGED, CHILD))
    assert found(whole) == []
    assert whole.rules_as is Kind.PERPETRATOR
    assert whole.started is None
    nobody = read(Notification, a_submission("perpetrator", "N-1", CHILD))
    assert found(nobody) == [("people", "nobody's standing is alleged-perpetrator")]


def test_an_unborn_child_is_nobodys_victim_before_the_birth() -> None:
    alone = {**UNBORN, "standing": "victim"}
    said = read(Notification, a_submission("marac", "M-1", alone, MOTHER))
    assert found(said) == [("people", "nobody's standing is victim")]


@pytest.mark.parametrize("kind", NOTICES)
def test_a_notification_may_name_unborn_children_and_keeps_its_kind(kind: str) -> None:
    people = (UNBORN, UNBORN, CHILD, ALLEGED, {**MOTHER, "standing": "victim"})
    said = read(Notification, a_submission(kind, "N-1", *people))
    assert found(said) == []
    assert said.elements() == {Element.EXPECTED_DATE: date(2022, 5, 1)}
    assert said.rules_as == kind


@pytest.mark.parametrize("kind", NOTICES)
@pytest.mark.parametrize("standing", Standing)
def test_a_mother_who_is_not_accused_is_ruled_on_for_the_child_that_she_expects(
    kind: str, standing: Standing
) -> None:
    people = (UNBORN, {**MOTHER, "standing": standing}, {**ALLEGED, "standing": "both"})
    said = read(Notification, a_submission(kind, "N-1", *people)).statements()
    hers = {one.person.standing: one.kind for one in said if one.person.role == "mother"}
    parts = ["victim", "alleged-perpetrator"] if standing is Standing.BOTH else [standing]
    of_unborn = "unborn-domestic-abuse"
    assert hers == {part: kind if part == "alleged-perpetrator" else of_unborn for part in parts}
    assert {one.kind for one in said if one.person.role == "father"} == {kind}
    born = a_submission(kind, "N-1", CHILD, *people[1:])
    assert {one.kind for one in read(Notification, born).statements()} == {kind}


@pytest.mark.parametrize("people", [(UNBORN,), (UNBORN, MOTHER, PARTNER | {"role": "mother"})])
@pytest.mark.parametrize(
    ("model", "kind"),
    [(Plan, "child-in-need"), (Enquiry, "section-47"), (Notification, "perpetrator")],
)
def test_an_unborn_child_has_one_mother(
    model: type[Submission], kind: str, people: tuple[dict[str, Any], ...]
) -> None:
    clean = [{k: v for k, v in one.items() if k != "nomination"} for one in people]
    said = read(model, a_submission(kind, "N-1", *clean, ALLEGED))
    assert found(said) == [("people", "exactly one is mother, where a child is unborn")]


def test_a_plan_states_what_a_flag_could_say_as_far_as_it_has_it() -> None:
    plan = a_plan(
        UNBORN,
        MOTHER,
        categories=["physical", "emotional"],
        review_due="2022-03-01",
        end="2022-01-02",
    )
    assert plan.elements() == {
        Element.START: date(2022, 1, 1),
        Element.END: date(2022, 1, 2),
        Element.REVIEW_DUE: date(2022, 3, 1),
        Element.PLAN_CATEGORY: (PlanCategory.EMOTIONAL, PlanCategory.PHYSICAL),
        Element.EXPECTED_DATE: date(2022, 5, 1),
    }
    without = a_plan({"role": "unborn"}, MOTHER, kind="child-in-need", categories=[])
    assert without.elements() == {Element.START: date(2022, 1, 1)}


@pytest.mark.parametrize("kind", ["child-protection", "child-in-need"])
def test_a_plan_is_ruled_on_as_unborn_until_the_birth(kind: str) -> None:
    assert a_plan(UNBORN, MOTHER, kind=kind).rules_as == f"unborn-{kind}"
    assert a_plan(CHILD, MOTHER, kind=kind).rules_as == kind


def test_there_is_a_statement_for_each_person_who_may_have_a_record() -> None:
    plan = a_plan(UNBORN, MOTHER, {"role": "father", "not_identified": "not-named"})
    assert [(s.place, s.person.role) for s in plan.statements()] == [
        (1, Role.MOTHER),
        (2, Role.FATHER),
    ]
    assert found(plan) == []


def test_what_every_submission_has_is_no_kind_by_itself() -> None:
    assert Submission.__abstractmethods__ == {"rules_as"}


def test_a_submission_does_not_change_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        a_plan().version = 2


def test_what_nobody_said_of_a_person_is_taken_for_the_least() -> None:
    """Unknown is the strictest that a submitter can leave unsaid."""
    (_, mother) = a_plan(CHILD, {k: v for k, v in MOTHER.items() if k in LEAST}).people
    said = (mother.knows, mother.standing, mother.identity, mother.involvement)
    assert said == ("unknown", "neither", "unconfirmed", "excluded")


def test_a_person_is_taken_back_or_their_part_ends_and_never_both() -> None:
    mother = {**MOTHER, "withdrawn": "wrong-person", "ended": "2022-01-04"}
    plan = a_plan(CHILD, mother)
    assert ("people[1].ended", "does not go with withdrawn") in found(plan)
