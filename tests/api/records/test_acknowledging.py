"""What a practice answers to what it got: filed, filed and not shown, queried, not our patient."""

from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from flagservice.store import tables
from tests.api.answers import FHIR, faults, resources, then_refused
from tests.api.steps import CHILD, FATHER, Cast, Client, a_notification, a_plan, versions_in

FEED = f"{FHIR}/Flag/_history"
LISTED = ("parameter", "has 1 to 200 version parameters, each with a valueString")
CODED = ("parameter", "has at most one outcome and one reason, each with a valueCode")
EXPLAINED = ("parameter", "has a reason with outcome queried, and with no other")
NO_FIELD = "there is no such field"
NO_WORD = "is none of the allowed words"
NO_ID = "has characters or a length that this field does not allow"


def parameters(*versions: str, **coded: str) -> dict[str, Any]:
    listed = [{"name": "version", "valueString": version} for version in versions]
    said = [{"name": name, "valueCode": code} for name, code in coded.items()]
    return {"resourceType": "Parameters", "parameter": [*listed, *said]}


def when_answered(client: Client, *versions: str, **coded: str) -> httpx.Response:
    body = parameters(*versions, **coded)
    return client.posts(
        f"{FHIR}/$acknowledge", body, Content_Type="application/fhir+json; charset=utf-8"
    )


def taken(answer: httpx.Response) -> int:
    assert answer.status_code == 200, answer.text
    (parameter,) = answer.json()["parameter"]
    return int(parameter["valueInteger"])


def states(cast: Cast, practice: str) -> list[str]:
    asked = select(col(tables.DeliveryRow.state)).where(
        col(tables.DeliveryRow.practice) == practice
    )
    with cast.world.database.transaction() as session:
        return sorted(session.exec(asked))


def kept(cast: Cast) -> list[tuple[str, str, bool]]:
    with cast.world.database.transaction() as session:
        rows = session.exec(
            select(tables.AcknowledgementRow).order_by(
                col(tables.AcknowledgementRow.at), col(tables.AcknowledgementRow.id)
            )
        ).all()
        return [(row.outcome, row.reason, row.open) for row in rows]


def versions_read(client: Client) -> list[str]:
    return versions_in(resources(client.gets(FEED)))


def the_words(cast: Cast, client: Client, reference: str = "CPP-1") -> dict[str, str]:
    records = client.gets(f"/receipts/{reference}").json()["records"]
    return {record["role"]: record["status"] for record in records}


def asked_of(client: Client) -> list[dict[str, Any]]:
    answer = client.gets("/queries")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["queries"]
    return found


def on_the_list(cast: Cast) -> set[tuple[str, str]]:
    listed = cast.governance.gets("/governance/manual-list").json()["waiting"]
    return {(todo["what"], todo["reason"]) for todo in listed}


@pytest.mark.parametrize("outcome", ["filed", "filed-not-shown", None])
def test_what_was_filed_closes_its_delivery(any_cast: Cast, outcome: str | None) -> None:
    any_cast.council.posts("/plans", a_plan())
    versions = versions_read(any_cast.practice)
    assert states(any_cast, "B83901") == ["open", "open"]
    coded = {"outcome": outcome} if outcome else {}
    assert taken(when_answered(any_cast.practice, *versions, **coded)) == 2
    assert states(any_cast, "B83901") == ["delivered", "delivered"]
    assert states(any_cast, "B83902") == ["open"]
    assert len(any_cast.service.leaves("delivered")) == 2
    assert len(kept(any_cast)) == (2 if outcome == "filed-not-shown" else 0)


