"""A log line is one JSON object of keys that are allowed, and holds nobody: whatever was sent."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from flagservice.app.logs import ALLOWED
from tests.api.steps import Cast

NUMBER, LINES = "9990001111", 'quill\nfeather\r\n{"event": "forged"}\x1b[31m\u2028'


def the_lines(said: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.readouterr().err.splitlines()]


def test_a_key_that_is_not_allowed_is_dropped_and_that_is_said(
    said: pytest.CaptureFixture[str],
) -> None:
    structlog.get_logger().error("fault", nhs_number=NUMBER, token="quillfeather", count=1)
    (line,) = the_lines(said)
    assert line["error"] == "a key that may not be logged was dropped"
    assert line["count"] == 1
    assert line.keys() <= ALLOWED
    assert NUMBER not in repr(line)
    assert "quillfeather" not in repr(line)


def test_nothing_that_is_logged_begins_a_line_of_its_own(said: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().error("fault", error=LINES)
    written = said.readouterr().err
    assert written.count("\n") == 1
    assert "\x1b" not in written
    assert json.loads(written)["error"] == LINES


def test_a_line_says_when_in_utc_how_bad_and_what(said: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().warning("loop fault", error="OSError")
    (line,) = the_lines(said)
    assert (line["event"], line["level"]) == ("loop fault", "warning")
    at = datetime.fromisoformat(line["timestamp"])
    assert at.utcoffset() == UTC.utcoffset(at)


def test_a_library_says_its_name_and_the_type_of_what_went_wrong(
    said: pytest.CaptureFixture[str],
) -> None:
    try:
        raise ValueError(NUMBER)
    except ValueError:
        logging.getLogger("sqlalchemy").exception("row %s", NUMBER)
    (line,) = the_lines(said)
    assert (line["event"], line["error"]) == ("sqlalchemy", "ValueError")
    assert NUMBER not in repr(line)


def test_every_token_that_is_given_or_refused_has_its_leaf(cast: Cast) -> None:
    cast.police.token()
    (given,) = cast.service.leaves("token-issued")
    assert given["about"] == {"client": cast.police.id, "key": cast.police.key.thumbprint()}
    assert datetime.fromisoformat(given["at"]).utcoffset() == UTC.utcoffset(None)
    cast.police.asks_for_a_token("abc")
    (refused,) = cast.service.leaves("refused")
    assert refused["about"] == {"method": "POST", "route": "/oauth2/token", "status": 400}
