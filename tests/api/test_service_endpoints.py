"""A sign of life for everybody, and the figures that an operator watches."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.answers import then_refused
from tests.api.steps import CHILD, FATHER, Cast, a_notification, a_plan
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
    assert status == {"status": "pass", "oldest_owed_seconds": 86400, "holds": 1, "not_reached": 1}


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
