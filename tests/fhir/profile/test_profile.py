"""The profile checker lets what conforms pass and notices every single fault."""

from typing import Any

import pytest
from fhir.resources.R4B.flag import Flag
from fhir.resources.R4B.task import Task
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fhir.profile.examples import (
    ACT_CODE,
    AGENCY,
    CHECKERS,
    EXAMPLES,
    FLAG,
    REQUEST,
    REVIEW,
    Path_,
    at,
    definition,
    load,
    places,
    problems,
    put,
    spelt,
    without,
)

Json = dict[str, Any]
MAY_BE_ABSENT = {
    *(("extension",), ("extension", 0), ("extension", 1), ("extension", 2)),
    *(("category", 1), ("category", 2), ("period",), ("period", "start"), ("period", "end")),
    *(("executionPeriod",), ("executionPeriod", "start"), ("executionPeriod", "end")),
    *(("author",), ("requester",), ("author", "display"), ("requester", "display")),
}
MAY_SAY_OTHERWISE = {
    *(("id",), ("meta", "versionId"), ("author", "display"), ("requester", "display")),
    *(("identifier", 0, "value"), ("identifier", 1, "value")),
    *(("category", 1, "coding", 0, "display"), ("category", 2, "coding", 0, "display")),
    *(("code", "coding", 0, "display"), ("code", "coding", 0, "code")),
}


def every_place() -> list[tuple[Json, Path_, Any]]:
    return [
        (resource, path, part)
        for resource in EXAMPLES.values()
        for path, part in places(resource)
        if path != ("resourceType",)
    ]


def cases(verb: str, chosen: list[tuple[Json, Path_, Any]]) -> pytest.MarkDecorator:
    ids = [f"{verb} {spelt(resource, path)}" for resource, path, _ in chosen]
    return pytest.mark.parametrize(("resource", "path", "part"), chosen, ids=ids)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_valid_example_has_no_problems(name: str) -> None:
    assert problems(EXAMPLES[name]) == []


def test_fhir_resources_reads_the_valid_examples() -> None:
    assert Flag.model_validate(FLAG).status == "active"
    assert Task.model_validate(REQUEST).intent == "order"


@cases("deleting", [p for p in every_place() if p[1] not in MAY_BE_ABSENT])
def test_an_absence_is_noticed(resource: Json, path: Path_, part: Any) -> None:
    assert problems(without(resource, path))


@cases("deleting", [p for p in every_place() if p[1] in MAY_BE_ABSENT and p[1] != ("extension",)])
def test_what_may_be_absent_may_be(resource: Json, path: Path_, part: Any) -> None:
    assert problems(without(resource, path)) == []


@cases("doubling", [p for p in every_place() if isinstance(p[2], list)])
def test_a_doubled_list_is_noticed(resource: Json, path: Path_, part: Any) -> None:
    assert problems(put(resource, path, part * 2))


@cases("reversing", [p for p in every_place() if p[1] == ("category",)])
def test_an_order_other_than_the_profiles_is_noticed(
    resource: Json, path: Path_, part: Any
) -> None:
    found = problems(put(resource, path, part[::-1]))
    assert found == ["Flag.category: must stand in the profile's order"]


@cases("rewording", [p for p in every_place() if isinstance(p[2], str)])
def test_an_alteration_is_noticed(resource: Json, path: Path_, part: Any) -> None:
    free = path in MAY_SAY_OTHERWISE and not (resource is REQUEST and path[0] == "code")
    free = free or path[-1] == "name"
    assert bool(problems(put(resource, path, "somebody"))) is not free


@cases("emptying", every_place())
@pytest.mark.parametrize("nothing", [None, "", " ", [], {}], ids=repr)
def test_nothing_in_the_place_of_something_is_noticed(
    resource: Json, path: Path_, part: Any, nothing: Any
) -> None:
    assert problems(put(resource, path, nothing))


@cases("adding to", [p for p in every_place() if isinstance(p[2], dict)])
@pytest.mark.parametrize("name", ["id", "extension", "surprise", "_code", "resourceType"])
def test_an_element_too_many_is_noticed(resource: Json, path: Path_, part: Any, name: str) -> None:
    assert problems(put(resource, (*path, name), "x"))


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(st.data())
def test_nothing_that_is_sent_is_quoted_and_nothing_makes_the_checker_fail(
    data: st.DataObject,
) -> None:
    odd = st.recursive(
        st.none() | st.booleans() | st.floats() | st.just(10**20) | st.just("QUOTED"),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("QUOTED"), inner),
        max_leaves=4,
    )
    resource, path, _ = data.draw(st.sampled_from(every_place()))
    found = problems(put(resource, path, data.draw(odd)))
    assert "QUOTED" not in " ".join(found)


def flag(path: Path_, value: Any) -> Json:
    return put(FLAG, path, value)


def request(path: Path_, value: Any) -> Json:
    return put(REQUEST, path, value)


