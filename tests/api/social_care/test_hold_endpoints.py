"""Holds: a worklist of one's own, oldest first, and a decision that is recorded once."""

from typing import Any

import httpx
import pytest

from tests.api.answers import then_refused
from tests.api.steps import CHILD, FATHER, MOTHER, Cast, Client, a_notification, a_plan
from tests.world import person

DECISION = {
    "outcome": "place",
    "decided_by": "Dr Nilufar Amed",
    "reason": "spoken to the victim: no new risk",
}
MANAGER = "submitter's safeguarding duty manager"


def given_an_unconfirmed_father(cast: Cast, reference: str = "CPP-1") -> None:
    people = [person("child", *CHILD), person("father", *FATHER, identity="unconfirmed")]
    assert cast.council.posts("/plans", a_plan(reference, people=people)).status_code == 201


def worklist(client: Client) -> list[dict[str, Any]]:
    answer = client.gets("/holds")
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["holds"]
    return items


def when_decided(client: Client, hold: str, **change: str) -> httpx.Response:
    return client.posts(f"/holds/{hold}/decision", {**DECISION, **change})


def test_a_worklist_shows_what_would_be_placed_and_until_when_to_decide(any_cast: Cast) -> None:
    given_an_unconfirmed_father(any_cast)
    (item,) = worklist(any_cast.council)
    assert item.pop("id")
    would = item.pop("would_place")
    assert would["concern"] == "Family member subject of child protection plan (375041000000100)"
    assert item == {
        "nhs_number": FATHER[0],
        "question": "placement",
        "reference": "CPP-1",
        "role": "father",
        "why": "the identity is unconfirmed",
        "opened": "2022-01-04",
        "due": "2022-01-06",
        "overdue": False,
        "decider": "submitter",
    }


def test_a_practices_worklist_shows_nothing_of_the_police(any_cast: Cast) -> None:
    any_cast.police.posts("/notifications", a_notification())
    answer = any_cast.other_lead.gets("/holds")
    (item,) = answer.json()["holds"]
    assert item["nhs_number"] == FATHER[0]
    assert item["decider"] == "practice safeguarding lead"
    assert not {"reference", "role", "why"} & set(item)
    for secret in ("olice", "Q0WYP", "WYP-1", "alleged", "perpetrator", "must-not-know"):
        assert secret not in answer.text


def test_a_worklist_is_its_organisations_own(cast: Cast) -> None:
    given_an_unconfirmed_father(cast)
    cast.police.posts("/notifications", a_notification())
    assert len(worklist(cast.council)) == len(worklist(cast.other_lead)) == 1
    for client in (cast.police, cast.health, cast.lead):
        assert worklist(client) == []


def test_a_gp_system_has_no_worklist(cast: Cast) -> None:
    cast.police.posts("/notifications", a_notification())
    then_refused(cast.other_practice.gets("/holds"), 403)


def test_an_empty_worklist_that_was_read_is_in_the_audit(cast: Cast) -> None:
    assert worklist(cast.police) == []
    (leaf,) = cast.service.leaves("worklist-read")
    assert leaf["actor"] == cast.police.id


def test_a_worklist_has_the_oldest_first(cast: Cast) -> None:
    for day, reference in (("2022-01-04", "B"), ("2022-01-05", "C"), ("2022-01-07", "A")):
        cast.world.on(day)
        given_an_unconfirmed_father(cast, reference)
    assert [item["opened"] for item in worklist(cast.council)] == [
        "2022-01-04",
        "2022-01-05",
        "2022-01-07",
    ]


@pytest.mark.parametrize(
    ("day", "overdue", "decider"),
    [
        ("2022-01-06", False, "submitter"),
        ("2022-01-07", True, MANAGER),
        ("2022-03-01", True, MANAGER),
    ],
)
def test_a_hold_that_is_overdue_goes_on_to_the_second_person(
    cast: Cast, day: str, overdue: bool, decider: str
) -> None:
    given_an_unconfirmed_father(cast)
    cast.world.on(day)
    (item,) = worklist(cast.council)
    assert (item["overdue"], item["decider"]) == (overdue, decider)


def test_a_practices_overdue_hold_goes_to_its_caldicott_guardian(cast: Cast) -> None:
    cast.police.posts("/notifications", a_notification())
    cast.world.on("2022-01-06")
    (item,) = worklist(cast.other_lead)
    assert item["decider"] == "practice Caldicott Guardian"


