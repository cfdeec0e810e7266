"""Each row of the scenario table is what a practice really reads after a reset."""

from datetime import UTC, datetime

import pytest

from flagservice.app.sandbox.scenarios import SyntheticPerson, scenarios
from flagservice.app.sandbox.tenants import PRACTICE, SECOND
from flagservice.domain.days.london import day_of
from tests.api.answers import FHIR, then_refused
from tests.sandbox.steps import Box, counted, feed, nhs_number, seen

PEOPLE = list(scenarios().people.values())
TODAY = day_of(datetime.now(UTC))


@pytest.mark.parametrize("one", PEOPLE, ids=lambda one: one.name)
def test_the_practice_reads_exactly_what_the_table_says(
    quiet_box: Box, one: SyntheticPerson
) -> None:
    told = sorted(counted(line, TODAY) for line in one.sees)
    assert seen(quiet_box.acme.practice, one.name, TODAY) == told


def test_every_number_is_of_the_test_range_and_stands_once() -> None:
    numbers = [one.nhs_number for one in PEOPLE]
    assert all(number.startswith("999") for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_the_second_practice_reads_its_own_patients_and_no_others(quiet_box: Box) -> None:
    second = quiet_box.acme.clients["gp-system-second"]
    has = {one.name for one in PEOPLE if seen(second, one.name, TODAY)}
    assert has == {"elsewhere", "moved-away"}
    assert seen(second, "moved-away", TODAY) == [
        "Flag active 342191000000101, category physical, from day -50, R"
    ]


def test_a_practice_that_is_not_admitted_is_told_that_and_no_more(quiet_box: Box) -> None:
    third = quiet_box.acme.clients["gp-system-unadmitted"]
    for one in ("not-admitted", "nothing"):
        then_refused(third.searches(nhs_number(one)), 403)


def test_what_is_held_is_on_the_leads_worklist(quiet_box: Box) -> None:
    holds = quiet_box.acme.clients["practice-lead"].gets("/holds").json()["holds"]
    assert [hold["nhs_number"] for hold in holds] == [nhs_number("held")]


def test_an_unconfirmed_father_is_on_the_councils_worklist(quiet_box: Box) -> None:
    council = quiet_box.acme.clients["childrens-services"]
    holds = council.gets("/holds").json()["holds"]
    assert [hold["nhs_number"] for hold in holds] == [nhs_number("unconfirmed")]


def test_the_feed_has_three_versions_of_the_plan_that_was_amended_twice(quiet_box: Box) -> None:
    assert len(_of(quiet_box, "amended")) == 3


@pytest.mark.parametrize("name", ["ended-sibling", "moved-away"])
def test_what_was_taken_back_is_in_the_feed_without_its_words(quiet_box: Box, name: str) -> None:
    *_, last = _of(quiet_box, name)
    assert last["status"] == "inactive"
    assert last["code"]["coding"][0]["code"] == "U"
    assert not {"period", "extension", "author"} & set(last)


def test_the_council_reads_what_became_of_each_record(quiet_box: Box) -> None:
    council = quiet_box.acme.clients["childrens-services"]
    receipt = council.gets("/receipts/SBX-NOWHERE").json()
    assert [record["status"] for record in receipt["records"]] == ["not reached"]


def test_everybody_is_registered_where_the_table_says_or_moved_from_there() -> None:
    moved = {step["moves"]: step["to"] for step in scenarios().steps if "moves" in step}
    assert moved == {"moved-away": SECOND, "arrived": PRACTICE}


def test_the_capability_statement_is_open_to_whoever_names_no_client(quiet_box: Box) -> None:
    assert quiet_box.send("GET", f"{FHIR}/metadata").json()["resourceType"] == "CapabilityStatement"


def _of(box: Box, name: str) -> list[dict[str, object]]:
    number = nhs_number(name)
    return [
        one
        for one in feed(box.acme.practice)
        if (one.get("subject") or one["for"])["identifier"]["value"] == number
    ]
