"""The leak check against our sandbox: clean where it is right, and each broken mode by its name."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from flagservice.admission.results import accept
from flagservice.audit.log import Actor
from flagservice.kit.leak_check import LeakCheckOutcome
from flagservice.kit.leak_check.crawl.transcript import Transcript
from flagservice.kit.leak_check.differences.naming import FilingStage, Finding, LeakName, ReaderRole
from flagservice.kit.leak_check.filing import copies
from flagservice.kit.leak_check.result import LeakCheckVerdict, content, signed
from flagservice.kit.sandbox.leaks import Leak
from tests.checked import DECIDED, SIGNING, given_a_checker
from tests.kit.leak_check.leak_check_steps import (
    EXAMPLES,
    FLAGGED,
    NOW,
    PLAIN,
    a_test_system,
    the_names,
    when_checked,
)
from tests.world import World

NO_LEAK = {
    Leak.DROPS_FLAGS: "not there as sent when read back",
    Leak.CLINICIAN_BLIND: "a clinician does not see",
}
NOT_ASKED_HERE = {Leak.NO_FLAGS, Leak.NO_CONTROL, Leak.KEEPS_ALL}
"""Of the control alone: see test_leak_check_control."""
LEAKING = [leak for leak in Leak if leak not in NO_LEAK and leak not in NOT_ASKED_HERE]
TOGETHER = [
    (
        *(Leak.COUNT, Leak.HISTORY, Leak.INCLUDE, Leak.EVERYTHING),
        *(Leak.NARRATIVE, Leak.EXPORT, Leak.LAST_UPDATED, Leak.LIST),
    ),
    (
        *(Leak.DOCUMENT, Leak.VERSION, Leak.SECURITY_SEARCH),
        *(Leak.WARNING, Leak.NOTIFICATION, Leak.ERROR_TEXT),
    ),
    (Leak.FORBIDDEN, Leak.PAGING, Leak.REVERSE_CHAIN),
]
"""Modes of which none hides another: a short run meets them in one system, a long one alone."""


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Two kinds' examples: flags and requests, open and ended, child, mother and father."""
    folder = tmp_path / "examples"
    folder.mkdir()
    for kind in ("child-protection", "section-47"):
        (folder / f"{kind}.json").write_bytes((EXAMPLES / f"{kind}.json").read_bytes())
    return folder


@pytest.fixture(scope="module")
def clean(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[LeakCheckOutcome, Transcript]]:
    """One check of a correct system, patient and proxy, with everything that is ever sent."""
    transcript = Transcript()
    with a_test_system(tmp_path_factory.mktemp("clean") / "gp", proxies=True) as system:
        yield when_checked(system, transcript=transcript), transcript


def test_a_correct_system_is_clean(clean: tuple[LeakCheckOutcome, Transcript]) -> None:
    outcome, _ = clean
    assert (outcome.verdict, outcome.findings, outcome.doubts) == (LeakCheckVerdict.CLEAN, (), ())


def test_a_clean_result_is_one_that_the_service_accepts(
    clean: tuple[LeakCheckOutcome, Transcript], world: World
) -> None:
    outcome, _ = clean
    world.now = NOW
    note = signed(content(outcome, tool_version="0.1.0"), SIGNING)
    world.log.perform(Actor("test"), given_a_checker)
    world.log.perform(Actor("test"), lambda work: accept(work, note, decision=DECIDED))


def test_every_door_was_tried_as_patient_and_as_proxy(
    clean: tuple[LeakCheckOutcome, Transcript],
) -> None:
    outcome, transcript = clean
    asked = [json.loads(line) for line in transcript.lines]
    assert outcome.extent.requests == len(asked) > 3000
    for reader in ("patient", "proxy"):
        lines = " ".join(one["asked"] for one in asked if one["reader"] == reader)
        for door in (
            *("metadata", "$everything", "$document", "$export", "_history", "_security=NOPAT"),
            *("_summary=count", "_total=accurate", "_include=", "_revinclude=Flag:patient"),
            *("_has:Flag:patient", "_lastUpdated=gt", "If-None-Match", "If-Modified-Since"),
            *("POST Flag/_search", "HEAD Flag", "_count=1", "Flag?identifier=", "AuditEvent"),
        ):
            assert door in lines, (reader, door)


