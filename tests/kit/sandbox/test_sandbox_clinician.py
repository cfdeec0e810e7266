"""What the practice's own staff see: everything, each thing in its place."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.sandbox import sandbox_steps as steps
from tests.kit.sandbox.sandbox_steps import Running, a_flag, a_task, when_asked, when_pushed


@pytest.fixture
def gp(tmp_path: Path) -> Iterator[Running]:
    with steps.a_practice(tmp_path) as running:
        yield running


def test_a_clinician_sees_the_whole_record(gp: Running) -> None:
    flag = when_pushed(gp, a_flag()).json
    task = when_pushed(gp, a_task()).json
    entry = steps.when_entered(gp, steps.an_entry()).json
    when_pushed(gp, a_flag("about-somebody-else", about=steps.MOTHER))

    assert steps.when_the_clinician_opens(gp) == {
        "practice": "B83901",
        "patient": {"nhs_number": steps.CHILD, "name": "Robin Example"},
        "flags": [flag],
        "requests": [task],
        "history": [],
        "entries": [entry],
    }


@pytest.mark.parametrize("status", ["inactive", "entered-in-error"])
def test_a_flag_that_no_longer_stands_is_history(gp: Running, status: str) -> None:
    when_pushed(gp, a_flag())
    ended = when_pushed(gp, a_flag(status=status)).json

    record = steps.when_the_clinician_opens(gp)

    assert (record["flags"], record["history"]) == ([], [ended])


@pytest.mark.parametrize("status", ["completed", "cancelled", "rejected", "entered-in-error"])
def test_a_request_that_is_done_with_is_history(gp: Running, status: str) -> None:
    done = when_pushed(gp, a_task(status=status)).json

    record = steps.when_the_clinician_opens(gp)

    assert (record["requests"], record["history"]) == ([], [done])


def test_a_clinician_sees_an_entry_that_the_patient_may_not(gp: Running) -> None:
    hidden = steps.an_entry(meta={"security": [{"system": steps.ACT_CODE, "code": "NOPAT"}]})
    kept = steps.when_entered(gp, hidden).json

    assert steps.when_the_clinician_opens(gp)["entries"] == [kept]


def test_the_list_of_patients_counts_the_flags_that_stand(gp: Running) -> None:
    when_pushed(gp, a_flag("copy-1"))
    when_pushed(gp, a_flag("copy-2"))
    when_pushed(gp, a_flag("copy-3", status="inactive"))
    when_pushed(gp, a_task())

    listed = when_asked(gp, "POST /clinician/patients", token=steps.CLINICIAN).json

    assert listed == [
        {"nhs_number": steps.CHILD, "name": "Robin Example", "active_flags": 2},
        {"nhs_number": steps.MOTHER, "name": "Ashley Example", "active_flags": 0},
    ]


def test_a_record_that_is_not_held_here_is_not_found(gp: Running) -> None:
    body = {"nhs_number": steps.ELSEWHERE}

    answer = when_asked(gp, "POST /clinician/record", token=steps.CLINICIAN, body=body)

    steps.then_it_is_refused(answer, status=404)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"nhs_number": 9990001111}'])
def test_a_question_that_names_nobody_is_bad(gp: Running, body: bytes) -> None:
    answer = when_asked(gp, "POST /clinician/record", token=steps.CLINICIAN, body=body)

    steps.then_it_is_refused(answer, status=400)
