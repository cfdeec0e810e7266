"""A leak-check result counts only if a registered checker signed it and every field is right.

Each way in which it is not valid is a refusal that names the field and the rule.
"""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import select

from flagservice.admission.checkers import add_checker, revoke_checker
from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.result_notes import FEWEST_REQUESTS, VALID_FOR
from flagservice.admission.results import accept, withdraw
from flagservice.audit.log import Actor, Deed, Work
from flagservice.domain.errors import Conflict, Invalid, NotFound
from flagservice.kit.leak_check.check import fewest
from flagservice.kit.leak_check.result import PROTOCOL, TOOL, ResultSigner, signed
from flagservice.store import tables
from tests.checked import DECIDED, SIGNING, a_result, given_a_checker, public_pem
from tests.intake.people import rows
from tests.world import World

OPERATOR = Actor("operator")
FEWEST = FEWEST_REQUESTS[PROTOCOL]
STRANGER = ResultSigner("a.stranger", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


@pytest.fixture
def known(world: World) -> World:
    """A service that knows one checker."""
    world.log.perform(OPERATOR, given_a_checker)
    return world


def when_accepted(world: World, note: str, decision: OperatorDecision = DECIDED) -> str:
    return world.log.perform(OPERATOR, lambda work: accept(work, note, decision=decision)).id


def then_it_is_refused(world: World, note: str, *, field: str) -> None:
    with pytest.raises(Invalid, match=rf"^{re.escape(field)}: ") as refused:
        when_accepted(world, note)
    assert len(refused.value.faults) == 1
    assert rows(world, of=tables.LeakResultRow) == []


def the_deeds(world: World) -> list[str]:
    leaves = world.log.perform(
        OPERATOR,
        lambda work: (
            work.record(Deed.STATUS_READ),
            list(work.session.exec(select(tables.LeafRow))),
        )[1],
    )
    return [json.loads(leaf.body)["deed"] for leaf in leaves]


def test_a_clean_result_is_accepted_as_it_was_signed_and_that_is_recorded(known: World) -> None:
    note = a_result(known.now)
    identity = when_accepted(known, note)
    (row,) = rows(known, of=tables.LeakResultRow)
    assert (row.id, row.note, row.checker) == (identity, note, SIGNING.name)
    deeds = the_deeds(known)
    assert deeds.count("checker-added") == deeds.count("leak-result-accepted") == 1


def test_who_accepted_and_who_withdrew_and_why_is_kept_sealed(known: World) -> None:
    identity = when_accepted(known, a_result(known.now))
    why = OperatorDecision("B. Lead", "a patient saw one")
    known.log.perform(OPERATOR, lambda work: withdraw(work, identity, decision=why))
    (row,) = rows(known, of=tables.LeakResultRow)
    place = {"table": "leak_result", "row": identity, "version": 1}
    kept = json.loads(known.log.vault.open(row.data_key, row.sealed, **place))
    assert kept == {
        "by": DECIDED.by,
        "reason": DECIDED.reason,
        "withdrawn_by": "B. Lead",
        "withdrawn_why": "a patient saw one",
    }
    assert b"Lead" not in row.sealed
    assert "leak-result-withdrawn" in the_deeds(known)


def test_a_result_by_nobody_who_is_registered_is_refused(known: World) -> None:
    then_it_is_refused(known, a_result(known.now, signing=STRANGER), field="signature")


def test_a_strangers_signature_under_a_registered_name_is_refused(known: World) -> None:
    pretending = ResultSigner(SIGNING.name, STRANGER.key)
    then_it_is_refused(known, a_result(known.now, signing=pretending), field="signature")


def test_a_result_by_a_revoked_checker_is_refused(known: World) -> None:
    known.log.perform(
        OPERATOR,
        lambda work: revoke_checker(
            work, SIGNING.name, decision=OperatorDecision("IG", "key lost")
        ),
    )
    then_it_is_refused(known, a_result(known.now), field="signature")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"version":"4.2"', '"version":"4.3"'),
        ('"system":"A GP', '"system":"B GP'),
        ('"run_at":"2022', '"run_at":"2021'),
        ('"requests":3614', '"requests":3615'),
    ],
)
def test_a_result_in_which_one_character_was_changed_is_refused(
    known: World, old: str, new: str
) -> None:
    note = a_result(known.now)
    assert old in note
    then_it_is_refused(known, note.replace(old, new), field="signature")


