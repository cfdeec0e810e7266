"""Keys are made once, never written over, and rotate while the service reads and writes."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from flagservice.app import build as building
from flagservice.app.build import Installation, build, init_keys
from flagservice.app.keys.keyset import KeysMissing, add_key_encryption_key, load_keys, make_keys
from flagservice.app.keys.rotation import rotate_data_keys, wrapped_by
from flagservice.audit.log import Actor, Deed, Work
from flagservice.delivery.pull import feed
from flagservice.domain.copies import Form
from flagservice.domain.reading import read_submission
from flagservice.domain.submissions import Plan
from flagservice.intake.registration import update_registration
from flagservice.intake.submission import submit
from flagservice.people.registrations import Registration
from flagservice.settings import Settings
from flagservice.store.sealing.ciphers import CannotOpen, UnknownKey
from tests.checked import a_registration, given_a_checked_system, registering
from tests.commanded import when_told
from tests.delivery.practices import nhs_numbers
from tests.patience import enough
from tests.world import COUNCIL, a_submission, person

NAMES = {"kek.json", "pseudonym.key", "audit.pem", "token.pem"}
PRACTICE, BORN = "B83901", "2020-01-01"
WRITERS, ROTATIONS = 3, 3


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """On SQLite the embedded default; on PostgreSQL with keys that an operator made."""
    embedded = database_url.startswith("sqlite")
    one = Settings(data=tmp_path, database_url="" if embedded else database_url)
    if not embedded:
        make_keys(one.keys_folder, one.origin)
    return one


@pytest.fixture
def installation(settings: Settings) -> Iterator[Installation]:
    one = build(settings)
    given_a_checked_system(one.log)
    one.perform(registering(a_registration(PRACTICE)))
    yield one
    one.database.close()


def when_posted(installation: Installation, number: str) -> None:
    """A registration, a submission, an issued flag: every kind of data key there is."""
    actor = Actor("client", COUNCIL)
    where = Registration(date.fromisoformat(BORN), PRACTICE)
    body = a_submission("child-protection", f"CPP-{number[3:]}", person("child", number, BORN))
    plan = read_submission(Plan, json.dumps(body).encode(), today=date(2026, 1, 1))

    def deed(work: Work) -> None:
        update_registration(
            work, number, registration=where, rulebook=installation.policies.rulebook(work)
        )
        submit(work, plan, rulebook=installation.policies.rulebook(work))

    installation.log.perform(actor, deed)


def the_feed(installation: Installation) -> list[dict[str, Any]]:
    def deed(work: Work) -> list[bytes]:
        return [one.content for one in feed.feed(work, form=Form.FLAG, limit=10_000).found]

    return [json.loads(one) for one in installation.log.perform(Actor("gp", PRACTICE), deed)]


def the_wrapping_keys(installation: Installation) -> set[str]:
    """By which every data key in the database is wrapped now."""

    def deed(work: Work) -> set[str]:
        work.record(Deed.STATUS_READ)
        return set(wrapped_by(work))

    return installation.log.perform(Actor("test"), deed)


def when_rotated(settings: Settings) -> int:
    """As `flagservice keys rotate` does, in a process that starts for it."""
    rotating = build(settings)
    try:
        return rotate_data_keys(rotating)
    finally:
        rotating.database.close()


def when_all_but_the_current_key_are_dropped(settings: Settings) -> None:
    path = settings.keys_folder / "kek.json"
    kek = json.loads(path.read_text())
    kek["keys"] = {kek["current"]: kek["keys"][kek["current"]]}
    path.write_text(json.dumps(kek))


def test_keys_rotate_while_the_service_reads_and_writes(
    settings: Settings, installation: Installation
) -> None:
    over = threading.Event()
    numbers = nhs_numbers()
    one_at_a_time = threading.Lock()
    posted: list[str] = []

    def writes() -> None:
        while not over.is_set():
            with one_at_a_time:
                number = next(numbers)
            when_posted(installation, number)
            posted.append(number)

    def reads() -> None:
        while not over.is_set():
            the_feed(installation)

    with ThreadPoolExecutor(WRITERS + 1) as hands:
        running = [hands.submit(writes) for _ in range(WRITERS)] + [hands.submit(reads)]
        try:
            rewrapped = [when_rotated(settings) for _ in range(ROTATIONS)]
        finally:
            over.set()
        for one in running:
            one.result()
    assert all(rewrapped)
    assert the_wrapping_keys(installation) == {f"k{ROTATIONS + 1}"}
    found = {flag["subject"]["identifier"]["value"] for flag in the_feed(installation)}
    assert found == set(posted)


def test_a_process_that_only_reads_goes_on_reading_after_a_rotation(
    settings: Settings, installation: Installation
) -> None:
    when_posted(installation, next(nhs_numbers()))
    before = the_feed(installation)
    when_rotated(settings)
    assert the_feed(installation) == before


def test_a_restart_without_the_old_key_opens_everything_after_a_rotation(
    settings: Settings, installation: Installation
) -> None:
    number = next(nhs_numbers())
    when_posted(installation, number)
    assert the_wrapping_keys(installation) == {"k1"}
    assert when_rotated(settings) > 0
    when_all_but_the_current_key_are_dropped(settings)
    again = build(settings)
    (flag,) = the_feed(again)
    assert flag["subject"]["identifier"]["value"] == number
    when_posted(again, next(nhs_numbers(500)))
    assert the_wrapping_keys(again) == {"k2"}
    again.database.close()


def test_a_key_that_was_dropped_too_early_is_named_and_nothing_is_opened(
    settings: Settings, installation: Installation
) -> None:
    when_posted(installation, next(nhs_numbers()))
    add_key_encryption_key(settings.keys_folder)
    when_all_but_the_current_key_are_dropped(settings)
    again = build(settings)
    with pytest.raises(UnknownKey, match="k1"):
        the_feed(again)
    again.database.close()


def test_a_new_key_never_takes_the_name_of_a_key_that_is_there(settings: Settings) -> None:
    build(settings).database.close()
    kept = settings.keys_folder / "kek.json"
    assert add_key_encryption_key(settings.keys_folder) == "k2"
    when_all_but_the_current_key_are_dropped(settings)
    second = json.loads(kept.read_text())["keys"]["k2"]
    assert add_key_encryption_key(settings.keys_folder) == "k3"
    assert json.loads(kept.read_text())["keys"]["k2"] == second


def test_keys_of_the_environment_rotate_without_a_file(
    settings: Settings, installation: Installation
) -> None:
    when_posted(installation, next(nhs_numbers()))
    path = settings.keys_folder / "kek.json"
    add_key_encryption_key(settings.keys_folder)
    given = settings.model_copy(update={"key_encryption_keys": SecretStr(path.read_text())})
    path.unlink()
    rotated = build(given)
    assert rotate_data_keys(rotated) > 0
    assert the_wrapping_keys(rotated) == {"k2"}
    assert "k2" not in repr(given)
    rotated.database.close()


def test_every_key_is_a_file_of_its_own_that_we_alone_can_read(settings: Settings) -> None:
    build(settings).database.close()
    add_key_encryption_key(settings.keys_folder)
    assert settings.keys_folder.stat().st_mode & 0o777 == 0o700
    found = list(settings.keys_folder.iterdir())
    assert {path.name for path in found} == NAMES
    assert {path.stat().st_mode & 0o777 for path in found} == {0o600}


def test_a_key_that_is_there_is_never_written_over(settings: Settings) -> None:
    build(settings).database.close()
    before = the_key_files(settings)
    make_keys(settings.keys_folder, settings.origin)
    init_keys(settings)
    build(settings).database.close()
    assert the_key_files(settings) == before


def the_key_files(settings: Settings) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in settings.keys_folder.iterdir()}


def test_processes_that_start_together_end_with_the_same_keys(tmp_path: Path) -> None:
    together = threading.Barrier(8)
    settings = Settings(data=tmp_path)

    def starts(_: int) -> dict[str, bytes]:
        together.wait(timeout=enough())
        make_keys(settings.keys_folder, settings.origin)
        load_keys(settings)
        return the_key_files_alone(settings)

    with ThreadPoolExecutor(8) as hands:
        seen = list(hands.map(starts, range(8)))
    assert all(one == seen[0] for one in seen)
    assert set(the_key_files(settings)) == NAMES


def the_key_files_alone(settings: Settings) -> dict[str, bytes]:
    return {name: (settings.keys_folder / name).read_bytes() for name in NAMES}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_database_without_one_of_its_keys_is_refused_and_no_new_key_is_made(
    tmp_path: Path, name: str
) -> None:
    settings = Settings(data=tmp_path)
    build(settings).database.close()
    (settings.keys_folder / name).unlink()
    for start in (building.build, init_keys):
        with pytest.raises(KeysMissing, match=name):
            start(settings)
    assert not (settings.keys_folder / name).exists()


def test_a_database_whose_folder_of_keys_is_gone_is_refused(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    build(settings).database.close()
    settings.keys_folder.rename(tmp_path / "elsewhere")
    with pytest.raises(KeysMissing):
        build(settings)
    assert not settings.keys_folder.exists()


def test_postgresql_never_gets_keys_that_nobody_asked_for(
    tmp_path: Path, postgresql_url: str
) -> None:
    settings = Settings(data=tmp_path, database_url=postgresql_url)
    with pytest.raises(KeysMissing):
        build(settings)
    assert list(tmp_path.iterdir()) == []


def test_the_wrong_keys_open_nothing(
    settings: Settings, installation: Installation, tmp_path: Path
) -> None:
    when_posted(installation, next(nhs_numbers()))
    strange = tmp_path / "strange"
    make_keys(strange, settings.origin)
    (strange / "pseudonym.key").write_bytes((settings.keys_folder / "pseudonym.key").read_bytes())
    other = build(settings.model_copy(update={"keys": strange}))
    with pytest.raises(CannotOpen):
        the_feed(other)
    other.database.close()


def test_the_command_line_says_in_one_line_which_key_is_gone(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    build(settings).database.close()
    (settings.keys_folder / "pseudonym.key").unlink()
    ended = when_told(tmp_path, "keys", "init")
    assert ended.status == 1
    assert ended.err == (
        "flagservice: there is a database, and pseudonym.key is gone: nothing opens it\n"
    )
