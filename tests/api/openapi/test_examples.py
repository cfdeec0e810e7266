"""The examples of the description are true: a request is taken, a refusal is as it is told."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome

from flagservice.api.openapi import examples
from flagservice.app.serve import described
from tests.api.answers import FHIR
from tests.api.steps import BASE, FORM, Cast, Client

DESCRIPTION: dict[str, Any] = described().openapi()
OPAQUE = ("page", "cursor")
"""What the service alone can make: an example of it is refused as any other guess is."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DESCRIPTION["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def example_of(parameter: dict[str, Any]) -> Any:
    return parameter["schema"]["examples"][0]


def caller(cast: Cast, operation: dict[str, Any]) -> Client:
    """Somebody who has the right."""
    needed = {scope for one in operation.get("security", ()) for scope in one["clients"]}
    for client, scopes in (
        (cast.council, {"plans.write", "enquiries.write", "receipts.read"}),
        (cast.council, {"holds.read", "holds.decide"}),
        (cast.police, {"notifications.write"}),
        (cast.operator, {"service.read"}),
        (cast.governance, {"rulings.read", "governance.read", "deliveries.close"}),
    ):
        if needed and needed <= scopes:
            return client
    return cast.practice


def filled(path: str, operation: dict[str, Any]) -> str:
    for parameter in operation["parameters"]:
        if parameter.get("in") == "path":
            name = parameter["name"]
            for gap in (f"{{{name}}}", f"{{{name}:path}}"):
                path = path.replace(gap, str(example_of(parameter)))
    return path


BODIES = [
    pytest.param(path, media_type, said["example"], operation, id=path)
    for method, path, operation in operations()
    for media_type, said in operation.get("requestBody", {}).get("content", {}).items()
    if path != "/oauth2/token"
]
QUERIES = [
    pytest.param(path, parameter, operation, id=f"{path}?{parameter['name']}")
    for method, path, operation in operations()
    for parameter in operation["parameters"]
    if method == "GET" and parameter.get("in") == "query"
]


@pytest.mark.parametrize(("path", "media_type", "example", "operation"), BODIES)
def test_a_body_is_taken(
    house: Cast, path: str, media_type: str, example: Any, operation: dict[str, Any]
) -> None:
    client = caller(house, operation)
    text = json.dumps(example)
    if media_type == FORM:
        text = "&".join(f"{name}={quote(value)}" for name, value in example.items())
    headers = {"Content-Type": media_type}
    answer = client.calls("POST", filled(path, operation), content=text, headers=headers)
    assert answer.status_code in ((404,) if "{" in path else (200, 201)), answer.text


@pytest.mark.parametrize(("path", "parameter", "operation"), QUERIES)
def test_a_parameter_is_taken(
    house: Cast, path: str, parameter: dict[str, Any], operation: dict[str, Any]
) -> None:
    query = f"?{parameter['name']}={quote(str(example_of(parameter)))}"
    answer = caller(house, operation).gets(filled(path, operation) + query)
    refused = parameter["name"] in OPAQUE and "{" not in path
    assert answer.status_code in ((422,) if refused else (200, 404)), answer.text


def test_a_refusal_is_written_as_its_example_is(house: Cast) -> None:
    for method, path, operation in operations():
        for status, told in operation["responses"].items():
            for media_type, said in told.get("content", {}).items():
                if path.startswith(FHIR) and not status.startswith("2"):
                    OperationOutcome.model_validate(said["example"])
                    assert media_type == "application/fhir+json", (method, path)
    unknown = house.service.send("GET", f"{BASE}{FHIR}/Flag?_count=0")
    example = DESCRIPTION["paths"][f"{FHIR}/Flag"]["get"]["responses"]["401"]
    told = example["content"]["application/fhir+json"]["example"]
    assert unknown.status_code == 401
    assert unknown.json()["issue"][0].keys() == told["issue"][0].keys()
    assert unknown.json()["issue"][0]["details"] == told["issue"][0]["details"]
    problem = house.service.send("GET", f"{BASE}/holds").json()
    example = DESCRIPTION["paths"]["/holds"]["get"]["responses"]["401"]
    assert problem.keys() == example["content"]["application/problem+json"]["example"].keys()


def test_no_example_is_left_over() -> None:
    used = [p.values[2] for p in BODIES]
    bodies = [one for one in vars(examples).values() if isinstance(one, dict) and "people" in one]
    bodies += [examples.DECISION, examples.CLOSING, examples.ACKNOWLEDGEMENT]
    assert len(bodies) == 6
    assert [one for one in (*bodies, *examples.SEARCHES.values()) if one not in used] == []