def test_an_acknowledgement_counts_once(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    versions = versions_read(cast.practice)
    assert taken(when_answered(cast.practice, *versions, *versions)) == 2
    assert taken(when_answered(cast.practice, *versions)) == 0


def test_that_it_is_not_shown_may_be_said_later_and_is_kept_once(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    versions = versions_read(cast.practice)
    when_answered(cast.practice, *versions)
    for news in (2, 0):
        assert taken(when_answered(cast.practice, *versions, outcome="filed-not-shown")) == news
    assert kept(cast) == [("filed-not-shown", "", False)] * 2


@pytest.mark.parametrize("outcome", ["filed", "filed-not-shown", "queried", "rejected"])
def test_a_practice_answers_only_to_its_own(any_cast: Cast, outcome: str) -> None:
    any_cast.council.posts("/plans", a_plan())
    theirs = versions_read(any_cast.other_practice)
    coded = {"outcome": outcome} | ({"reason": "appears-twice"} if outcome == "queried" else {})
    another = when_answered(any_cast.practice, *theirs, **coded)
    unknown = when_answered(any_cast.practice, "f" * 32, **coded)
    assert another.content == unknown.content
    assert taken(another) == 0
    assert states(any_cast, "B83902") == ["open"]
    assert kept(any_cast) == []


def test_a_version_that_was_superseded_is_acknowledged_no_more(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    old = versions_read(cast.practice)
    cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    assert taken(when_answered(cast.practice, *old)) == 0
    assert states(cast, "B83901") == ["open", "open", "superseded", "superseded"]


@pytest.mark.parametrize("outcome", ["filed", "filed-not-shown", "rejected"])
def test_a_practice_that_is_not_admitted_answers_nothing(cast: Cast, outcome: str) -> None:
    cast.world.registered(*CHILD, "B83903")
    cast.council.posts("/plans", a_plan())
    versions = versions_in(cast.world.held_at("B83903"))
    with cast.service.storing_nothing():
        then_refused(when_answered(cast.unadmitted, *versions, outcome=outcome), 403)
    assert states(cast, "B83903") == ["open"]


def test_a_question_reaches_the_agency_without_saying_who_asks(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    (version,) = versions_read(any_cast.other_practice)
    said = {"outcome": "queried", "reason": "thought-ended"}
    before = any_cast.council.gets("/receipts/CPP-1").content
    assert taken(when_answered(any_cast.other_practice, version, **said)) == 1
    assert taken(when_answered(any_cast.other_practice, version, **said)) == 0
    answer = any_cast.council.gets("/queries")
    (query,) = answer.json()["queries"]
    assert query.pop("id") not in (version, "")
    assert query == {
        "reference": "CPP-1",
        "person": 2,
        "role": "father",
        "reason": "thought-ended",
        "asked": "2022-01-04",
    }
    assert "B8390" not in answer.text
    assert version not in answer.text
    assert any_cast.council.gets("/receipts/CPP-1").content == before
    assert states(any_cast, "B83902") == ["open"]
    assert ("question of a practice", "thought-ended") in on_the_list(any_cast)
    assert any_cast.service.leaves("queries-read")[-1]["about"] == {"found": 1}


def test_nobody_else_is_asked(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    (version,) = versions_read(cast.other_practice)
    when_answered(cast.other_practice, version, outcome="queried", reason="appears-twice")
    for client in (cast.police, cast.health):
        assert asked_of(client) == []
    then_refused(cast.practice.gets("/queries"), 403)
    then_refused(cast.lead.gets("/queries"), 403)


def test_a_question_ends_with_a_new_version_or_with_what_is_filed(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    (version,) = versions_read(cast.other_practice)
    said = {"outcome": "queried", "reason": "review-overdue"}
    when_answered(cast.other_practice, version, **said)
    cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    assert asked_of(cast.council) == []
    newest = versions_read(cast.other_practice)[-1]
    when_answered(cast.other_practice, newest, **said)
    assert len(asked_of(cast.council)) == 1
    when_answered(cast.other_practice, newest)
    assert asked_of(cast.council) == []
    assert [open_ for _, _, open_ in kept(cast)] == [False]


def test_what_was_taken_back_is_asked_about_no_more(cast: Cast) -> None:
    cast.police.posts("/notifications", a_notification())
    cast.world.decides("B83902", "place")
    (version,) = versions_read(cast.other_practice)
    said = {"outcome": "queried", "reason": "appears-twice"}
    when_answered(cast.other_practice, version, **said)
    cast.police.posts("/notifications", a_notification(version=2, end="2022-01-04"))
    assert ("question of a practice", "appears-twice") not in on_the_list(cast)
    newest = versions_read(cast.other_practice)[-1]
    assert taken(when_answered(cast.other_practice, newest, **said)) == 0


def test_a_question_that_would_tell_of_a_flag_goes_to_governance_alone(cast: Cast) -> None:
    """The police read that a notification was received, and not whether there is a flag."""
    cast.police.posts("/notifications", a_notification())
    cast.world.decides("B83902", "place")
    (version,) = versions_read(cast.other_practice)
    when_answered(cast.other_practice, version, outcome="queried", reason="desk-not-reached")
    assert asked_of(cast.police) == []
    assert ("question of a practice", "desk-not-reached") in on_the_list(cast)


def test_what_is_rejected_is_taken_back_and_the_record_is_not_reached(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    (version,) = versions_read(any_cast.other_practice)
    before = the_words(any_cast, any_cast.council)
    assert taken(when_answered(any_cast.other_practice, version, outcome="rejected")) == 1
    after = the_words(any_cast, any_cast.council)
    assert after == {**before, "father": "not reached"}
    assert ("father", "the-practice-says-not-its-patient") in on_the_list(any_cast)
    assert states(any_cast, "B83902") == ["open", "superseded"]
    removal = resources(any_cast.other_practice.gets(FEED))[-1]
    assert "period" not in removal
    path = f"{FHIR}/Flag/{removal['id']}"
    then_refused(any_cast.other_practice.gets(f"{path}/_history/{version}"), 404)
    assert resources(any_cast.other_practice.searches(FATHER[0])) == []
    assert taken(when_answered(any_cast.other_practice, version, outcome="rejected")) == 0
    (removed,) = versions_in([removal])
    assert taken(when_answered(any_cast.other_practice, removed, outcome="rejected")) == 0
    assert states(any_cast, "B83902") == ["open", "superseded"]
    assert taken(when_answered(any_cast.other_practice, removed)) == 1
    assert states(any_cast, "B83902") == ["delivered", "superseded"]
    assert kept(any_cast) == [("rejected", "", False)]


def words(**more: Any) -> dict[str, Any]:
    return {**parameters("a"), **more}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, ("resourceType", "is needed")),
        (words(resourceType="Bundle"), ("resourceType", NO_WORD)),
        (words(parameter=[]), ("parameter", "has too few entries")),
        (words(parameter=1), ("parameter", "is a list")),
        (words(text="Jo Bloggs"), ("(unknown field)", NO_FIELD)),
        (words(id="Jo Bloggs"), ("(unknown field)", NO_FIELD)),
        (parameters(*["a"] * 201), LISTED),
        (parameters(*["a"] * 203), ("parameter", "has too many entries")),
        (parameters(outcome="filed"), LISTED),
        (parameters("Jo Bloggs"), ("parameter[0].valueString", NO_ID)),
        (parameters("a\0"), ("parameter[0].valueString", NO_ID)),
        (parameters("a", outcome="queried"), EXPLAINED),
        (parameters("a", outcome="filed", reason="appears-twice"), EXPLAINED),
        (parameters("a", reason="appears-twice"), EXPLAINED),
        (parameters("a", outcome="appears-twice"), CODED),
        (parameters("a", outcome="queried", reason="filed"), CODED),
        (words(parameter=[*words()["parameter"], {"name": "outcome"}]), CODED),
        (words(parameter=[{"name": "version"}]), LISTED),
        (words(parameter=[{"name": "note", "valueString": "a"}]), ("parameter[0].name", NO_WORD)),
        (words(parameter=[{"name": "version", "valueString": "a", "valueCode": "filed"}]), CODED),
        (
            words(parameter=[{"name": "version", "valueString": "a", "part": []}]),
            ("parameter[0].(unknown field)", NO_FIELD),
        ),
        (words(parameter=[*words()["parameter"], {"name": "reason", "valueString": "a"}]), CODED),
        (
            words(
                parameter=[
                    *parameters("a", outcome="filed")["parameter"],
                    {"name": "outcome", "valueCode": "filed"},
                ]
            ),
            CODED,
        ),
    ],
)
def test_an_answer_is_refused_that_is(
    house: Cast, body: dict[str, Any], named: tuple[str, str]
) -> None:
    with house.service.storing_nothing():
        answer = house.practice.posts(f"{FHIR}/$acknowledge", body)
    assert answer.status_code == 422
    assert named in faults(answer)
    assert "Bloggs" not in answer.text


@pytest.mark.parametrize("body", [b"", b"\xff", b"[", b"null", b'{"parameter": [NaN]}'])
def test_what_is_no_json_of_ours_is_refused(house: Cast, body: bytes) -> None:
    assert house.practice.posts(f"{FHIR}/$acknowledge", body).status_code == 422


def test_a_free_text_is_refused_by_name_and_stored_nowhere(house: Cast) -> None:
    body = parameters("a", outcome="queried", reason="Jo Bloggs rang")
    with house.service.storing_nothing():
        answer = house.practice.posts(f"{FHIR}/$acknowledge", body)
    assert answer.status_code == 422
    assert "Bloggs" not in answer.text + repr(house.service.leaves("refused")[-1])


def test_an_acknowledgement_is_no_form_and_takes_no_parameter_in_its_address(house: Cast) -> None:
    answer = house.practice.posts(f"{FHIR}/$acknowledge", {}, Content_Type="text/plain")
    then_refused(answer, 415)
    answer = house.practice.posts(f"{FHIR}/$acknowledge?outcome=filed", parameters("a"))
    then_refused(answer, 422, ("(unknown parameter)", "there is none here"))
