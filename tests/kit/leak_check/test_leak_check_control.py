"""The check's positive control: the patient's side that is crawled is the one that flags reach."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flagservice.kit.leak_check.control import NOT_REMOVED, NOT_SHOWN, ControlKind
from flagservice.kit.leak_check.result import LeakCheckVerdict, content
from flagservice.kit.sandbox.leaks import Leak
from tests.kit.leak_check.leak_check_steps import EXAMPLES, a_test_system, the_names, when_checked


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """One kind's examples."""
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "section-47.json").write_bytes((EXAMPLES / "section-47.json").read_bytes())
    return folder


@pytest.mark.parametrize("broken", ["", "label-ignored"])
def test_the_patients_side_of_another_system_concludes_nothing(
    broken: str, few: Path, tmp_path: Path
) -> None:
    with (
        a_test_system(tmp_path / "pushed", broken) as pushed,
        a_test_system(tmp_path / "stub") as stub,
    ):
        outcome = when_checked(replace(pushed, patient_base=stub.patient_base), few)
    assert (outcome.verdict, outcome.control) == (LeakCheckVerdict.INCONCLUSIVE, ControlKind.NONE)
    assert outcome.doubts == (NOT_SHOWN,)


def test_the_control_differs_from_a_flag_by_its_label_and_words_alone(
    few: Path, tmp_path: Path
) -> None:
    with a_test_system(tmp_path / "gp") as system:
        assert when_checked(system, few).control is ControlKind.FLAG
        pushed = [json.loads(line["body"]) for line in the_pushes(tmp_path / "gp")]
    ordinary = [one for one in pushed if is_labelled(one, "N")]
    flag = next(
        one for one in pushed if one["resourceType"] == "Flag" and is_labelled(one, "NOPAT")
    )
    assert [one["status"] for one in ordinary] == ["active"] * 2 + ["entered-in-error"] * 2
    for one in ordinary:
        assert one["resourceType"] == "Flag"
        assert [i["system"] for i in one["identifier"]] == [i["system"] for i in flag["identifier"]]
        assert one["meta"]["profile"] == flag["meta"]["profile"]


def test_a_system_that_shows_patients_no_flags_at_all_is_asked_by_a_condition(
    few: Path, tmp_path: Path
) -> None:
    with a_test_system(tmp_path / "gp", Leak.NO_FLAGS.value) as system:
        outcome = when_checked(system, few)
    assert (outcome.verdict, outcome.doubts) == (LeakCheckVerdict.CLEAN, ())
    assert outcome.control is ControlKind.CONDITION


def test_what_stays_after_it_was_taken_back_concludes_nothing(few: Path, tmp_path: Path) -> None:
    with a_test_system(tmp_path / "gp", Leak.KEEPS_ALL.value) as system:
        outcome = when_checked(system, few)
    assert outcome.verdict is LeakCheckVerdict.INCONCLUSIVE
    assert NOT_REMOVED in outcome.doubts


def test_a_leak_is_a_leak_although_the_control_did_not_show(few: Path, tmp_path: Path) -> None:
    broken = (Leak.NO_CONTROL.value, "history")
    with a_test_system(tmp_path / "gp", *broken) as system:
        outcome = when_checked(system, few)
    assert (outcome.verdict, outcome.doubts) == (LeakCheckVerdict.LEAKS, (NOT_SHOWN,))
    assert the_names(outcome) == {"history"}


def test_the_three_sides_and_the_control_stand_in_the_signed_result(
    few: Path, tmp_path: Path
) -> None:
    with a_test_system(tmp_path / "gp") as system:
        outcome = when_checked(system, few)
    said = json.loads(content(outcome, tool_version="0.1.0"))
    sides = (system.patient_base, system.push.base, system.clinician.base)
    assert (said["patient_base"], said["push_base"], said["clinician_base"]) == sides
    assert said["control"] == "Flag"
    assert said["requests"] >= said["planned"] > 0


def the_pushes(folder: Path) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    return [line for line in lines if line["method"] == "PUT"]


def is_labelled(resource: dict[str, object], code: str) -> bool:
    return f"'code': '{code}'" in str(resource["meta"])
