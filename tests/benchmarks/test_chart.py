"""The benchmarks' chart and table: whole, well-formed, the same again, and of what was measured."""

from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks import page
from tests.benchmarks.chart import drawn
from tests.benchmarks.results import BELOW, CHART, Results, Row, kept

SVG = "{http://www.w3.org/2000/svg}"
MET = Row("poll", "SQLite", "900/s", "hello: 2,000/s", [0.44, 0.45, 0.46], 0.35)
MISSED = Row("post <a plan>", "PostgreSQL", "300/s", "", [300.0, 320.0], 421.0, unit="/s")
SLOW = Row("herd & all", "SQLite", "2 errors", "", [9.5], 2.0, bound=BELOW, unit=" s")
FAILED = Row("herd", "SQLite", "3 errors", "", [1.0], 2.0, bound=BELOW, unit=" s", failed=3)
ROWS = [MET, MISSED, SLOW, FAILED]
RESULTS = Results("2026-11-23", "Medians of three rounds, on two cores.", ROWS)


def the_picture() -> ET.Element:
    return ET.fromstring(drawn(RESULTS))  # noqa: S314, we drew it


def test_every_row_has_a_bar_a_target_mark_and_its_words() -> None:
    picture = the_picture()
    bars = [one for one in picture.iter(f"{SVG}rect") if one.get("class") in ("met", "missed")]
    marks = [one for one in picture.iter(f"{SVG}path") if one.get("class") == "mark"]
    words = {one.text for one in picture.iter(f"{SVG}text")}
    assert (len(bars), len(marks)) == (len(ROWS), len(ROWS))
    assert {f"{row.work}, {row.database}" for row in ROWS} <= words


def test_a_bar_reaches_its_mark_where_the_value_is_the_target() -> None:
    row = Row("poll", "SQLite", "", "", [0.35], 0.35)
    picture = ET.fromstring(drawn(Results("", "", [row])))  # noqa: S314
    (bar,) = (one for one in picture.iter(f"{SVG}rect") if one.get("class") == "met")
    (mark,) = (one for one in picture.iter(f"{SVG}path"))
    assert f"M{float(bar.get('x')) + float(bar.get('width')):.0f} " in mark.get("d")


def test_who_cannot_see_it_is_told_all_of_it() -> None:
    picture = the_picture()
    title, told = (picture.find(f"{SVG}{name}") for name in ("title", "desc"))
    assert picture.get("aria-labelledby") == f"{title.get('id')} {told.get('id')}"
    assert [row for row in ROWS if row.work not in told.text or row.verdict not in told.text] == []


def test_it_is_read_in_the_light_and_in_the_dark() -> None:
    assert "prefers-color-scheme: dark" in the_picture().find(f"{SVG}style").text


def test_the_same_results_are_the_same_bytes() -> None:
    assert drawn(RESULTS) == drawn(RESULTS)


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (MET, "met"),
        (MISSED, "missed by 26%"),
        (SLOW, "missed by 375%"),
        (FAILED, "missed: 3 failed"),
    ],
)
def test_a_row_says_by_how_much_it_missed(row: Row, verdict: str) -> None:
    assert row.verdict == verdict


def test_the_chart_that_is_kept_shows_the_results_that_are_kept() -> None:
    assert CHART.read_text("utf-8") == drawn(kept())


def test_the_figures_of_the_page_are_the_results_that_are_kept() -> None:
    assert page.section(kept()) in page.PAGE.read_text("utf-8")


def test_a_table_of_the_page_says_what_was_missed_and_what_was_not_measured() -> None:
    assert page.table(RESULTS).splitlines() == [
        "| work | target | SQLite | PostgreSQL |",
        "| --- | --- | --- | --- |",
        "| poll | at least 0.35 | 0.45 |  |",
        "| post <a plan> | at least 421/s |  | **310/s**, missed by 26% |",
        "| herd & all | at most 2 s | **9.5 s**, missed by 375% |  |",
        "| herd | at most 2 s | **1 s**, missed: 3 failed |  |",
    ]
