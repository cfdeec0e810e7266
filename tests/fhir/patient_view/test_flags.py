"""Our own flags are removed in every kind, status and place, labelled or stripped of all labels."""

from collections.abc import Callable

import pytest

from flagservice.domain.codes import CATEGORY_CODES, CODES
from flagservice.domain.elements import Kind
from flagservice.fhir.patient_view.view import patient_view
from tests.fhir.patient_view.records import SYSTEMS, Json, a, bundle, entry, label, ours

EMPTY = {"resourceType": "Bundle", "type": "collection"}
ORDINARY = a("Condition", "asthma", code={"text": "Asthma"})

PLACES: dict[str, Callable[[Json], Json]] = {
    "an entry": lambda flag: flag,
    "contained": lambda flag: a("Basic", "b", contained=[flag]),
    "in a bundle": lambda flag: bundle(flag, type_="searchset", total=1),
    "in bundles in bundles": lambda flag: bundle(bundle(bundle(flag))),
    "in parameters": lambda flag: a("Parameters", "p", parameter=[{"name": "f", "resource": flag}]),
    "in parts of parameters": lambda flag: a(
        "Parameters", "p", parameter=[{"name": "f", "part": [{"name": "g", "resource": flag}]}]
    ),
}


def labelled(flag: Json) -> Json:
    return flag


def stripped(flag: Json) -> Json:
    """As a system writes it that keeps neither labels nor what it does not know."""
    return {
        name: value for name, value in flag.items() if name not in ("meta", "extension", "author")
    }


def reduced(flag: Json) -> Json:
    """Type, status and code, and nothing else."""
    kept = ("resourceType", "id", "status", "intent", "code")
    return {name: value for name, value in flag.items() if name in kept}


def undisplayed(flag: Json) -> Json:
    """As reduced, and its code without any word or system."""
    code = [{"code": one["code"]} for one in flag["code"]["coding"]]
    return {**reduced(flag), "code": {"coding": code}}


def test_there_are_flags_and_requests_of_every_status() -> None:
    every = [one for kind in Kind for one in ours(kind)]
    assert {one["resourceType"] for one in every} == {"Flag", "Task"}
    statuses = {one["status"] for one in every}
    assert statuses == {"active", "inactive", "entered-in-error", "requested", "cancelled"}


@pytest.mark.parametrize("made", [labelled, stripped, reduced])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", list(Kind))
def test_our_flags_are_removed_wherever_they_are(
    kind: Kind, place: str, made: Callable[[Json], Json]
) -> None:
    for flag in ours(kind):
        view = patient_view(bundle(ORDINARY, PLACES[place](made(flag))))
        assert view.shown == bundle(ORDINARY)
        assert view.kept == 1


@pytest.mark.parametrize("kind", list(Kind))
def test_a_flag_is_removed_for_its_bare_code(kind: Kind) -> None:
    flags = [one for one in ours(kind) if one["resourceType"] == "Flag"]
    for flag in flags:
        assert patient_view(bundle(undisplayed(flag))).shown == EMPTY


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("status", ["active", "inactive", "entered-in-error"])
def test_a_flag_is_removed_for_its_label_alone(system: str, status: str) -> None:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "226201008"}]}
    flag = a("Flag", "f", status=status, code=code)
    assert patient_view(bundle(flag)).shown == bundle(flag)
    assert patient_view(bundle({**flag, "meta": label("NOPAT", system)})).shown == EMPTY


@pytest.mark.parametrize("kind", list(Kind))
def test_a_history_of_our_flags_and_its_deletions_are_removed(kind: Kind) -> None:
    put = [
        entry(one, request={"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"})
        for one in ours(kind)
    ]
    deleted = {"request": {"method": "DELETE", "url": "Flag/1"}, "response": {"status": "204"}}
    record = {"resourceType": "Bundle", "type": "history", "total": 9, "entry": [*put, deleted]}
    assert patient_view(record).shown == {"resourceType": "Bundle", "type": "history"}


@pytest.mark.parametrize("code", [*CODES, *(one.code for one in CATEGORY_CODES.values())])
def test_every_code_that_we_emit_is_known(code: str) -> None:
    coding = next(
        one
        for one in (*(listed.coding for listed in CODES.values()), *CATEGORY_CODES.values())
        if one.code == code
    )
    said = {"coding": [{"system": coding.system, "code": code}]}
    assert patient_view(bundle(a("Observation", "o", code=said))).shown == EMPTY
