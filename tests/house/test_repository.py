"""What a clone of the repository holds, and the words that it must not hold.

Words that must stand nowhere are put together here from parts, so that this file passes, too.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.house import source

TOP_LEVEL = {
    "flagservice",
    "docs",
    "CONTRIBUTING.md",
    "profiles",
    "policies",
    "tests",
    "openapi",
    "pyproject.toml",
    "README.md",
    "Makefile",
    "LICENSE",
    "requirements.lock",
    "requirements-dev.lock",
}
FAMILIES = "flagservice/kit/demo/families/"
NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}(?![0-9A-Za-z])")
PLACES = [f"/{name}/" for name in ("home", "root", "tmp", "work", "Users")]
REGISTRIES = ("py pi", "python hosted", "npm js")
HOSTS = [f"{name.replace(' ', '')}.{end}" for name in REGISTRIES for end in ("org", "com")]
CLAIMS = [f"RCGP-{word}" for word in ("compliant", "approved", "certified")]
AMERICAN = re.compile(
    r"organization|behavior|color(?!ama)|authoriz|center|favorite|normaliz|recogniz|summariz"
    r"|initializ|minimiz|canceled|labeled|defense|fulfill\b|catalog\b|practicing|judgment",
    re.IGNORECASE,
)
OTHERS_WORDS = (
    "ods-organization-code",
    "attending provider's authorization",
    "Authorization",
    "Organization",
    "prefers-color-scheme",
)
"""FHIR's, HTTP's and CSS's own names, and the official display of NOPAT."""


def test_the_top_level_holds_what_the_design_allows_and_nothing_else() -> None:
    assert {name for name in source.top_level() if name[0] != "."} <= TOP_LEVEL


def test_what_the_design_asks_for_at_the_top_level_is_there() -> None:
    assert source.top_level() >= TOP_LEVEL
    assert ".ci/run" in source.repository()


def test_every_file_is_text_that_ends_in_a_line_of_its_own() -> None:
    """Reading it as UTF-8 is the first half: a clone holds nothing that cannot be read."""
    unended = [name for name, text in source.repository().items() if text and text[-1] != "\n"]
    assert unended == []


def nhs_numbers(text: str) -> Iterator[str]:
    """Ten digits, also in the three groups in which people write them, with a good check digit."""
    for found in NUMBER.findall(text):
        digits = [int(character) for character in found if character.isdigit()]
        weighed = sum(
            digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)
        )
        if (11 - weighed % 11) % 11 == digits[9]:
            yield found


def test_no_nhs_number_outside_the_ranges_for_tests_stands_anywhere() -> None:
    real = [
        (name, number)
        for name, text in source.repository().items()
        for number in nhs_numbers(text)
        if number[0] != "9"
    ]
    assert real == []


@pytest.mark.parametrize("form", ["{}{}{}", "{} {} {}", "{}-{}-{}"])
def test_an_nhs_number_would_be_found_in_every_form(form: str) -> None:
    parts = ("401", "023", "2137")
    assert len(list(nhs_numbers(f"number: {form.format(*parts)}."))) == 1


def test_no_place_on_somebodys_machine_stands_anywhere() -> None:
    """Addresses on the web may have such a path; a file of ours may not name one."""
    found = [
        (name, place)
        for name, text in source.repository().items()
        for place in PLACES
        if re.search(rf"(?<![\w.]){place}", text)
    ]
    assert found == []


def test_no_package_index_stands_anywhere() -> None:
    found = [
        (name, host) for name, text in source.repository().items() for host in HOSTS if host in text
    ]
    assert found == []


def test_nobodys_approval_is_claimed() -> None:
    found = [
        (name, claim)
        for name, text in source.repository().items()
        for claim in CLAIMS
        if claim.lower() in text.lower()
    ]
    assert found == []


def canaries() -> set[str]:
    """The words of the families that belong in one record, or in none."""
    found = set()
    for name, text in source.repository().items():
        if name.startswith(FAMILIES):
            for person in tomllib.loads(text)["people"]:
                found |= {person.get("nhs_number", ""), *person.get("canaries", ())}
    return found - {""}


def test_the_families_stand_in_no_code() -> None:
    """Whole words, as they are written: a name of theirs in code would be a special case."""
    words = canaries()
    assert len(words) > 20
    found = [
        (module.name, word)
        for module in source.package()
        for word in words
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", module.text)
    ]
    assert found == []


def in_our_words(text: str) -> list[str]:
    """Spellings that are not British, once everybody else's names are taken out."""
    for word in OTHERS_WORDS:
        text = text.replace(word, "")
    return AMERICAN.findall(text)


def test_prose_and_names_are_spelled_as_in_britain() -> None:
    found = {
        module.name: words
        for module in (*source.package(), *source.suite())
        if module.name != "house/test_repository.py"
        if (
            words := in_our_words("\n".join((*module.prose(), *(n.name for n in module.defined()))))
        )
    }
    assert found == {}


def test_what_people_read_is_spelled_as_in_britain() -> None:
    read = {
        name: in_our_words(re.sub(r"`[^`]*`", "", text))
        for name, text in source.repository().items()
        if PurePosixPath(name).suffix in (".md", ".toml") or name == "Makefile"
    }
    assert {name: words for name, words in read.items() if words} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("an organization's color", ["organization", "color"]),
        ("normalized_name", ["normaliz"]),
        ("the Authorization header, and a resource Organization", []),
        ("an organisation's colour", []),
    ],
)
def test_a_spelling_that_is_not_british_would_be_found(text: str, found: list[str]) -> None:
    assert in_our_words(text) == found
