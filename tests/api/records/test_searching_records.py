"""GP systems search: by patient in the body of a POST, and by when something changed."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.answers import FHIR, faults, links, resources, then_refused
from tests.api.steps import (
    BASE,
    CHILD,
    FATHER,
    FORM,
    MOTHER,
    NHS_NUMBER,
    STRANGER,
    Cast,
    Client,
    a_notification,
    a_plan,
    an_enquiry,
    versions_in,
)
from tests.world import person

NOT_IN_URL = "an NHS number never stands in a URL: use POST _search"
ONCE = "is given once"
LENIENT = "handling=lenient"
TEN = f"is {NHS_NUMBER}| and ten digits"


def told(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that an onlooker has, but for the request's own id."""
    headers = [pair for pair in answer.headers.multi_items() if pair[0] != "x-request-id"]
    return answer.status_code, answer.content, headers


def when_posted(client: Client, body: str | bytes, type_: str = "Flag") -> httpx.Response:
    content = body if isinstance(body, bytes) else body.encode()
    headers = {"Content-Type": FORM}
    return client.calls("POST", f"{FHIR}/{type_}/_search", content=content, headers=headers)


def test_a_practice_finds_the_flags_of_its_own_patient(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    answer = any_cast.practice.searches(CHILD[0])
    assert answer.headers["Content-Type"] == "application/fhir+json"
    assert answer.json()["type"] == "searchset"
    assert "total" not in answer.json()
    (flag,) = resources(answer)
    assert flag["subject"]["identifier"]["value"] == CHILD[0]
    (leaf,) = any_cast.service.leaves("searched")
    assert leaf["about"]["found"] == versions_in([flag])[0]
    assert CHILD[0] not in repr(leaf)


def test_every_empty_answer_is_the_same_to_the_byte(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan(people=[person("child", *CHILD)]))
    nothing_there = told(any_cast.practice.searches(MOTHER[0]))
    assert nothing_there[0] == 200
    assert told(any_cast.practice.searches(FATHER[0])) == nothing_there
    assert told(any_cast.practice.searches(STRANGER)) == nothing_there
    assert told(any_cast.practice.searches("1234567890")) == nothing_there
    for number in (CHILD[0], MOTHER[0], STRANGER):
        assert told(any_cast.other_practice.searches(number)) == nothing_there
    assert len(any_cast.service.leaves("searched")) == 7


def test_a_practice_that_is_not_admitted_is_told_so_alike_for_everybody(any_cast: Cast) -> None:
    """An empty answer would be read as "no flag"; and this one does not say that there is one."""
    any_cast.world.registered(*CHILD, "B83903")
    before = told(any_cast.unadmitted.searches(CHILD[0]))
    any_cast.council.posts("/plans", a_plan(people=[person("child", *CHILD)]))
    for number in (CHILD[0], MOTHER[0], STRANGER, "1234567890"):
        answer = any_cast.unadmitted.searches(number)
        then_refused(answer, 403)
        assert told(answer) == before
        assert "no valid leak-check result" in answer.json()["issue"][0]["diagnostics"]


def test_an_answer_with_flags_differs_in_its_entries_and_nothing_else(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    full, empty = cast.practice.searches(CHILD[0]).json(), cast.practice.searches(STRANGER).json()
    assert full.pop("entry")
    assert full == empty


def test_a_patient_who_has_moved_is_found_at_the_new_practice_alone(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    cast.world.registered(*CHILD, "B83902")
    assert resources(cast.practice.searches(CHILD[0])) == []
    assert len(resources(cast.other_practice.searches(CHILD[0]))) == 1


def test_no_link_and_no_leaf_of_a_search_holds_an_nhs_number(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    answer = cast.practice.searches(CHILD[0])
    assert links(answer) == {"self": f"{BASE}{FHIR}/Flag/_search"}
    urls = [entry["fullUrl"] for entry in answer.json()["entry"]]
    assert not [url for url in urls if CHILD[0] in url]
    assert CHILD[0] not in repr([cast.service.leaves(d) for d in ("searched", "read", "refused")])


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (f"patient:identifier={NHS_NUMBER}|{CHILD[0]}&patient:identifier=x|1", ONCE),
        (f"patient:identifier={NHS_NUMBER}|{CHILD[0]}&patient.identifier=x|1", ONCE),
        ("patient:identifier=", "has a value"),
        (f"patient:identifier={CHILD[0]}", TEN),
        (f"patient:identifier=|{CHILD[0]}", TEN),
        (f"patient:identifier=https://other.example|{CHILD[0]}", TEN),
        (f"patient:identifier={NHS_NUMBER}|999 000 1111", TEN),
        (f"patient:identifier={NHS_NUMBER}|{quote(chr(0xFF19) * 10)}", TEN),
        (f"patient:identifier={NHS_NUMBER}|{CHILD[0]},{MOTHER[0]}", TEN),
        (f"patient:identifier={NHS_NUMBER}|", TEN),
    ],
)
def test_a_search_by_patient_is_refused_with(house: Cast, body: str, rule: str) -> None:
    with house.service.storing_nothing():
        answer = when_posted(house.practice, body)
    then_refused(answer, 422, ("patient:identifier", rule))
    assert CHILD[0] not in answer.text


@pytest.mark.parametrize("body", [b"\xff=1", b"no form", b"a=1&&b=2&c"])
def test_a_search_with_no_form_is_refused(house: Cast, body: bytes) -> None:
    then_refused(when_posted(house.practice, body), 422, ("body", "is not a form"))


def test_a_search_is_posted_as_a_form(house: Cast) -> None:
    answer = house.practice.posts(f"{FHIR}/Flag/_search", {"patient:identifier": CHILD[0]})
    then_refused(answer, 415)


@pytest.mark.parametrize("type_", ["Flag", "Task"])
@pytest.mark.parametrize("name", ["patient", "patient:identifier", "subject.identifier", "_id", ""])
def test_an_nhs_number_in_a_url_is_refused(house: Cast, type_: str, name: str) -> None:
    query = f"?{quote(name)}={CHILD[0]}"
    form = {"patient:identifier": f"{NHS_NUMBER}|{CHILD[0]}"}
    asked = house.practice.gets(f"{FHIR}/{type_}{query}")
    posted = house.practice.calls("POST", f"{FHIR}/{type_}/_search{query}", data=form)
    lenient = house.practice.gets(f"{FHIR}/{type_}{query}", headers={"Prefer": LENIENT})
    for answer in (asked, posted, lenient):
        assert answer.status_code == 422
        assert {rule for _, rule in faults(answer)} == {NOT_IN_URL}
        assert CHILD[0] not in answer.text + str(answer.headers.raw)


@pytest.mark.parametrize(
    "query",
    [
        "_lastUpdated=ne2022-01-04T09:00:00Z",
        "_lastUpdated=sa2022-01-04T09:00:00Z",
        "_lastUpdated=gt",
        "_lastUpdated=gt2022-01-04",
        "_lastUpdated=gt2022-01-04T09:00:00",
        "_lastUpdated=gt2022-13-04T09:00:00Z",
        "_lastUpdated=gt20220104T090000Z",
        "_lastUpdated=ge0001-01-01T00:00:00%2B14:00",
        "_lastUpdated=ge9999-12-31T23:59:59-14:00",
        f"_lastUpdated=gt2022-01-04T09:00:00.{CHILD[0]}Z",
        "_lastUpdated=",
        "_count=0",
        "_count=201",
        "_count=many",
        "_count=1&_count=2",
        f"_count={'9' * 30}",
    ],
)
def test_a_search_by_last_update_is_refused_with(house: Cast, query: str) -> None:
    with house.service.storing_nothing():
        answer = house.practice.gets(f"{FHIR}/Flag?{query}")
    assert answer.status_code == 422
    assert [field for field, _ in faults(answer)] == [query.partition("=")[0]]
    assert CHILD[0] not in answer.text


@pytest.mark.parametrize("query", ["_security=NOPAT", "author=1", "a%00=1"])
def test_what_is_not_served_is_refused_and_not_passed_over(house: Cast, query: str) -> None:
    assert house.practice.gets(f"{FHIR}/Flag?{query}").status_code == 422


def updated(answer: httpx.Response) -> list[str]:
    return [resource["meta"]["lastUpdated"] for resource in resources(answer)]


def when_polled(client: Client, url: str, between: Any = None) -> list[dict[str, Any]]:
    """Follows every next link; `between` is called once, after the first page."""
    found = []
    while True:
        answer = client.gets(url)
        found += resources(answer)
        if "next" not in links(answer):
            return found
        url = links(answer)["next"]
        assert url.startswith(BASE)
        if between is not None:
            between()
            between = None


def test_gt_starts_after_an_instant_and_ge_at_it(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    any_cast.council.posts("/enquiries", an_enquiry())
    practice = any_cast.practice
    instants = updated(practice.gets(f"{FHIR}/Flag"))
    assert instants == sorted(instants)
    assert len(set(instants)) == 3
    for at, instant in enumerate(instants):
        assert updated(practice.gets(f"{FHIR}/Flag?_lastUpdated=gt{instant}")) == instants[at + 1 :]
        assert updated(practice.gets(f"{FHIR}/Flag?_lastUpdated=ge{instant}")) == instants[at:]
    elsewhere = quote("ge2022-01-04T10:00:00.000+01:00")
    answer = practice.gets(f"{FHIR}/Flag?_lastUpdated={elsewhere}")
    assert updated(answer) == instants
    assert updated(practice.gets(links(answer)["self"])) == instants


@pytest.mark.parametrize("count", [1, 2, 3])
def test_paging_skips_nothing_that_is_there_or_comes_in_between(any_cast: Cast, count: int) -> None:
    any_cast.council.posts("/plans", a_plan())
    any_cast.council.posts("/plans", a_plan("CIN-1"))

    def meanwhile() -> None:
        any_cast.council.posts("/enquiries", an_enquiry())
        any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))

    start = f"{FHIR}/Flag?_count={count}&_lastUpdated=ge2022-01-01T00:00:00Z"
    found = when_polled(any_cast.practice, start, between=meanwhile)
    last_seen = {resource["id"]: resource["meta"]["versionId"] for resource in found}
    now = when_polled(any_cast.practice, f"{FHIR}/Flag?_count=200")
    assert last_seen == {resource["id"]: resource["meta"]["versionId"] for resource in now}
    assert len(now) == 5


def test_paging_goes_on_past_what_was_taken_back_before_anybody_heard_of_it(any_cast: Cast) -> None:
    any_cast.police.posts("/notifications", a_notification())
    any_cast.world.decides("B83902", "place")
    any_cast.police.posts("/notifications", a_notification(version=2, end="2022-01-04"))
    any_cast.council.posts("/plans", a_plan())
    found = when_polled(any_cast.other_practice, f"{FHIR}/Flag?_count=1")
    assert [flag["code"]["coding"][0]["code"] for flag in found] == ["375041000000100"]
    listed = [leaf["about"]["found"] for leaf in any_cast.service.leaves("searched")]
    assert listed == versions_in(found)


def test_a_removal_is_among_what_changed(cast: Cast) -> None:
    cast.police.posts("/notifications", a_notification())
    cast.world.decides("B83902", "place")
    (placed,) = resources(cast.other_practice.gets(f"{FHIR}/Flag"))
    cast.police.posts("/notifications", a_notification(version=2, end="2022-01-04"))
    since = f"{FHIR}/Flag?_lastUpdated=gt{placed['meta']['lastUpdated']}"
    (removal,) = resources(cast.other_practice.gets(since))
    assert removal["id"] == placed["id"]
    assert removal["status"] != placed["status"]


def test_another_practice_polls_only_its_own(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    mine = {
        r["subject"]["identifier"]["value"] for r in resources(cast.practice.gets(f"{FHIR}/Flag"))
    }
    theirs = resources(cast.other_practice.gets(f"{FHIR}/Flag"))
    assert mine == {CHILD[0], MOTHER[0]}
    assert [r["subject"]["identifier"]["value"] for r in theirs] == [FATHER[0]]
    then_refused(cast.unadmitted.gets(f"{FHIR}/Flag"), 403)
