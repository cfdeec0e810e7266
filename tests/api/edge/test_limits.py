"""Whoever asks too often waits, alone: nobody else is slowed by it or learns of it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from flagservice.api.edge import limits as limiting
from flagservice.api.edge.limits import DEFAULTS, MINUTE, Audience, Limits, Throttled
from flagservice.api.edge.throttle_log import ThrottledCaller, ThrottleLog
from flagservice.audit.log import Log, Unrecorded
from flagservice.store import tables
from tests.api.answers import FHIR, then_refused
from tests.api.steps import FORM, Cast, Client, Service
from tests.world import World

A_UUID = "1ab5f8e4-07c6-4a3c-9d3b-3f6f5ac0e6b1"


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def given_limits(cast: Cast, clock: Clock, **rates: int) -> None:
    api = cast.service.fastapi.state.api
    set_ = {Audience(name.replace("_", "-")): rate for name, rate in rates.items()}
    limits = Limits({**dict.fromkeys(Audience, 1000), **set_}, clock=clock)
    cast.service.fastapi.state.api = replace(api, limits=limits, throttle_log=ThrottleLog(clock))


def then_throttled(answer: httpx.Response, *, wait: int) -> None:
    then_refused(answer, 429)
    assert answer.headers["Retry-After"] == str(wait)


def throttled(service: Service) -> list[tuple[str, str, int]]:
    leaves = service.leaves("throttled")
    return [(leaf["actor"], leaf["about"]["audience"], leaf["about"]["count"]) for leaf in leaves]


def test_a_client_that_asks_too_often_waits_for_the_rest_of_the_minute(
    any_cast: Cast, clock: Clock
) -> None:
    given_limits(any_cast, clock, social_care=3)
    assert [any_cast.council.gets("/holds").status_code for _ in range(3)] == [200] * 3
    clock.now += 20
    then_throttled(any_cast.council.gets("/holds"), wait=41)
    clock.now += 41
    assert any_cast.council.gets("/holds").status_code == 200


def test_what_one_client_asks_slows_no_other_and_no_other_audience(
    cast: Cast, clock: Clock
) -> None:
    given_limits(cast, clock, social_care=2, records=2, governance=2, service=2)
    for _ in range(3):
        last = cast.council.gets("/holds")
    then_throttled(last, wait=61)
    assert cast.police.gets("/holds").status_code == 200
    then_refused(cast.council.gets(f"{FHIR}/Flag"), 403)
    then_refused(cast.council.gets("/governance/rulings"), 403)
    assert cast.practice.gets(f"{FHIR}/Flag").status_code == 200
    assert cast.operator.gets("/_status").status_code == 200


def test_who_searches_the_audit_too_often_still_reads_records(cast: Cast, clock: Clock) -> None:
    given_limits(cast, clock, audit=1)
    asked = f"{FHIR}/AuditEvent?entity=Flag/{'f' * 32}"
    assert [cast.practice.gets(asked).status_code for _ in range(2)] == [200, 429]
    assert cast.practice.gets(f"{FHIR}/Flag").status_code == 200
    assert DEFAULTS[Audience.AUDIT] < DEFAULTS[Audience.RECORDS]


def test_below_fhir_it_is_an_operation_outcome(cast: Cast, clock: Clock) -> None:
    given_limits(cast, clock, records=1)
    cast.practice.gets(f"{FHIR}/Flag")
    answer = cast.practice.gets(f"{FHIR}/Flag")
    then_throttled(answer, wait=61)
    (issue,) = answer.json()["issue"]
    assert issue["code"] == "throttled"
    assert issue["details"]["coding"][0]["code"] == "TOO_MANY_REQUESTS"


def test_a_herd_of_every_practice_of_england_at_one_instant_is_served() -> None:
    """By the rates of an installation, each once for a token and once for the feed."""
    limits = Limits(clock=lambda: 0.0)
    for number in range(6300):
        limits.check(Audience.OUTSIDERS, "192.0.2.1")
        limits.take(Audience.TOKENS, f"{number:032x}", "192.0.2.1")
        limits.take(Audience.RECORDS, f"{number:032x}")


def test_many_practices_at_one_instant_are_served_by_the_rates_of_an_installation(
    world: World,
) -> None:
    service = Service(world, limits={})
    practices = [f"C8{number:04}" for number in range(120)]
    world.admitted(*practices)
    clients = [service.client(ods, "gp-system") for ods in practices]
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", f"{FHIR}/Flag", {"headers": {"Authorization": f"Bearer {one.token()}"}})
        for one in clients
    ]
    assert {answer.status_code for answer in service.send_together(*asked)} == {200}


def test_a_flood_is_in_the_audit_at_one_leaf_a_minute_with_nothing_lost(
    any_cast: Cast, clock: Clock
) -> None:
    given_limits(any_cast, clock, social_care=1)
    council, service = any_cast.council, any_cast.service
    council.gets("/holds")
    for _ in range(5):
        then_refused(council.gets("/holds"), 429)
    assert throttled(service) == [(council.id, "social-care", 1)]
    clock.now += MINUTE + 1
    council.gets("/holds")
    then_refused(council.gets("/holds"), 429)
    assert throttled(service)[1:] == [(council.id, "social-care", 5)]
    assert service.leaves("refused") == []


def test_a_flood_that_ended_is_told_when_its_minute_is_over(cast: Cast, clock: Clock) -> None:
    given_limits(cast, clock, social_care=1)
    for _ in range(4):
        cast.police.gets("/holds")
    throttle_log, log = cast.service.fastapi.state.api.throttle_log, cast.world.log
    assert throttle_log.settle(log) == 0
    clock.now += MINUTE
    assert throttle_log.settle(log) == 1
    assert throttle_log.settle(log) == 0
    assert [count for _, _, count in throttled(cast.service)] == [1, 2]


def test_a_flood_is_told_at_the_end_of_the_process(cast: Cast, clock: Clock) -> None:
    given_limits(cast, clock, social_care=1)
    for _ in range(4):
        cast.police.gets("/holds")
    api = cast.service.fastapi.state.api
    assert api.throttle_log.settle(api.log, at_end=True) == 1
    assert sum(count for _, _, count in throttled(cast.service)) == 3


def test_a_count_that_could_not_be_written_is_in_the_next_leaf(world: World, clock: Clock) -> None:
    class NoAudit(Log):
        def perform(self, *_: Any) -> Any:
            raise Unrecorded

    throttle_log, throttled = ThrottleLog(clock), ThrottledCaller("one", "X26", Audience.RECORDS)
    broken = NoAudit(world.database, world.log.vault, clock=world.log.clock)
    for _ in range(2):
        with pytest.raises(Unrecorded):
            throttle_log.record(throttled, broken)
    throttle_log.record(throttled, world.log)
    counts = [about["count"] for about in leaves_of(world, "throttled")]
    assert counts == [3]


def leaves_of(world: World, deed: str) -> Iterator[dict[str, Any]]:
    with world.database.transaction() as session:
        for body in session.exec(select(col(tables.LeafRow.body))):
            leaf = json.loads(body)
            if leaf["deed"] == deed:
                yield leaf["about"]


def nobody_asks(service: Service) -> httpx.Response:
    return service.send("GET", "/holds")


OUTSIDE: dict[str, Callable[[Service], httpx.Response]] = {
    "no token": nobody_asks,
    "a bad token": lambda s: s.send("GET", "/holds", headers={"Authorization": "Bearer x.y.z"}),
    "no such address": lambda s: s.send("GET", "/nothing"),
    "no such method": lambda s: s.send("DELETE", "/plans"),
    "a bad request id": lambda s: s.send("GET", "/_ping", headers={"X-Request-ID": "1"}),
    "a bad form": lambda s: s.send(
        "POST", "/oauth2/token", content=b"a=b", headers={"Content-Type": FORM}
    ),
}


@pytest.mark.parametrize("how", OUTSIDE)
def test_who_proves_nothing_is_counted_by_address(cast: Cast, clock: Clock, how: str) -> None:
    given_limits(cast, clock, outsiders=2)
    for _ in range(2):
        assert OUTSIDE[how](cast.service).status_code in (400, 401, 404, 405, 422)
    leaves = len(cast.service.leaves("refused"))
    for _ in range(3):
        then_throttled(OUTSIDE[how](cast.service), wait=61)
    assert len(cast.service.leaves("refused")) == leaves
    assert throttled(cast.service) == [("outsider", "outsiders", 1)]


def test_a_flood_from_outside_slows_nobody_who_has_a_token(cast: Cast, clock: Clock) -> None:
    cast.council.gets("/holds")
    given_limits(cast, clock, outsiders=1)
    for _ in range(3):
        nobody_asks(cast.service)
    assert cast.council.gets("/holds").status_code == 200
    assert cast.service.send("GET", "/_ping").status_code == 200
    then_throttled(cast.police.asks_for_a_token(), wait=61)


def test_good_assertions_are_never_counted_as_a_flood_from_outside(
    cast: Cast, clock: Clock
) -> None:
    given_limits(cast, clock, outsiders=1)
    for client in (cast.council, cast.police, cast.practice, cast.operator):
        assert client.asks_for_a_token().status_code == 200


def test_a_client_that_fetches_tokens_without_end_slows_no_other(cast: Cast, clock: Clock) -> None:
    given_limits(cast, clock, tokens=2)
    assert [cast.council.asks_for_a_token().status_code for _ in range(3)] == [200, 200, 429]
    assert cast.police.asks_for_a_token().status_code == 200


def test_what_a_throttled_client_is_told_depends_on_nobody_elses_traffic(
    cast: Cast, clock: Clock
) -> None:
    def answers(client: Client) -> list[tuple[int, bytes, Any]]:
        found = [client.gets("/holds", headers={"X-Request-ID": A_UUID}) for _ in range(4)]
        return [(a.status_code, a.content, a.headers.multi_items()) for a in found]

    given_limits(cast, clock, social_care=2)
    alone = answers(cast.police)
    given_limits(cast, clock, social_care=2)
    for _ in range(9):
        cast.council.gets("/holds")
        cast.practice.gets(f"{FHIR}/Flag")
    assert answers(cast.police) == alone


def test_buckets_are_bounded_and_invented_names_let_more_through_never_less(clock: Clock) -> None:
    limits = Limits({Audience.TOKENS: 1}, clock=clock)
    for number in range(70_000):
        limits.take(Audience.TOKENS, str(number))
    kept: Any = limits._windows
    assert len(kept._counts) <= 65_536
    limits.take(Audience.TOKENS, "0")
    with pytest.raises(Throttled):
        limits.take(Audience.TOKENS, "69999")


@pytest.mark.parametrize(
    ("path", "audience"),
    [
        (f"{FHIR}/Flag", Audience.RECORDS),
        (f"{FHIR}/Provenance", Audience.RECORDS),
        (f"{FHIR}/AuditEvent", Audience.AUDIT),
        (f"{FHIR}/AuditEvent/_search", Audience.AUDIT),
        ("/governance/alarms", Audience.GOVERNANCE),
        ("/_status", Audience.SERVICE),
        ("/metrics", Audience.SERVICE),
        ("/oauth2/token", Audience.TOKENS),
        ("/plans", Audience.SOCIAL_CARE),
        ("/holds/1/decision", Audience.SOCIAL_CARE),
        ("/", Audience.SOCIAL_CARE),
    ],
)
def test_an_address_says_whose_bucket_it_is(path: str, audience: Audience) -> None:
    assert limiting.audience_of(path) is audience


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("not an address", ""),
    ],
)
def test_a_subscriber_with_many_addresses_is_one(address: str, peer: str) -> None:
    assert limiting.peer_of(address) == peer


def test_every_audience_has_a_rate_that_a_practice_can_live_with() -> None:
    assert DEFAULTS.keys() == set(Audience)
    assert DEFAULTS[Audience.RECORDS] >= 60