@pytest.mark.parametrize(
    "bend",
    [
        lambda note: note[:0],
        lambda note: note.rstrip("\n"),
        lambda note: note + "\n",
        lambda note: note.replace("\n\n", "\n"),
        lambda note: note.replace("— ", "- "),
        lambda note: "\n" + note,
        lambda note: note + note.rpartition("\n\n")[2],
        lambda note: note + "x" * 1_000_001,
    ],
)
def test_what_is_not_a_signed_note_is_refused(known: World, bend: Any) -> None:
    then_it_is_refused(known, bend(a_result(known.now)), field="result")


@pytest.mark.parametrize("written", ["AAAA=", "A", "AAAAAB==", "===="])
def test_a_signature_that_is_not_canonical_base64_is_refused(known: World, written: str) -> None:
    head, _, _ = a_result(known.now).rpartition(" ")
    then_it_is_refused(known, f"{head} {written}\n", field="signature")


@pytest.mark.parametrize("verdict", ["inconclusive", "CLEAN", "passed"])
def test_a_result_that_concludes_nothing_is_refused(known: World, verdict: str) -> None:
    then_it_is_refused(known, a_result(known.now, verdict=verdict), field="verdict")


@pytest.mark.parametrize("name", ["findings", "doubts"])
def test_a_clean_result_with_findings_or_doubts_is_refused(known: World, name: str) -> None:
    note = a_result(known.now, **{name: ["something"]})
    then_it_is_refused(known, note, field="findings, doubts")


@pytest.mark.parametrize("changed", [{"tool": "another"}, {"protocol": 1}, {"protocol": 3}])
def test_a_result_of_another_tool_or_protocol_is_refused(
    known: World, changed: dict[str, Any]
) -> None:
    then_it_is_refused(known, a_result(known.now, **changed), field="tool, protocol")


def test_the_tool_and_the_service_speak_of_the_same_tool_and_protocol(known: World) -> None:
    when_accepted(known, a_result(known.now, tool=TOOL, protocol=PROTOCOL))


def test_a_result_of_a_run_too_long_ago_is_refused(known: World) -> None:
    then_it_is_refused(known, a_result(known.now - VALID_FOR), field="run_at")
    when_accepted(known, a_result(known.now - VALID_FOR + timedelta(seconds=1)))


def test_a_result_of_a_run_that_is_still_to_come_is_refused(known: World) -> None:
    then_it_is_refused(known, a_result(known.now + timedelta(minutes=6)), field="run_at")


@pytest.mark.parametrize("run_at", ["yesterday", "2022-01-04", "2022-01-04T09:30:00"])
def test_an_instant_that_is_none_is_refused(known: World, run_at: str) -> None:
    then_it_is_refused(known, a_result(known.now, run_at=run_at), field="run_at")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"requests": 0}, "requests"),
        ({"requests": 1, "planned": 1}, "requests"),
        ({"requests": FEWEST - 1, "planned": 0}, "requests"),
        ({"requests": 3301, "planned": 3302}, "requests"),
        ({"transcript": "sha256:"}, "transcript"),
        ({"control": "none"}, "control"),
    ],
)
def test_a_clean_result_of_less_than_a_whole_check_is_refused(
    known: World, changed: dict[str, Any], field: str
) -> None:
    then_it_is_refused(known, a_result(known.now, **changed), field=field)


