"""Keys are replaced under load, by a process that is killed again and again: nothing is lost."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select

from flagservice.app import build
from flagservice.app.keys.providers import KEY_ENCRYPTION_FILE, PSEUDONYM_FILE
from flagservice.app.keys.pseudonyms import PSEUDONYM_COLUMNS, carried_by, drop_pseudonyms
from flagservice.app.keys.rotation import drop_data_key_wrapping, wrapped_by
from flagservice.audit.log import Actor, Deed, Work
from flagservice.people.persons import nhs_number_of
from flagservice.store import tables
from tests import opened
from tests.crash import ledger
from tests.crash.killing import Record, a_plan, settle
from tests.crash.rotating import (
    ROTATE,
    ROTATE_PSEUDONYMS,
    Kills,
    Load,
    kill_while_keys_rotate,
    rotate_to_the_end,
    under_load,
)
from tests.crash.town import Family, Town, a_town
from tests.sizes import sizes
from tests.world import COUNCIL

KILLS = sizes("kills", short=6, long=50)


def then_no_row_is_lost_and_none_is_left_under_an_old_key(
    folder: Path, database_url: str, kills: int
) -> str:
    with a_town(folder, database_url, apis=2, workers=1) as town:
        with under_load(town) as (load, look):
            done = kill_while_keys_rotate(town, kills=kills, look=look)
            for words in (ROTATE, ROTATE_PSEUDONYMS) * 2:
                rotate_to_the_end(town, words)
        when_every_old_key_is_dropped(town)
        then_what_was_sent_before_is_still_known(town, load.posting.record)
        settle(town)
        assert list(ledger.wrong_with_feeds(town)) == []
        for being in town.beings:
            town.kill(being)
        kept = ledger.kept_by(town)
        assert list(ledger.wrong_with_deliveries(kept)) == []
        assert ledger.wrong_with_the_audit(town) == ()
        return told(town, load, done, kills)


def told(town: Town, load: Load, done: Kills, kills: int) -> str:
    """Read by a process that has the newest keys and no other; in one line."""
    again = build.build(town.installation.settings)
    try:
        seen = again.log.perform(Actor("test"), what_is_there)
    finally:
        again.database.close()
    wrong = {name: seen[name] for name in ("unreadable", "old_key", "old_pseudonym", "twice")}
    assert wrong == dict.fromkeys(wrong, 0)
    assert load.searches > kills * 2 / 5
    assert len(load.newcomers) > kills * 2 / 5
    assert done.rotating > kills / 2
    assert done.half_done > kills // 13
    return (
        f"kills {done.rotating + done.serving} ({done.rotating} of whoever rotates,"
        f" {done.half_done} of them half done),"
        f" rotations that ended by themselves {done.ended + 4},"
        f" posts accepted {len(load.posting.record.accepted)} ({load.posting.record.unanswered}"
        f" tries without an answer), searches {load.searches}, polls {load.polls},"
        f" people made at two doors at once {len(load.newcomers)}, sealed rows {seen['sealed']},"
        f" rows unreadable {seen['unreadable']}, rows under an old key {seen['old_key']},"
        f" rows under an old pseudonym key {seen['old_pseudonym']}, people twice {seen['twice']}"
    )


def what_is_there(work: Work) -> dict[str, int]:
    work.record(Deed.STATUS_READ)
    people = Counter(
        nhs_number_of(work, one) for one in work.session.exec(select(tables.PersonRow))
    )
    wrapped, carried = wrapped_by(work), carried_by(work)
    rows = sum(
        work.session.exec(select(func.count()).select_from(one.table)).one()
        for one in PSEUDONYM_COLUMNS
    )
    return {
        "sealed": sum(1 for _ in opened.bodies(work)),
        "unreadable": len(opened.unreadable(work)),
        "old_key": sum(
            sum(by_table.values())
            for key_id, by_table in wrapped.items()
            if key_id != work.vault.current_key_id()
        ),
        "old_pseudonym": rows - sum(carried[max(carried)].values()),
        "twice": sum(times - 1 for times in people.values()),
    }


def when_every_old_key_is_dropped(town: Town) -> None:
    """While the service runs: a key that anything needed would be refused."""
    folder = town.installation.settings.keys_folder
    kek = json.loads((folder / KEY_ENCRYPTION_FILE).read_text())
    versions = sorted(map(int, json.loads((folder / PSEUDONYM_FILE).read_text())))
    assert len(kek["keys"]) > 2
    assert len(versions) > 2
    for key_id in kek["keys"].keys() - {kek["current"]}:
        drop_data_key_wrapping(town.installation, key_id)
    for version in versions[:-1]:
        drop_pseudonyms(town.installation, version)


def then_what_was_sent_before_is_still_known(town: Town, record: Record) -> None:
    """A repeat is a repeat, and a version that says nothing new is told to nobody."""
    newest: dict[str, int] = {}
    for reference, version in record.accepted:
        newest[reference] = max(version, newest.get(reference, 0))
    families = [family for family in town.families if family.reference in newest]
    for family in families:
        version = newest[family.reference]
        headers = {"Idempotency-Key": f"post-{family.reference}-{version}"} if version % 2 else {}
        assert posted(town, a_plan(family, version), headers) in ("accepted", "accepted before")
        assert posted(town, a_plan(family, version), {}) == "accepted before"
    before = versions_of(town)
    for family in families:
        assert posted(town, unchanged(family, newest[family.reference]), {}) == "accepted"
    assert versions_of(town) == before


def unchanged(family: Family, version: int) -> dict[str, Any]:
    return {**a_plan(family, version), "version": version + 1}


def posted(town: Town, plan: dict[str, Any], headers: dict[str, str]) -> str:
    reply = town.clients[COUNCIL].ask("POST", "/plans", json=plan, headers=headers)
    assert reply.status_code in (200, 201), f"{reply.status_code} {reply.text}"
    return str(reply.json()["submission"])


def versions_of(town: Town) -> int:
    def deed(work: Work) -> int:
        work.record(Deed.STATUS_READ)
        return work.session.exec(select(func.count()).select_from(tables.VersionRow)).one()

    return town.installation.log.perform(Actor("test"), deed)


@KILLS
def test_sqlite_with_two_apis_and_a_worker_while_keys_rotate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kills: int
) -> None:
    line = then_no_row_is_lost_and_none_is_left_under_an_old_key(tmp_path, "", kills)
    with capsys.disabled():
        sys.stdout.write(f"\nSQLite, 2 APIs, 1 worker: {line}\n")


@KILLS
def test_postgresql_with_two_apis_and_a_worker_while_keys_rotate(
    tmp_path: Path, postgresql_url: str, capsys: pytest.CaptureFixture[str], kills: int
) -> None:
    line = then_no_row_is_lost_and_none_is_left_under_an_old_key(tmp_path, postgresql_url, kills)
    with capsys.disabled():
        sys.stdout.write(f"\nPostgreSQL, 2 APIs, 1 worker: {line}\n")
