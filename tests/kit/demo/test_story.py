"""The demonstration's screen: one family first, then what is held back, then the checks."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from flagservice.kit.demo.family import families
from flagservice.kit.demo.result import PlayResult
from flagservice.kit.demo.stage.practice import GpPractice
from flagservice.kit.demo.stage.stage import DemoStage
from flagservice.kit.demo.story import in_words, story
from flagservice.kit.demo.table import table

HOLD = {"nhs_number": "9990002924", "decider": "practice Caldicott Guardian", "due": "2021-12-13"}
LISTED = {
    "what": "delivery",
    "reason": "practice system not admitted",
    "owner": "operator on duty",
    "opened": "2022-09-12",
}


class Answering:
    """A client whose every call is answered with the same."""

    def __init__(self, kind: str, ods: str, **answer: Any) -> None:
        self.kind, self.ods, self._answer = kind, ods, answer

    def call(self, *_: str) -> Any:
        return SimpleNamespace(json=lambda: self._answer)


def a_flag(nhs_number: str, display: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Flag",
        "status": "active",
        "identifier": [{"value": f"{nhs_number}-{display}"}],
        "subject": {"identifier": {"value": nhs_number}},
        "category": [{}],
        "code": {"coding": [{"code": "1", "display": display}]},
        "extension": [{"url": "https://x/duty-desk"}],
        **more,
    }


@pytest.fixture
def stage(tmp_path: Path) -> DemoStage:
    """Family 1 after its last event, more or less; and one hold in family 2."""
    made = DemoStage(tmp_path, families(), lambda _: None)
    codes = {member.practice for family in made.families for member in family.members.values()}
    for code in sorted(codes):
        folder = tmp_path / code
        folder.mkdir()
        holds = [HOLD] if code == "B83903" else []
        lead = Answering("practice-lead", code, holds=holds)
        made.practices[code] = GpPractice(code, folder, client=lead, lead=lead, tokens={})
    made.submitters = {
        "police": Answering("police", "Q0WYP", holds=[]),
        "governance": Answering("governance", "X26", waiting=[LISTED]),
    }
    category = [{}, {"coding": [{"display": "Category physical"}]}]
    given_received(made, "B83901", a_flag("9990001111", "Subject to plan", category=category))
    given_received(made, "B83901", a_flag("9990002258", "Victim", period={"start": "2022-01-04"}))
    given_received(made, "B83902", a_flag("9990002517", "Family member on plan"))
    return made


def given_received(stage: DemoStage, code: str, resource: dict[str, Any]) -> None:
    line = {"method": "PUT", "target": "/", "status": 201, "body": json.dumps(resource)}
    with (stage.folder / code / "journal.jsonl").open("a") as journal:
        journal.write(json.dumps(line) + "\n")


def told(stage: DemoStage, result: PlayResult) -> str:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    story(console, stage, result)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_story_comes_first_then_what_is_held_back_then_the_checks(stage: DemoStage) -> None:
    result = PlayResult(passed=["one", "two"], also={"the audit verifies": []})
    said = told(stage, result)
    order = [
        *("police: perpetrator notification", "child protection plan", "GP practice B83901"),
        *("the child's record", "flag: Subject to plan", "whom to ring, category physical"),
        *("the mother's record", "from 2022-01-04", "GP practice B83902", "the father's record"),
        *("flag: Family member on plan", "he is also an alleged perpetrator"),
        *("held back", "family 2, mother at B83903", "by 2021-12-13", "the accusation is held"),
        *("operator on duty", "Checked", "held    2 times", "held    the audit verifies"),
    ]
    places = [said.index(words) for words in order]
    assert places == sorted(places)


def test_every_line_fits_eighty_columns(stage: DemoStage) -> None:
    result = PlayResult(
        passed=["one"],
        failed={"family 1, after a plan: father at B83902": ["a word is there"] * 9},
        not_yet={"family 3, after a plan: the wrong man": "a plan against the wrong person" * 3},
        also={"every feed contiguous from 1, its bytes those that were pushed": ["gap"] * 9},
    )
    lines = told(stage, result).splitlines()
    assert max(map(len, lines)) <= 80


def test_a_failure_is_told_as_one(stage: DemoStage) -> None:
    result = PlayResult(failed={"father": ["a word is there"]}, also={"feeds": ["a gap"]})
    said = told(stage, result)
    assert "failed  father: a word is there" in said
    assert "failed  feeds: a gap" in said
    assert not result.good


def test_a_copy_that_was_taken_back_is_not_drawn_and_history_says_so(stage: DemoStage) -> None:
    gone = {"status": "inactive", "code": {"coding": [{"code": "U", "display": "Unspecified"}]}}
    given_received(stage, "B83902", a_flag("9990002517", "Gone", **gone, extension=[]))
    given_received(stage, "B83902", a_flag("9990002517", "Past", status="inactive"))
    said = told(stage, PlayResult())
    assert "Unspecified" not in said
    assert "flag: Past, as history" in said


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (set(), ""),
        ({"concern", "duty-desk"}, "whom to ring"),
        (
            {"end 2023-01-05", "category neglect", "agency", "review-due 2022-04-05"},
            "which agency, until 2023-01-05, look again 2022-04-05, category neglect",
        ),
    ],
)
def test_what_a_flag_says_is_said_in_words(says: set[str], words: str) -> None:
    assert in_words(says) == words


def test_the_whole_table_has_a_row_for_each_copy(stage: DemoStage) -> None:
    assert table(stage).row_count == 3