def test_a_decision_to_place_places_and_clears_the_worklist(any_cast: Cast) -> None:
    given_an_unconfirmed_father(any_cast)
    assert any_cast.world.held_at("B83902") == []
    answer = when_decided(any_cast.council, worklist(any_cast.council)[0]["id"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(any_cast.world.held_at("B83902")) == 1
    assert worklist(any_cast.council) == []
    (leaf,) = any_cast.service.leaves("decided")
    assert leaf["about"]["outcome"] == "place"


def test_a_decision_to_withhold_places_nothing(any_cast: Cast) -> None:
    given_an_unconfirmed_father(any_cast)
    hold = worklist(any_cast.council)[0]["id"]
    assert when_decided(any_cast.council, hold, outcome="withhold").status_code == 204
    assert any_cast.world.held_at("B83902") == []
    assert worklist(any_cast.council) == []


def test_a_practice_decides_and_only_then_holds_a_neutral_flag(any_cast: Cast) -> None:
    any_cast.police.posts("/notifications", a_notification())
    (item,) = worklist(any_cast.other_lead)
    assert when_decided(any_cast.other_lead, item["id"]).status_code == 204
    (flag,) = any_cast.world.held_at("B83902", FATHER[0])
    assert flag["code"]["coding"][0]["code"] == "U"


def test_who_decided_and_why_is_kept_sealed_and_not_in_the_audit(cast: Cast) -> None:
    given_an_unconfirmed_father(cast)
    when_decided(cast.council, worklist(cast.council)[0]["id"])
    assert "Amed" not in repr(cast.service.leaves("decided"))
    assert "Amed" not in repr(cast.world.held_at("B83902"))


def test_a_hold_is_decided_once(any_cast: Cast) -> None:
    given_an_unconfirmed_father(any_cast)
    hold = worklist(any_cast.council)[0]["id"]
    when_decided(any_cast.council, hold)
    with any_cast.service.storing_nothing():
        then_refused(when_decided(any_cast.council, hold, outcome="withhold"), 409)


def test_two_who_decide_at_once_decide_once(any_cast: Cast) -> None:
    given_an_unconfirmed_father(any_cast)
    path = f"/holds/{worklist(any_cast.council)[0]['id']}/decision"
    headers = {"Authorization": f"Bearer {any_cast.council.token()}"}
    asked = [("POST", path, {"json": DECISION, "headers": headers})] * 3
    answers = any_cast.service.send_together(*asked)
    assert sorted(answer.status_code for answer in answers) == [204, 409, 409]
    assert len(any_cast.world.held_at("B83902")) == 1


def test_somebody_elses_hold_gets_the_answer_of_an_unknown_one(any_cast: Cast) -> None:
    given_an_unconfirmed_father(any_cast)
    hold = worklist(any_cast.council)[0]["id"]
    for client in (any_cast.police, any_cast.lead, any_cast.other_lead):
        unknown = when_decided(client, "f" * 32)
        with any_cast.service.storing_nothing():
            another = when_decided(client, hold)
        then_refused(another, 404)
        assert another.content == unknown.content
        assert hold not in another.text
    assert len(worklist(any_cast.council)) == 1


def test_a_hold_that_the_next_version_settles_is_no_longer_open(cast: Cast) -> None:
    given_an_unconfirmed_father(cast)
    hold = worklist(cast.council)[0]["id"]
    people = [person("child", *CHILD), person("father", *FATHER, knows="knows")]
    cast.council.posts("/plans", a_plan(version=2, people=people))
    then_refused(when_decided(cast.council, hold), 409)


@pytest.mark.parametrize("outcome", ["place", "withhold"])
def test_what_became_of_whoever_is_left_out_is_answered_by_a_version(
    any_cast: Cast, outcome: str
) -> None:
    any_cast.council.posts("/plans", a_plan())
    without_him = [one for one in a_plan()["people"] if one["role"] != "father"]
    any_cast.council.posts("/plans", a_plan(version=2, people=without_him))
    (item,) = worklist(any_cast.council)
    assert (item["question"], item["role"], item["would_place"]) == ("left-out", "father", {})
    then_refused(when_decided(any_cast.council, item["id"], outcome=outcome), 409)
    any_cast.council.posts("/plans", a_plan(version=3))
    assert worklist(any_cast.council) == []


def test_who_it_is_is_answered_by_a_version_or_by_no(cast: Cast) -> None:
    people = [person("child", *CHILD), person("father", FATHER[0], "1971-01-01")]
    cast.council.posts("/plans", a_plan(people=people))
    (item,) = worklist(cast.council)
    assert (item["question"], item["would_place"]) == ("identity", {})
    then_refused(when_decided(cast.council, item["id"]), 409)
    assert when_decided(cast.council, item["id"], outcome="withhold").status_code == 204
    assert worklist(cast.council) == []


def test_a_hold_at_another_practice_stays_hidden_from_the_mothers(cast: Cast) -> None:
    people = [
        person("father", *FATHER, standing="alleged-perpetrator", knows="must-not-know"),
        person("mother", *MOTHER, standing="victim"),
    ]
    cast.police.posts("/notifications", a_notification(people=people))
    assert worklist(cast.lead) == []
