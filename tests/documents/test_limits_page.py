"""The page of the limits says the bounds that the code has."""

import re

from flagservice.api.edge.limits import DEFAULTS
from flagservice.connections.bounds import Bounds
from flagservice.settings import Settings
from tests.house.source import HOME

PAGE = (HOME / "docs/operate/limits.md").read_text("utf-8")
SET = {name: one.default for name, one in Settings.model_fields.items()}


def row_of(beginning: str) -> str:
    """The one row of a table that begins with these words."""
    (row,) = re.findall(rf"(?m)^\| {re.escape(beginning)}(?!\w).*$", PAGE)
    return row


def test_every_audience_stands_with_its_rate() -> None:
    told = {audience: row_of(audience.replace("-", " ")).split(" | ")[-1] for audience in DEFAULTS}
    assert told == {audience: f"{rate} |" for audience, rate in DEFAULTS.items()}


def test_every_bound_of_a_connection_stands_with_its_setting() -> None:
    bounds = Bounds()
    assert f"{bounds.line_bytes // 1024} KiB" in row_of("request line")
    assert f"{bounds.header_bytes // 1024} KiB, {bounds.headers} of them" in row_of("headers")
    for setting in ("head_seconds", "body_seconds", "unread_seconds", "idle_seconds"):
        bound = f"{SET[setting]:.0f} seconds | `FLAGSERVICE_{setting.upper()}` |"
        assert len(re.findall(re.escape(bound), PAGE)) == 1
    assert f"| {SET['connections']:,}, fewer" in row_of("connections at once")


def test_every_alarm_stands_with_its_setting() -> None:
    assert f"more than {SET['alarm_people']} people" in row_of("`strangers`")
    assert f"more than {SET['alarm_rejections']} people" in row_of("`rejections`")
    assert f"(`FLAGSERVICE_ALARM_HOURS`, {SET['alarm_hours']})" in PAGE