LABELS = ("meta", "security")
FOURTH = {"system": ACT_CODE, "code": "NOPAT", "display": "x"}
EXTRA = {"url": "https://example.org/other", "valueDate": "2026-11-20"}
FAULTS = {
    "a bogus status": (flag(("status",), "bogus"), "Flag.status: must be one of"),
    "a status that is not text": (flag(("status",), ["active"]), "Flag.status: is not"),
    "a request under way": (request(("status",), "in-progress"), "Task.status: must be one"),
    "an intent other than order": (request(("intent",), "plan"), "Task.intent: must be what"),
    "a time of day in a period": (
        flag(("period", "start"), "2026-11-20T09:00:00Z"),
        "Flag.period.start: does not have",
    ),
    "a month where a day is due": (
        flag(("period", "end"), "2027-11"),
        "Flag.period.end: does not have",
    ),
    "a day that is not on the calendar": (
        flag(("period", "end"), "2027-02-30"),
        "Flag.period.end: is not a well-formed dateTime",
    ),
    "a period that starts after its end": (
        flag(("period", "start"), "2027-11-21"),
        "Flag.period: must not start after its end",
    ),
    "an instant without a zone": (
        flag(("meta", "lastUpdated"), "2026-11-23T09:30:00"),
        "Flag.meta.lastUpdated: is not",
    ),
    "an instant on no calendar": (
        flag(("meta", "lastUpdated"), "2026-02-30T09:30:00Z"),
        "Flag.meta.lastUpdated: is not",
    ),
    "NOPAT missing": (
        without(FLAG, (*LABELS, 0)),
        "Flag.meta.security: the entry nopat is required",
    ),
    "a fourth label": (
        flag(LABELS, [*at(FLAG, LABELS), FOURTH]),
        "Flag.meta.security: may have at most 3",
    ),
    "normal confidentiality": (
        flag((*LABELS, 1, "code"), "N"),
        "Flag.meta.security[1]: must be one of the listed",
    ),
    "a label with other words": (
        flag((*LABELS, 1, "display"), "His partner"),
        "[1].display: must be the words listed",
    ),
    "an extension too many": (
        flag(("extension", 0), EXTRA),
        "Flag.extension[0]: is none of the entries",
    ),
    "the same extension twice": (
        flag(("extension", 1), REVIEW),
        "the entry review-due may stand 1 time(s)",
    ),
    "an expected date on a request": (
        request(("extension", 0), at(FLAG, ("extension", 1))),
        "Task.extension[0]: is none",
    ),
    "an extension without a value": (
        flag(("extension", 0), {"url": REVIEW["url"]}),
        "[0].valueDate: is required",
    ),
    "an extension with another type of value": (
        flag(("extension", 0), {"url": REVIEW["url"], "valueString": "soon"}),
        "Flag.extension[0]: holds an element that the profile does not know",
    ),
    "a mobile telephone": (
        flag(("extension", 2, "valueContactDetail", "telecom", 0, "use"), "mobile"),
        "telecom[0].use: must be what the profile fixes",
    ),
    "narrative": (flag(("text",), {"status": "empty"}), "Flag.text: must be absent"),
    "a contained resource": (flag(("contained",), [FLAG]), "Flag.contained: must be absent"),
    "a note": (request(("note",), [{"text": "x"}]), "Task.note: must be absent"),
    "an owner": (request(("owner",), AGENCY), "Task.owner: must be absent"),
    "a link to the patient": (
        flag(("subject", "reference"), "Patient/1"),
        "Flag.subject.reference: must be absent",
    ),
    "a patient's name": (
        flag(("subject", "display"), "A Person"),
        "Flag.subject.display: must be absent",
    ),
    "a hospital number": (
        flag(("subject", "identifier", "system"), "https://example.org/hospital"),
        "Flag.subject.identifier.system: must be what the profile fixes",
    ),
    "an author who is a person": (
        flag(("author", "type"), "Practitioner"),
        "Flag.author.type: the profile does not let",
    ),
    "two codings": (
        flag(("code", "coding"), at(FLAG, ("code", "coding")) * 2),
        "coding: may have at most 1",
    ),
    "an unknown category": (
        flag(("category", 1, "coding", 0, "code"), "248062006"),
        "Flag.category[1]: is none",
    ),
    "an id of 65 characters": (flag(("id",), "a" * 65), "Flag.id: is not a well-formed id"),
    "an unknown element": (flag(("surprise",), "x"), "Flag: holds an element"),
    "one identifier": (
        flag(("identifier",), at(FLAG, ("identifier",))[:1]),
        "identifier: needs at least 2",
    ),
    "two identifiers of one system": (
        flag(("identifier", 1), at(FLAG, ("identifier", 0))),
        "the entry version is required",
    ),
    "a control character": (
        flag(("author", "display"), "A\x00B"),
        "Flag.author.display: is not a well-formed string",
    ),
}


@pytest.mark.parametrize(("resource", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named(resource: Json, expected: str) -> None:
    assert any(expected in problem for problem in problems(resource))


@pytest.mark.parametrize("type_", ["Task", "flag", None, ["Flag"]], ids=repr)
def test_another_type_of_resource_is_noticed(type_: Any) -> None:
    found = CHECKERS["Flag"].problems(FLAG | {"resourceType": type_})
    assert found == ["Flag: resourceType must be the type that the profile is for"]
    assert CHECKERS["Flag"].problems(without(FLAG, ("resourceType",))) == found


def test_an_extension_can_be_checked_on_its_own() -> None:
    number = load("feed-number")
    url = definition("feed-number")["url"]
    assert number.problems({"url": url, "valuePositiveInt": 7}) == []
    assert number.problems({"url": url, "valuePositiveInt": 0})
    assert number.problems({"url": url, "valuePositiveInt": True})
