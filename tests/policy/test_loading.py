"""A policy that is not whole, not clear or not reasoned does not load."""

import pytest

from flagservice.policy.desks import load_desks
from flagservice.policy.proof.prove import load
from flagservice.policy.rows import DeskChoice
from flagservice.policy.table import UnusablePolicy
from tests.policy.approved import HOME, changed, policy_text

TEXT = policy_text("section-47")
IDLE = 'roles = ["partner"]'
DESKS = (HOME / "policies/desks.toml").read_text("utf-8")
PLACED, HELD, WITHHELD, RULE = "S47-P01", "S47-P04", "S47-P07", "S47-D01"


def without(text: str, row: str, field: str) -> str:
    """The policy's text without one line of one row."""
    before, start, rest = text.partition(f'id = "{row}"\n')
    body, end, after = rest.partition("\n[[")
    kept = [line for line in body.splitlines() if not line.startswith(f"{field} =")]
    assert len(kept) == len(body.splitlines()) - 1
    return before + start + "\n".join(kept) + end + after


def then_it_is_refused(text: str, because: str) -> None:
    with pytest.raises(UnusablePolicy, match=because):
        load(text)


def test_the_text_that_the_others_break_loads() -> None:
    policy = load(TEXT)
    assert policy.name == "section-47 v1"
    assert len(policy.digest) == 64


