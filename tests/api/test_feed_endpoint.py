"""A practice's feed: every number once, in order; and what closes a delivery."""

import base64
import json
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from flagservice.store import tables
from tests.api.answers import FHIR, links, resources, then_refused
from tests.api.steps import (
    BASE,
    CHILD,
    FATHER,
    Cast,
    Client,
    a_notification,
    a_plan,
    an_enquiry,
    versions_in,
)

FEED = f"{FHIR}/_history"
LISTED = ("parameter", "is a list of version strings")
COUNTED = ("parameter", "has 1 to 200 version strings")
BAD_CURSOR = ("cursor", "is not one that this feed gave out")


def entries(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return list(answer.json().get("entry", []))


def numbers(answer: httpx.Response) -> list[int]:
    return [entry["extension"][0]["valuePositiveInt"] for entry in entries(answer)]


def when_read_to_its_end(client: Client, count: int) -> list[int]:
    """Every number, following the next links until a page is empty."""
    found: list[int] = []
    url = f"{FEED}?_count={count}"
    while page := numbers(answer := client.gets(url)):
        assert len(page) <= count
        found += page
        url = links(answer)["next"]
    return found


def when_acknowledged(client: Client, *versions: str) -> httpx.Response:
    listed = [{"name": "version", "valueString": version} for version in versions]
    body = {"resourceType": "Parameters", "parameter": listed}
    return client.posts(
        f"{FHIR}/$acknowledge", body, Content_Type="application/fhir+json; charset=utf-8"
    )


def taken(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    (parameter,) = answer.json()["parameter"]
    return int(parameter["valueInteger"])


def states(cast: Cast, practice: str) -> list[str]:
    asked = select(col(tables.Delivery.state)).where(col(tables.Delivery.practice) == practice)
    with cast.world.database.transaction() as session:
        return sorted(session.exec(asked))


def given_a_busy_hour(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    cast.council.posts("/enquiries", an_enquiry())
    cast.police.posts("/notifications", a_notification())
    cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))


@pytest.mark.parametrize("count", [1, 2, 200])
def test_a_feed_is_contiguous_from_one_whatever_the_size_of_a_page(
    any_cast: Cast, count: int
) -> None:
    given_a_busy_hour(any_cast)
    for client, least in ((any_cast.practice, 5), (any_cast.other_practice, 3)):
        found = when_read_to_its_end(client, count)
        assert found == list(range(1, len(found) + 1))
        assert len(found) >= least


def test_an_entry_says_what_it_changes_and_when(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    answer = cast.other_practice.gets(FEED)
    assert answer.json()["type"] == "history"
    assert "total" not in answer.json()
    (entry,) = entries(answer)
    flag = entry["resource"]
    assert entry["request"] == {"method": "PUT", "url": f"Flag/{flag['id']}"}
    version = entry["resource"]["meta"]["versionId"]
    assert entry["response"]["etag"] == f'W/"{version}"'
    assert entry["response"]["lastModified"] == flag["meta"]["lastUpdated"]
    assert entry["fullUrl"] == f"{BASE}{FHIR}/Flag/{flag['id']}"


def test_what_comes_later_is_read_from_the_cursor_on(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    first = any_cast.practice.gets(FEED)
    assert numbers(first) == [1, 2]
    waiting = any_cast.practice.gets(links(first)["next"])
    assert numbers(waiting) == []
    assert links(waiting)["next"] == links(waiting)["self"] == links(first)["next"]
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    assert numbers(any_cast.practice.gets(links(waiting)["next"])) == [3, 4]
    assert any_cast.practice.gets(links(first)["self"]).content != first.content


def test_a_number_whose_words_were_narrowed_carries_only_what_is_left(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    any_cast.police.posts("/notifications", a_notification())
    practice = any_cast.other_practice
    one, two = resources(practice.gets(FEED))
    assert numbers(practice.gets(FEED)) == [1, 2]
    assert one == two
    assert "period" not in one


def test_no_link_of_a_feed_holds_an_nhs_number(cast: Cast) -> None:
    given_a_busy_hour(cast)
    answer = cast.practice.gets(f"{FEED}?_count=1")
    urls = [*links(answer).values(), *(entry["fullUrl"] for entry in entries(answer))]
    assert not [url for url in urls for number in (CHILD[0], FATHER[0]) if number in url]
    assert all(url.startswith(BASE) for url in urls)


def test_another_practices_cursor_is_refused(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    theirs = links(any_cast.other_practice.gets(FEED))["next"]
    with any_cast.service.storing_nothing():
        answer = any_cast.practice.gets(theirs)
    then_refused(answer, 422, BAD_CURSOR)
    assert "B83902" not in answer.text


def forged(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "0",
        "a",
        "%FF",
        "%C3%A9",
        "====",
        forged("1:B83901:-1"),
        forged("1:B83901:x"),
        forged("1:B83901:" + "9" * 19),
        forged("1:B83901:\u0661"),
        forged("2:B83901:0"),
        forged("1:B83901"),
    ],
)
def test_a_cursor_that_nobody_gave_out_is_refused(house: Cast, cursor: str) -> None:
    then_refused(house.practice.gets(f"{FEED}?cursor={cursor}"), 422, BAD_CURSOR)


@pytest.mark.parametrize("query", ["_since=2022-01-01", "_at=2022", f"patient={CHILD[0]}"])
def test_a_feed_has_no_other_parameter(house: Cast, query: str) -> None:
    answer = house.practice.gets(f"{FEED}?{query}")
    then_refused(answer, 422, ("(unknown parameter)", "the parameters are _count, cursor"))
    assert CHILD[0] not in answer.text


def test_an_empty_feed_that_was_read_is_in_the_audit(cast: Cast) -> None:
    assert entries(cast.practice.gets(FEED)) == []
    (leaf,) = cast.service.leaves("fed")
    assert leaf["about"] == {"after": 0, "last": 0, "found": ""}
    assert (leaf["actor"], leaf["ods"]) == (cast.practice.id, "B83901")


def test_an_acknowledgement_closes_the_delivery(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    listed = resources(any_cast.practice.gets(FEED))
    assert states(any_cast, "B83901") == ["open", "open"]
    assert taken(when_acknowledged(any_cast.practice, *versions_in(listed))) == 2
    assert states(any_cast, "B83901") == ["delivered", "delivered"]
    assert states(any_cast, "B83902") == ["open"]
    assert len(any_cast.service.leaves("delivered")) == 2


def test_a_feed_that_was_read_is_collected_and_not_delivered(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    when_read_to_its_end(cast.practice, 10)
    assert states(cast, "B83901") == ["open", "open"]


def test_an_acknowledgement_counts_once(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    versions = versions_in(resources(cast.practice.gets(FEED)))
    assert taken(when_acknowledged(cast.practice, *versions, *versions)) == 2
    assert taken(when_acknowledged(cast.practice, *versions)) == 0


def test_a_practice_acknowledges_only_its_own(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    theirs = versions_in(resources(any_cast.other_practice.gets(FEED)))
    another = when_acknowledged(any_cast.practice, *theirs)
    unknown = when_acknowledged(any_cast.practice, "f" * 32)
    assert another.content == unknown.content
    assert taken(another) == 0
    assert states(any_cast, "B83902") == ["open"]


def test_a_version_that_was_superseded_is_acknowledged_no_more(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    old = versions_in(resources(cast.practice.gets(FEED)))
    cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    assert taken(when_acknowledged(cast.practice, *old)) == 0
    assert states(cast, "B83901") == ["open", "open", "superseded", "superseded"]


def test_a_practice_that_is_not_admitted_acknowledges_nothing(cast: Cast) -> None:
    cast.world.registered(*CHILD, "B83903")
    cast.council.posts("/plans", a_plan())
    versions = versions_in(cast.world.held_at("B83903"))
    then_refused(when_acknowledged(cast.unadmitted, *versions), 403)
    assert states(cast, "B83903") == ["open"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", LISTED),
        (b"\xff", LISTED),
        (b"[]", LISTED),
        (b"null", LISTED),
        (b"{}", LISTED),
        (b"[" * 100_000, LISTED),
        (b'{"parameter": 1}', LISTED),
        (b'{"parameter": {"name": "version"}}', LISTED),
        (b'{"parameter": [7]}', LISTED),
        (b'{"parameter": [{"name": "version"}]}', LISTED),
        (b'{"parameter": [{"name": "version", "valueString": "\\ud800"}]}', LISTED),
        (b'{"parameter": []}', COUNTED),
        (b'{"parameter": [{"name": "other", "valueString": "a"}]}', COUNTED),
        (b'{"parameter": [{"name": "version", "valueString": 7}]}', COUNTED),
        (b'{"parameter": [{"name": "version", "valueString": "a\\u0000"}]}', COUNTED),
        (b'{"parameter": [{"name": "version", "valueString": "Jo Bloggs"}]}', COUNTED),
        (
            json.dumps({"parameter": [{"name": "version", "valueString": "a"}] * 201}).encode(),
            COUNTED,
        ),
    ],
)
def test_an_acknowledgement_is_refused_that_is(
    house: Cast, body: bytes, named: tuple[str, str]
) -> None:
    with house.service.storing_nothing():
        answer = house.practice.posts(f"{FHIR}/$acknowledge", body)
    then_refused(answer, 422, named)
    assert "Bloggs" not in answer.text


def test_an_acknowledgement_is_no_form(house: Cast) -> None:
    answer = house.practice.posts(f"{FHIR}/$acknowledge", {}, Content_Type="text/plain")
    then_refused(answer, 415)
