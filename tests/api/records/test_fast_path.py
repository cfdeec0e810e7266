"""The fast path answers what the routes answer, byte for byte, or leaves it to them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH
from sqlalchemy.dialects.postgresql import psycopg
from sqlmodel import col, select

from flagservice.delivery.pull import batched as pull_quick
from flagservice.store import tables
from tests.api.answers import FHIR, links, resources
from tests.api.steps import Cast, Client, a_notification, a_plan, an_enquiry

BY_THE_ROUTES = {"Prefer": "handling=strict"}
"""Asks for what is so anyway: the lane does not know it, so the routes answer."""
FEED, REQUESTS = f"{FHIR}/Flag/_history", f"{FHIR}/Task/_history"


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many were answered in the lane, each time that it was asked."""
    counts: list[int] = []
    plain: Callable[..., Any] = pull_quick.answers

    def counted(works: Any, questions: Any) -> Any:
        found = plain(works, questions)
        counts.append(sum(answer is not None for answer in found))
        return found

    monkeypatch.setattr(pull_quick, "answers", counted)
    return counts


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """Everything but the request's own id."""
    headers = [pair for pair in answer.headers.raw if pair[0].lower() != b"x-request-id"]
    return answer.status_code, headers, answer.content


def leaf(cast: Cast) -> dict[str, Any]:
    """The newest, without what is its own."""
    with cast.world.database.transaction() as session:
        newest = select(col(tables.LeafRow.body)).order_by(col(tables.LeafRow.row).desc()).limit(1)
        body: dict[str, Any] = json.loads(session.exec(newest).one())
    return {name: value for name, value in body.items() if name not in ("id", "request")}


@contextmanager
def in_the_lane(lane: list[int], *, answered: bool) -> Iterator[None]:
    lane.clear()
    yield
    assert sum(lane) == int(answered)


def then_both_say_the_same(
    cast: Cast, client: Client, path: str, lane: list[int]
) -> httpx.Response:
    with in_the_lane(lane, answered=True):
        quick = client.gets(path)
        its_leaf = leaf(cast)
    with in_the_lane(lane, answered=False):
        plain = client.gets(path, headers=BY_THE_ROUTES)
    assert told(quick) == told(plain)
    assert its_leaf == leaf(cast)
    return quick


