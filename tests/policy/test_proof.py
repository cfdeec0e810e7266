"""A policy that breaks an invariant does not load, and an officer is told where and why."""

import pytest

from flagservice.domain.elements import Kind
from flagservice.policy.proof.invariants import INVARIANTS
from flagservice.policy.proof.prove import load, prove
from flagservice.policy.table import UnusablePolicy, read
from tests.policy.approved import changed, policy_text

EXTRA = """
[[disclosures]]
id = "ZZ-D01"
roles = {roles}
standings = "any"
knows = {knows}
states = "any"
elements = {elements}
phases = {phases}
readers = {readers}
action = "disclose"
because = "Somebody thought that it would help."
source = ["S01 J"]
"""


def without(text: str, *rows: str) -> str:
    """The file without these rows."""
    head, *blocks = text.split("\n[[")
    kept = [block for block in blocks if not any(f'id = "{row}"' in block for row in rows)]
    assert len(kept) == len(blocks) - len(rows)
    return "\n[[".join([head, *kept])


def adding(text: str, **words: str) -> str:
    """The file with one more rule that discloses."""
    every = {"roles", "knows", "elements", "phases"}
    return text + EXTRA.format(
        **{**dict.fromkeys(every, '"any"'), "readers": '["practice"]', **words}
    )


