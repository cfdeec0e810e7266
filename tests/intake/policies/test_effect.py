"""What would become of one record's copy under another policy, in a word."""

import pytest

from flagservice.domain.elements import Kind
from flagservice.domain.people import Knows, Phase, Role, Standing, State
from flagservice.intake.policies.effect import becomes
from flagservice.policy.case import Case
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.policy.table import read
from tests.policy.approved import changed, policy_text

CP = policy_text(Kind.CHILD_PROTECTION)


def of(text: str, role: Role, state: State = State.INCLUDED) -> Ruling:
    policy = read(text)
    case = Case(policy.kind, role, Standing.NEITHER, Knows.KNOWS, state, Phase.OPEN)
    return rule_on(policy, case)


FATHER, NOBODY = of(CP, Role.FATHER), of(CP, Role.PARTNER, State.EXCLUDED)
HELD = of(CP, Role.FATHER, State.UNCONFIRMED)
MORE = of(CP, Role.CHILD)
LATER = of(changed(CP, "CP-P09", '"3 months"', '"6 months"'), Role.FATHER)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (None, FATHER, ""),
        (FATHER, None, ""),
        (FATHER, FATHER, ""),
        (NOBODY, NOBODY, ""),
        (NOBODY, FATHER, "placed or asked anew"),
        (HELD, FATHER, "placed or asked anew"),
        (FATHER, HELD, "taken back"),
        (HELD, NOBODY, "held or withheld instead"),
        (FATHER, MORE, "told more"),
        (FATHER, LATER, "told the same, otherwise"),
    ],
)
def test_what_would_become_of_a_copy(old: Ruling | None, new: Ruling | None, said: str) -> None:
    assert becomes(old, new) == said
