"""A question ends with the very version that was filed; the audit says what was settled."""

from typing import Any

from sqlmodel import col, select

from flagservice.store import tables
from tests.api.records.test_acknowledging import asked_of, kept, taken, versions_read, when_answered
from tests.api.steps import Cast, a_notification, a_plan

ASKED = {"outcome": "queried", "reason": "review-overdue"}
NOT_SHOWN = {"outcome": "filed-not-shown"}


def said_last(cast: Cast) -> dict[str, Any]:
    about: dict[str, Any] = cast.service.leaves("acknowledged")[-1]["about"]
    return about


def named(cast: Cast, *versions: str) -> str:
    """As the audit names answers: each by its copy and its version."""
    asked = select(tables.AcknowledgementRow).where(
        col(tables.AcknowledgementRow.version_id).in_(versions)
    )
    with cast.world.database.transaction() as session:
        rows = session.exec(asked.order_by(col(tables.AcknowledgementRow.version_id))).all()
        return " ".join(f"{row.copy_id}/{row.version_id}" for row in rows)


def test_a_late_receipt_for_an_older_version_settles_no_question_about_a_newer(
    any_cast: Cast,
) -> None:
    any_cast.council.posts("/plans", a_plan())
    older = versions_read(any_cast.practice)
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    newer = versions_read(any_cast.practice)[-1]
    assert newer not in older
    assert taken(when_answered(any_cast.practice, newer, **ASKED)) == 1
    assert taken(when_answered(any_cast.practice, *older)) == 0
    assert len(asked_of(any_cast.council)) == 1
    assert taken(when_answered(any_cast.practice, newer)) == 1
    assert asked_of(any_cast.council) == []


def test_a_question_that_was_settled_is_news_and_in_the_audit(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    (version,) = versions_read(any_cast.other_practice)
    when_answered(any_cast.other_practice, version)
    assert said_last(any_cast) == {"versions": 1, "outcome": "filed", "settled": "", "kept": ""}
    when_answered(any_cast.other_practice, version, **ASKED)
    assert taken(when_answered(any_cast.other_practice, version)) == 1
    settled = named(any_cast, version)
    assert said_last(any_cast) == {
        "versions": 1,
        "outcome": "filed",
        "settled": settled,
        "kept": "",
    }
    assert settled.endswith(f"/{version}")
    assert taken(when_answered(any_cast.other_practice, version)) == 0


def test_what_is_kept_is_in_the_audit_by_copy_and_version(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    versions = versions_read(any_cast.practice)
    assert taken(when_answered(any_cast.practice, *versions, **NOT_SHOWN)) == 2
    assert said_last(any_cast)["kept"] == named(any_cast, *versions)
    assert taken(when_answered(any_cast.practice, *versions, **NOT_SHOWN)) == 0
    assert said_last(any_cast)["kept"] == ""


def test_each_version_is_news_once_however_much_became_of_it(cast: Cast) -> None:
    """Delivered, kept and settled at once it is one; so is each that had one of them alone."""
    cast.council.posts("/plans", a_plan())
    first, second = versions_read(cast.practice)
    when_answered(cast.practice, first)
    when_answered(cast.practice, second, **ASKED)
    assert taken(when_answered(cast.practice, first, second, **NOT_SHOWN)) == 2


def test_what_was_asked_and_rejected_is_in_the_audit_too(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    (version,) = versions_read(cast.other_practice)
    when_answered(cast.other_practice, version, **ASKED)
    assert said_last(cast)["kept"] == named(cast, version)
    when_answered(cast.other_practice, version, **ASKED)
    assert said_last(cast)["kept"] == ""
    when_answered(cast.other_practice, version, outcome="rejected")
    assert said_last(cast)["kept"] == named(cast, version).split()[0]


def test_nobody_settles_what_another_practice_asked(cast: Cast) -> None:
    cast.police.posts("/notifications", a_notification())
    cast.world.decides("B83902", "place")
    (version,) = versions_read(cast.other_practice)
    when_answered(cast.other_practice, version, **ASKED)
    assert taken(when_answered(cast.practice, version)) == 0
    assert kept(cast) == [("queried", "review-overdue", True)]
