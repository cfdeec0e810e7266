"""The sandbox as whoever runs it meets it: a process, its command line, and a connection cut."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flagservice.app.sandbox import guide
from flagservice.kit.demo.stage.client import KeyedClient
from tests.commanded import when_told
from tests.patience import enough
from tests.sandbox.running import a_sandbox, environment
from tests.sandbox.steps import nhs_number
from tests.world import person


def when_started(data: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flagservice", *words],
        env=environment(FLAGSERVICE_DATA=str(data), **more),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def council() -> Iterator[KeyedClient]:
    """A council with its key; it closes its connections."""
    client = KeyedClient("E08000032", "childrens-services")
    yield client
    client._http.close()


def given_a_tenant(data: Path, name: str, client: KeyedClient) -> None:
    """One that is added from the command line; the council's client is told its id."""
    key = client.write_public_key(data)
    told = when_told(data, "sandbox", "add-tenant", name, "--public-key", str(key))
    assert told.err == ""
    clients = dict(line.split("\t")[:2] for line in told.out.splitlines())
    client.client_id = clients["childrens-services"]


def test_an_answer_that_breaks_off_was_given_all_the_same(
    tmp_path: Path, council: KeyedClient
) -> None:
    """So a submitter posts again, and is told that it was accepted before."""
    given_a_tenant(tmp_path, "bradford", council)
    plan = {
        "kind": "child-in-need",
        "reference": "OWN-1",
        "version": 1,
        "start": "2024-01-08",
        "people": [person("child", nhs_number("free"), "2020-02-02")],
        "consent": {"sought": True, "answer": "given"},
        "lawful_basis": ["public-task"],
        "purpose": "safeguarding-of-a-child",
    }
    with a_sandbox(tmp_path) as address:
        headers = {"Sandbox-Fault": "drop"}
        with pytest.raises(httpx.RemoteProtocolError):
            council.call("POST", f"{address}/plans", json=plan, headers=headers)
        again = council.call("POST", f"{address}/plans", json=plan)
        assert (again.status_code, again.json()["submission"]) == (200, "accepted before")


def test_a_tenant_added_while_the_process_runs_is_known_at_once(
    tmp_path: Path, council: KeyedClient
) -> None:
    with a_sandbox(tmp_path) as address:
        asked = {"X-Request-ID": str(uuid.uuid4())}
        unknown = httpx.get(f"{address}/holds", headers=asked, timeout=enough())
        assert unknown.status_code == 401
        given_a_tenant(tmp_path, "bradford", council)
        assert len(council.call("GET", f"{address}/holds").json()["holds"]) == 1
        assert council.call("POST", f"{address}/sandbox/$reset").status_code == 200
    assert when_told(tmp_path, "sandbox", "tenants").out == "_nobody\t0\nbradford\t1\n"


def test_the_scenarios_are_printed_as_the_documents_have_them(tmp_path: Path) -> None:
    assert when_told(tmp_path, "sandbox", "scenarios").out == guide.table()


def test_a_production_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    address = "postgresql+psycopg://user@host/flagservice"
    served = when_started(tmp_path, "serve", "--sandbox", FLAGSERVICE_DATABASE_URL=address)
    told = when_told(tmp_path, "sandbox", "tenants", database_url=address)
    assert (served.returncode, told.status) == (1, 1)
    assert served.stderr == told.err
    assert told.err == (
        "flagservice: the sandbox keeps each tenant in a database of its own below the data"
        " folder: unset FLAGSERVICE_DATABASE_URL\n"
    )


def test_an_ordinary_services_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    assert when_told(tmp_path, "policy", "status").status == 0
    told = when_started(tmp_path, "serve", "--sandbox")
    assert told.returncode == 1
    assert "set FLAGSERVICE_DATA to another" in told.stderr


@pytest.mark.parametrize("content", [b"not a key", b"\xff\xfe"])
def test_a_file_that_is_no_key_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "own.pub.pem").write_bytes(content)
    key = str(tmp_path / "own.pub.pem")
    told = when_told(tmp_path, "sandbox", "add-tenant", "bradford", "--public-key", key)
    assert told.status == 1
    assert told.err.startswith("flagservice: ")
    assert told.err.count("\n") == 1


def test_a_set_clock_is_refused_where_people_may_be_real(tmp_path: Path) -> None:
    (tmp_path / "day").write_text("2022-01-04")
    told = when_started(tmp_path, "serve", "--clock-file", str(tmp_path / "day"))
    assert told.returncode == 1
    assert "a set clock is for synthetic people" in told.stderr