def test_the_fewest_requests_are_what_the_tool_says_of_itself(known: World) -> None:
    assert {PROTOCOL: fewest()} == FEWEST_REQUESTS
    when_accepted(known, a_result(known.now, requests=FEWEST, planned=FEWEST))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", 4),
        ("version", ""),
        ("version", " 4.2"),
        ("system", None),
        ("requests", "many"),
        ("requests", True),
        ("protocol", "1"),
        ("findings", {}),
        ("patient_base", 1),
        ("push_base", ""),
        ("clinician_base", None),
        ("planned", True),
    ],
)
def test_a_field_of_another_type_is_refused_by_its_name(
    known: World, name: str, value: Any
) -> None:
    then_it_is_refused(known, a_result(known.now, **{name: value}), field=name)


def test_a_field_that_is_not_known_or_not_there_is_refused(known: World) -> None:
    then_it_is_refused(known, a_result(known.now, excuse="noise"), field="result")
    line = json.dumps({"verdict": "clean"}) + "\n"
    then_it_is_refused(known, signed(line, SIGNING), field="result")


@pytest.mark.parametrize("line", ["[]", "clean", '{"verdict":"leaks","verdict":"clean"}', "{"])
def test_a_line_that_is_not_one_reading_of_json_is_refused(known: World, line: str) -> None:
    then_it_is_refused(known, signed(f"{line}\n", SIGNING), field="result")


def test_a_result_is_accepted_once_and_a_withdrawn_one_never_again(known: World) -> None:
    note = a_result(known.now)
    identity = when_accepted(known, note)
    with pytest.raises(Conflict, match="accepted"):
        when_accepted(known, note)
    known.log.perform(OPERATOR, lambda work: withdraw(work, identity, decision=DECIDED))
    with pytest.raises(Conflict, match="withdrawn"):
        when_accepted(known, note)
    for gone in (identity, "nothing"):
        with pytest.raises(NotFound):
            known.log.perform(OPERATOR, lambda work, g=gone: withdraw(work, g, decision=DECIDED))


@pytest.mark.parametrize(("by", "reason"), [("", "because"), ("A. Lead", "  ")])
def test_a_decision_says_who_and_why(by: str, reason: str) -> None:
    with pytest.raises(Invalid, match="say who, and why"):
        OperatorDecision(by, reason)


def a_p384_key() -> bytes:
    """A public key of another sort."""
    return (
        ec.generate_private_key(ec.SECP384R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"public_key": b"no key"}, "public key"),
        ({"public_key": a_p384_key()}, "public key"),
        ({"name": "a checker"}, "name"),
        ({"name": ""}, "name"),
    ],
)
def test_a_checker_that_is_not_whole_is_refused(
    world: World, changed: dict[str, Any], field: str
) -> None:
    new = {"name": "b.checker", "public_key": public_pem()} | changed
    with pytest.raises(Invalid, match=rf"^{field}: "):
        world.log.perform(OPERATOR, lambda work: add_checker(work, **new, decision=DECIDED))
    assert rows(world, of=tables.CheckerRow) == []


def test_a_checkers_name_is_never_given_to_another_key(known: World) -> None:
    with pytest.raises(Conflict):
        known.log.perform(OPERATOR, given_a_checker)


def test_revoking_is_a_decision_about_somebody_who_is_there(known: World) -> None:
    def revoke(work: Work, name: str = SIGNING.name, by: str = "IG") -> None:
        revoke_checker(work, name, decision=OperatorDecision(by, "key lost"))

    with pytest.raises(Invalid):
        known.log.perform(OPERATOR, lambda work: revoke(work, by=""))
    known.log.perform(OPERATOR, revoke)
    for name in (SIGNING.name, "nobody"):
        with pytest.raises(NotFound):
            known.log.perform(OPERATOR, lambda work, n=name: revoke(work, n))
    assert the_deeds(known).count("checker-revoked") == 1
