"""A fault is met where it is asked for, as production would answer it, and in the sandbox alone."""

import time
from dataclasses import replace
from typing import Any

import anyio
import httpx
import pytest

from flagservice.app.sandbox import faults
from flagservice.app.sandbox.faults import HEADER, MEANS, SandboxFault
from flagservice.clients.assertions import LIFETIME
from tests.api.answers import FHIR, resources, then_refused
from tests.api.steps import Cast
from tests.sandbox.steps import Box, Tried, nhs_number

FEED = f"{FHIR}/Flag/_history"


@pytest.fixture
def acme(quiet_box: Box) -> Tried:
    return quiet_box.acme


def asking(wanted: str) -> dict[str, str]:
    return {HEADER: wanted}


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        (SandboxFault.TOO_MANY, 429),
        (SandboxFault.BROKEN, 500),
        (SandboxFault.NO_AUDIT, 503),
        (SandboxFault.EXPIRED_TOKEN, 401),
        (SandboxFault.NOT_ADMITTED, 403),
    ],
)
@pytest.mark.parametrize("path", [FEED, "/holds"])
def test_a_fault_is_refused_in_the_format_of_its_side(
    acme: Tried, wanted: SandboxFault, status: int, path: str
) -> None:
    then_refused(acme.practice.gets(path, headers=asking(wanted)), status)


def test_too_many_requests_says_when_to_come_again(acme: Tried) -> None:
    answer = acme.practice.gets(FEED, headers=asking(SandboxFault.TOO_MANY))
    assert int(answer.headers["Retry-After"]) >= 1


def test_an_expired_token_is_answered_as_one_that_has_really_run_out(
    acme: Tried, cast: Cast
) -> None:
    asked = acme.practice.gets(FEED, headers=asking(SandboxFault.EXPIRED_TOKEN))
    token = {"Authorization": f"Bearer {cast.practice.token()}"}
    state = cast.service.fastapi.state
    later = replace(state.api.tokens, clock=lambda: time.time() + LIFETIME + 1)
    state.api = replace(state.api, tokens=later)
    assert _told(asked) == _told(cast.service.send("GET", FEED, headers=token))


def test_an_unadmitted_practice_is_answered_as_one_that_really_is(acme: Tried) -> None:
    asked = acme.practice.gets(FEED, headers=asking(SandboxFault.NOT_ADMITTED))
    assert _told(asked) == _told(acme.clients["gp-system-unadmitted"].gets(FEED))


def test_a_stale_page_is_refused_until_one_begins_again(acme: Tried) -> None:
    bundle = acme.practice.gets(f"{FEED}?_count=5").json()
    next_ = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
    path = next_.removeprefix("https://flags.example")
    then_refused(acme.practice.gets(path, headers=asking(SandboxFault.STALE_PAGE)), 422)
    assert acme.practice.gets(path).status_code == 200
    assert acme.practice.gets(FEED, headers=asking(SandboxFault.STALE_PAGE)).status_code == 200


def test_a_slow_answer_is_the_same_answer_after_a_while(
    acme: Tried, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(anyio, "sleep", sleep)
    answer = acme.practice.gets(FEED, headers=asking(SandboxFault.SLOW))
    assert waited == [faults.SLOW_SECONDS]
    assert answer.content == acme.practice.gets(FEED).content


def test_an_unknown_fault_is_refused_with_the_list_of_those_there_are(acme: Tried) -> None:
    answer = acme.practice.gets("/holds", headers=asking("earthquake"))
    then_refused(answer, 422, (HEADER, f"is one of {', '.join(SandboxFault)}"))


def test_nothing_is_done_where_the_audit_cannot_be_written(box: Box) -> None:
    acme = box.acme
    (hold,) = acme.clients["practice-lead"].gets("/holds").json()["holds"]
    decision = {"outcome": "place", "decided_by": "Dr N. Amed", "reason": "we tried this out"}
    path = f"/holds/{hold['id']}/decision"
    lead = acme.clients["practice-lead"]
    then_refused(lead.posts(path, decision, Sandbox_Fault=SandboxFault.NO_AUDIT), 503)
    assert resources(acme.practice.searches(nhs_number("held"))) == []
    assert lead.posts(path, decision).status_code == 204


@pytest.mark.parametrize("wanted", [*SandboxFault, "earthquake"])
def test_in_production_the_header_does_nothing(cast: Cast, wanted: str) -> None:
    plain = cast.practice.gets(FEED)
    assert cast.practice.gets(FEED, headers=asking(wanted)).content == plain.content
    assert plain.status_code == 200


def test_every_fault_says_what_it_means() -> None:
    assert set(MEANS) == set(SandboxFault)


def _told(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()
