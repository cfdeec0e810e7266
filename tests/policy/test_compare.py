"""An officer sees every answer that a new version changes, what tells more first."""

import pytest

from flagservice.domain.elements import Kind
from flagservice.policy.case import every_case
from flagservice.policy.compare import Direction, compare
from flagservice.policy.readers import Reader
from flagservice.policy.ruling import rule_on
from flagservice.policy.table import Policy, UnusablePolicy, read
from tests.policy.approved import changed, policy_text

CP, DA = policy_text(Kind.CHILD_PROTECTION), policy_text(Kind.PERPETRATOR)


def told(old: str, new: str) -> list[tuple[str, str, int, str]]:
    return [
        (change.difference.direction, change.difference.says, len(change.cases), change.example)
        for change in compare(read(old), read(new))
    ]


@pytest.mark.parametrize("kind", Kind)
def test_a_version_compared_with_itself_changes_nothing(kind: Kind) -> None:
    assert compare(read(policy_text(kind)), read(policy_text(kind))) == ()


def test_an_element_that_is_told_no_longer_is_narrower_and_has_an_example() -> None:
    new = changed(CP, "CP-D06", '"disclose"', '"redact"')
    assert told(CP, new) == [
        (
            "narrower",
            (
                "no longer tells the practice's clinicians (practice) the plan's category"
                " (plan-category)"
            ),
            4,
            (
                "the mother, who is neither victim nor alleged perpetrator, has been told and is"
                " included, while it is open"
            ),
        )
    ]
    assert [one[0] for one in told(new, CP)] == ["wider"]


def test_widenings_stand_first_whatever_else_changes() -> None:
    new = changed(CP, "CP-D06", '"disclose"', '"redact"')
    new = changed(new, "CP-P10", 'desk = "neutral"', 'desk = "agency"')
    new = changed(new, "CP-P05", 'review = "3 months"', 'review = "6 months"')
    found = told(CP, new)
    assert [one[0] for one in found] == ["wider", "narrower", "otherwise"]
    assert found[0][1] == "desk agency instead of neutral"
    assert found[0][3].startswith("the father, who is an alleged perpetrator, has been told")
    assert found[2][1] == "review 6 months instead of 3 months"


@pytest.mark.parametrize(
    ("row", "old", "new", "direction", "says"),
    [
        ("DA-P05", 'code = "U"', 'code = "879911000000102"', "wider", "code 8799"),
        ("DA-P02", 'code = "879911000000102"', 'code = "U"', "narrower", "code U instead of"),
        ("DA-P05", '"12 months"', '"6 months"', "narrower", "expires 6 months instead of 12"),
        ("DA-P05", '"12 months"', '"18 months"', "wider", "expires 18 months instead of 12"),
        ("DA-P05", 'expires = "12 months"\nwarn = "30 days"\n', "", "wider", "expires None"),
        ("DA-P05", '"retract"', '"history"', "wider", "after_end history instead of retract"),
        ("DA-P05", 'desk = "neutral"', 'desk = "agency"', "wider", "desk agency instead of"),
        ("DA-P01", 'desk = "agency"', 'desk = "neutral"', "narrower", "desk neutral instead of"),
        ("DA-P01", '"V"', '"R"', "wider", "labels NOPAT R PERSISTLABEL instead of NOPAT V"),
        ("DA-P09", '"submitter"', '"practice safeguarding lead"', "wider", "owner practice"),
        ("DA-P04", '"1 working day"', '"3 working days"', "otherwise", "due 3 working days"),
    ],
)
def test_each_part_of_a_placement_has_its_direction(
    row: str, old: str, new: str, direction: str, says: str
) -> None:
    found = {one[1]: one[0] for one in told(DA, changed(DA, row, old, new))}
    (matching,) = [key for key in found if key.startswith(says)]
    assert found[matching] == direction


def test_a_history_that_is_left_no_longer_is_narrower() -> None:
    found = told(CP, changed(CP, "CP-P05", '"history"', '"retract"'))
    assert (Direction.NARROWER, "after_end retract instead of history") in [f[:2] for f in found]


def test_a_flag_where_a_decision_was_awaited_is_wider_and_the_reverse_narrower() -> None:
    held = changed(DA, "DA-P04", '"included", "excluded"', '"included"')
    placed = changed(held, "DA-P05", '["approved"]', '["approved", "excluded"]')
    assert told(DA, placed)[0][:2] == (Direction.WIDER, "place instead of hold")
    assert (Direction.NARROWER, "hold instead of place") in [one[:2] for one in told(placed, DA)]


def test_a_desk_that_changes_with_the_action_is_shown_for_itself() -> None:
    """A flag with the neutral desk becomes a request with the agency's: less, and more."""
    new = changed(CP, "CP-P10", 'action = "place"', 'action = "request"')
    new = changed(new, "CP-P10", 'desk = "neutral"', 'desk = "agency"')
    assert {
        ("narrower", "request instead of place"),
        ("wider", "desk agency instead of neutral"),
    } <= {one[:2] for one in told(CP, new)}


def test_a_reader_who_is_let_in_is_named() -> None:
    new = changed(CP, "CP-R99", '"proxy", ', "")
    new = changed(
        new, "CP-D01", 'action = "disclose"', 'readers = ["practice", "proxy"]\naction = "disclose"'
    )
    says = {one[1] for one in told(CP, new) if one[0] == "wider"}
    assert "tells a proxy's view (proxy) the plan's start day (start)" in says
    assert not any("clinicians" in one for one in says)


def test_two_kinds_are_not_compared() -> None:
    with pytest.raises(UnusablePolicy, match="different kinds"):
        compare(read(CP), read(DA))


def differing(old: Policy, new: Policy) -> set[object]:
    """Independently: each case, element and reader in which the two answer differently."""
    return {
        (case, one.element, reader)
        for case in every_case(old.kind)
        for reader in Reader
        for one, other in zip(
            rule_on(old, case, reader=reader).elements,
            rule_on(new, case, reader=reader).elements,
            strict=True,
        )
        if one.action is not other.action
    }


def test_every_element_that_changes_is_shown_in_each_of_its_cases() -> None:
    old, new = read(CP), read(changed(CP, "CP-D04", ', "partner"', ""))
    shown = sum(len(c.cases) for c in compare(old, new) if "tells" in c.difference.says)
    assert shown == len(differing(old, new)) > 0


def test_a_change_says_whose_records_it_is_about() -> None:
    (change,) = compare(read(CP), read(changed(CP, "CP-D06", '"disclose"', '"redact"')))
    assert change.roles == ("mother",)
