"""Every answer of the API's tests is held against the description; here, that this is seen."""

import httpx
import pytest

from tests.api.description import description, operation_of, then_as_described

HOLD = {
    "id": "h1",
    "nhs_number": "9990001111",
    "question": "placement",
    "would_place": {"concern": "a code"},
    "opened": "2022-01-04",
    "due": "2022-01-11",
    "overdue": False,
    "decider": "submitter",
}


def answered(body: object, status: int = 200, type_: str = "application/json") -> httpx.Response:
    """An answer to a look at the worklist, as nobody gave it."""
    request = httpx.Request("GET", "https://flags.example/holds?limit=1")
    return httpx.Response(status, json=body, headers={"Content-Type": type_}, request=request)


def test_what_is_as_described_passes() -> None:
    then_as_described(answered({"holds": [HOLD]}))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"holds": None},
        {"holds": [], "total": 0},
        {"holds": [{**HOLD, "practice": "B83901"}]},
        {"holds": [{name: value for name, value in HOLD.items() if name != "decider"}]},
        {"holds": [{**HOLD, "due": "soon"}]},
        {"holds": [{**HOLD, "question": "why"}]},
        {"holds": [{**HOLD, "overdue": "no"}]},
    ],
)
def test_a_body_that_is_not_as_described_would_be_found(body: object) -> None:
    with pytest.raises(AssertionError):
        then_as_described(answered(body))


@pytest.mark.parametrize(
    ("status", "type_"), [(202, "application/json"), (200, "text/html"), (401, "application/json")]
)
def test_a_status_or_a_type_that_is_not_described_would_be_found(status: int, type_: str) -> None:
    with pytest.raises(AssertionError):
        then_as_described(answered({"holds": []}, status, type_))


def test_every_operation_is_found_by_an_address_of_it() -> None:
    for path, methods in description()["paths"].items():
        for method in methods:
            address = path.replace("{reference}", "CPP/1").replace("{vid}", "v-1")
            for gap in ("id", "hold_id", "delivery_id", "flag_id"):
                address = address.replace(f"{{{gap}}}", "0f6c1e2b")
            request = httpx.Request(method.upper(), f"https://flags.example{address}")
            found = operation_of(request)
            assert found is not None, path
            assert found.responses is description()["paths"][path][method]["responses"], path
