"""A practice that asks about many strangers is told of to governance, and sees no difference."""

from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import select

from flagservice.app.serve import loops
from flagservice.delivery.watch.alarms import AlarmLimits, judge
from flagservice.store import tables
from tests.api.answers import then_refused
from tests.api.records.test_acknowledging import taken, versions_read, when_answered
from tests.api.steps import (
    CHILD,
    FATHER,
    MINE,
    STRANGER,
    THEIRS,
    Cast,
    Client,
    a_plan,
    given_a_cast,
)
from tests.delivery.practices import nhs_numbers
from tests.intake.families import NHS_NUMBERS
from tests.world import World

WATCH = AlarmLimits(people=3, hours=24)
STRANGERS = NHS_NUMBERS[-6:]


@pytest.fixture
def cast(any_world: World) -> Cast:
    """Everybody, once on each sort of database."""
    return given_a_cast(any_world)


def judged(cast: Cast) -> int:
    return judge(cast.world.log, WATCH)


def alarms(cast: Cast) -> list[dict[str, Any]]:
    answer = cast.governance.gets("/governance/alarms")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["alarms"]
    return found


def ask_about(client: Client, *numbers: str) -> None:
    for number in numbers:
        assert client.searches(number).status_code == 200


def test_more_strangers_than_usual_are_an_alarm_once(cast: Cast) -> None:
    ask_about(cast.practice, *STRANGERS[:3])
    assert judged(cast) == 0
    assert alarms(cast) == []
    ask_about(cast.practice, STRANGERS[3])
    assert judged(cast) == 1
    (alarm,) = alarms(cast)
    assert (alarm["practice"], alarm["people"], alarm["hours"]) == (MINE, 4, 24)
    assert alarm["cause"] == "strangers"
    assert judged(cast) == 0
    (leaf,) = cast.service.leaves("alarm-raised")
    assert leaf["about"] == {
        "alarm": alarm["id"],
        "practice": MINE,
        "cause": "strangers",
        "people": 4,
    }
    assert leaf["actor"] == "alarms"


def test_the_count_of_an_alarm_that_stands_rises_with_who_goes_on(cast: Cast) -> None:
    """Governance sees how many it has become, and the audit each time that it was looked at."""
    ask_about(cast.practice, *STRANGERS[:4])
    assert judged(cast) == 1
    ask_about(cast.practice, STRANGERS[4])
    assert judged(cast) == 0
    assert judged(cast) == 0
    ask_about(cast.practice, STRANGERS[5])
    assert judged(cast) == 0
    (alarm,) = alarms(cast)
    assert alarm["people"] == 6
    told = [leaf["about"] for leaf in cast.service.leaves("alarm-raised")]
    assert [leaf["people"] for leaf in told] == [4, 5, 6]
    assert {leaf["alarm"] for leaf in told} == {alarm["id"]}


def test_the_count_of_an_alarm_never_falls(cast: Cast) -> None:
    ask_about(cast.practice, *STRANGERS[:5])
    cast.world.now += timedelta(hours=23)
    assert judged(cast) == 1
    cast.world.now += timedelta(hours=2)
    ask_about(cast.practice, *STRANGERS[1:5])
    assert judged(cast) == 0
    assert [alarm["people"] for alarm in alarms(cast)] == [5]


def test_ones_own_patients_and_the_same_stranger_again_are_none(cast: Cast) -> None:
    for _ in range(5):
        ask_about(cast.practice, CHILD[0], STRANGER, FATHER[0])
    assert judged(cast) == 0
    assert len(strangers(cast)) == 2


def test_what_another_practice_asks_counts_for_itself(cast: Cast) -> None:
    ask_about(cast.practice, *STRANGERS[:3])
    ask_about(cast.other_practice, *STRANGERS[:3])
    assert judged(cast) == 0
    ask_about(cast.other_practice, STRANGERS[3])
    assert judged(cast) == 1
    assert [alarm["practice"] for alarm in alarms(cast)] == [THEIRS]


def test_the_window_slides(cast: Cast) -> None:
    ask_about(cast.practice, *STRANGERS[:2])
    cast.world.now += timedelta(hours=23)
    ask_about(cast.practice, *STRANGERS[2:4])
    cast.world.now += timedelta(hours=1)
    assert judged(cast) == 0
    ask_about(cast.practice, *STRANGERS[4:6])
    assert judged(cast) == 1


def test_who_goes_on_is_told_of_again_after_the_window(cast: Cast) -> None:
    for _ in range(2):
        ask_about(cast.practice, *STRANGERS)
        assert judged(cast) == 1
        cast.world.now += timedelta(hours=25)
    assert len(alarms(cast)) == 2


def test_what_is_over_is_forgotten(cast: Cast) -> None:
    ask_about(cast.practice, *STRANGERS[:2])
    cast.world.now += timedelta(hours=24, minutes=30)
    assert judged(cast) == 0
    assert len(strangers(cast)) == 2
    cast.world.now += timedelta(hours=1)
    assert judged(cast) == 0
    assert strangers(cast) == []


def strangers(cast: Cast) -> list[tables.StrangerRow]:
    with cast.world.database.transaction() as session:
        return list(session.exec(select(tables.StrangerRow)).all())


def test_what_is_kept_names_nobody_and_joins_no_two_practices(cast: Cast) -> None:
    for practice in (cast.practice, cast.other_practice):
        ask_about(practice, STRANGER)
    one, other = strangers(cast)
    assert one.id != other.id
    assert STRANGER not in repr((one, other))
    vault = cast.world.log.vault
    for purpose in ("person", "registration", "audit", "alarm"):
        assert vault.pseudonym(STRANGER, purpose=purpose) not in (one.id, other.id)


