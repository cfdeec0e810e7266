"""What one tenant does is never seen by another, and a reset is of one tenant, whole, at once."""

import sqlite3
import threading
from pathlib import Path

import httpx
import pytest

from flagservice.api.edge.limits import Audience
from flagservice.app.clock import NotInProduction
from flagservice.app.sandbox import furnishing, worlds
from flagservice.app.sandbox.dispatch import Sandbox
from flagservice.app.sandbox.furnishing import add_tenant
from flagservice.app.sandbox.tenants import FACES
from flagservice.domain.errors import Conflict, Invalid
from flagservice.settings import Settings
from tests.api.answers import FHIR, resources, then_refused
from tests.api.steps import Client, Service, an_ec_key, an_rsa_key, versions_in
from tests.patience import enough
from tests.sandbox.steps import Box, Tried, feed, nhs_number
from tests.world import World, person

NOBODYS_ID = "0" * 32


def a_plan_about_the_free_child(reference: str = "OWN-1") -> dict[str, object]:
    return {
        "kind": "child-protection",
        "reference": reference,
        "version": 1,
        "start": "2024-01-08",
        "categories": ["physical"],
        "people": [person("child", nhs_number("free"), "2020-02-02")],
        "consent": {"sought": True, "answer": "given"},
        "lawful_basis": ["public-task"],
        "purpose": "safeguarding-of-a-child",
    }


def when_everything_is_changed(tenant: Tried) -> None:
    """Posts, decides and acknowledges, as somebody who tries everything."""
    council, lead = tenant.clients["childrens-services"], tenant.clients["practice-lead"]
    assert council.posts("/plans", a_plan_about_the_free_child()).status_code == 201
    (hold,) = lead.gets("/holds").json()["holds"]
    decision = {"outcome": "place", "decided_by": "Dr N. Amed", "reason": "we tried this out"}
    assert lead.posts(f"/holds/{hold['id']}/decision", decision).status_code == 204
    versions = [{"name": "version", "valueString": v} for v in versions_in(feed(tenant.practice))]
    body = {"resourceType": "Parameters", "parameter": versions}
    assert tenant.practice.posts(f"{FHIR}/$acknowledge", body).status_code == 200


def test_what_one_tenant_does_changes_no_byte_for_another(box: Box) -> None:
    acme, bradford = box.acme, box.bradford
    before = bradford.reads_everything()
    when_everything_is_changed(acme)
    assert acme.resets().status_code == 200
    when_everything_is_changed(acme)
    assert bradford.reads_everything() == before


def test_a_tenant_sees_what_it_has_done_itself(box: Box) -> None:
    acme = box.acme
    when_everything_is_changed(acme)
    assert len(resources(acme.practice.searches(nhs_number("free")))) == 1
    assert len(resources(acme.practice.searches(nhs_number("held")))) == 1


def test_a_reset_brings_back_what_there_was_at_first_and_nothing_else(box: Box) -> None:
    acme = box.acme
    when_everything_is_changed(acme)
    assert acme.resets().json()["reset"] is True
    assert resources(acme.practice.searches(nhs_number("free"))) == []
    assert len(acme.clients["practice-lead"].gets("/holds").json()["holds"]) == 1
    assert acme.clients["childrens-services"].gets("/receipts/OWN-1").status_code == 404


def test_clients_and_their_tokens_outlive_a_reset(box: Box) -> None:
    acme = box.acme
    token = acme.practice.token()
    acme.resets()
    named = {"Authorization": f"Bearer {token}"}
    assert box.send("GET", f"{FHIR}/Flag/_history", headers=named).status_code == 200
    assert acme.clients["police"].token()


def test_ids_from_before_a_reset_are_nobodys_any_more(box: Box) -> None:
    acme = box.acme
    (flag,) = resources(acme.practice.searches(nhs_number("plan")))
    acme.resets()
    then_refused(acme.practice.gets(f"{FHIR}/Flag/{flag['id']}"), 404)