def given_some_history(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    cast.council.posts("/enquiries", an_enquiry())
    cast.council.posts("/plans", a_plan("CPP-2"))


def test_a_feed_is_the_same_from_the_lane_and_from_the_routes(
    any_cast: Cast, lane: list[int]
) -> None:
    given_some_history(any_cast)
    for feed in (FEED, REQUESTS):
        for client in (any_cast.practice, any_cast.other_practice):
            for count in ("", "?_count=1", "?_count=2", "?_count=50"):
                path = feed + count
                for _ in range(4):
                    answer = then_both_say_the_same(any_cast, client, path, lane)
                    path = links(answer)["next"].partition("://")[2].partition("/")[2]
                    path = f"/{path}"


def test_a_flag_is_the_same_from_the_lane_and_from_the_routes(
    any_cast: Cast, lane: list[int]
) -> None:
    given_some_history(any_cast)
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect", "physical"]))
    for feed in (FEED, REQUESTS):
        for client in (any_cast.practice, any_cast.other_practice):
            found = client.gets(f"{feed}?_count=200", headers=BY_THE_ROUTES)
            for one in resources(found):
                path = f"{FHIR}/{one['resourceType']}/{one['id']}"
                answer = then_both_say_the_same(any_cast, client, path, lane)
                assert answer.json() == one or one["meta"] != answer.json()["meta"]


def test_what_the_lane_showed_first_counts_as_heard_of(any_cast: Cast, lane: list[int]) -> None:
    """A removal of what was shown is owed; of what nobody was shown, it is not."""
    any_cast.council.posts("/plans", a_plan())
    with in_the_lane(lane, answered=True):
        any_cast.practice.gets(FEED)
    with any_cast.world.database.transaction() as session:
        served = select(col(tables.VersionRow.practice), col(tables.VersionRow.served))
        assert set(session.exec(served)) == {("B83901", True), ("B83902", False)}


def test_words_that_were_withdrawn_are_for_the_routes(cast: Cast, lane: list[int]) -> None:
    """The father's flag is narrowed: its first number carries what is told since."""
    cast.council.posts("/plans", a_plan())
    (flag,) = resources(cast.other_practice.gets(FEED))
    cast.police.posts("/notifications", a_notification())
    with in_the_lane(lane, answered=False):
        cast.other_practice.gets(FEED)
    then_both_say_the_same(cast, cast.other_practice, f"{FHIR}/Flag/{flag['id']}", lane)


def test_a_flag_that_was_taken_back_is_for_the_routes(cast: Cast, lane: list[int]) -> None:
    cast.council.posts("/plans", a_plan())
    (flag,) = resources(cast.other_practice.gets(FEED))
    people = a_plan()["people"]
    (him,) = [one for one in people if one["role"] == "father"]
    him["withdrawn"] = "posted-in-error"
    assert cast.council.posts("/plans", a_plan(version=2, people=people)).status_code == 201
    for path in (FEED, f"{FHIR}/Flag/{flag['id']}"):
        with in_the_lane(lane, answered=False):
            answer = cast.other_practice.gets(path)
        assert "375041000000100" not in answer.text


UNUSUAL: list[tuple[str, dict[str, str]]] = [
    (f"{FEED}?_since=2022-01-01T00:00:00Z", {}),
    (f"{FEED}?_count=0", {}),
    (f"{FEED}?_count=201", {}),
    (f"{FEED}?_count=1&_count=1", {}),
    (f"{FEED}?&_count=1", {}),
    (f"{FEED}?cursor=nonsense", {}),
    (f"{FEED}?page=1", {}),
    (f"{FEED}?_format=json", {}),
    (FEED, {"Accept": "application/fhir+xml"}),
    (FEED, {"Accept": "application/fhir+json;q=0.5"}),
    (f"{FHIR}/Flag/{'0' * 32}", {}),
    (f"{FHIR}/Flag/{'0' * 31}", {}),
    (f"{FHIR}/Flag/{'0' * 32}?_summary=count", {}),
    (f"{FHIR}/Flag/{'0' * 32}", {"If-None-Match": "*"}),
    (f"{FHIR}/Patient/{'0' * 32}", {}),
    (FEED, {"Authorization": "Bearer nonsense"}),
    (FEED, {"Authorization": "Basic nonsense"}),
    (FEED, {"NHSD-End-User-Organisation-ODS": "B83902"}),
]


@pytest.mark.parametrize(("path", "headers"), UNUSUAL)
def test_whatever_is_not_plain_is_answered_by_the_routes(
    house: Any, lane: list[int], path: str, headers: dict[str, str]
) -> None:
    with in_the_lane(lane, answered=False):
        answer = house.practice.gets(path, headers=headers)
    plain = house.practice.gets(path, headers={**BY_THE_ROUTES, **headers})
    assert told(answer) == told(plain)


def test_a_practice_that_is_not_admitted_gets_nothing_from_the_lane(
    house: Any, lane: list[int]
) -> None:
    with in_the_lane(lane, answered=False):
        assert house.unadmitted.gets(FEED).status_code == 403


def test_a_revoked_client_gets_nothing_from_the_lane(cast: Cast, lane: list[int]) -> None:
    cast.council.posts("/plans", a_plan())
    assert cast.practice.gets(FEED).status_code == 200
    cast.service.revokes(cast.practice)
    with in_the_lane(lane, answered=False):
        assert cast.practice.gets(FEED).status_code == 401


def test_a_client_that_went_to_another_practice_gets_nothing_from_the_lane(
    cast: Cast, lane: list[int]
) -> None:
    cast.council.posts("/plans", a_plan())
    cast.practice.gets(FEED)
    cast.service.rehomes(cast.practice, "B83902")
    with in_the_lane(lane, answered=False):
        assert cast.practice.gets(FEED).status_code == 401


def test_nobody_reads_another_practices_flag_in_the_lane(cast: Cast, lane: list[int]) -> None:
    cast.council.posts("/plans", a_plan())
    for one in resources(cast.practice.gets(FEED)):
        with in_the_lane(lane, answered=False):
            answer = cast.other_practice.gets(f"{FHIR}/Flag/{one['id']}")
        assert answer.status_code == 404


def test_a_large_page_keeps_nobody_else_waiting(cast: Cast, lane: list[int]) -> None:
    """Of what is new; that there is nothing new is told at once, whatever the size of the page."""
    given_some_history(cast)
    with in_the_lane(lane, answered=False):
        page = cast.practice.gets(f"{FEED}?_count=51")
    after = links(page)["next"].partition("://")[2].partition("/")[2]
    with in_the_lane(lane, answered=True):
        assert cast.practice.gets(f"/{after}").status_code == 200


def test_many_who_ask_at_once_are_answered_in_one_commit(any_cast: Cast, lane: list[int]) -> None:
    given_some_history(any_cast)
    clients = [any_cast.practice, any_cast.other_practice] * 20
    for client in clients[:2]:
        client.gets(FEED)
    lane.clear()
    asked = [
        ("GET", path, {"headers": {"Authorization": f"Bearer {client._token}"}})
        for client in clients
        for path in (f"{FEED}?_count=50", f"{REQUESTS}?_count=50")
    ]
    answers = any_cast.service.send_together(*asked)
    assert [answer.status_code for answer in answers] == [200] * 80
    assert sum(lane) == 80
    assert len(lane) < 40
    assert len({answer.content for answer in answers}) == 4


def test_a_fault_in_the_lane_is_met_by_the_routes(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.council.posts("/plans", a_plan())

    def broken(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(pull_quick, "answers", broken)
    assert cast.practice.gets(FEED).status_code == 200


def test_an_answer_without_a_leaf_does_not_leave(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in every unit of work; the routes answer instead, with theirs."""
    cast.council.posts("/plans", a_plan())
    cast.practice.gets(FEED)
    plain = pull_quick.answers

    def unrecorded(works: Any, questions: Any) -> Any:
        found = plain(works, questions)
        for work in works:
            work.leaves.clear()
        return found

    monkeypatch.setattr(pull_quick, "answers", unrecorded)
    before = len(cast.service.leaves("fed"))
    assert cast.practice.gets(FEED).status_code == 200
    assert len(cast.service.leaves("fed")) == before + 1


def test_psycopg_remembers_the_longest_statement_of_the_lane() -> None:
    """A longer one it would take apart anew each time it is executed."""
    longest = max(
        len(str(one.compile(dialect=psycopg.dialect()))) for one in pull_quick._NEW.values()
    )
    assert 1000 < longest <= MAX_CACHED_STATEMENT_LENGTH
