"""Every purpose that a pseudonym is made for is one of which a rotation knows what to do."""

import ast

from flagservice.app.keys.pseudonyms import ARCHIVED, PASSING, PSEUDONYM_COLUMNS
from tests.house import source


def purposes() -> set[str]:
    """As the code that asks a vault for pseudonyms says them."""
    return {
        keyword.value.value
        for module in source.package()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("pseudonym", "pseudonyms")
        for keyword in node.keywords
        if keyword.arg == "purpose" and isinstance(keyword.value, ast.Constant)
    }


def test_a_rotation_knows_what_becomes_of_each_purpose() -> None:
    found = {one.purpose for one in PSEUDONYM_COLUMNS}
    assert purposes() == found | set(ARCHIVED) | set(PASSING)


def test_no_purpose_is_dealt_with_in_two_ways() -> None:
    every = [*(one.purpose for one in PSEUDONYM_COLUMNS), *ARCHIVED, *PASSING]
    assert sorted(set(every)) == sorted(every)
