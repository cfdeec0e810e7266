"""No browser is expected; one that is led here finds nothing to render, to send or to keep."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.api.answers import FHIR, then_refused
from tests.api.steps import FORM, Cast

PATHS = (
    *("/_ping", "/nothing", "/holds", "/oauth2/token", "/governance/rulings", "/_status"),
    *(f"{FHIR}/metadata", f"{FHIR}/Flag", f"{FHIR}/Flag/_history", f"{FHIR}/Flag/0"),
)
ORIGIN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


def every_answer(cast: Cast) -> Iterator[httpx.Response]:
    """Good and bad, of every face, with a token and without one, and where a fault is ours."""
    for path in PATHS:
        for client in (cast.council, cast.practice, cast.governance, cast.operator):
            yield client.gets(path, headers=ORIGIN)
        yield cast.service.send("GET", path, headers=ORIGIN)
        yield cast.service.send("GET", path, headers={**ORIGIN, "X-Request-ID": "1"})
    yield cast.practice.searches("9990001111")
    yield cast.council.asks_for_a_token()
    yield cast.council.posts("/plans", b"{")


def then_everywhere(cast: Cast, header: str, value: str) -> None:
    answers = list(every_answer(cast))
    assert {answer.status_code for answer in answers} >= {200, 401, 403, 404, 405, 422}
    assert {answer.headers.get(header) for answer in answers} == {value}


def test_every_answer_asks_for_https_for_a_year_and_for_every_name_below(house: Cast) -> None:
    then_everywhere(house, "Strict-Transport-Security", "max-age=31536000; includeSubDomains")


def test_nothing_is_kept_on_the_way_or_in_a_client(house: Cast) -> None:
    then_everywhere(house, "Cache-Control", "no-store, private")


def test_what_is_answered_is_never_guessed_to_be_something_else(house: Cast) -> None:
    then_everywhere(house, "X-Content-Type-Options", "nosniff")


def test_a_browser_that_is_led_here_renders_and_frames_nothing(house: Cast) -> None:
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
    )
    then_everywhere(house, "Content-Security-Policy", policy)


def test_nobody_is_told_where_a_browser_was(house: Cast) -> None:
    then_everywhere(house, "Referrer-Policy", "no-referrer")


def test_every_body_says_what_it_is(house: Cast) -> None:
    """JSON has one encoding and no such parameter (RFC 8259, 11); what is text says UTF-8."""
    for answer in every_answer(house):
        if answer.content:
            said = answer.headers["Content-Type"]
            assert re.fullmatch(r"application/(fhir\+|problem\+)?json", said), said
            answer.json()
    said = house.operator.gets("/metrics").headers["Content-Type"]
    assert re.fullmatch(r"text/plain; version=[0-9.]+; charset=utf-8", said)


def test_no_answer_sets_a_cookie_or_lets_another_origin_in(house: Cast) -> None:
    for answer in every_answer(house):
        named = {name.lower() for name in answer.headers}
        assert "set-cookie" not in named
        assert not [name for name in named if name.startswith("access-control-")]


def test_a_browser_that_asks_ahead_is_refused(house: Cast) -> None:
    ahead = {
        **ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    for path in ("/plans", f"{FHIR}/Flag/_search", f"{FHIR}/$acknowledge"):
        then_refused(house.service.send("OPTIONS", path, headers=ahead), 405)


@pytest.mark.parametrize("given", ["cookie", "query", "form"])
def test_a_token_counts_in_its_own_header_alone(house: Cast, given: str) -> None:
    """What a browser sends by itself, or an address that is written down, opens nothing."""
    token = house.practice.token()
    path = f"{FHIR}/Flag"
    match given:
        case "cookie":
            answer = house.service.send("GET", path, headers={"Cookie": f"access_token={token}"})
        case "query":
            answer = house.service.send("GET", f"{path}?access_token={token}")
        case _:
            body = {"access_token": token}
            headers = {"Content-Type": FORM}
            answer = house.service.send("POST", f"{path}/_search", data=body, headers=headers)
    then_refused(answer, 401)


@pytest.mark.parametrize("path", PATHS)
def test_what_was_sent_is_never_echoed_by_trace(house: Cast, path: str) -> None:
    answer = house.service.send("TRACE", path, headers={"X-Canary": "quillfeather"})
    assert answer.status_code in (404, 405)
    assert "quillfeather" not in answer.text


@pytest.mark.parametrize("path", ["/holds/", "/plans/", f"{FHIR}/Flag/", f"{FHIR}/metadata/"])
def test_nobody_is_sent_on_to_another_address(house: Cast, path: str) -> None:
    """A client that speaks to the wrong address shall learn of it, and not be led."""
    for answer in (house.council.gets(path), house.practice.gets(path)):
        then_refused(answer, 404)
        assert "location" not in answer.headers
