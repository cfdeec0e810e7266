"""What is generated is up to date and true: the API's description, the capability, examples."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import RouteContext, iter_route_contexts
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from flagservice.app.release import read_rulebook
from flagservice.app.serve import described
from flagservice.clients.kinds import SCOPES
from flagservice.clients.scopes import rights
from flagservice.domain.elements import NOTIFICATIONS, Kind
from flagservice.fhir.writing import to_bytes
from flagservice.policy.printed.answers import table
from flagservice.policy.proof.prove import load
from flagservice.policy.table import UnusablePolicy
from tests import generated
from tests.generated import BASE, EXAMPLES, HOME

FILES = generated.generated()
RULEBOOK = read_rulebook(HOME)
DESCRIPTION: dict[str, Any] = json.loads(FILES[Path("openapi/flagservice.json")])
CAPABILITY: dict[str, Any] = json.loads(FILES[Path("openapi/capability.json")])
INTERACTIONS = {
    ("GET", "/fhir/R4/{type}/{id}"): "read",
    ("GET", "/fhir/R4/{type}/{id}/_history/{vid}"): "vread",
    ("POST", "/fhir/R4/{type}/_search"): "search-type",
    ("GET", "/fhir/R4/{type}"): "search-type",
    ("GET", "/fhir/R4/{type}/{id}/_history"): "history-instance",
    ("GET", "/fhir/R4/{type}/_history"): "history-type",
    ("GET", "/fhir/R4/{type}/$digest"): "digest",
    ("POST", "/fhir/R4/$acknowledge"): "acknowledge",
    ("GET", "/fhir/R4/metadata"): None,
}


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in DESCRIPTION["paths"].items()
        for method, operation in methods.items()
    ]


def routes() -> list[tuple[str, RouteContext]]:
    return [
        (method, route)
        for route in iter_route_contexts(described().routes)
        for method in route.methods or ()
        if route.include_in_schema
    ]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_generated_file_is_up_to_date_see_make_generate(path: Path) -> None:
    assert (HOME / path).read_text(encoding="utf-8") == FILES[path]


def test_no_example_is_left_over() -> None:
    assert {EXAMPLES / path.name for path in (HOME / EXAMPLES).iterdir()} == {
        path for path in FILES if path.parent == EXAMPLES
    }


def test_generating_twice_gives_the_same_bytes() -> None:
    assert generated.generated() == FILES


def test_the_description_has_the_routes_of_the_app_and_no_others() -> None:
    told = {(method, path) for method, path, _ in operations()}
    assert told == {(method, route.path_format) for method, route in routes()}


def test_every_operation_tells_its_right_its_faults_and_what_it_is() -> None:
    scopes = rights(scope for held in SCOPES.values() for scope in held)
    open_to_all = {"/_ping", "/oauth2/token", "/fhir/R4/metadata"}
    for _, path, operation in operations():
        needed = {scope for one in operation.get("security", ()) for scope in one["clients"]}
        assert (needed == set()) is (path in open_to_all), path
        assert needed <= scopes
        assert {"422", "429", "500", "503"} < set(operation["responses"])
        assert not needed or {"401", "403"} < set(operation["responses"])
        assert "Retry-After" in operation["responses"]["429"]["headers"]
        assert operation["description"]


def test_every_right_is_needed_somewhere_and_described() -> None:
    used = {
        scope
        for _, _, operation in operations()
        for one in operation.get("security", ())
        for scope in one["clients"]
    }
    flow = DESCRIPTION["components"]["securitySchemes"]["clients"]["flows"]["clientCredentials"]
    assert used == set(flow["scopes"])


def test_every_post_describes_its_body() -> None:
    silent = [p for method, p, one in operations() if method == "POST" and "requestBody" not in one]
    assert silent == []


def test_a_refusal_is_told_in_the_format_of_its_side() -> None:
    for method, path, operation in operations():
        for status, answer in operation["responses"].items():
            if status.startswith(("2", "304")):
                continue
            (media_type,) = answer["content"]
            fhir = path.startswith("/fhir/R4")
            wanted = "application/fhir+json" if fhir else "application/problem+json"
            oauth = path == "/oauth2/token" and status in ("400", "401", "403")
            assert media_type == ("application/json" if oauth else wanted), (method, path, status)


def test_every_reference_in_the_description_leads_somewhere() -> None:
    for reference in re.findall(r'"#/(components/[^"]+)"', json.dumps(DESCRIPTION)):
        found: Any = DESCRIPTION
        for step in reference.split("/"):
            found = found[step]


def test_the_capability_statement_says_what_the_routes_do() -> None:
    served: dict[str | None, set[str]] = {}
    for method, route in routes():
        path = str(route.path_format)
        if not path.startswith("/fhir/R4"):
            continue
        found = re.match(r"/fhir/R4/([A-Z][A-Za-z]+)(?=/|$)", path)
        type_ = found[1] if found else None
        interaction = INTERACTIONS[method, path.replace(f"/{type_}", "/{type}", 1)]
        if interaction is not None:
            served.setdefault(type_, set()).add(interaction)
    (rest,) = CAPABILITY["rest"]
    told: dict[str | None, set[str]] = {
        one["type"]: {said["code"] for said in one["interaction"]} | names(one)
        for one in rest["resource"]
    }
    assert {**told, None: names(rest)} == served


def names(one: dict[str, Any]) -> set[str]:
    return {said["name"] for said in one.get("operation", ())}


def test_what_the_capability_statement_points_to_is_published_or_the_standards_own() -> None:
    (rest,) = CAPABILITY["rest"]
    everything = [rest, *rest["resource"]]
    pointed = {
        said["definition"]
        for one in everything
        for said in [*one.get("searchParam", ()), *one.get("operation", ())]
    }
    ours = {
        json.loads(text)["url"] for path, text in FILES.items() if path.parent.name == "profiles"
    }
    assert {one for one in pointed if not one.startswith("http://hl7.org/fhir/")} == ours


def test_every_search_parameter_is_in_both_descriptions() -> None:
    for one in CAPABILITY["rest"][0]["resource"]:
        told = {said["name"] for said in one["searchParam"]} - {"patient"}
        url = DESCRIPTION["paths"][f"/fhir/R4/{one['type']}"]["get"]["parameters"]
        form = DESCRIPTION["paths"][f"/fhir/R4/{one['type']}/_search"]["post"]["requestBody"]
        (content,) = form["content"].values()
        paging = {"_count", "page"}
        assert {said["name"] for said in url if said.get("in") == "query"} - paging == told
        names_ = {
            name.partition(":")[0].partition(".")[0] for name in content["schema"]["properties"]
        }
        assert names_ - paging - {"patient"} == told


def test_every_request_and_every_refusal_has_an_example() -> None:
    for method, path, operation in operations():
        for parameter in operation["parameters"]:
            assert "$ref" in parameter or parameter["schema"]["examples"], (method, path)
        for said in operation.get("requestBody", {}).get("content", {}).values():
            assert said["example"], (method, path)
        for status, answer in operation["responses"].items():
            told = [said.get("example") for said in answer.get("content", {}).values()]
            assert status.startswith(("2", "304")) or all(told), (method, path, status)


def test_the_capability_statement_is_one_and_names_every_interaction_once() -> None:
    CapabilityStatement.model_validate(CAPABILITY)
    for resource in CAPABILITY["rest"][0]["resource"]:
        codes = [said["code"] for said in resource["interaction"]]
        assert sorted(codes) == sorted(set(codes))
    assert CAPABILITY["implementation"]["url"] == BASE


def versions() -> list[dict[str, Any]]:
    return [
        entry["resource"]
        for path, text in FILES.items()
        if path.parent == EXAMPLES
        for entry in json.loads(text)["entry"]
    ]


@pytest.mark.parametrize("kind", Kind)
def test_the_examples_of_a_kind_are_a_bundle(kind: Kind) -> None:
    Bundle.model_validate_json(FILES[EXAMPLES / f"{kind}.json"])


@pytest.mark.parametrize("resource", versions(), ids=lambda one: one["meta"]["versionId"])
def test_an_example_fits_its_profile(resource: dict[str, Any]) -> None:
    assert RULEBOOK.profiles[resource["resourceType"]].problems(resource) == []
    assert json.loads(to_bytes(resource, RULEBOOK.profiles)) == resource


def test_every_record_that_is_told_something_has_an_example() -> None:
    told = {
        f"{kind}-{ruling.case.role}" for kind in Kind for ruling in generated.told(kind, RULEBOOK)
    }
    shown = {resource["id"] for resource in versions()}
    own = {f"{kind}-alleged-perpetrator" for kind in NOTIFICATIONS}
    assert shown == told | own


def test_there_is_an_example_of_each_end_history_and_removal() -> None:
    last = [one for one in versions() if one["meta"]["versionId"].endswith("-2")]
    removals = [one for one in last if "extension" not in one and "period" not in one]
    assert {one["resourceType"] for one in removals} == {"Flag", "Task"}
    assert any("period" in one for one in last)


def test_the_readme_of_the_policies_shows_one_table_as_it_is_printed() -> None:
    readme = (HOME / "policies/README.md").read_text(encoding="utf-8")
    printed = table(RULEBOOK.policies[Kind.SECTION_47], owned=True)
    shown = "".join(f"    {line}".rstrip() + "\n" for line in printed.splitlines())
    assert shown in readme


def test_the_readme_of_the_policies_shows_what_an_officer_sees_of_a_broken_file() -> None:
    readme = (HOME / "policies/README.md").read_text(encoding="utf-8")
    text = RULEBOOK.policies[Kind.CHILD_PROTECTION].text
    before, row, after = text.partition('id = "CP-P10"')
    with pytest.raises(UnusablePolicy) as refused:
        load(before + row + after.replace('desk = "neutral"', 'desk = "agency"', 1))
    assert f"    {refused.value}\n" in readme