CP, S47, DA = (policy_text(kind) for kind in ("child-protection", "section-47", "perpetrator"))
UCP = policy_text("unborn-child-protection")
PLACED = """action = "place"
code = "375041000000100"
labels = ["NOPAT", "R", "PERSISTLABEL"]
desk = "agency"
review = "3 months"
after_end = "history"
"""
OPEN = '["open"]'
BROKEN = {
    "a proxy reads the child's record": (
        adding(without(CP, "CP-R99"), readers='["proxy"]', roles='["child"]', elements='["start"]'),
        (
            "nothing towards a patient: ZZ-D01 tells a proxy's view (proxy) the plan's start day"
            " (start), on the record of the child, who is neither victim nor alleged perpetrator,"
        ),
    ),
    "a shared-care view reads": (
        adding(without(CP, "CP-R99"), readers='["shared-care"]', elements='["concern"]'),
        (
            "only the practice reads: ZZ-D01 tells a shared-care view (shared-care) what the"
            " concern is (concern), on the record of the child"
        ),
    ),
    "the next practice gets the record": (
        adding(without(CP, "CP-R99"), readers='["next-practice"]', elements='["concern"]'),
        "only the practice reads: ZZ-D01 tells ",
    ),
    "an alleged perpetrator's record names the council": (
        changed(CP, "CP-P10", 'desk = "neutral"', 'desk = "agency"'),
        (
            "nothing of somebody else's: CP-P10 names the agency's desk on the record of the"
            " father, who is an alleged perpetrator, has been told and is included, while it is"
            " open."
        ),
    ),
    "an alleged perpetrator is told the plan's category": (
        changed(
            without(CP, "CP-D09", "CP-R05"),
            "CP-D06",
            'standings = ["neither"]',
            'standings = ["neither", "both"]',
        ),
        (
            "nothing of somebody else's: CP-D06 tells the practice's clinicians (practice) the"
            " plan's category (plan-category), on the record of the mother, who is both a victim"
            " and an"
        ),
    ),
    "a police code on an alleged perpetrator's record": (
        changed(DA, "DA-P05", 'code = "U"', 'code = "1064961000000107"'),
        (
            "a neutral code: DA-P05 puts the code 1064961000000107 on the record of the child,"
            " who is an alleged perpetrator, has been told and was decided to be told, while it"
            " is open."
        ),
    ),
    "a counter-allegation that takes a victim's marker": (
        changed(DA, "DA-P06b", 'code = "879911000000102"', 'code = "U"'),
        (
            "a counter-allegation erases nothing: DA-P06b does not keep the victim's marker on"
            " the record of the mother, who is both a victim and an alleged perpetrator,"
        ),
    ),
    "a counter-allegation that tells who reported": (
        without(changed(DA, "DA-D09", '"duty-desk"]', '"duty-desk", "agency"]'), "DA-D10"),
        "a counter-allegation erases nothing: DA-D09 tells the practice's clinicians",
    ),
    "an alleged perpetrator's copy that stays": (
        changed(DA, "DA-P05", 'expires = "12 months"', 'expires = "13 months"'),
        "a copy that goes away: DA-P05 places a copy that stays on the record of the child,",
    ),
    "a father who is not known to know is told the day": (
        changed(without(CP, "CP-R09"), "CP-D05", '["knows", "presumed"]', '["unknown"]'),
        (
            "unknown is never more than knows: CP-D05 tells the practice's clinicians (practice)"
            " the day the copy was placed (placed), on the record of the mother"
        ),
    ),
    "a father who is told because he does not know": (
        changed(CP, "CP-P09", PLACED, 'action = "withhold"\n'),
        "unknown is never more than knows: CP-D04 tells the practice's clinicians (practice) what",
    ),
    "a more telling code for whom nobody told": (
        changed(CP, "CP-P11", "375041000000100", "1064961000000107"),
        "unknown is never more than knows: CP-P11 puts the code 1064961000000107 on the record",
    ),
    "an agency's desk for whom nobody told": (
        changed(CP, "CP-P09", 'desk = "agency"', 'desk = "neutral"'),
        "unknown is never more than knows: CP-P11 names the agency's desk on the record of the",
    ),
    "an unborn child's code on a father's record": (
        changed(
            policy_text("unborn-child-protection"),
            "UP-P09",
            'code = "1064961000000107"',
            'code = "818901000000100"',
        ),
        "puts the code 818901000000100, which is the mother of an unborn child's,",
    ),
    "a case that no rule speaks of": (
        changed(CP, "CP-R06", '"start", ', ""),
        (
            "every element and every case is ruled on: no rule says whether the practice's"
            " clinicians (practice) is told the plan's start day (start), on the record of a"
            " sibling"
        ),
    ),
    "a cell that a later rule could open": (
        changed(CP, "CP-R06", '"end", ', ""),
        "adding a rule never discloses more: one more rule, and ",
    ),
    "a case that no row answers": (
        changed(CP, "CP-P14", '"excluded", ', ""),
        "one placement for each case: no row match partner, standing neither, knows, excluded:",
    ),
    "a declined placement": (
        changed(S47, "S47-P03", '["excluded", "declined"]', '["excluded"]').replace(
            'states = ["included", "approved"]', 'states = ["included", "approved", "declined"]'
        ),
        (
            "nothing before the decision: S47-P02 says place on the record of a sibling, who is"
            " neither victim nor alleged perpetrator, has been told and was decided not to be"
            " told, while"
        ),
    ),
    "a request that says more": (
        adding(without(S47, "S47-R01"), roles='["mother"]', elements='["concern"]', phases=OPEN),
        "a request asks to ring: ",
    ),
    "the plan's own days on a sibling's record": (
        adding(without(CP, "CP-R06"), roles='["sibling"]', elements='["start"]', phases=OPEN),
        (
            "the plan's days stay with the child: ZZ-D01 tells the practice's clinicians"
            " (practice) the plan's start day (start), on the record of a sibling"
        ),
    ),
    "an end that tells more": (
        adding(
            without(S47, "S47-D90", "S47-R02"),
            roles='["child"]',
            elements='["placed"]',
            phases='["ended"]',
        ),
        (
            "the end tells no more: ZZ-D01 tells the practice's clinicians (practice) the day the"
            " copy was placed (placed), on the record of the child"
        ),
    ),
    "a confidentiality that tells who knows": (
        changed(CP, "CP-P11", '"R"', '"V"'),
        "confidentiality follows the kind: R and V both stand in this file: CP-P11.",
    ),
    "a plan that begins with its end": (
        changed(CP, "CP-P01", 'code = "342191000000101"', 'code = "342891000000105"'),
        "a start is no end: CP-P01 begins with the code 342891000000105, which ends one,",
    ),
    "a father who is told when the child is due": (
        changed(without(UCP, "UP-D07"), "UP-D02", '["mother"]', '["mother", "father"]')
        .replace('id = "UP-R03"\nroles = "any"', 'id = "UP-R03"\nroles = ["mother"]')
        .replace('id = "UP-R04"\nroles = "any"', 'id = "UP-R04"\nroles = ["mother"]'),
        "a birth is the mother's: UP-D02 tells the practice's clinicians (practice) the expected",
    ),
    "a practice that is asked about somebody else's patient": (
        changed(CP, "CP-P02", '"submitter"', '"practice safeguarding lead"'),
        "who it is comes first: CP-P02 asks a practice on the record of the child,",
    ),
    "a review in the far future": (
        changed(CP, "CP-P04", '"3 months"', '"300 months"'),
        "CP-P04, review: ",
    ),
    "a life of no time": (changed(DA, "DA-P05", '"12 months"', '"0 months"'), "DA-P05, expires: "),
    "somebody's name in place of a post": (
        changed(S47, "S47-P04", "submitter's safeguarding duty manager", "ring Ann Other at home"),
        "S47-P04, then: ",
    ),
    "two rows for one case": (
        changed(S47, "S47-P07", '["partner"]', '["partner", "sibling"]'),
        (
            "one placement for each case: S47-P02 and S47-P07 match sibling, standing neither,"
            " knows, included: exactly one must say what happens there"
        ),
    ),
    "a row that no case reaches": (
        changed(S47, "S47-D80", '["mother", "father", "parent", "partner"]', '["partner"]'),
        "no row unreachable: no case reaches S47-D80",
    ),
    "a hold that nobody owns": (
        changed(S47, "S47-P04", 'owner = "submitter"\n', ""),
        "S47-P04: hold needs owner, due and then",
    ),
    "a reader whom nobody knows": (
        changed(S47, "S47-R99", '"proxy"', '"grandmother"'),
        "S47-R99, readers: ",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_broken_is_refused_in_words(name: str) -> None:
    text, message = BROKEN[name]
    with pytest.raises(UnusablePolicy) as refused:
        load(text)
    assert message in str(refused.value), str(refused.value)


def test_every_invariant_is_broken_by_one_of_these_files() -> None:
    said = set()
    for text, _ in BROKEN.values():
        with pytest.raises(UnusablePolicy) as refused:
            load(text)
        said |= {line.partition(":")[0] for line in str(refused.value).splitlines()}
    assert {invariant.name for invariant in INVARIANTS} <= said


@pytest.mark.parametrize("kind", Kind)
def test_a_shipped_policy_keeps_every_invariant_over_its_whole_space(kind: Kind) -> None:
    proof = prove(read(policy_text(kind)))
    assert proof.cells == 960 * 11 * 13
    assert proof.broken == ()


def test_a_refusal_says_how_many_answers_break_it_and_shows_one() -> None:
    with pytest.raises(UnusablePolicy, match=r"\(16 answers break it: this is the first\)"):
        load(changed(CP, "CP-P13a", 'desk = "neutral"', 'desk = "agency"'))
