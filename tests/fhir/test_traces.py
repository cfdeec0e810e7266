"""Provenance and AuditEvent are R4, and say no more than the flag that they are about."""

import re
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.provenance import Provenance
from fhir.resources.R4B.searchparameter import SearchParameter

from flagservice.domain.elements import Kind
from flagservice.fhir.audit_events import DEEDS, AuditedDeed, audit_event
from flagservice.fhir.provenance import provenance
from flagservice.fhir.search.parameters import CRITERIA, search_parameters
from flagservice.fhir.search.tokens import says, tokens
from tests.generated import examples
from tests.world import the_rulebook

RULEBOOK = the_rulebook()
EVENT = AuditedDeed(
    id="e1",
    deed="read",
    at="2022-01-04T09:59:59.123456+00:00",
    ods="B83901",
    client="c1",
    target="Flag/f1",
    versions=("v1", "v2"),
)


def resources(kind: Kind) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in examples(kind, RULEBOOK)["entry"]]


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("removal", [True, False])
def test_every_version_has_an_origin_with_its_own_labels(kind: Kind, removal: bool) -> None:
    for resource in resources(kind):
        told = provenance(resource, removal=removal)
        Provenance.model_validate(told)
        assert told["meta"]["security"] == resource["meta"]["security"]
        said = repr(resource)
        for agent in told["agent"][1:]:
            assert repr(agent["who"]) in said
        assert repr(resource.get("subject", resource.get("for"))) not in repr(told)


@pytest.mark.parametrize("deed", sorted(DEEDS))
def test_every_deed_is_an_event(deed: str) -> None:
    told = audit_event(AuditedDeed(**{**vars(EVENT), "deed": deed}), labels=("NOPAT", "R"))
    AuditEvent.model_validate(told)
    assert [label["code"] for label in told["meta"]["security"]] == ["NOPAT", "R"]
    assert len(told["entity"]) == 2


def test_an_event_that_names_no_version_names_its_flag() -> None:
    told = audit_event(AuditedDeed(**{**vars(EVENT), "versions": ()}), labels=("NOPAT",))
    assert told["entity"] == [{"what": {"reference": "Flag/f1"}}]


def test_an_event_joins_no_two_flags_that_one_answer_told_of() -> None:
    """One leaf of a feed is an event of each flag on its page: neither id nor instant say so."""
    one = audit_event(EVENT, labels=("NOPAT",))
    moved = {"target": "Flag/f2", "versions": ("v3",), "at": "2022-01-04T09:00:00+00:00"}
    other = audit_event(AuditedDeed(**{**vars(EVENT), **moved}), labels=("NOPAT",))
    assert one["id"] != other["id"]
    for told in (one, other):
        assert re.fullmatch("[0-9a-f]{32}", told["id"])
        assert told["id"] != EVENT.id
        assert told["recorded"] == "2022-01-04T09:00:00+00:00"
    assert audit_event(EVENT, labels=("NOPAT",))["id"] == one["id"]
    other_leaf = AuditedDeed(**{**vars(EVENT), "id": "e2"})
    assert audit_event(other_leaf, labels=("NOPAT",))["id"] != one["id"]


def test_our_own_search_parameters_are_r4_and_each_criterion_has_a_definition() -> None:
    ours = search_parameters()
    assert sorted(ours) == ["Flag-category", "Flag-code", "Flag-status"]
    for id_, resource in ours.items():
        SearchParameter.model_validate(resource)
        assert resource["url"].endswith(f"/SearchParameter/{id_}")
    addresses = {one.definition(type_) for type_, found in CRITERIA.items() for one in found}
    assert {resource["url"] for resource in ours.values()} < addresses


@pytest.mark.parametrize("text", ["", "|", "a|b|c", "a,", ",a", "a||b"])
def test_what_is_no_token_is_none(text: str) -> None:
    assert tokens(text) is None


FLAG = {
    "resourceType": "Flag",
    "status": "active",
    "category": [{"coding": [{"system": "s", "code": "a,b|c\\"}]}, {"coding": [{"code": "x"}]}],
    "code": {"coding": [{"system": "s", "code": "k"}]},
}


@pytest.mark.parametrize(
    ("name", "text", "matches"),
    [
        ("category", "s|a\\,b\\|c\\\\", True),
        ("category", "a\\,b\\|c\\\\", True),
        ("category", "a\\,b", False),
        ("category", "|x", True),
        ("category", "s|x", False),
        ("category", "no,x", True),
        ("category", "a\\\\,x", True),
        ("code", "s|", True),
        ("code", "t|", False),
        ("code", "|k", False),
        ("code", "K", False),
        ("status", "http://hl7.org/fhir/flag-status|active", True),
        ("status", "http://hl7.org/fhir/task-status|active", False),
    ],
)
def test_a_token_matches(name: str, text: str, matches: bool) -> None:
    found = tokens(text)
    assert found is not None
    assert says(FLAG, {name: [found]}) is matches


def test_every_repetition_has_to_match_and_any_alternative_does() -> None:
    x, other = tokens("|x") or [], tokens("other,s|") or []
    assert says(FLAG, {"category": [x, other]})
    assert not says(FLAG, {"category": [x, tokens("other") or []]})
    assert not says({"resourceType": "Flag", "status": "active"}, {"category": [x]})
    assert says(FLAG, {})