def test_processes_count_together_and_raise_one_alarm(cast: Cast) -> None:
    second = World(cast.world.url)
    second.now = cast.world.now
    ask_about(cast.practice, *STRANGERS[:4])
    assert [judge(second.log, WATCH), judged(cast)] == [1, 0]
    second.close()


def test_the_practice_sees_no_difference_in_an_answer_or_in_what_is_asked_for_it(
    cast: Cast,
) -> None:
    """Known to us or not, before the alarm or after it, the same bytes and the same statements."""
    issued: list[str] = []
    event.listen(
        cast.world.database.engine, "before_cursor_execute", lambda *given: issued.append(given[2])
    )
    ids = {"X-Request-ID": "1ab5f8e4-07c6-4a3c-9d3b-3f6f5ac0e6b1"}

    def seen(number: str) -> tuple[int, bytes, Any, list[str]]:
        issued.clear()
        form = {"patient:identifier": f"https://fhir.nhs.uk/Id/nhs-number|{number}"}
        answer = cast.practice.calls("POST", "/fhir/R4/Flag/_search", data=form, headers=ids)
        return answer.status_code, answer.content, answer.headers.multi_items(), issued[:]

    cast.practice.gets("/fhir/R4/Flag")
    known_elsewhere, unknown = seen(FATHER[0]), seen(STRANGER)
    assert known_elsewhere == unknown
    again = seen(STRANGER)
    assert again[:3] == unknown[:3]
    ask_about(cast.practice, *STRANGERS[:5])
    assert judged(cast) == 1
    assert seen(STRANGERS[5]) == unknown
    assert seen(STRANGER) == again


def rejected(client: Client) -> int:
    """All that the practice has read so far: said not to be its patients, in one call."""
    answer = when_answered(client, *versions_read(client), outcome="rejected")
    return taken(answer)


def test_a_practice_that_rejects_many_people_is_an_alarm(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    cast.council.posts("/plans", a_plan("CIN-1"))
    assert rejected(cast.practice) == 4
    assert judge(cast.world.log, replace(WATCH, rejections=2)) == 0
    assert judge(cast.world.log, replace(WATCH, rejections=1)) == 1
    (alarm,) = alarms(cast)
    assert (alarm["practice"], alarm["cause"], alarm["people"]) == (MINE, "rejections", 2)
    (leaf,) = cast.service.leaves("alarm-raised")
    assert leaf["about"]["cause"] == "rejections"
    assert cast.operator.gets("/_status").json()["alarms"] == 1
    assert judge(cast.world.log, replace(WATCH, rejections=1)) == 0


def test_each_practice_rejects_for_itself_and_within_the_window(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    assert rejected(cast.other_practice) == 1
    cast.world.now += timedelta(hours=24)
    assert rejected(cast.practice) == 2
    assert judge(cast.world.log, replace(WATCH, rejections=2)) == 0
    assert judge(cast.world.log, replace(WATCH, rejections=1)) == 1
    assert [alarm["practice"] for alarm in alarms(cast)] == [MINE]
    cast.world.now += timedelta(hours=24)
    assert judge(cast.world.log, replace(WATCH, rejections=1)) == 0


def test_what_a_practice_answers_otherwise_is_no_rejection(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    versions = versions_read(cast.practice)
    for said in ({"outcome": "filed-not-shown"}, {"outcome": "queried", "reason": "appears-twice"}):
        when_answered(cast.practice, *versions, **said)
    assert judge(cast.world.log, replace(WATCH, rejections=1)) == 0


def test_one_practice_may_have_an_alarm_of_each_cause(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    rejected(cast.practice)
    ask_about(cast.practice, *STRANGERS[:4])
    assert judge(cast.world.log, replace(WATCH, rejections=1)) == 2
    assert {(one["cause"], one["people"]) for one in alarms(cast)} == {
        ("rejections", 2),
        ("strangers", 4),
    }


def test_only_governance_reads_alarms_and_the_figures_count_them(cast: Cast) -> None:
    ask_about(cast.practice, *STRANGERS[:4])
    judged(cast)
    for client in (cast.practice, cast.council, cast.operator, cast.lead):
        then_refused(client.gets("/governance/alarms"), 403)
    status = cast.operator.gets("/_status").json()
    assert (status["alarms"], status["checks"]["alarms"]["status"]) == (1, "warn")
    assert "flagservice_alarms_last_day 1.0" in cast.operator.gets("/metrics").text
    cast.world.now += timedelta(hours=24)
    assert cast.operator.gets("/_status").json()["alarms"] == 0


def test_a_service_judges_by_itself(cast: Cast) -> None:
    """By the settings of the installation: as many strangers as they allow, and one more."""
    installation = cast.service.installation
    numbers = list(islice(nhs_numbers(500_000), installation.settings.alarm_people + 1))
    (alarming,) = (one for one in loops(installation, deliver=False) if one._name == "alarms")
    ask_about(cast.practice, *numbers[:-1])
    alarming._once()
    assert alarms(cast) == []
    ask_about(cast.practice, numbers[-1])
    alarming._once()
    assert len(alarms(cast)) == 1
    with cast.world.database.transaction() as session:
        assert len(session.exec(select(tables.AlarmRow)).all()) == 1