def test_an_id_of_one_tenant_is_none_of_another(box: Box) -> None:
    acme, bradford = box.acme, box.bradford
    (flag,) = resources(acme.practice.searches(nhs_number("plan")))
    then_refused(bradford.practice.gets(f"{FHIR}/Flag/{flag['id']}"), 404)


def test_a_world_that_was_put_back_is_gone_from_the_disk(box: Box) -> None:
    acme = box.acme
    acme.resets()
    acme.resets()
    (left,) = acme.tenant.folder.glob("world-*")
    assert left.name == "world-3"


def test_who_is_inside_finishes_in_the_old_world_and_who_comes_after_meets_the_new(
    box: Box,
) -> None:
    acme = box.acme
    standing = acme.standing
    with standing.used() as before:
        standing.reset()
        with standing.used() as after:
            assert after is not before
        database = before.tenant.world / "flagservice.db"
        assert sqlite3.connect(database).execute("SELECT count(*) FROM copy").fetchone()[0] > 0
    assert not before.tenant.world.exists()


def test_while_a_tenant_is_reset_its_readers_meet_a_whole_world(box: Box) -> None:
    """Twenty readers run against three resets: each reads one whole world, never a part of one."""
    acme = box.acme
    length = len(feed(acme.practice))
    standing = acme.standing
    resetting = threading.Thread(target=lambda: [standing.reset() for _ in range(3)])
    resetting.start()
    lengths = [len(feed(acme.practice)) for _ in range(20)]
    resetting.join()
    assert set(lengths) == {length}


