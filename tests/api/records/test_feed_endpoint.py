"""A practice's feed: every number once, in order; and what closes a delivery."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from flagservice.api.records.cursors import Feed, cursor_of
from flagservice.store import tables
from tests.api.answers import FHIR, faults, links, resources, then_refused
from tests.api.steps import BASE, CHILD, FATHER, Cast, Client, a_notification, a_plan, an_enquiry

FEED = f"{FHIR}/Flag/_history"
REQUESTS = f"{FHIR}/Task/_history"
MINE = Feed("B83901", "Flag")
BAD_CURSOR = ("cursor", "is not one that this feed gave out")
BEYOND = ("cursor", "is beyond the end of this feed: read it from the start")
NEVER_IN_A_URL = "an NHS number never stands in a URL: use POST _search"
NO_TEXT = ([("(parameter)", "has a character that no text has")], [("cursor", "has a value")])


def entries(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return list(answer.json().get("entry", []))


def numbers(answer: httpx.Response) -> list[int]:
    return [entry["extension"][0]["valuePositiveInt"] for entry in entries(answer)]


def when_read_to_its_end(client: Client, count: int, feed: str = FEED) -> list[int]:
    """Every number, following the next links until a page is empty."""
    found: list[int] = []
    url = f"{feed}?_count={count}"
    while page := numbers(answer := client.gets(url)):
        assert len(page) <= count
        found += page
        url = links(answer)["next"]
    return found


def states(cast: Cast, practice: str) -> list[str]:
    asked = select(col(tables.DeliveryRow.state)).where(
        col(tables.DeliveryRow.practice) == practice
    )
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
    for client, feed, many in (
        (any_cast.practice, FEED, 5),
        (any_cast.practice, REQUESTS, 0),
        (any_cast.other_practice, FEED, 2),
        (any_cast.other_practice, REQUESTS, 2),
    ):
        assert when_read_to_its_end(client, count, feed) == list(range(1, many + 1))


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


def test_a_cursor_of_one_type_is_refused_by_the_other(cast: Cast) -> None:
    cursor = links(cast.practice.gets(FEED))["next"].rpartition("=")[2]
    then_refused(cast.practice.gets(f"{REQUESTS}?cursor={cursor}"), 422, BAD_CURSOR)


@pytest.mark.parametrize("number", [3, 2**31, 10**17])
def test_a_cursor_from_beyond_the_end_is_refused_and_not_waited_for(
    any_cast: Cast, number: int
) -> None:
    """A feed that was restored from a backup is shorter: what comes next would be passed over."""
    any_cast.council.posts("/plans", a_plan())
    here, beyond = (f"{FEED}?cursor={cursor_of(MINE, one)}" for one in (2, number))
    assert numbers(any_cast.practice.gets(here)) == []
    then_refused(any_cast.practice.gets(beyond), 422, BEYOND)


def cut(cursor: str) -> str:
    return cursor[:-2]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "0",
        "a",
        "%FF",
        "%C3%A9",
        "====",
        cursor_of(MINE, -1),
        cursor_of(MINE, 10**18),
        cursor_of(Feed("B83901", "Flag:1"), 1),
        cursor_of(Feed("B83902", "Flag"), 1),
        cut(cursor_of(MINE, 12)),
        cursor_of(MINE, 12) + "A",
        cursor_of(MINE, 12) + "%0A",
        "A" * 5000,
    ],
)
def test_a_cursor_that_nobody_gave_out_is_refused(house: Cast, cursor: str) -> None:
    answer = house.practice.gets(f"{FEED}?cursor={cursor}")
    assert answer.status_code == 422
    assert BAD_CURSOR in faults(answer) or faults(answer) in NO_TEXT


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("_at=2022", ("(unknown parameter)", "the parameters are _count, cursor, _since")),
        (f"patient={CHILD[0]}", ("(unknown parameter)", NEVER_IN_A_URL)),
        ("_since=2022-01-01", ("_since", "is an instant with its zone")),
        ("_since=2022-01-01T09:00:00", ("_since", "is an instant with its zone")),
        ("_since=ge2022-01-01T09:00:00Z", ("_since", "is an instant with its zone")),
        ("_count=0", ("_count", "is a number from 1 to 200")),
    ],
)
def test_a_parameter_that_a_feed_refuses(house: Cast, query: str, fault: tuple[str, str]) -> None:
    answer = house.practice.gets(f"{FEED}?{query}")
    then_refused(answer, 422, fault)
    assert CHILD[0] not in answer.text


def test_a_feed_since_an_instant_begins_with_that_whole_hour(any_cast: Cast) -> None:
    """Entries carry the hour of their commit: who asks by a clock gets some of them again."""
    any_cast.council.posts("/plans", a_plan())
    any_cast.world.now += timedelta(hours=3)
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    for since, found in (
        ("2022-01-04T12:45:00Z", [3, 4]),
        ("2022-01-04T12:05:00Z", [3, 4]),
        ("2022-01-04T09:29:59.999Z", [1, 2, 3, 4]),
        ("2022-01-04T13:05:00%2B00:00", [3, 4]),
        ("2022-01-04T14:30:00Z", []),
    ):
        answer = any_cast.practice.gets(f"{FEED}?_since={since}")
        assert numbers(answer) == found, since
        assert numbers(any_cast.practice.gets(links(answer)["self"])) == found
        assert numbers(any_cast.practice.gets(links(answer)["next"])) == []
    one = any_cast.practice.gets(f"{FEED}?_since=2022-01-04T12:45:00Z&_count=1")
    assert (numbers(one), numbers(any_cast.practice.gets(links(one)["next"]))) == ([3], [4])


def test_the_audit_says_from_when_a_practice_asked_and_what_it_was_shown(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    any_cast.world.now += timedelta(hours=3)
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    for asked, since, first, last in (
        ("2022-01-04T12:45:00Z", "2022-01-04T12:45:00+00:00", 3, 4),
        ("2022-01-04T10:29:59%2B01:00", "2022-01-04T09:29:59+00:00", 1, 4),
        ("2022-01-04T14:30:00Z", "2022-01-04T14:30:00+00:00", 0, 0),
    ):
        answer = any_cast.practice.gets(f"{FEED}?_since={asked}")
        about = any_cast.service.leaves("fed")[-1]["about"]
        found = " ".join(entry["resource"]["meta"]["versionId"] for entry in entries(answer))
        assert about == {
            "form": "flag",
            "since": since,
            "first": first,
            "last": last,
            "found": found,
        }


def test_since_and_a_cursor_exclude_each_other(house: Cast) -> None:
    cursor = cursor_of(MINE, 0)
    answer = house.practice.gets(f"{FEED}?_since=2022-01-04T09:00:00Z&cursor={cursor}")
    then_refused(answer, 422, ("_since", "is for who has no cursor: a cursor says more"))


@pytest.mark.parametrize("plainly", [True, False], ids=["in the fast path", "at the routes"])
def test_an_empty_feed_that_was_read_is_in_the_audit(cast: Cast, plainly: bool) -> None:
    headers = {} if plainly else {"Prefer": "handling=strict"}
    assert entries(cast.practice.gets(FEED, headers=headers)) == []
    (leaf,) = cast.service.leaves("fed")
    assert leaf["about"] == {"form": "flag", "after": 0, "last": 0, "found": ""}
    assert (leaf["actor"], leaf["ods"]) == (cast.practice.id, "B83901")


def test_a_feed_that_was_read_is_collected_and_not_delivered(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    when_read_to_its_end(cast.practice, 10)
    assert states(cast, "B83901") == ["open", "open"]
