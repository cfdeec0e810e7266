"""After every key was replaced, and the old ones are gone, the service knows what it knew."""

import json
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from flagservice.app.build import Installation, build
from flagservice.app.keys.keyset import make_keys
from flagservice.app.keys.pseudonyms import drop_pseudonyms, rotate_pseudonyms
from flagservice.app.keys.rotation import drop_data_key_wrapping, rotate_data_keys
from flagservice.audit.log import Actor, Deed, Work
from flagservice.domain.errors import Conflict
from flagservice.domain.holds import HoldOutcome
from flagservice.domain.reading import read_submission
from flagservice.intake.decision import Decision, decide, worklist
from flagservice.intake.idempotency import KeptAnswer, answer_once
from flagservice.intake.policies.approval import add_approver, revoke_approver
from flagservice.intake.registration import update_registration
from flagservice.intake.submission import SubmissionEffect, submit
from flagservice.people.registrations import Registration
from flagservice.settings import Settings
from flagservice.store import tables
from tests.checked import a_registration, given_a_checked_system, registering
from tests.commanded import when_told
from tests.intake.policies.officers import AMED, KEYS, public
from tests.world import COUNCIL, MODELS, POLICE, a_submission, person

PRACTICE, BORN = "B83901", "2020-01-01"
CHILD, FATHER = "9990001111", "9990002223"
DECIDED = Decision(
    outcome=HoldOutcome.PLACE, decided_by="Dr N. Amed", reason="a recorded risk decision"
)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    embedded = database_url.startswith("sqlite")
    one = Settings(data=tmp_path, database_url="" if embedded else database_url)
    make_keys(one.keys_folder, one.origin)
    return one


@pytest.fixture
def installation(settings: Settings) -> Iterator[Installation]:
    one = build(settings)
    given_a_checked_system(one.log)
    one.perform(registering(a_registration(PRACTICE)))
    for number in (CHILD, FATHER):
        given_registered(one, number)
    yield one
    one.database.close()


def given_registered(installation: Installation, number: str) -> None:
    def deed(work: Work) -> None:
        where = Registration(date.fromisoformat(BORN), PRACTICE)
        update_registration(
            work, number, registration=where, rulebook=installation.policies.rulebook(work)
        )

    installation.log.perform(Actor("test"), deed)


def a_plan(version: int = 1) -> dict[str, Any]:
    child = person("child", CHILD, BORN)
    return a_submission("child-protection", "CPP-1", child, version=version)


def a_notification(version: int = 1) -> dict[str, Any]:
    standing = {"standing": "alleged-perpetrator", "knows": "must-not-know"}
    he = person("father", FATHER, BORN, **standing)
    return a_submission("perpetrator", "DA-1", he, version=version)


def posted(installation: Installation, ods: str, body: dict[str, Any]) -> SubmissionEffect:
    submission = read_submission(
        MODELS[body["kind"]], json.dumps(body).encode(), today=date(2026, 1, 1)
    )

    def deed(work: Work) -> SubmissionEffect:
        return submit(work, submission, rulebook=installation.policies.rulebook(work)).effect

    return installation.log.perform(Actor("client", ods), deed)


def answered(installation: Installation, body: bytes) -> int:
    """The status for a body that is sent with one and the same key."""

    def deed(work: Work) -> KeptAnswer:
        def do() -> KeptAnswer:
            work.record(Deed.SUBMITTED)
            return KeptAnswer(201, b"the answer")

        return answer_once(work, "one-key-for-ever", digest=sha256(body).hexdigest(), deed=do)

    return installation.log.perform(Actor("client", COUNCIL), deed).status


def open_holds(installation: Installation) -> list[str]:
    def deed(work: Work) -> list[str]:
        return [item.id for item in worklist(work, rulebook=installation.policies.rulebook(work))]

    return installation.log.perform(Actor("lead", PRACTICE), deed)


def when_decided(installation: Installation, hold_id: str) -> None:
    def deed(work: Work) -> None:
        decide(work, hold_id, decision=DECIDED, rulebook=installation.policies.rulebook(work))

    installation.log.perform(Actor("lead", PRACTICE), deed)