def test_an_export_was_waited_for_and_every_file_of_it_read(
    clean: tuple[LeakCheckOutcome, Transcript],
) -> None:
    asked = [json.loads(line) for line in clean[1].lines]
    export = [one for one in asked if one["asked"].startswith("GET $export")]
    assert {202, 200} <= {one["status"] for one in export}
    assert any('"resourceType":"Condition"' in one["body"] for one in export)


def test_neither_a_number_nor_a_token_nor_a_flags_words_are_in_the_result(
    clean: tuple[LeakCheckOutcome, Transcript],
) -> None:
    outcome, transcript = clean
    text = content(outcome, tool_version="0.1.0")
    assert not any(word in text for word in (FLAGGED, PLAIN, "Bearer", "protection"))
    assert "Bearer" not in transcript.text


@pytest.mark.parametrize(
    "broken",
    [
        *((leak,) for leak in LEAKING if leak not in chain(*TOGETHER)),
        *TOGETHER,
        *(pytest.param((leak,), marks=pytest.mark.long) for leak in chain(*TOGETHER)),
    ],
    ids=lambda broken: ",".join(leak.value for leak in broken),
)
def test_each_broken_mode_is_found_by_its_name_and_no_other(
    broken: tuple[Leak, ...], few: Path, tmp_path: Path
) -> None:
    modes = {leak.value for leak in broken}
    with a_test_system(tmp_path / "gp", *modes, proxies=Leak.PROXY in broken) as system:
        outcome = when_checked(system, few)
    assert outcome.verdict is LeakCheckVerdict.LEAKS
    assert the_names(outcome) == modes


@pytest.mark.parametrize("leak", NO_LEAK, ids=lambda one: str(one.value))
def test_a_system_that_hides_flags_from_the_practice_passes_nothing(
    leak: Leak, few: Path, tmp_path: Path
) -> None:
    with a_test_system(tmp_path / "gp", leak.value) as system:
        outcome = when_checked(system, few)
    assert outcome.verdict is LeakCheckVerdict.INCONCLUSIVE
    assert NO_LEAK[leak] in outcome.doubts[0]


def test_two_mistakes_are_both_named(few: Path, tmp_path: Path) -> None:
    with a_test_system(tmp_path / "gp", "history", "narrative") as system:
        assert the_names(when_checked(system, few)) == {"history", "narrative"}


def test_a_finding_names_the_request_the_reader_and_the_moment_and_quotes_nothing(
    few: Path, tmp_path: Path
) -> None:
    with a_test_system(tmp_path / "gp", "everything") as system:
        outcome = when_checked(system, few)
    everything = Finding(
        LeakName.EVERYTHING, "GET Patient/$everything", (ReaderRole.PATIENT,), tuple(FilingStage)
    )
    assert everything in outcome.findings
    text = content(outcome, tool_version="0.1.0")
    said = [resource.sent for resource in copies(few, nhs_number=FLAGGED)]
    words = {one["code"]["coding"][0]["code"] for one in said} - {"U"} | {FLAGGED, PLAIN}
    assert not any(word in text for word in words)


def test_there_are_at_least_the_modes_that_were_asked_for() -> None:
    asked = {
        *("label-ignored", "one-nopat-system", "count", "history", "include", "everything"),
        *("narrative", "forbidden", "last-updated", "export"),
    }
    assert asked <= {leak.value for leak in LEAKING} <= {name.value for name in LeakName}


def test_what_is_filed_is_everything_that_is_ever_sent() -> None:
    sent = [one.sent for one in copies(EXAMPLES, nhs_number=FLAGGED)]
    assert {one["resourceType"] for one in sent} == {"Flag", "Task"}
    assert {one["status"] for one in sent} == {"active", "inactive", "requested", "cancelled"}
    codes = {one["code"]["coding"][0]["code"] for one in sent}
    assert {"342191000000101", "U", "contact-duty-desk"} <= codes
    for one in sent:
        assert "NOPAT" in {label["code"] for label in one["meta"]["security"]}
        assert "id" not in one
