"""GP systems search by what a copy says, by id and by time; pages are filled, links opaque."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from flagservice.api.records.cursors import Feed, SearchPosition, sealed_page
from tests.api.answers import FHIR, faults, links, resources, then_refused
from tests.api.steps import (
    BASE,
    CHILD,
    FATHER,
    FORM,
    MOTHER,
    NHS_NUMBER,
    Cast,
    Client,
    a_notification,
    a_plan,
    an_enquiry,
    versions_in,
)
from tests.intake.families import NHS_NUMBERS
from tests.world import person

FLAG, TASK = f"{FHIR}/Flag", f"{FHIR}/Task"
LENIENT = {"Prefer": "handling=lenient"}
PAGE = ("page", "is not one that this search gave out")
SNOMED = "http://snomed.info/sct"
BARS = "https://fhir.nhs.uk/CodeSystem/flag-categories-bars"
CHILDS, FAMILYS = "342191000000101", "375041000000100"
STATUS = "http://hl7.org/fhir/flag-status"


def subjects(answer: httpx.Response) -> set[str]:
    return {one["subject"]["identifier"]["value"] for one in resources(answer)}


def when_searched(client: Client, **asked: str) -> httpx.Response:
    form = "&".join(f"{name}={quote(value)}" for name, value in asked.items())
    return client.calls("POST", f"{FLAG}/_search", content=form, headers={"Content-Type": FORM})


@pytest.fixture(scope="module")
def told(house: Cast) -> Cast:
    """A plan about child and mother, who are of one practice, and an enquiry."""
    house.council.posts("/plans", a_plan())
    house.council.posts("/enquiries", an_enquiry())
    return house


EVERYBODY = {CHILD[0], MOTHER[0]}
NEVER_SERVED = (
    *("_summary", "_elements", "_total", "_sort", "_include", "_include:iterate"),
    *("_revinclude", "_has:Provenance:target:agent", "_contained", "_query", "_filter"),
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=active", EVERYBODY),
        (f"status={STATUS}|active", EVERYBODY),
        (f"status={STATUS}|", EVERYBODY),
        ("status=|active", set()),
        ("status=inactive", set()),
        ("status=inactive,active", EVERYBODY),
        ("status=active&status=inactive", set()),
        ("category=SG", EVERYBODY),
        (f"category={BARS}|SG", EVERYBODY),
        (f"category={BARS}|", EVERYBODY),
        (f"category={SNOMED}|SG", set()),
        ("category=|SG", set()),
        ("category=SG&category=802311000000100", EVERYBODY),
        ("category=SG&category=802301000000102", set()),
        ("category=802311000000100,nothing", EVERYBODY),
        (f"code={CHILDS}", {CHILD[0]}),
        (f"code={SNOMED}|{FAMILYS}", {MOTHER[0]}),
        (f"code={CHILDS},{FAMILYS}", EVERYBODY),
        (f"code={CHILDS}&status=active&_count=1", {CHILD[0]}),
        ("code=a%5C,b%5C%7Cc", set()),
        (f"_id={'f' * 32}", set()),
        ("_id=no.such-thing", set()),
        ("_lastUpdated=le2022-01-04T10:00:00Z", EVERYBODY),
        ("_lastUpdated=lt2022-01-04T09:00:00Z", set()),
        ("_lastUpdated=ge2022-01-04T09:00:00Z&_lastUpdated=lt2022-01-04T10:00:00Z", EVERYBODY),
        ("_lastUpdated=ge2022-01-04T09:00:00Z&_lastUpdated=ge2022-01-05T09:00:00Z", set()),
        ("_format=json", EVERYBODY),
    ],
)
def test_a_search_finds(told: Cast, query: str, found: set[str]) -> None:
    answer = told.practice.gets(f"{FLAG}?{query}")
    assert subjects(answer) == found


@pytest.mark.parametrize(
    ("query", "many"),
    [("status=requested", 1), ("status=active", 0), ("code=contact-duty-desk", 1), ("code=x", 0)],
)
def test_requests_are_searched_by_status_and_code(told: Cast, query: str, many: int) -> None:
    assert len(resources(told.other_practice.gets(f"{TASK}?{query}"))) == many


def test_by_id_finds_those_that_are_the_practices_own(told: Cast) -> None:
    mine = [flag["id"] for flag in resources(told.practice.gets(FLAG))]
    theirs = [flag["id"] for flag in resources(told.other_practice.gets(FLAG))]
    asked = ",".join([*mine, *theirs, "f" * 32])
    assert [one["id"] for one in resources(told.practice.gets(f"{FLAG}?_id={asked}"))] == mine


def test_an_instant_is_found_by_itself_and_bounds_meet_at_it(told: Cast) -> None:
    practice = told.practice
    instants = [one["meta"]["lastUpdated"] for one in resources(practice.gets(FLAG))]
    for at, instant in enumerate(instants):
        for prefix, found in (
            ("", instants[at : at + 1]),
            ("eq", instants[at : at + 1]),
            ("le", instants[: at + 1]),
            ("lt", instants[:at]),
            ("ge", instants[at:]),
            ("gt", instants[at + 1 :]),
        ):
            answer = practice.gets(f"{FLAG}?_lastUpdated={prefix}{instant}")
            assert [one["meta"]["lastUpdated"] for one in resources(answer)] == found
    second = instants[0][:19] + "Z"
    of_the_second = [one for one in instants if one[:19] == instants[0][:19]]
    answer = practice.gets(f"{FLAG}?_lastUpdated={second}")
    assert [one["meta"]["lastUpdated"] for one in resources(answer)] == of_the_second


def test_what_was_opened_to_be_compared_and_not_shown_was_not_read(cast: Cast) -> None:
    """A flag that nobody was shown is taken back without a word."""
    cast.police.posts("/notifications", a_notification())
    cast.world.decides("B83902", "place")
    assert resources(cast.other_practice.gets(f"{FLAG}?code=nothing")) == []
    cast.police.posts("/notifications", a_notification(version=2, end="2022-01-04"))
    assert resources(cast.other_practice.gets(FLAG)) == []


def when_paged(client: Client, answer: httpx.Response) -> list[str]:
    found = versions_in(resources(answer))
    while "next" in links(answer):
        url = links(answer)["next"]
        assert "B8390" not in url
        assert url.startswith(f"{BASE}{FLAG}?page=")
        answer = client.gets(url)
        assert links(answer)["self"] == url
        assert resources(answer)
        found += versions_in(resources(answer))
    return found


def given_children_on_plans(cast: Cast, count: int) -> None:
    for place, number in enumerate(NHS_NUMBERS[:count]):
        cast.world.registered(number, CHILD[1], "B83901")
        child = person("child", number, CHILD[1])
        cast.council.posts("/plans", a_plan(f"CPP-{place}", people=[child]))


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("posted", [True, False])
def test_pages_are_filled_with_what_matches(any_cast: Cast, count: int, posted: bool) -> None:
    given_children_on_plans(any_cast, 5)
    asked = {"code": CHILDS, "status": "active", "_count": str(count)}
    if posted:
        answer = when_searched(any_cast.practice, **asked)
    else:
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        answer = any_cast.practice.gets(f"{FLAG}?{query}")
    assert len(resources(answer)) == min(count, 5)
    found = when_paged(any_cast.practice, answer)
    assert len(found) == len(set(found)) == 5


def test_a_search_by_patient_goes_on_without_the_number_in_any_link(any_cast: Cast) -> None:
    for reference in ("CPP-1", "CIN-1"):
        any_cast.council.posts("/plans", a_plan(reference))
    any_cast.council.posts("/enquiries", an_enquiry())
    number = f"{NHS_NUMBER}|{CHILD[0]}"
    answer = when_searched(any_cast.practice, **{"patient:identifier": number, "_count": "2"})
    assert links(answer)["self"] == f"{BASE}{FLAG}/_search?_count=2"
    position = links(answer)["next"]
    assert CHILD[0] not in position
    assert len(when_paged(any_cast.practice, answer)) == 3
    any_cast.world.registered(*CHILD, "B83902")
    assert resources(any_cast.practice.gets(position)) == []
    then_refused(any_cast.other_practice.gets(position), 422, PAGE)
    then_refused(any_cast.practice.gets(position.replace("/Flag?", "/Task?")), 422, PAGE)


def test_a_page_that_nobody_gave_out_is_refused(house: Cast) -> None:
    feed = Feed("B83901", "Flag")
    vault = house.world.log.vault
    position = SearchPosition([], "f" * 32, house.world.now)
    nobodys = sealed_page(vault, feed, position)
    for page in ("a", "AAAA", nobodys[:-4], nobodys, f"{nobodys}A", "A" * 5000):
        then_refused(house.practice.gets(f"{FLAG}?page={page}"), 422, PAGE)
    mine = sealed_page(vault, feed, SearchPosition([("status", "active")], "", house.world.now))
    assert house.practice.gets(f"{FLAG}?page={mine}").status_code == 200
    alone = house.practice.gets(f"{FLAG}?page={mine}&_count=1")
    then_refused(alone, 422, ("page", "stands alone: it says what was asked"))


def test_a_lenient_caller_is_told_what_was_passed_over(told: Cast) -> None:
    query = "author=Jo%20Bloggs&_pretty=true&status=active&name:exact=x"
    answer = told.practice.gets(f"{FLAG}?{query}", headers=LENIENT)
    *matches, outcome = answer.json()["entry"]
    assert matches
    assert outcome["search"] == {"mode": "outcome"}
    (issue,) = outcome["resource"]["issue"]
    assert issue["severity"] == "warning"
    assert issue["diagnostics"].startswith("3 of the parameters")
    assert links(answer)["self"] == f"{BASE}{FLAG}?status=active"
    assert "Bloggs" not in answer.text


@pytest.mark.parametrize(
    ("header", "lenient"),
    [
        ("handling=lenient", True),
        ("return=minimal; Handling = Lenient", True),
        ("handling=strict", False),
        ("handling=strict, handling=lenient", False),
        ("handling=perhaps", False),
        ("", False),
    ],
)
def test_only_who_asks_for_it_is_answered_leniently(
    house: Cast, header: str, lenient: bool
) -> None:
    answer = house.practice.gets(f"{FLAG}?author=1", headers={"Prefer": header})
    assert answer.status_code == (200 if lenient else 422)


@pytest.mark.parametrize("name", NEVER_SERVED)
@pytest.mark.parametrize("headers", [{}, LENIENT])
def test_what_would_change_the_meaning_of_an_answer_is_refused_by_name(
    house: Cast, name: str, headers: dict[str, str]
) -> None:
    for path in (FLAG, f"{FLAG}/_history", f"{FLAG}/{'f' * 32}", f"{FHIR}/metadata"):
        answer = house.practice.gets(f"{path}?{name}=count", headers=headers)
        assert answer.status_code == 422
        ((field, rule),) = faults(answer)
        assert field == name.partition(":")[0]
        assert rule.startswith("is not served")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=", "status"),
        ("code=a|b|c", "code"),
        ("code=|", "code"),
        ("code=a,,b", "code"),
        ("category:not=SG", "(unknown parameter)"),
        ("_id=a%20b", "_id"),
        ("_id=a&_id=b", "_id"),
        ("_id=", "_id"),
        ("_id=" + ",".join(["a"] * 51), "_id"),
        ("status=a%0D%0Ab", "(parameter)"),
        ("%01=a", "(parameter)"),
        ("status=%FF", "(parameter)"),
        (f"code={CHILD[0]}", "code"),
        (f"code={CHILD[0][:3]}%20{CHILD[0][3:6]}%20{CHILD[0][6:]}", "code"),
        (f"_id={CHILD[0]}", "_id"),
    ],
)
def test_a_search_is_refused_with(house: Cast, query: str, field: str) -> None:
    with house.service.storing_nothing():
        answer = house.practice.gets(f"{FLAG}?{query}")
    assert answer.status_code == 422
    assert [named for named, _ in faults(answer)] == [field]
    assert CHILD[0] not in answer.text


def test_requests_have_no_category(house: Cast) -> None:
    answer = house.practice.gets(f"{TASK}?category=SG")
    assert [named for named, _ in faults(answer)] == ["(unknown parameter)"]


def test_a_number_in_a_form_stands_in_the_patients_parameter_alone(house: Cast) -> None:
    """The others are repeated in links."""
    answer = when_searched(house.practice, code=CHILD[0])
    then_refused(answer, 422, ("code", "is no NHS number: links repeat it"))
    spaced = when_searched(house.practice, _id="a", page="x")
    assert [named for named, _ in faults(spaced)] == ["(unknown parameter)"]


def test_an_empty_form_finds_everything_and_a_number_of_somebody_elses_nothing(told: Cast) -> None:
    assert versions_in(resources(when_searched(told.practice))) == versions_in(
        resources(told.practice.gets(FLAG))
    )
    number: dict[str, Any] = {"patient.identifier": f"{NHS_NUMBER}|{FATHER[0]}"}
    assert resources(when_searched(told.practice, **number)) == []
