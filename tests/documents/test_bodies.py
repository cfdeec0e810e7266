"""What the pages show of a submission and of its answer is what the service takes and gives."""

import json
import re
from typing import Any

from tests.house.source import HOME
from tests.world import COUNCIL, POLICE, World


def blocks(page: str) -> list[Any]:
    """The JSON that a page shows, in its order."""
    text = (HOME / page).read_text("utf-8")
    return [json.loads(block) for block in re.findall(r"(?ms)^```json\n(.*?)^```$", text)]


def given_its_people(world: World, body: dict[str, Any], *practices: str) -> None:
    for person, practice in zip(body["people"], practices, strict=True):
        world.registered(person["nhs_number"], person["date_of_birth"], practice)


def test_the_notification_that_the_police_page_shows_is_answered_as_it_says(world: World) -> None:
    body, answer = blocks("docs/integrate/police.md")
    given_its_people(world, body, "B83952", "B83951", "B83951")
    world.posts(POLICE, body)
    lines = [(line["role"], line["status"]) for line in answer["records"]]
    assert world.receipt(POLICE, body["reference"]) == lines
    assert (answer["reference"], answer["version"]) == (body["reference"], body["version"])


def test_nothing_goes_to_the_alleged_perpetrators_record_until_his_practice_decides(
    world: World,
) -> None:
    body, _ = blocks("docs/integrate/police.md")
    given_its_people(world, body, "B83952", "B83951", "B83951")
    world.posts(POLICE, body)
    assert world.held_at("B83952") == []
    world.decides("B83952")
    (flag,) = world.held_at("B83952")
    assert flag["code"]["coding"][0]["code"] == "U"
    assert "author" not in flag


def test_the_plan_that_the_readme_shows_becomes_the_flag_that_it_shows(world: World) -> None:
    plan, flag = blocks("README.md")
    world.on("2026-11-23")
    given_its_people(world, plan, "B83951", "B83952")
    world.posts(COUNCIL, plan)
    (issued,) = world.held_at("B83952")
    assert without_chance(issued) == without_chance(flag)


def without_chance(flag: dict[str, Any]) -> dict[str, Any]:
    """Less what is random, and what the page says that it leaves out."""
    del flag["id"], flag["meta"]["versionId"], flag["meta"]["lastUpdated"]
    flag["meta"].pop("profile", None)
    for part in (*flag["meta"]["security"], *flag["identifier"]):
        part.pop("display", None)
    for identifier in flag["identifier"]:
        del identifier["value"]
    return flag


def test_the_readme_is_short() -> None:
    assert len((HOME / "README.md").read_text("utf-8").splitlines()) <= 130
