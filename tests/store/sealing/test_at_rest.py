"""A stolen disk says nothing: files, write-ahead logs, log lines and metrics are searched raw."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel, select

from flagservice.admission.decisions import OperatorDecision
from flagservice.app.build import Installation, build
from flagservice.app.commands.register import load_register
from flagservice.app.keys.keyset import make_keys
from flagservice.audit.log import Actor, Deed, Work
from flagservice.clients.kinds import ClientKind
from flagservice.clients.registry import add_client
from flagservice.kit.demo.family import Family, families, people_of
from flagservice.settings import Settings
from flagservice.store import tables
from tests.checked import a_registration, given_a_checked_system, registering
from tests.crash.client import Client
from tests.crash.nursery import Nursery
from tests.patience import until
from tests.world import COUNCIL, HOME, POLICE

FAMILIES = families()
DECIDER, REASON = "Dr Canary Quillfeather", "quillfeather heard it from the neighbour"
SEARCH = "patient:identifier=https%3A%2F%2Ffhir.nhs.uk%2FId%2Fnhs-number%7C"
LEAST = 6
"""Shorter words turn up in ciphertext by chance."""


@dataclass
class Played:
    """The families' events, posted; the service killed, so that nothing was tidied up."""

    installation: Installation
    folder: Path
    metrics: bytes
    answers: list[int]


def the_words() -> list[str]:
    """Every number, name, address, reference and reason that somebody said."""
    policies = " ".join(path.read_text() for path in HOME.glob("policies/**/*.toml"))
    members = [member for family in FAMILIES for member in family.members.values()]
    said = [word for member in members for word in (member.nhs_number, *member.canaries)]
    said += [post["body"]["reference"] for _, _, post in the_posts()]
    return [w for w in (*said, DECIDER, REASON) if len(w) >= LEAST and w not in policies]


def the_posts() -> Iterator[tuple[date, Family, dict[str, Any]]]:
    """In the order of their days, whichever family they are about."""
    events = [(event, family) for family in FAMILIES for event in family.events]
    for event, family in sorted(events, key=lambda one: one[0].at):
        for post in event.posts:
            yield event.at, family, post


@pytest.fixture
def played(tmp_path: Path, database_url: str) -> Iterator[Played]:
    embedded = database_url.startswith("sqlite")
    with socket.socket() as free, socket.socket() as nobody:
        free.bind(("127.0.0.1", 0))
        nobody.bind(("127.0.0.1", 0))
        port, closed = (int(one.getsockname()[1]) for one in (free, nobody))
    clock = tmp_path / "today"
    settings = Settings(
        data=tmp_path / "service",
        keys=tmp_path / "keys",
        database_url="" if embedded else database_url,
        base_url=f"http://127.0.0.1:{port}",
        synthetic=True,
        clock_file=clock,
    )
    clock.write_text("2021-01-01")
    make_keys(settings.keys_folder, settings.origin)
    installation = build(settings)
    with ExitStack() as stack:
        stack.callback(installation.database.close)
        clients = given_everybody_is_known(installation, tmp_path, closed)
        for client in clients.values():
            stack.callback(client.close)
        installation.database.close()  # our own connections shall not tidy the write-ahead log up
        nursery = stack.enter_context(Nursery())
        log = tmp_path / "service.log"
        environment = {
            f"FLAGSERVICE_{name.upper()}": str(getattr(settings, name))
            for name in ("data", "keys", "database_url", "base_url", "synthetic", "clock_file")
        }
        pid = nursery.start("serve", "--port", str(port), environment=environment, log=log)
        answers = when_everything_is_said(clients, clock)
        metrics = clients["operator"].ask("GET", "/metrics").content
        wait_for_attempts(installation)
        installation.database.close()
        assert nursery.kill(pid) == 9
        yield Played(installation, tmp_path, metrics, answers)


def given_everybody_is_known(
    installation: Installation, folder: Path, closed: int
) -> dict[str, Client]:
    listed = folder / "register.csv"
    lines = ["nhs_number,date_of_birth,practice"]
    practices = set()
    for family in FAMILIES:
        for member in family.members.values():
            lines.append(f"{member.nhs_number},{member.born},{member.practice}")
            practices.add(member.practice)
    listed.write_text("\n".join(lines) + "\n")
    load_register(installation, listed)
    listed.unlink()
    given_a_checked_system(installation.log)
    for practice in practices:
        nowhere = f"http://127.0.0.1:{closed}/fhir"
        said = a_registration(practice, url=nowhere)
        installation.perform(registering(said, OperatorDecision(DECIDER, REASON)))
    organisations = {
        "children's services": (COUNCIL, "childrens-services"),
        "police": (POLICE, "police"),
        "operator": ("X26", "operator"),
        **{practice: (practice, "gp-system") for practice in practices},
        **{f"lead of {practice}": (practice, "practice-lead") for practice in practices},
    }
    clients = {}
    for name, (ods, kind) in organisations.items():
        client = Client(ods, kind, gates=[installation.settings.base])
        key = client.write_public_key(folder)
        client.client_id = installation.perform(
            partial(
                add_client,
                ods=ods,
                kind=ClientKind(kind),
                desks=installation.policies.desks,
                public_key=key.read_bytes(),
            )
        )
        clients[name] = client
    return clients


