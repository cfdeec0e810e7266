"""What comes back, read as a client reads it; every answer's envelope is read, too."""

import uuid
from typing import Any

import httpx

FHIR = "/fhir/R4"


def then_in_its_envelope(answer: httpx.Response) -> None:
    """What is true of every answer: never cached, with a request id, and dated by nobody."""
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    uuid.UUID(answer.headers["X-Request-ID"])
    assert not {"date", "server"} & set(answer.headers)
    if answer.is_success or answer.status_code == 304 or answer.request.method == "HEAD":
        return
    if answer.request.url.path.startswith(FHIR):
        assert answer.headers["Content-Type"] == "application/fhir+json"
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert all(issue["severity"] == "error" for issue in answer.json()["issue"])
    elif "error" in answer.json():
        assert answer.request.url.path == "/oauth2/token"
        assert answer.headers["Content-Type"] == "application/json"
    else:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    """The field and the rule of each thing that was wrong."""
    if answer.request.url.path.startswith(FHIR):
        return [
            (i["expression"][0], i["diagnostics"].partition(": ")[2])
            for i in answer.json()["issue"]
        ]
    return [(fault["field"], fault["rule"]) for fault in answer.json()["errors"]]


def then_refused(answer: httpx.Response, status: int, *named: tuple[str, str]) -> None:
    """With this status, and exactly these fields and rules where any are given."""
    assert answer.status_code == status, answer.text
    if named:
        assert faults(answer) == list(named)


def resources(answer: httpx.Response) -> list[dict[str, Any]]:
    """What a Bundle carries."""
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


def links(answer: httpx.Response) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in answer.json()["link"]}
