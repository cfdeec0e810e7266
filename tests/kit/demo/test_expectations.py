"""What a family's expectations look for in the bytes that a practice received."""

import pytest

from flagservice.kit.demo.checks.expectations import stands_in


@pytest.mark.parametrize(
    ("word", "text", "stands"),
    [
        ("2021-10-20", '{"start":"2021-10-20"}', True),
        # Posted on 21 October at 00:30 in London.
        ("2021-10-20", '{"lastUpdated":"2021-10-20T23:30:00Z","start":"2021-10-21"}', False),
        ("2021-10-20", '{"lastUpdated":"2021-10-20T23:30:00Z","start":"2021-10-20"}', True),
        ("unborn", "An UNBORN child", True),
        ("BD4", "4bd41", False),
    ],
)
def test_a_word_stands_in_what_was_sent_and_a_day_in_no_instant(
    word: str, text: str, stands: bool
) -> None:
    assert stands_in(word, text) is stands