def when_everything_is_said(clients: dict[str, Client], clock: Path) -> list[int]:
    """Well, wrongly, and by asking; answers the statuses."""
    answers = []
    seen: list[Family] = []
    for day, family, post in the_posts():
        clock.write_text(day.isoformat())
        origin = "police" if post["to"] == "notifications" else "children's services"
        client, path = clients[origin], f"/{post['to']}"
        body = people_of(post["body"], family)
        answers.append(client.ask("POST", path, json=body).status_code)
        for wrong in () if family in seen else wrong_words(body, family):
            client.ask("POST", path, content=wrong, headers={"Content-Type": "application/json"})
        seen.append(family)
        client.ask("GET", f"/receipts/{body['reference']}")
        client.ask("GET", f"/receipts/{body['people'][0].get('nhs_number', '9990001111')}")
    for name, client in clients.items():
        if name.startswith("lead of "):
            when_a_practice_asks(clients[name.removeprefix("lead of ")])
            answers += when_a_practice_decides(client)
    return answers


def wrong_words(body: dict[str, Any], family: Family) -> Iterator[bytes]:
    """Every canary of the family where it does not belong."""
    for member in family.members.values():
        for word in (member.nhs_number, *member.canaries):
            yield json.dumps({**body, "version": 900, word: word}).encode()
            yield json.dumps({**body, "version": 901, "purpose": word}).encode()
            yield f'{{"people": [{{"nhs_number": "{word}"'.encode()


def when_a_practice_asks(client: Client) -> None:
    for member in (member for family in FAMILIES for member in family.members.values()):
        client.ask(
            "POST",
            "/fhir/R4/Flag/_search",
            content=SEARCH + member.nhs_number,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        client.ask("GET", f"/fhir/R4/Flag?patient={member.nhs_number}")
        client.ask("GET", f"/fhir/R4/Flag/{member.nhs_number}")


def when_a_practice_decides(lead: Client) -> list[int]:
    decision = {"outcome": "place", "decided_by": DECIDER, "reason": REASON}
    return [
        lead.ask("POST", f"/holds/{hold['id']}/decision", json=decision).status_code
        for hold in lead.ask("GET", "/holds").json()["holds"]
    ]


def wait_for_attempts(installation: Installation) -> None:
    """Until the worker has met the practices' closed doors: what it logs is searched, too."""

    def deed(work: Work) -> bool:
        work.record(Deed.STATUS_READ)
        return work.session.exec(select(tables.AttemptRow)).first() is not None

    until(
        lambda: installation.log.perform(Actor("test"), deed), what="no delivery was ever attempted"
    )


def the_files(played: Played) -> dict[str, bytes]:
    """All that is on disk, as a thief would find it."""
    found = {"log": (played.folder / "service.log").read_bytes(), "metrics": played.metrics}
    database = played.installation.database
    places = [played.folder / "service"]
    if not database.is_sqlite:
        places = the_places_of_postgresql(played.installation)
    for place in places:
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file():
                found[str(path)] = path.read_bytes()
    return found


def the_places_of_postgresql(installation: Installation) -> list[Path]:
    alone = installation.database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        connection.execute(text("CHECKPOINT"))
        data = Path(connection.execute(text("SHOW data_directory")).scalar_one())
        asked = "SELECT oid FROM pg_database WHERE datname = current_database()"
        number = connection.execute(text(asked)).scalar_one()
    installation.database.close()
    return [data / "base" / str(number), data / "pg_wal", data / "global", data.parent / "log"]


def test_no_word_that_anybody_said_is_on_the_disk_in_a_log_or_in_a_metric(played: Played) -> None:
    assert set(played.answers) == {201, 204}  # posted, and decided
    then_it_is_in_no_column(played)
    files = the_files(played)
    found = [
        f"{word} in {name}"
        for name, content in files.items()
        for word in the_words()
        if word.encode() in content or word.encode("utf-16-le") in content
    ]
    assert found == []
    assert any(b"B83901" in content for content in files.values()), "the search finds nothing"
    assert any("wal" in name for name in files), "there was no write-ahead log to search"


def then_it_is_in_no_column(played: Played) -> None:
    words = the_words()
    with played.installation.database.engine.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            for row in connection.execute(select(table)):
                shown = " ".join(
                    value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    for value in row
                )
                assert [word for word in words if word in shown] == [], table.name
