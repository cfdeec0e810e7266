"""A sign of life for everybody, and the figures that an operator watches."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import select

from flagservice.audit.log import Actor
from flagservice.audit.sequence import Sequencer
from flagservice.connections.endings import Ending
from flagservice.delivery.push.outbox import LEASE, claim
from flagservice.store import tables
from tests.api.answers import then_refused
from tests.api.steps import CHILD, FATHER, UNADMITTED, Cast, a_notification, a_plan
from tests.connections.connecting import serving
from tests.world import person


def figures(cast: Cast) -> dict[str, float]:
    answer = cast.operator.gets("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        "".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_ping_is_the_same_bytes_for_everybody_always(cast: Cast) -> None:
    before = cast.service.send("GET", "/_ping")
    assert (before.status_code, before.content) == (200, b'{"status":"pass"}')
    cast.council.posts("/plans", a_plan())
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Accept": "text/html"}):
        after = cast.service.send("GET", "/_ping", headers=headers)
        assert (after.status_code, after.content) == (200, before.content)
    assert cast.operator.gets("/_ping?a=b").content == before.content


def test_the_status_says_what_is_owed_and_waits(any_cast: Cast) -> None:
    people = [
        person("child", *CHILD),
        person("father", *FATHER, identity="unconfirmed"),
        {"role": "mother", "not_identified": "not-traced"},
    ]
    any_cast.council.posts("/plans", a_plan(people=people))
    any_cast.world.on("2022-01-05")
    status = any_cast.operator.gets("/_status").json()
    assert status.pop("leaves_waiting") > 0
    assert status.pop("version")
    owed = status.pop("owed")
    assert sum(owed.values()) == 1
    checks = status.pop("checks")
    assert status == {
        "status": "fail",
        "oldest_owed_seconds": 86400,
        "worker_lag_seconds": 86400,
        "holds": 1,
        "oldest_hold_days": 1,
        "holds_overdue": 0,
        "not_reached": 1,
        "unproven_seconds": 86400,
        "checkpoint_age_seconds": 0,
        "alarms": 0,
    }
    assert checks.pop("database") == {"status": "pass"}
    assert checks["worker_lag_seconds"] == {
        "status": "fail",
        "observedValue": 86400,
        "observedUnit": "s",
        "warnFrom": 120,
        "failFrom": 900,
    }
    assert checks["holds_overdue"]["status"] == checks["alarms"]["status"] == "pass"


def test_a_service_that_keeps_up_is_well(any_cast: Cast) -> None:
    when_sequenced(any_cast)
    status = any_cast.operator.gets("/_status").json()
    assert status["status"] == "pass"
    assert {check["status"] for check in status["checks"].values()} == {"pass"}


def test_a_delivery_that_a_worker_holds_is_no_lag(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    any_cast.world.now += timedelta(seconds=200)
    assert checked(any_cast, "worker_lag_seconds") == ("warn", 200)
    any_cast.world.log.perform(Actor("worker"), lambda work: claim(work))  # noqa: PLW0108, its limit
    assert checked(any_cast, "worker_lag_seconds") == ("pass", 0)
    any_cast.world.now += LEASE
    assert checked(any_cast, "worker_lag_seconds")[0] == "warn"


def test_what_no_worker_may_send_is_no_lag_of_a_worker(any_cast: Cast) -> None:
    any_cast.world.registered(*CHILD, UNADMITTED)
    any_cast.council.posts("/plans", a_plan(people=[person("child", *CHILD)]))
    any_cast.world.on("2022-01-06")
    assert checked(any_cast, "worker_lag_seconds") == ("pass", 0)
    assert checked(any_cast, "oldest_owed_seconds")[0] == "fail"


def test_a_hold_past_its_day_warns_and_does_not_fail(any_cast: Cast) -> None:
    any_cast.police.posts("/notifications", a_notification())
    any_cast.world.on("2022-02-04")
    assert checked(any_cast, "holds_overdue") == ("warn", 1)
    assert any_cast.operator.gets("/_status").json()["oldest_hold_days"] == 31


def test_many_records_that_are_not_reached_warn_and_then_fail(cast: Cast) -> None:
    """A few are somebody's work of a day; a hundred are a practice that rejects, or a register."""
    cast.council.posts("/plans", a_plan())
    for open_, health in ((99, "pass"), (100, "warn"), (999, "warn"), (1000, "fail")):
        given_open_lookups(cast, open_)
        assert checked(cast, "not_reached") == (health, open_)


