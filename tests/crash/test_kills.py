"""Nothing that was acknowledged is lost, and nothing arrives twice, whoever is killed and when."""

import sys
from pathlib import Path

import pytest

from tests.crash import ledger
from tests.crash.killing import kill_while_plans_are_posted, settle
from tests.crash.town import a_town
from tests.sizes import sizes

KILLS = sizes("kills", short=8, long=200)


def then_nothing_is_lost_and_nothing_is_there_twice(
    folder: Path, database_url: str, *, apis: int, workers: int, kills: int
) -> str:
    with a_town(folder, database_url, apis=apis, workers=workers) as town:
        record = kill_while_plans_are_posted(town, kills=kills)
        settle(town)
        assert list(ledger.wrong_with_feeds(town)) == []
        for being in town.beings:
            town.kill(being)
        kept = ledger.kept_by(town)
        found = ledger.found_at_the_practices(kept, town.systems)

        assert list(ledger.wrong_with_submissions(kept, record)) == []
        assert list(ledger.wrong_with_deliveries(kept)) == []
        assert found.wrong == []
        assert (found.duplicates, found.lost) == (0, 0)
        assert ledger.wrong_with_the_audit(town) == ()
        assert record.unanswered > 0, "no post ever went without an answer"
    delivered = sum(delivery.state == "delivered" for delivery in kept.deliveries)
    return (
        f"kills {kills}, posts accepted {len(record.accepted)}"
        f" ({record.unanswered} tries without an answer,"
        f" {record.answers.get('accepted before', 0)} found accepted before),"
        f" versions {len(kept.versions)}, deliveries {delivered},"
        f" duplicates {found.duplicates}, lost {found.lost}"
    )


@KILLS
def test_sqlite_with_a_worker_inside_the_service_and_one_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kills: int
) -> None:
    line = then_nothing_is_lost_and_nothing_is_there_twice(
        tmp_path, "", apis=1, workers=1, kills=kills
    )
    with capsys.disabled():
        sys.stdout.write(f"\nSQLite, 1 API with a worker inside, 1 worker: {line}\n")


@KILLS
def test_postgresql_with_two_apis_and_three_workers(
    tmp_path: Path, postgresql_url: str, capsys: pytest.CaptureFixture[str], kills: int
) -> None:
    line = then_nothing_is_lost_and_nothing_is_there_twice(
        tmp_path, postgresql_url, apis=2, workers=3, kills=kills
    )
    with capsys.disabled():
        sys.stdout.write(f"\nPostgreSQL, 2 APIs, 3 workers: {line}\n")
