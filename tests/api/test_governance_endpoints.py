"""Governance: why every word went where it did, which rulings there were, what waits."""

from typing import Any

import pytest

from flagservice.domain.elements import Element
from tests.api.answers import FHIR, faults, resources, then_refused
from tests.api.steps import CHILD, FATHER, MOTHER, Cast, Client, a_notification, a_plan, an_enquiry
from tests.world import person

UNPLACED = ("9990002665", "1999-12-31")


def rulings(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.gets(f"/governance/rulings?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rulings"]
    return found


def the_childs_flag(cast: Cast) -> str:
    cast.council.posts("/plans", a_plan(review_due="2022-03-28"))
    (flag,) = resources(cast.practice.searches(CHILD[0]))
    return str(flag["id"])


def test_why_names_the_policy_and_the_rules_of_every_element(any_cast: Cast) -> None:
    flag = the_childs_flag(any_cast)
    why = any_cast.governance.gets(f"/governance/flags/{flag}/why").json()
    policy = next(
        policy
        for kind, policy in any_cast.world.rulebook.policies.items()
        if kind == "child-protection"
    )
    assert (why["flag"], why["day"], why["kind"]) == (flag, "2022-01-04", "child-protection")
    assert (why["policy_version"], why["policy_digest"]) == (policy.version, policy.digest)
    assert (why["placement"], why["action"]) == ("CP-P01", "place")
    ruled = {one["element"]: one for one in why["elements"]}
    assert set(ruled) == {str(element) for element in Element}
    assert {one["action"] for one in ruled.values()} == {"disclose", "redact"}
    assert all(one["rules"] for one in ruled.values() if one["action"] == "disclose")


def test_why_one_element_answers_that_element_alone(any_cast: Cast) -> None:
    flag = the_childs_flag(any_cast)
    whole = any_cast.governance.gets(f"/governance/flags/{flag}/why").json()
    for one in whole["elements"]:
        path = f"/governance/flags/{flag}/why?element={one['element']}"
        assert any_cast.governance.gets(path).json() == {**whole, "elements": [one]}


def test_why_holds_no_value_and_nobodys_number(cast: Cast) -> None:
    flag = the_childs_flag(cast)
    (resource,) = resources(cast.practice.searches(CHILD[0]))
    values = [CHILD[0], CHILD[1], "2022-01-01", "2022-03-28", "physical", "01632 960132", "B83901"]
    assert "2022-01-01" in repr(resource)
    for path in (f"/governance/flags/{flag}/why", "/governance/rulings", "/governance/manual-list"):
        text = cast.governance.gets(path).text
        assert not [value for value in [*values, MOTHER[0], FATHER[0]] if value in text]


def test_why_is_about_the_record_that_was_asked_for(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    placements = {}
    for client, (number, _) in (
        (any_cast.practice, CHILD),
        (any_cast.practice, MOTHER),
        (any_cast.other_practice, FATHER),
    ):
        (flag,) = resources(client.searches(number))
        why = any_cast.governance.gets(f"/governance/flags/{flag['id']}/why").json()
        assert why["flag"] == flag["id"]
        placements[number] = why["placement"]
    assert placements == {CHILD[0]: "CP-P01", MOTHER[0]: "CP-P05", FATHER[0]: "CP-P09"}


def test_why_is_answered_for_the_copy_at_a_new_practice(cast: Cast) -> None:
    before = the_childs_flag(cast)
    cast.world.registered(*CHILD, "B83902")
    (moved,) = resources(cast.other_practice.searches(CHILD[0]))
    assert moved["id"] != before
    why = cast.governance.gets(f"/governance/flags/{moved['id']}/why").json()
    assert (why["flag"], why["placement"]) == (moved["id"], "CP-P01")


def test_why_follows_the_newest_ruling(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    (flag,) = resources(cast.other_practice.searches(FATHER[0]))
    path = f"/governance/flags/{flag['id']}/why"
    before = cast.governance.gets(path).json()
    cast.world.on("2022-01-05")
    cast.police.posts("/notifications", a_notification())
    after = cast.governance.gets(path).json()
    assert before["placement"] == "CP-P09"
    assert after["placement"] == "CP-P10"


def test_asking_why_is_in_the_audit(cast: Cast) -> None:
    flag = the_childs_flag(cast)
    cast.governance.gets(f"/governance/flags/{flag}/why")
    (leaf,) = cast.service.leaves("governance-read")
    assert (leaf["actor"], leaf["about"]["what"]) == (cast.governance.id, "why")


def test_a_flag_that_nobody_ruled_on_is_unknown(house: Cast) -> None:
    with house.service.storing_nothing():
        then_refused(house.governance.gets(f"/governance/flags/{'f' * 32}/why"), 404)


def test_an_element_that_is_none_is_refused(house: Cast) -> None:
    answer = house.governance.gets(f"/governance/flags/{'f' * 32}/why?element=Bloggs")
    then_refused(answer, 422, ("element", "is missing or does not fit"))
    assert "Bloggs" not in answer.text


def given_two_days(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    cast.world.on("2022-01-05")
    cast.council.posts("/enquiries", an_enquiry())
    cast.police.posts("/notifications", a_notification())


def test_rulings_are_listed_by_day_kind_action_and_policy_version(any_cast: Cast) -> None:
    given_two_days(any_cast)
    everything = rulings(any_cast.governance)
    assert len(everything) >= 6
    for query, wanted in (
        ("day=2022-01-04", {"day": "2022-01-04"}),
        ("day=2022-01-05", {"day": "2022-01-05"}),
        ("kind=section-47", {"kind": "section-47"}),
        ("action=hold", {"action": "hold"}),
        ("action=request", {"action": "request"}),
        ("policy_version=1", {"policy_version": 1}),
        ("policy_version=2", {"policy_version": 2}),
        ("kind=perpetrator&action=hold&day=2022-01-05", {"kind": "perpetrator", "action": "hold"}),
    ):
        found = rulings(any_cast.governance, query)
        assert found
        assert found == [one for one in everything if wanted.items() <= one.items()]
    for query in ("day=2021-01-01", "policy_version=3", "kind=unborn-child-in-need"):
        assert rulings(any_cast.governance, query) == []


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_rulings_are_paged_by_the_last_id(any_cast: Cast, limit: int) -> None:
    given_two_days(any_cast)
    found: list[dict[str, Any]] = []
    after = ""
    while page := rulings(any_cast.governance, f"limit={limit}&after={after}"):
        assert len(page) <= limit
        found += page
        after = page[-1]["ruling"]
    assert found == rulings(any_cast.governance)


@pytest.mark.parametrize(
    "query",
    [
        "day=yesterday",
        "day=2022-02-30",
        "day=0",
        "kind=Bloggs",
        "action=deny",
        "policy_version=0",
        "policy_version=1.5",
        f"policy_version={'9' * 30}",
        "policy_version=9999999999",
        "limit=0",
        "limit=501",
    ],
)
def test_rulings_are_not_listed_by(house: Cast, query: str) -> None:
    with house.service.storing_nothing():
        answer = house.governance.gets(f"/governance/rulings?{query}")
    assert answer.status_code == 422
    name, _, value = query.partition("=")
    assert faults(answer) == [(name, "is missing or does not fit")]
    assert value == "0" or value not in answer.text.replace("422", "")


@pytest.mark.parametrize("path", ["/governance/rulings?after=%00", "/governance/flags/a%00/why"])
def test_an_address_with_a_nul_character_is_refused(any_cast: Cast, path: str) -> None:
    answer = any_cast.governance.gets(path)
    then_refused(answer, 422, ("address", "has a NUL character"))


CLOSING = {"decided_by": "Dr Nilufar Amed", "reason": "rang the practice, and it has filed it"}


def manual_list(cast: Cast) -> list[dict[str, Any]]:
    waiting: list[dict[str, Any]] = cast.governance.gets("/governance/manual-list").json()[
        "waiting"
    ]
    return waiting


def given_something_to_ring_about(cast: Cast) -> str:
    """A flag that no machine delivers; answers the address at which it is closed."""
    cast.world.registered(*CHILD, "B83903")
    cast.council.posts("/plans", a_plan())
    (todo,) = manual_list(cast)
    return f"/governance/deliveries/{todo['id']}/close"


def test_the_manual_list_has_what_no_machine_can_deliver_and_no_location(any_cast: Cast) -> None:
    any_cast.world.registered(*CHILD, "B83903")
    people = [
        person("child", *CHILD),
        person("mother", *UNPLACED, knows="knows"),
        {"role": "father", "not_identified": "not-named"},
    ]
    any_cast.council.posts("/plans", a_plan(people=people))
    answer = any_cast.governance.gets("/governance/manual-list")
    waiting = answer.json()["waiting"]
    assert {(todo["what"], todo["reason"]) for todo in waiting} == {
        ("delivery", "practice system not admitted"),
        ("mother", "no-practice"),
        ("father", "not-identified"),
    }
    assert {todo["opened"] for todo in waiting} == {"2022-01-04"}
    assert all(todo["owner"] == "operator on duty" for todo in waiting)
    assert not [secret for secret in ("B83903", CHILD[0], UNPLACED[0]) if secret in answer.text]


def test_the_manual_list_raises_the_urgency_with_age(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan(people=[person("child", UNPLACED[0], "2018-12-31")]))
    (before,) = manual_list(cast)
    cast.world.on("2022-03-01")
    after, decision = manual_list(cast)
    assert (before["urgency"], after["urgency"]) == ("late", "overdue")
    assert after == {**before, "urgency": "overdue", "owner": "information governance lead"}
    assert (decision["what"], decision["owner"]) == (
        "decision overdue",
        "submitter's safeguarding duty manager",
    )


def test_an_admitted_practice_leaves_the_manual_list(cast: Cast) -> None:
    cast.world.registered(*CHILD, "B83903")
    cast.council.posts("/plans", a_plan())
    assert len(manual_list(cast)) == 1
    cast.world.admitted("B83903")
    assert manual_list(cast) == []


def test_a_delivery_is_closed_by_decision_and_leaves_the_list(any_cast: Cast) -> None:
    path = given_something_to_ring_about(any_cast)
    answer = any_cast.governance.posts(path, CLOSING)
    assert (answer.status_code, answer.content) == (204, b"")
    assert manual_list(any_cast) == []
    (leaf,) = any_cast.service.leaves("closed-by-decision")
    assert leaf["actor"] == any_cast.governance.id
    assert "Amed" not in repr(leaf)


def test_a_delivery_is_closed_once(any_cast: Cast) -> None:
    path = given_something_to_ring_about(any_cast)
    any_cast.governance.posts(path, CLOSING)
    with any_cast.service.storing_nothing():
        then_refused(any_cast.governance.posts(path, CLOSING), 409)


def test_a_delivery_that_is_none_is_not_closed(any_cast: Cast) -> None:
    for path, status in (("f" * 32, 404), ("a%00", 422)):
        with any_cast.service.storing_nothing():
            answer = any_cast.governance.posts(f"/governance/deliveries/{path}/close", CLOSING)
        then_refused(answer, status)


def test_a_delivery_is_not_closed_without_a_name_and_a_reason(cast: Cast) -> None:
    path = given_something_to_ring_about(cast)
    for change, named in (
        ({"reason": "rung"}, ("reason", "is too short")),
        ({"decided_by": ""}, ("decided_by", "is too short")),
        ({"Bloggs": "Bloggs"}, ("(unknown field)", "there is no such field")),
    ):
        with cast.service.storing_nothing():
            answer = cast.governance.posts(path, {**CLOSING, **change})
        then_refused(answer, 422, named)
        assert "Bloggs" not in answer.text
    assert len(manual_list(cast)) == 1


def test_nobody_else_asks_why(cast: Cast) -> None:
    flag = the_childs_flag(cast)
    for client in (cast.council, cast.police, cast.practice, cast.operator):
        for path in (
            f"/governance/flags/{flag}/why",
            "/governance/rulings",
            "/governance/manual-list",
        ):
            then_refused(client.gets(path), 403)
    then_refused(cast.governance.gets(f"{FHIR}/Flag/{flag}"), 403)
