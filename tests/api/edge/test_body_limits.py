"""How large a body is, and of which type: refused early, before anything reads it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from flagservice.api.edge.envelope import MOST_BYTES
from tests.api.answers import then_refused
from tests.api.steps import Cast, a_plan


@pytest.mark.parametrize("given", ["text/plain", "application/xml", "application/jsonx", ""])
def test_a_body_of_another_type_is_refused(house: Cast, given: str) -> None:
    with house.service.storing_nothing():
        answer = house.council.posts("/plans", a_plan(), Content_Type=given)
    then_refused(answer, 415)


def test_a_body_may_say_its_character_set(cast: Cast) -> None:
    answer = cast.council.posts("/plans", a_plan(), Content_Type="Application/JSON; charset=utf-8")
    assert answer.status_code == 201


class Endless:
    """A body of a hundred megabytes that counts how much of it was taken."""

    def __init__(self) -> None:
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.taken < 100 * 1024 * 1024:
            self.taken += 64 * 1024
            yield b" " * (64 * 1024)


@pytest.mark.parametrize("path", ["/plans", "/fhir/R4/$acknowledge", "/oauth2/token"])
def test_a_body_of_100_mb_is_refused_before_it_is_read(house: Cast, path: str) -> None:
    client = house.practice if "fhir" in path else house.council
    type_ = "application/x-www-form-urlencoded" if "token" in path else "application/json"
    body = Endless()
    client.gets("/holds")
    with house.service.storing_nothing():
        answer = client.calls("POST", path, content=body, headers={"Content-Type": type_})
    then_refused(answer, 413, ("body", "is too large"))
    assert body.taken <= MOST_BYTES + 64 * 1024


def test_a_body_of_nobody_is_not_read_at_all(house: Cast) -> None:
    body = Endless()
    headers = {"Content-Type": "application/json"}
    then_refused(house.service.send("POST", "/plans", content=body, headers=headers), 401)
    assert body.taken == 0


def test_the_largest_body_is_read(cast: Cast) -> None:
    body = json.dumps(a_plan()).encode()
    padded = body + b" " * (MOST_BYTES - len(body))
    assert cast.council.posts("/plans", padded).status_code == 201
    then_refused(cast.council.posts("/plans", padded + b" "), 413)


def test_a_body_that_ends_early_is_no_fault_of_ours(
    house: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anybody can hang up: it is in the audit as a refusal, and no operator is woken for it."""
    sent: list[Any] = []
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/oauth2/token",
        "query_string": b"",
        "headers": headers,
        "client": ("192.0.2.1", 1),
        "server": ("service", 443),
        "scheme": "https",
        "root_path": "",
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    anyio.run(house.service.app, scope, receive, send)
    assert sent[0]["status"] == 400
    assert house.service.leaves("refused")[-1]["about"]["status"] == 400
    assert "fault" not in capsys.readouterr().err
