"""What a record is told becomes a Flag or a Task that fits its profile, and nothing else does."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from flagservice.domain.copies import Form
from flagservice.domain.elements import Desk, Element, Kind, Organisation, PlanCategory
from flagservice.domain.people import Knows, Phase, Role, Standing, State
from flagservice.fhir.flags import (
    CANONICAL,
    IDENTIFIER,
    PROFILES,
    CopyIdentity,
    build,
    instant,
    resource_type,
    version_system,
)
from flagservice.fhir.labels import security
from flagservice.fhir.writing import UnfitResource, to_bytes
from flagservice.policy.case import Case, every_case
from flagservice.policy.disclosure import Disclosure, disclose, removal
from flagservice.policy.ruling import rule_on
from tests.world import the_rulebook

HOME = Path(__file__).parents[2]
RULEBOOK = the_rulebook()
COPY = CopyIdentity(
    "c" * 32, "d" * 32, "9990001111", datetime(2022, 1, 4, 9, 0, 0, 42_000, tzinfo=UTC)
)
SAID = {
    Element.START: date(2022, 1, 1),
    Element.END: date(2022, 6, 1),
    Element.PLACED: date(2022, 1, 4),
    Element.EXPIRES: date(2023, 1, 4),
    Element.REVIEW_DUE: date(2022, 3, 1),
    Element.REVIEW_BY: date(2022, 4, 4),
    Element.EXPECTED_DATE: date(2022, 5, 1),
    Element.PLAN_CATEGORY: (PlanCategory.NEGLECT, PlanCategory.PHYSICAL),
    Element.DUTY_DESK: Desk("A duty desk", "01632 960100"),
    Element.AGENCY: Organisation("E08000032", "A council"),
}


def told(kind: Kind) -> list[Disclosure]:
    """Every disclosure that a policy can give, of everything that could be said."""
    rulings = [rule_on(RULEBOOK.policies[kind], case) for case in every_case(kind)]
    return [disclose(ruling, SAID) for ruling in rulings if ruling.remains]


@pytest.mark.parametrize("kind", list(Kind))
def test_whatever_a_policy_discloses_fits_its_profile(kind: Kind) -> None:
    disclosures = told(kind)
    assert disclosures
    for disclosure in disclosures:
        resource = build(disclosure, COPY)
        assert json.loads(to_bytes(resource, RULEBOOK.profiles)) == resource


@pytest.mark.parametrize("kind", list(Kind))
def test_a_resource_says_no_value_that_was_not_disclosed(kind: Kind) -> None:
    words = {element: _word(value) for element, value in SAID.items()}
    for disclosure in told(kind):
        resource = build(disclosure, COPY)
        text = json.dumps({name: value for name, value in resource.items() if name != "meta"})
        for element, word in words.items():
            assert (word in text) == (element in disclosure.says), element


def _word(value: Any) -> str:
    match value:
        case date():
            return value.isoformat()
        case tuple():
            return "Child protection category neglect"
        case _:
            return str(value.name)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("in_error", [True, False])
def test_a_removal_fits_its_profile_and_says_nothing(form: Any, in_error: bool) -> None:
    taken_back = removal(form, ("NOPAT", "R", "PERSISTLABEL"), in_error=in_error)
    resource = json.loads(to_bytes(build(taken_back, COPY), RULEBOOK.profiles))
    assert resource["resourceType"] == resource_type(form)
    ends = {(Form.FLAG, False): "inactive", (Form.REQUEST, False): "cancelled"}
    assert resource["status"] == ends.get((form, in_error), "entered-in-error")
    assert not {"extension", "period", "author", "requester", "text", "contained"} & set(resource)


def _one(kind: Kind, role: Role, **more: Any) -> dict[str, Any]:
    said = {"standing": Standing.NEITHER, "knows": Knows.KNOWS, "state": State.INCLUDED}
    case = Case(kind, role, phase=Phase.OPEN, **{**said, **more})
    return build(disclose(rule_on(RULEBOOK.policies[kind], case), SAID), COPY)


def test_a_childs_flag_carries_each_element_where_the_house_says() -> None:
    flag = _one(Kind.CHILD_PROTECTION, Role.CHILD)
    assert flag["id"] == COPY.id
    assert flag["meta"]["versionId"] == COPY.version_id
    assert flag["meta"]["lastUpdated"] == "2022-01-04T09:00:00.042Z"
    assert flag["meta"]["profile"] == [PROFILES["Flag"]]
    assert [one["code"] for one in flag["meta"]["security"]] == ["NOPAT", "R", "PERSISTLABEL"]
    assert [one["value"] for one in flag["identifier"]] == [COPY.id, COPY.version_id]
    assert (
        flag["identifier"][1]["system"] == version_system(Form.FLAG) == f"{IDENTIFIER}/flag-version"
    )
    assert flag["subject"]["identifier"]["value"] == "9990001111"
    assert flag["period"] == {"start": "2022-01-01"}
    assert flag["author"]["display"] == "A council"
    assert [one["coding"][0]["code"] for one in flag["category"]] == [
        "SG",
        "802271000000100",
        "802311000000100",
    ]
    by_url = {
        one["url"].removeprefix(f"{CANONICAL}/StructureDefinition/"): one for one in _ext(flag)
    }
    assert by_url["review-due"]["valueDate"] == "2022-03-01"
    assert by_url["duty-desk"]["valueContactDetail"]["name"] == "A duty desk"


def _ext(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return list(resource["extension"])


def test_an_adults_flag_starts_on_the_day_it_was_placed() -> None:
    flag = _one(Kind.CHILD_PROTECTION, Role.MOTHER)
    assert flag["period"] == {"start": "2022-01-04"}
    assert "2022-04-04" in json.dumps(_ext(flag))


def test_an_alleged_perpetrators_own_flag_ends_by_itself() -> None:
    flag = _one(
        Kind.PERPETRATOR, Role.FATHER, standing=Standing.ALLEGED_PERPETRATOR, state=State.APPROVED
    )
    assert flag["period"] == {"start": "2022-01-04", "end": "2023-01-04"}
    assert flag["code"]["coding"][0]["code"] == "U"
    assert "author" not in flag


def test_a_request_is_a_task_to_ring_the_duty_desk() -> None:
    task = _one(Kind.SECTION_47, Role.MOTHER)
    assert (task["resourceType"], task["status"], task["intent"]) == ("Task", "requested", "order")
    assert task["for"]["identifier"]["value"] == "9990001111"
    assert task["requester"]["display"] == "A council"
    assert [one["url"].rpartition("/")[2] for one in _ext(task)] == ["duty-desk"]


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_built_has_the_shape_of_the_public_profiles(kind: Kind) -> None:
    for disclosure in told(kind):
        resource = build(disclosure, COPY)
        name = PROFILES[resource["resourceType"]].rpartition("/")[2]
        path = HOME / f"profiles/StructureDefinition-{name}.json"
        elements = json.loads(path.read_text("utf-8"))["snapshot"]["element"]
        allowed = {one["path"].split(".")[1] for one in elements if one["path"].count(".") == 1}
        assert set(resource) - {"resourceType"} <= allowed


def test_a_resource_that_is_not_r4_is_not_written_and_not_quoted() -> None:
    flag = _one(Kind.CHILD_PROTECTION, Role.CHILD)
    with pytest.raises(UnfitResource, match="not an R4 Flag: status") as refused:
        to_bytes({**flag, "status": ["Ann Smith"]}, RULEBOOK.profiles)
    assert "Ann" not in str(refused.value)


def test_a_resource_that_does_not_fit_its_profile_is_not_written() -> None:
    flag = _one(Kind.CHILD_PROTECTION, Role.CHILD)
    with pytest.raises(UnfitResource, match="text"):
        to_bytes({**flag, "text": {"status": "empty", "div": "<div/>"}}, RULEBOOK.profiles)
    without = {**flag, "meta": {**flag["meta"], "security": security(("NOPAT",))}}
    with pytest.raises(UnfitResource, match="security"):
        to_bytes(without, RULEBOOK.profiles)


def test_two_copies_of_one_disclosure_share_nothing_that_is_theirs() -> None:
    disclosure = told(Kind.CHILD_IN_NEED)[0]
    other = replace(COPY, id="e" * 32, version_id="f" * 32, nhs_number="9990002258")
    one, two = build(disclosure, COPY), build(disclosure, other)
    for mine in (COPY.id, COPY.version_id, COPY.nhs_number):
        assert mine in json.dumps(one)
        assert mine not in json.dumps(two)


@pytest.mark.parametrize(
    ("microseconds", "said"), [(0, "000"), (999, "000"), (1000, "001"), (999_999, "999")]
)
@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=1), timedelta(hours=-9.5)])
def test_an_instant_is_in_utc_with_three_digits_whatever_it_was(
    microseconds: int, said: str, ahead: timedelta
) -> None:
    utc = datetime(2022, 1, 4, 9, 30, 59, microseconds, tzinfo=UTC)
    assert instant(utc.astimezone(timezone(ahead))) == f"2022-01-04T09:30:59.{said}Z"
