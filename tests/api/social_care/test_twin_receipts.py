"""Two worlds that differ only by what police have posted: children's services read the same."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.steps import (
    CHILD,
    FATHER,
    MOTHER,
    Cast,
    a_notification,
    a_plan,
    an_enquiry,
    given_a_cast,
    when_everything_is_filed,
)
from tests.world import World, a_submission, person

Step = Callable[[Cast], object]
UNSURE = [
    person("child", *CHILD, identity="unconfirmed"),
    person("mother", *MOTHER, knows="knows"),
    person("father", *FATHER, knows="presumed", identity="unconfirmed"),
]
UNBORN = [
    {"role": "unborn", "expected_date": "2022-03-09"},
    person("mother", *MOTHER, knows="knows"),
    person("father", *FATHER, knows="presumed"),
]


def in_need(**more: object) -> dict[str, object]:
    people = [person("child", *CHILD), person("father", *FATHER, knows="knows")]
    return {**a_submission("child-in-need", "CIN-1", *people), **more}


def council_posts(*bodies: dict[str, object]) -> list[Step]:
    def posting(body: dict[str, object]) -> Step:
        path = "/enquiries" if body["kind"] == "section-47" else "/plans"
        return lambda cast: cast.council.posts(path, body)

    return [posting(body) for body in bodies]


def decided(outcome: str, number: str) -> Step:
    """The council decides its hold about this person."""

    def step(cast: Cast) -> None:
        waiting = cast.council.gets("/holds").json()["holds"]
        (hold,) = [item["id"] for item in waiting if item["nhs_number"] == number]
        body = {"outcome": outcome, "decided_by": "A. Lead", "reason": "a recorded decision"}
        assert cast.council.posts(f"/holds/{hold}/decision", body).status_code == 204

    return step


SEQUENCES: dict[str, list[Step]] = {
    "a plan that is amended and ended": council_posts(
        a_plan(), a_plan(version=2, categories=["neglect"]), a_plan(version=3, end="2022-01-04")
    ),
    "a plan that adds an adult": council_posts(
        a_plan(people=[person("child", *CHILD)]), a_plan(version=2)
    ),
    "a plan that no longer names the father": council_posts(
        a_plan(), a_plan(version=2, people=[person("child", *CHILD)])
    ),
    "a child in need and then protected": council_posts(
        in_need(), in_need(version=2, end="2022-01-04"), a_plan()
    ),
    "an enquiry that ends": council_posts(an_enquiry(), an_enquiry(version=2, end="2022-01-04")),
    "two held and placed": [
        *council_posts(a_plan(people=UNSURE)),
        decided("place", CHILD[0]),
        decided("place", FATHER[0]),
        *council_posts(a_plan(people=UNSURE, version=2, categories=["neglect"])),
    ],
    "one withheld and one placed": [
        *council_posts(a_plan(people=UNSURE)),
        decided("withhold", CHILD[0]),
        decided("place", FATHER[0]),
    ],
    "an unborn child's plan": [*council_posts(a_plan(people=UNBORN)), decided("place", FATHER[0])],
    "a child that is born": council_posts(
        a_plan(people=[*UNBORN[:2], person("father", *FATHER, knows="knows")]), a_plan(version=2)
    ),
    "a father who must not know": council_posts(
        a_plan(people=[person("child", *CHILD), person("father", *FATHER, knows="must-not-know")]),
        a_plan(version=2),
    ),
}
ACCUSED = a_notification(
    people=[
        person("father", *FATHER, standing="alleged-perpetrator", knows="must-not-know"),
        person("mother", *MOTHER, standing="victim", knows="must-not-know"),
        person("child", *CHILD, standing="victim", knows="must-not-know"),
    ]
)


def nothing_happens(_: Cast) -> None:
    """A step to read the receipts after."""


def what_the_council_reads(
    folder: Path, steps: list[Step], *, police_at: int | None, filing: bool
) -> list[bytes]:
    """Every receipt and worklist, after each step; the police post before step `police_at`.

    Two steps later they take it back.
    """
    world = World(f"sqlite:///{folder}/flagservice.db")
    cast = given_a_cast(world)
    read: list[bytes] = []
    for number, step in enumerate([*steps, nothing_happens]):
        if number == police_at:
            cast.police.posts("/notifications", ACCUSED)
        if number - 2 == police_at:
            cast.police.posts("/notifications", {**ACCUSED, "version": 2, "end": "2022-01-04"})
        step(cast)
        if filing:
            when_everything_is_filed(cast)
        receipts = [
            cast.council.gets(f"/receipts/{reference}").content
            for reference in ("CPP-1", "CIN-1", "S47-1")
        ]
        waiting = cast.council.gets("/holds").json()["holds"]
        shown = [{name: v for name, v in item.items() if name != "id"} for item in waiting]
        read += [*receipts, repr(sorted(shown, key=repr)).encode()]
    world.close()
    return read


@pytest.mark.parametrize("filing", [False, True], ids=["nothing filed", "all filed"])
@pytest.mark.parametrize("name", SEQUENCES)
def test_nothing_that_police_posted_shows_in_a_receipt_or_worklist(
    tmp_path: Path, name: str, filing: bool
) -> None:
    steps = SEQUENCES[name]
    numbers = itertools.count()

    def read(police_at: int | None) -> list[bytes]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return what_the_council_reads(folder, steps, police_at=police_at, filing=filing)

    without = read(None)
    for police_at in range(len(steps) + 1) if filing else (0,):
        assert read(police_at) == without, police_at
