"""Cedar, which nobody here wrote, is given the same tables and must agree on every cell.

Each row becomes a Cedar policy: a rule that discloses a `permit`, one that redacts a `forbid`, and
a placement that tells nothing a `forbid`. Cedar's own rule, that a forbid wins and that nothing is
permitted by default, is the strictness that our tables claim.
"""

import cedarpy
import pytest

from flagservice.domain.elements import Kind
from flagservice.policy.case import every_case
from flagservice.policy.readers import Reader
from flagservice.policy.ruling import rule_on
from flagservice.policy.table import read
from tests.policy.approved import changed, policy_text
from tests.policy.raw import PHASES, READERS, Row, phases_told, rows
from tests.sizes import sizes

PARTS = ("roles", "standings", "knows", "states", "phases", "elements", "readers")
NAMES = ("role", "standing", "knows", "state", "phase", "element", "reader")


def cedar_policies(text: str) -> str:
    """The file, in Cedar's language."""
    placements, disclosures = rows(text)
    written = [
        _policy("permit" if row["action"] == "disclose" else "forbid", row) for row in disclosures
    ]
    for row in placements:
        silent = [phase for phase in PHASES if phase not in phases_told(row)]
        if silent:
            written.append(_policy("forbid", {**row, "phases": silent}))
    return "\n".join(written)


def _policy(effect: str, row: Row) -> str:
    conditions = [
        f"[{', '.join(f'{chr(34)}{word}{chr(34)}' for word in row[part])}].contains(context.{name})"
        for part, name in zip(PARTS, NAMES, strict=True)
        if part in row
    ]
    return (
        f'@id("{row["id"]}")\n{effect}(principal, action, resource)'
        f" when {{ {' && '.join(conditions)} }};"
    )


def spokesmen(text: str) -> list[str]:
    """One reader for all those whom no row tells apart: Cedar is asked once for them."""
    _, disclosures = rows(text)
    alike: dict[tuple[bool, ...], str] = {}
    for reader in READERS:
        alike.setdefault(tuple(reader in row["readers"] for row in disclosures), reader)
    return list(alike.values())


def cedar_answers(text: str, asked: list[tuple[str, ...]]) -> list[bool]:
    requests = [
        {
            "principal": 'Reader::"somebody"',
            "action": 'Action::"read"',
            "resource": 'Record::"theirs"',
            "context": dict(zip(NAMES, cell, strict=True)),
        }
        for cell in asked
    ]
    answers = cedarpy.is_authorized_batch(requests, cedar_policies(text), [])
    assert not any(answer.diagnostics.errors for answer in answers)
    return [answer.allowed for answer in answers]


def our_answers(text: str, readers: list[str]) -> dict[tuple[str, ...], bool]:
    policy = read(text)
    found = {}
    for case in every_case(policy.kind):
        for reader in map(Reader, readers):
            for ruling in rule_on(policy, case, reader=reader).elements:
                words = (case.role, case.standing, case.knows, case.state, case.phase)
                cell = (*map(str, words), str(ruling.element), str(reader))
                found[cell] = ruling.action == "disclose"
    return found


def disagreements(text: str, *, every: int) -> set[tuple[str, ...]]:
    """The cells, or each one of so many, in which the two differ."""
    ours = our_answers(text, spokesmen(text))
    asked = list(ours)[::every]
    theirs = cedar_answers(text, asked)
    return {cell for cell, answer in zip(asked, theirs, strict=True) if answer is not ours[cell]}


# No part of a cell repeats after 17 of them: what is left out is different each time.
@sizes("every", short=17, long=1)
@pytest.mark.parametrize("kind", Kind)
def test_cedar_agrees_on_every_case_element_and_reader(kind: Kind, every: int) -> None:
    text = policy_text(kind)
    assert len(our_answers(text, spokesmen(text))) == 960 * 11 * len(spokesmen(text))
    assert disagreements(text, every=every) == set()


def test_readers_of_one_spokesman_get_the_same_answers_from_us() -> None:
    text = policy_text(Kind.CHILD_PROTECTION)
    assert spokesmen(text) == ["practice", "practice-staff"]
    others = our_answers(text, list(READERS[1:]))
    assert not any(others.values())


def test_cedar_is_asked_for_each_reader_that_some_row_singles_out() -> None:
    text = changed(policy_text(Kind.CHILD_PROTECTION), "CP-R99", '"patient", ', "")
    assert spokesmen(text) == ["practice", "practice-staff", "patient"]


def test_a_cell_in_which_the_two_differ_is_found() -> None:
    """Cedar is given one file and we another, which redacts one element less."""
    text = policy_text(Kind.STRATEGY_MEETING)
    ours = our_answers(text, ["practice"])
    told = changed(text, "SM-R01", '["concern", ', "[").replace(
        'elements = ["duty-desk", ', 'elements = ["concern", "duty-desk", '
    )
    theirs = cedar_answers(told, list(ours))
    differing = {c[5] for c, answer in zip(ours, theirs, strict=True) if answer is not ours[c]}
    assert differing == {"concern"}