def given_open_lookups(cast: Cast, many: int) -> None:
    """So many in all, of the one plan that there is."""
    with cast.world.database.transaction() as session:
        plan = session.exec(select(tables.PlanRow)).one()
        for number in range(len(session.exec(select(tables.LookupRow)).all()), many):
            row = tables.LookupRow(
                id=f"{number:032x}",
                plan_id=plan.id,
                role="child",
                reason="the-practice-says-not-its-patient",
                opened=cast.world.now.date(),
            )
            session.add(row)


def test_an_audit_that_nobody_sequences_warns_and_then_fails(any_cast: Cast) -> None:
    any_cast.operator.gets("/_status")
    for seconds, health in ((59, "pass"), (1, "warn"), (540, "fail")):
        any_cast.world.now += timedelta(seconds=seconds)
        assert checked(any_cast, "unproven_seconds")[0] == health
    when_sequenced(any_cast)
    any_cast.world.now += timedelta(seconds=5)
    assert any_cast.operator.gets("/_status").json()["checkpoint_age_seconds"] == 5


def when_sequenced(cast: Cast) -> None:
    database, clock = cast.world.database, cast.world.log.clock
    sequencer = Sequencer(database, cast.service.installation.keys.signer, clock)
    while sequencer.sequence():
        pass


def checked(cast: Cast, name: str) -> tuple[str, int]:
    """One check's health and figure; the whole is never better than it."""
    status = cast.operator.gets("/_status").json()
    check = status["checks"][name]
    order = ["pass", "warn", "fail"]
    assert order.index(status["status"]) >= order.index(check["status"])
    assert check["observedValue"] == status[name]
    return check["status"], check["observedValue"]


def test_the_metrics_are_the_same_figures(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    any_cast.police.posts("/notifications", a_notification())
    status, measured = any_cast.operator.gets("/_status").json(), figures(any_cast)
    for urgency, count in status["owed"].items():
        assert measured[f"flagservice_deliveries_open{urgency}"] == count
    assert measured["flagservice_oldest_owed_seconds"] == status["oldest_owed_seconds"]
    assert measured["flagservice_holds_open"] == status["holds"] == 1
    assert measured["flagservice_records_not_reached"] == status["not_reached"] == 0


def test_no_label_or_figure_names_a_person_a_practice_or_a_kind(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    for path in ("/_status", "/metrics"):
        text = cast.operator.gets(path).text
        for secret in (CHILD[0], FATHER[0], "B83901", "B83902", "child-protection", "CPP-1"):
            assert secret not in text


@pytest.mark.parametrize("path", ["/_status", "/metrics"])
def test_only_an_operator_reads(house: Cast, path: str) -> None:
    then_refused(house.service.send("GET", path), 401)
    for client in (house.council, house.police, house.health, house.practice, house.governance):
        with house.service.storing_nothing():
            then_refused(client.gets(path), 403)
    assert house.operator.gets(path).status_code == 200


def test_a_status_that_was_read_is_in_the_audit(cast: Cast) -> None:
    cast.operator.gets("/_status")
    (leaf,) = cast.service.leaves("status-read")
    assert leaf["actor"] == cast.operator.id


def test_an_operator_sees_how_many_connections_were_ended_and_why(house: Cast) -> None:
    before = figures(house)
    with serving() as server:
        server.ask(b"GET /" + b"a" * 1_000_000)
    after = figures(house)
    name = "flagservice_connections_ended_total"
    assert {f"{name}{ending.word}" for ending in Ending} <= set(after)
    changed = {word for word in after if word.startswith(name) and after[word] != before[word]}
    assert changed == {f"{name}{Ending.LONG_LINE.word}"}