@pytest.mark.parametrize(
    ("row", "old", "new"),
    [
        (PLACED, 'roles = ["child"]', 'roles = ["cousin"]'),
        (PLACED, 'roles = ["child"]', 'roles = ["unborn"]'),
        (PLACED, 'roles = ["child"]', 'roles = ["child", "child"]'),
        (PLACED, 'roles = ["child"]', "roles = []"),
        (PLACED, 'roles = ["child"]', 'roles = "child"'),
        (PLACED, 'roles = ["child"]', "roles = [1]"),
        (PLACED, 'standings = "any"', 'standings = ["perpetrator"]'),
        (PLACED, 'knows = "any"', 'knows = ["guesses"]'),
        (PLACED, '"excluded"', '"uninvited"'),
        (PLACED, 'action = "place"', 'action = "put"'),
        (PLACED, '"R"' if '"R"' in TEXT else '"V"', '"W"'),
        (PLACED, 'desk = "agency"', 'desk = "mine"'),
        (PLACED, '"45 working days"', '"45 weeks"'),
        (PLACED, 'after_end = "history"', 'after_end = "archive"'),
        (PLACED, 'desk = "agency"', 'desk = "agency"\nexpires = "a year"\nwarn = "30 days"'),
        (PLACED, 'desk = "agency"', 'desk = "agency"\nexpires = "12 months"\nwarn = "a month"'),
        (PLACED, 'desk = "agency"', 'desk = "agency"\ncolour = "red"'),
        (HELD, 'owner = "submitter"', 'owner = "the police"'),
        (HELD, 'due = "2 working days"', 'due = "soon"'),
        (RULE, '"review-by"', '"review-when"'),
        (RULE, '["open"]', '["started"]'),
        (RULE, 'action = "disclose"', 'action = "show"'),
    ],
)
def test_an_unknown_word_is_refused_in_every_field(row: str, old: str, new: str) -> None:
    then_it_is_refused(changed(TEXT, row, old, new), ".")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('kind = "section-47"', 'kind = "section-48"'),
        ("version = 1", "version = 0"),
        ("version = 1", 'version = "one"'),
        ("version = 1", 'version = 1\nauthor = "me"'),
        ('purpose = "An enquiry', 'purpose = "short"\nwas = "An enquiry'),
    ],
)
def test_a_head_that_is_not_understood_is_refused(old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    then_it_is_refused(TEXT.replace(old, new), ".")


def test_a_case_that_no_placement_answers_is_refused_by_its_words() -> None:
    text = changed(TEXT, WITHHELD, 'knows = "any"', 'knows = ["knows", "presumed", "unknown"]')
    then_it_is_refused(text, "no row match partner, standing neither, must-not-know, included")


def test_a_case_that_two_placements_answer_is_refused_by_their_ids() -> None:
    text = changed(TEXT, WITHHELD, 'roles = ["partner"]', 'roles = ["partner", "sibling"]')
    then_it_is_refused(text, "S47-P02 and S47-P07 match sibling")


def test_the_same_id_twice_is_refused_also_between_placements_and_rules() -> None:
    then_it_is_refused(TEXT.replace('"S47-P02"', '"S47-P01"'), "the same id stands twice: S47-P01")
    then_it_is_refused(TEXT.replace('"S47-D02"', '"S47-P01"'), "the same id stands twice: S47-P01")


def test_the_same_key_twice_in_one_row_is_refused() -> None:
    then_it_is_refused(
        changed(TEXT, PLACED, 'desk = "agency"', 'desk = "agency"\ndesk = "neutral"'), "not TOML"
    )


@pytest.mark.parametrize("row", [PLACED, HELD, WITHHELD, RULE])
@pytest.mark.parametrize("field", ["because", "source", "roles", "standings", "knows", "states"])
def test_a_row_without_its_reason_its_source_or_whom_it_is_about_is_refused(
    row: str, field: str
) -> None:
    then_it_is_refused(without(TEXT, row, field), field)


@pytest.mark.parametrize("field", ["action", "elements", "phases"])
def test_a_rule_that_does_not_say_what_it_does_is_refused(field: str) -> None:
    then_it_is_refused(without(TEXT, RULE, field), field)


@pytest.mark.parametrize(
    "source",
    ["[]", '["S10"]', '["S10 Z"]', '["S10 J", ""]', '["S10 J/Z"]', '["S10  J"]', '"S10 J"', "[10]"],
)
def test_a_source_that_is_not_a_rule_with_its_grade_is_refused(source: str) -> None:
    line = 'source = ["DOC-01 A", "LIFE-06 J/B", "S10 J"]'
    then_it_is_refused(changed(TEXT, PLACED, line, f"source = {source}"), "source")


@pytest.mark.parametrize("because", ['""', '"as said"', "7"])
def test_a_reason_that_is_none_is_refused(because: str) -> None:
    line = next(line for line in TEXT.splitlines() if line.startswith("because ="))
    then_it_is_refused(TEXT.replace(line, f"because = {because}", 1), "because")


@pytest.mark.parametrize("id_", ["", "s47-P01", "S47P01", "S47-P1", "S47-P01 "])
def test_an_id_that_cannot_be_cited_is_refused(id_: str) -> None:
    then_it_is_refused(TEXT.replace('"S47-P01"', f'"{id_}"'), "id")


@pytest.mark.parametrize("code", ["1064311000000109", "999999999", ""])
def test_a_code_that_is_not_on_the_list_is_refused(code: str) -> None:
    text = changed(TEXT, PLACED, '"836881000000105"', f'"{code}"')
    then_it_is_refused(text, "not on the list")


def test_a_rule_that_no_case_reaches_is_refused_by_its_id() -> None:
    """It is about records that are told nothing: whoever wrote it thinks otherwise."""
    text = changed(TEXT, "S47-D80", 'roles = ["mother", "father", "parent", "partner"]', IDLE)
    then_it_is_refused(text, "no case reaches S47-D80")


@pytest.mark.parametrize(
    "labels",
    [
        "[]",
        '["NOPAT"]',
        '["NOPAT", "PERSISTLABEL"]',
        '["NOPAT", "V"]',
        '["PERSISTLABEL", "V"]',
        '["NOPAT", "R", "V", "PERSISTLABEL"]',
        '["NOPAT", "V", "V", "PERSISTLABEL"]',
        '["R", "V", "PERSISTLABEL"]',
    ],
)
def test_labels_are_nopat_persistlabel_and_one_confidentiality(labels: str) -> None:
    line = 'labels = ["NOPAT", "V", "PERSISTLABEL"]'
    then_it_is_refused(changed(TEXT, PLACED, line, f"labels = {labels}"), "labels")


@pytest.mark.parametrize("field", ["owner", "due", "then"])
def test_a_hold_without_who_decides_by_when_and_who_is_next_is_refused(field: str) -> None:
    then_it_is_refused(without(TEXT, HELD, field), "hold needs owner, due and then")


def test_a_hold_that_names_nobody_to_go_on_to_is_refused() -> None:
    line = 'then = "submitter\'s safeguarding duty manager"'
    then_it_is_refused(changed(TEXT, HELD, line, 'then = ""'), "then")


@pytest.mark.parametrize("field", ["code", "labels", "desk", "review", "after_end"])
def test_a_placement_without_all_that_a_flag_carries_is_refused(field: str) -> None:
    then_it_is_refused(without(TEXT, PLACED, field), "place and request need")


@pytest.mark.parametrize(
    ("row", "line", "because"),
    [
        (WITHHELD, 'desk = "agency"', "hold and withhold carry no code"),
        (WITHHELD, 'expires = "12 months"', "hold and withhold carry no code"),
        (HELD, 'code = "U"', "hold and withhold carry no code"),
        (WITHHELD, 'owner = "submitter"', "only hold has owner"),
        (PLACED, 'due = "1 working day"', "only hold has owner"),
        (PLACED, 'expires = "12 months"', "expires and warn go together"),
        (PLACED, 'warn = "30 days"', "expires and warn go together"),
    ],
)
def test_a_row_that_carries_what_its_action_has_no_use_for_is_refused(
    row: str, line: str, because: str
) -> None:
    text = TEXT.replace(f'id = "{row}"\n', f'id = "{row}"\n{line}\n')
    then_it_is_refused(text, because)


def test_a_withheld_row_with_a_whole_hold_in_it_is_refused() -> None:
    hold = 'owner = "submitter"\ndue = "1 working day"\nthen = "practice Caldicott Guardian"\n'
    text = TEXT.replace(f'id = "{WITHHELD}"\n', f'id = "{WITHHELD}"\n{hold}')
    then_it_is_refused(text, "hold needs owner")


def test_a_policy_without_placements_or_without_rules_is_refused() -> None:
    head, _, rest = TEXT.partition("[[placements]]")
    then_it_is_refused(head, "placements")
    then_it_is_refused(head + "[[placements]]" + rest.partition("[[disclosures]]")[0], "disclos")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[neutral]", "[neither]"),
        ('phone = "01632 960100"', 'phone = "ring Ann"'),
        ('phone = "01632 960100"', 'phone = "01632 960100"\nperson = "Ann"'),
        ("[agency.Q0WYP]", '[agency."not a code"]'),
        ('organisation = "West Yorkshire Police"', ""),
        ("[neutral]", "[neutral"),
    ],
)
def test_desks_that_name_a_person_or_lack_a_number_are_refused(old: str, new: str) -> None:
    assert DESKS.count(old) == 1
    with pytest.raises(UnusablePolicy, match="desks"):
        load_desks(DESKS.replace(old, new))


def test_a_desk_is_the_agencys_or_the_neutral_one_as_the_row_says() -> None:
    desks = load_desks(DESKS)
    assert desks.has("Q0WYP")
    assert not desks.has("X26")
    assert desks.of("Q0WYP", DeskChoice.AGENCY).phone == "01632 960150"
    assert desks.of("Q0WYP", DeskChoice.NEUTRAL) == desks.of("X26", None)
    assert desks.organisation("Q0WYP").name == "West Yorkshire Police"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('phone = "01632 960100"', 'phone = "01632 960132"'),
        ('"Local safeguarding desk"', '"West Yorkshire safeguarding duty desk"'),
        ('"Local safeguarding desk"', '"Desk of the West Yorkshire Police"'),
    ],
)
def test_a_neutral_desk_that_is_an_agencys_is_refused(old: str, new: str) -> None:
    """On an alleged perpetrator's record it would say which agency knows."""
    assert DESKS.count(old) == 1
    with pytest.raises(UnusablePolicy, match="and so says which"):
        load_desks(DESKS.replace(old, new))