def test_a_second_reset_at_the_same_moment_is_a_conflict(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = box.acme
    token = {"Authorization": f"Bearer {acme.practice.token()}"}
    under_way, may_end = threading.Event(), threading.Event()
    furnish = furnishing.furnish

    def slowly(*given: object) -> object:
        under_way.set()
        may_end.wait(timeout=enough())
        return furnish(*given)

    monkeypatch.setattr(furnishing, "furnish", slowly)
    standing = acme.standing
    first = threading.Thread(target=standing.reset)
    first.start()
    under_way.wait(timeout=enough())
    then_refused(box.send("POST", "/sandbox/$reset", headers=token), 409)
    may_end.set()
    first.join()


def test_a_reset_that_fails_leaves_the_world_as_it_is(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = box.acme
    when_everything_is_changed(acme)

    def fails(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(furnishing, "furnish", fails)
        assert acme.resets().status_code == 500
    assert len(resources(acme.practice.searches(nhs_number("free")))) == 1
    assert acme.resets().status_code == 200


def test_every_client_of_a_tenant_may_reset_it(box: Box) -> None:
    answers = [box.acme.clients[face].calls("POST", "/sandbox/$reset") for face in FACES]
    assert {answer.status_code for answer in answers} == {200}


def test_resets_are_limited_for_each_tenant(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "RESETS_A_MINUTE", 2)
    assert [box.acme.resets().status_code for _ in range(2)] == [200, 200]
    refused = box.acme.resets()
    then_refused(refused, 429)
    assert int(refused.headers["Retry-After"]) >= 1
    assert box.bradford.resets().status_code == 200


def test_the_limits_of_production_are_on_and_outlive_a_reset(box: Box) -> None:
    box.app.close()
    box.app = Sandbox(box.settings.model_copy(update={"limits": {Audience.RECORDS: 2}}))
    feed = f"{FHIR}/Flag/_history"
    assert [box.acme.practice.gets(feed).status_code for _ in range(3)] == [200, 200, 429]
    box.acme.resets()
    then_refused(box.acme.practice.gets(feed), 429)
    assert box.bradford.practice.gets(feed).status_code == 200


def test_nobody_resets_without_a_token(box: Box) -> None:
    then_refused(box.send("POST", "/sandbox/$reset"), 401)


def test_one_tenants_key_proves_no_client_of_another(box: Box) -> None:
    key = an_rsa_key()
    late = box.given_a_tenant("late", key)
    theirs = Client(box, box.acme.practice.id, key, box.acme.practice.ods)
    assert theirs.asks_for_a_token().status_code in (400, 401)
    assert late.practice.asks_for_a_token().status_code == 200


def test_a_tenant_that_is_added_while_the_sandbox_runs_is_served_at_once(box: Box) -> None:
    late = box.given_a_tenant("late")
    assert len(resources(late.practice.searches(nhs_number("plan")))) == 1


def test_a_restart_finds_the_worlds_as_they_were(box: Box) -> None:
    acme = box.acme
    when_everything_is_changed(acme)
    box.app.close()
    (acme.tenant.folder / "world-9").mkdir()
    box.app = Sandbox(box.settings)
    assert len(resources(acme.practice.searches(nhs_number("free")))) == 1
    assert [path.name for path in acme.tenant.folder.glob("world-*")] == ["world-1"]


ASKED_BY_NOBODY = [
    ("GET", f"{FHIR}/Flag/_history", {}),
    ("GET", f"{FHIR}/Flag/{NOBODYS_ID}", {"headers": {"Authorization": "Bearer x.y.z"}}),
    ("GET", "/holds", {"headers": {"Authorization": "Basic eA=="}}),
    ("POST", "/plans", {"json": {}}),
    ("GET", "/no/such/route", {}),
    ("GET", "/_ping", {}),
    ("GET", f"{FHIR}/metadata", {}),
    ("POST", "/oauth2/token", {"data": {"grant_type": "password"}}),
    ("POST", "/oauth2/token", {"content": b"\xff", "headers": {"Content-Type": "text/plain"}}),
    ("POST", "/oauth2/token", {"content": b"a" * 300_000}),
]


@pytest.mark.parametrize(("method", "path", "more"), ASKED_BY_NOBODY)
def test_whoever_names_no_client_gets_productions_answer(
    quiet_box: Box, world: World, method: str, path: str, more: dict[str, object]
) -> None:
    headers = {"X-Request-ID": "9b3a1f6e-64f3-4bd7-8d67-1d0f3b1f8a51", **more.get("headers", {})}
    asked = {**more, "headers": headers}
    ours = quiet_box.send(method, path, **asked)
    theirs = Service(world).send(method, path, **asked)
    assert _all_of(ours) == _all_of(theirs)


def test_an_unknown_client_gets_productions_refusal(quiet_box: Box, world: World) -> None:
    service = Service(world)
    answers = [
        Client(where, NOBODYS_ID, an_ec_key(), "B83951").asks_for_a_token()
        for where in (quiet_box, service)
    ]
    told = [{**answer.json(), "message_id": ""} for answer in answers]
    assert told[0] == told[1]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].is_client_error


def _all_of(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    return answer.status_code, dict(answer.headers), answer.content


@pytest.mark.parametrize("name", ["", "a", "A-tenant", "../acme", "acme/..", "x" * 41])
def test_a_tenants_name_is_small_letters(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        add_tenant(Settings(data=tmp_path), name, public_key="")


def test_a_tenant_is_added_once(box: Box) -> None:
    with pytest.raises(Conflict):
        box.given_a_tenant("acme")


def test_a_tenant_without_a_good_key_is_not_there_afterwards(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        add_tenant(Settings(data=tmp_path), "acme", public_key="not a key")
    assert list((tmp_path / "sandbox").iterdir()) == []


@pytest.mark.parametrize(
    "production",
    [
        {"database_url": "postgresql+psycopg://user@host/flagservice"},
        {"keys": Path("keys")},
        {"key_encryption_keys": "{}"},
    ],
)
def test_the_sandbox_refuses_what_belongs_to_production(
    tmp_path: Path, production: dict[str, object]
) -> None:
    with pytest.raises(NotInProduction):
        Sandbox(Settings(data=tmp_path, **production))


@pytest.mark.parametrize("there", ["flagservice.db", "keys"])
def test_the_sandbox_refuses_a_folder_that_holds_a_service(tmp_path: Path, there: str) -> None:
    (tmp_path / there).mkdir()
    with pytest.raises(NotInProduction, match="FLAGSERVICE_DATA"):
        Sandbox(Settings(data=tmp_path))
    assert not (tmp_path / "sandbox").exists()
