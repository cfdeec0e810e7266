"""A result is a run: signed anew it is the same one, and a run that leaks is always taken in."""

import json
from datetime import timedelta

import pytest

from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.result_notes import VALID_FOR
from flagservice.admission.results import accept, withdraw
from flagservice.domain.errors import Conflict, Invalid
from flagservice.kit.leak_check.result import signed
from flagservice.store import tables
from tests.admission.test_leak_results import (
    OPERATOR,
    STRANGER,
    known,
    then_it_is_refused,
    when_accepted,
)
from tests.checked import DECIDED, SIGNING, a_finding, a_result
from tests.intake.people import rows
from tests.world import World

__all__ = ["known"]


@pytest.mark.parametrize("withdrawn", [False, True])
def test_the_same_run_signed_anew_in_other_bytes_is_the_same_result(
    known: World, withdrawn: bool
) -> None:
    note = a_result(known.now)
    identity = when_accepted(known, note)
    if withdrawn:
        known.log.perform(OPERATOR, lambda work: withdraw(work, identity, decision=DECIDED))
    said = json.loads(note.partition("\n")[0])
    offset = said | {"run_at": said["run_at"].replace("+00:00", "Z"), "tool_version": "9"}
    for again in (json.dumps(said), json.dumps(said, indent=None) + " ", json.dumps(offset)):
        with pytest.raises(Conflict, match="withdrawn" if withdrawn else "accepted"):
            when_accepted(known, signed(again + "\n", SIGNING))
    assert len(rows(known, of=tables.LeakResultRow)) == 1


def test_a_finding_is_taken_in_whatever_else_is_in_doubt_and_said_to_suspend(known: World) -> None:
    note = a_finding(known.now, requests=1, planned=0, control="none", doubts=["some"])
    taken = known.log.perform(OPERATOR, lambda work: accept(work, note, decision=DECIDED))
    assert taken.suspends
    (row,) = rows(known, of=tables.LeakResultRow)
    assert row.verdict == "leaks"
    with pytest.raises(Conflict, match="accepted"):
        when_accepted(known, note)


def test_a_finding_that_names_nothing_or_is_not_signed_by_a_checker_is_refused(
    known: World,
) -> None:
    then_it_is_refused(known, a_finding(known.now, findings=[]), field="findings")
    then_it_is_refused(known, a_finding(known.now, signing=STRANGER), field="signature")


def test_a_finding_is_never_too_old_to_be_told(known: World) -> None:
    when_accepted(known, a_finding(known.now - 2 * VALID_FOR))


def test_of_a_run_that_was_clean_it_can_still_be_said_that_it_leaks(known: World) -> None:
    identity = when_accepted(known, a_result(known.now))
    assert (
        when_accepted(known, a_finding(known.now), OperatorDecision("B. Lead", "read anew"))
        == identity
    )
    (row,) = rows(known, of=tables.LeakResultRow)
    place = {"table": "leak_result", "row": identity, "version": 1}
    kept = json.loads(known.log.vault.open(row.data_key, row.sealed, **place))
    assert (row.verdict, kept["by"], kept["before"]["by"]) == ("leaks", "B. Lead", DECIDED.by)
    with pytest.raises(Conflict):
        when_accepted(known, a_result(known.now))


def test_a_clean_run_no_newer_than_a_finding_or_a_withdrawal_is_refused(known: World) -> None:
    hour = timedelta(hours=1)
    when_accepted(known, a_finding(known.now - hour))
    with pytest.raises(Invalid, match=r"^run_at: is later than any finding"):
        when_accepted(known, a_result(known.now - 2 * hour))
    newer = when_accepted(known, a_result(known.now))
    known.log.perform(OPERATOR, lambda work: withdraw(work, newer, decision=DECIDED))
    with pytest.raises(Invalid, match=r"^run_at: is later than any finding"):
        when_accepted(known, a_result(known.now, transcript="sha256:" + "1" * 64))
    when_accepted(known, a_result(known.now, version="another"))
