"""Words that mean something to a database or an address are words here, and never more."""

from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from tests.api.answers import FHIR, links, resources, then_refused
from tests.api.steps import Cast, a_plan

SQL = ["' OR '1'='1", "x'; DROP TABLE client; --", "%", "_", "0 UNION SELECT body FROM leaf"]


@pytest.fixture
def flagged(cast: Cast) -> Cast:
    """There is something to find."""
    assert cast.council.posts("/plans", a_plan()).status_code == 201
    return cast


@pytest.mark.parametrize("words", SQL)
def test_a_piece_of_sql_is_a_word_that_nobody_has(flagged: Cast, words: str) -> None:
    rows, there = flagged.service.rows(), quote(words, safe="")
    for client, path in (
        (flagged.council, f"/receipts/{there}"),
        (flagged.governance, f"/governance/flags/{there}/why"),
        (flagged.practice, f"{FHIR}/Flag/{there}"),
        (flagged.practice, f"{FHIR}/Flag/{there}/_history/1"),
    ):
        then_refused(client.gets(path), 404)
    after = flagged.governance.gets("/governance/rulings", params={"after": words})
    assert after.status_code in (200, 422)
    assert flagged.service.rows() == rows


@pytest.mark.parametrize("words", ["a&status=x", "a#b", "a/../../b", 'a"b', "a|b c", "é\\,"])
def test_what_was_searched_for_is_one_value_in_the_link_that_repeats_it(
    flagged: Cast, words: str
) -> None:
    answer = flagged.practice.gets(f"{FHIR}/Flag", params={"code": words})
    assert resources(answer) == []
    link = urlsplit(links(answer)["self"])
    assert (link.path, link.fragment) == (f"{FHIR}/Flag", "")
    assert parse_qsl(link.query) == [("code", words)]