def rows(installation: Installation, table: Any) -> list[Any]:
    def deed(work: Work) -> list[Any]:
        work.record(Deed.STATUS_READ)
        return list(work.session.exec(select(table)).all())

    return installation.log.perform(Actor("test"), deed)


def when_every_key_is_replaced(installation: Installation) -> None:
    rotate_pseudonyms(installation)
    rotate_data_keys(installation)
    drop_pseudonyms(installation, 1)
    drop_data_key_wrapping(installation, "k1")


def test_a_repeat_is_a_repeat_and_other_words_are_a_conflict(installation: Installation) -> None:
    assert posted(installation, COUNCIL, a_plan()) is SubmissionEffect.ACCEPTED
    assert answered(installation, b"a body") == 201
    when_every_key_is_replaced(installation)
    assert posted(installation, COUNCIL, a_plan()) is SubmissionEffect.REPEATED
    assert answered(installation, b"a body") == 201
    with pytest.raises(Conflict):
        posted(installation, COUNCIL, {**a_plan(), "categories": ["neglect"]})
    with pytest.raises(Conflict):
        answered(installation, b"another body")


def test_what_has_not_changed_is_not_told_again(installation: Installation) -> None:
    posted(installation, COUNCIL, a_plan())
    before = rows(installation, tables.VersionRow)
    assert len(before) == 1
    when_every_key_is_replaced(installation)
    assert posted(installation, COUNCIL, a_plan(version=2)) is SubmissionEffect.ACCEPTED
    given_registered(installation, CHILD)
    assert rows(installation, tables.VersionRow) == before
    assert len(rows(installation, tables.PlanRow)) == 1


def test_a_question_that_was_decided_is_not_asked_again(installation: Installation) -> None:
    posted(installation, POLICE, a_notification())
    (hold,) = open_holds(installation)
    when_decided(installation, hold)
    before = rows(installation, tables.VersionRow)
    assert len(before) == 1
    when_every_key_is_replaced(installation)
    posted(installation, POLICE, a_notification(version=2))
    assert open_holds(installation) == []
    assert rows(installation, tables.VersionRow) == before


def said(settings: Settings, *words: str) -> tuple[int, str]:
    """By the command line, as an operator reads it."""
    ended = when_told(settings.data, "keys", *words, database_url=settings.database_url)
    return ended.status, ended.out + ended.err


def test_an_operator_sees_what_is_left_and_is_refused_what_would_lose_it(
    installation: Installation, settings: Settings
) -> None:
    posted(installation, COUNCIL, a_plan())
    _, before = said(settings, "status")
    assert "key-encryption key k1, current: " in before
    assert "pseudonym key 1, current: 5 rows (person 2, plan 1, registration 2)" in before
    assert said(settings, "drop", "k1") == (1, "flagservice: this key wraps: rotate first\n")
    assert said(settings, "rotate")[1].endswith("data keys wrapped under k2\n")
    assert said(settings, "add-pseudonym-key")[1].startswith("version 2 is there")
    refused = (1, "flagservice: rows may carry this version: rotate first\n")
    assert said(settings, "drop", "--pseudonyms", "1") == refused
    rotated = "5 rows given a pseudonym of version 2\n"
    assert said(settings, "rotate", "--pseudonyms") == (0, rotated)
    _, after = said(settings, "status")
    assert "key k1" not in after
    assert "pseudonym key 1" not in after
    assert said(settings, "drop", "k1") == (0, "")
    assert said(settings, "drop", "--pseudonyms", "1") == (0, "")
    assert said(settings, "drop", "--pseudonyms", "one")[0] == 1


def test_an_approver_is_still_known_by_name(installation: Installation) -> None:
    def add(work: Work) -> None:
        add_approver(work, name=AMED, role="Caldicott Guardian", public_key=public(KEYS[AMED]))

    installation.log.perform(Actor("operator"), add)
    when_every_key_is_replaced(installation)
    (approver,) = rows(installation, tables.ApproverRow)
    assert approver.pseudonym.startswith("2:")
    with pytest.raises(Conflict, match="with this name"):
        installation.log.perform(Actor("operator"), add)
    installation.log.perform(Actor("operator"), lambda work: revoke_approver(work, AMED))
    assert [one.revoked for one in rows(installation, tables.ApproverRow)] == [True]
