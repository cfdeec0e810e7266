"""Where a flag comes from and what was done with it: told to its practice, labelled as it is."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.provenance import Provenance
from sqlalchemy import event

from flagservice.audit.log import Actor, Deed
from flagservice.delivery.pull import audit_trail
from flagservice.store import tables
from tests.api.answers import FHIR, faults, links, resources, then_refused
from tests.api.steps import (
    BASE,
    CHILD,
    FATHER,
    FORM,
    Cast,
    Client,
    a_notification,
    a_plan,
    an_enquiry,
    versions_in,
)

PROVENANCE, AUDIT = f"{FHIR}/Provenance", f"{FHIR}/AuditEvent"
NEEDED = {"target": "is needed, as Flag/[id] or Task/[id]"}


def the_flag(client: Client, number: str, type_: str = "Flag") -> dict[str, Any]:
    (flag,) = resources(client.searches(number, type_))
    return flag


def origins(client: Client, flag: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.gets(f"{PROVENANCE}?target={flag['resourceType']}/{flag['id']}")
    Bundle.model_validate(answer.json())
    return resources(answer)


def events(client: Client, flag: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.gets(f"{AUDIT}?entity={flag['resourceType']}/{flag['id']}")
    Bundle.model_validate(answer.json())
    found = resources(answer)
    for one in found:
        AuditEvent.model_validate(one)
    return found


def when_posted(client: Client, path: str, form: str) -> httpx.Response:
    headers = {"Content-Type": FORM}
    return client.calls("POST", f"{path}/_search", content=form, headers=headers)


def test_each_version_of_a_flag_has_its_origin(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    practice = any_cast.practice
    flag = the_flag(practice, CHILD[0])
    newest, first = origins(practice, flag)
    for told in (newest, first):
        Provenance.model_validate(told)
        target = f"Flag/{flag['id']}/_history/{told['id']}"
        assert told["target"] == [{"reference": target}]
        version = practice.gets(f"{FHIR}/{target}").json()
        assert told["recorded"] == version["meta"]["lastUpdated"]
        assert told["meta"]["security"] == version["meta"]["security"]
        assert practice.gets(f"{PROVENANCE}/{told['id']}").json() == told
    assert newest["id"] == flag["meta"]["versionId"]
    assembler, author = newest["agent"]
    assert assembler["who"] == {"display": "flagservice"}
    assert author["who"] == flag["author"]
    posted = when_posted(practice, PROVENANCE, f"target=Flag/{flag['id']}")
    assert resources(posted) == [newest, first]
    assert any_cast.service.leaves("provenance-read")


def test_an_origin_names_no_agency_where_the_flag_names_none(cast: Cast) -> None:
    """An alleged perpetrator's own record is not told who said so."""
    cast.police.posts("/notifications", a_notification())
    cast.world.decides("B83902", "place")
    flag = the_flag(cast.other_practice, FATHER[0])
    assert "author" not in flag
    (told,) = origins(cast.other_practice, flag)
    assert [agent["who"] for agent in told["agent"]] == [{"display": "flagservice"}]
    cast.police.posts("/notifications", a_notification(version=2, end="2022-01-04"))
    (removal,) = origins(cast.other_practice, flag)
    assert removal["activity"]["coding"][0]["code"] == "DELETE"
    assert removal["meta"]["security"] == told["meta"]["security"]
    then_refused(cast.other_practice.gets(f"{PROVENANCE}/{told['id']}"), 404)


def test_a_request_has_an_origin_too(cast: Cast) -> None:
    cast.council.posts("/enquiries", an_enquiry())
    request = the_flag(cast.other_practice, FATHER[0], "Task")
    (told,) = origins(cast.other_practice, request)
    assert told["target"][0]["reference"].startswith(f"Task/{request['id']}/_history/")
    assert events(cast.other_practice, request)


def test_nobody_else_is_told_of_an_origin_or_an_event(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    flag = the_flag(any_cast.practice, CHILD[0])
    version = flag["meta"]["versionId"]
    for client, status in ((any_cast.other_practice, 404), (any_cast.unadmitted, 403)):
        there = client.gets(f"{PROVENANCE}/{version}")
        then_refused(there, status)
        assert there.content == client.gets(f"{PROVENANCE}/{'f' * 32}").content
    for path, name in ((PROVENANCE, "target"), (AUDIT, "entity")):
        theirs = any_cast.other_practice.gets(f"{path}?{name}=Flag/{flag['id']}")
        nobodys = any_cast.other_practice.gets(f"{path}?{name}=Flag/{'f' * 32}")
        as_a_task = any_cast.practice.gets(f"{path}?{name}=Task/{flag['id']}")
        for answer in (theirs, nobodys, as_a_task):
            assert resources(answer) == []
        then_refused(any_cast.unadmitted.gets(f"{path}?{name}=Flag/{flag['id']}"), 403)


def test_what_was_taken_back_unheard_left_no_trace(cast: Cast) -> None:
    cast.police.posts("/notifications", a_notification())
    cast.world.decides("B83902", "place")
    (flag,) = cast.world.held_at("B83902")
    cast.police.posts("/notifications", a_notification(version=2, end="2022-01-04"))
    assert origins(cast.other_practice, flag) == events(cast.other_practice, flag) == []
    (removed,) = [one["about"]["version"] for one in cast.service.leaves("taken-back")]
    then_refused(cast.other_practice.gets(f"{PROVENANCE}/{removed}"), 404)


def test_a_practice_reads_what_it_did_with_its_flag_and_nothing_of_others(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    practice = any_cast.practice
    flags = resources(practice.gets(f"{FHIR}/Flag/_history"))
    flag = next(f for f in flags if f["subject"]["identifier"]["value"] == CHILD[0])
    practice.gets(f"{FHIR}/Flag/{flag['id']}")
    practice.searches(CHILD[0])
    version = f"Flag/{flag['id']}/_history/{flag['meta']['versionId']}"
    elsewhere = Actor("somebody", "B83902")
    any_cast.world.log.perform(elsewhere, lambda work: work.record(Deed.READ, copy=flag["id"]))
    found = events(practice, flag)
    assert [one["subtype"][0]["code"] for one in found] == ["search-type", "read", "history-type"]
    for one in found:
        assert one["meta"]["security"] == flag["meta"]["security"]
        assert [entity["what"]["reference"] for entity in one["entity"]] == [version]
        assert one["agent"][0]["who"]["identifier"]["value"] == "B83901"
        assert one["agent"][0]["altId"] == practice.id
    others = {f["id"] for f in flags} - {flag["id"]}
    assert not [other for other in others if other in repr(found)]
    assert not {CHILD[0], "E08000032"} & set(repr(found).replace("'", " ").split())
    assert any_cast.service.leaves("audit-read")[-1]["about"]["found"] == 3


def test_an_answer_of_the_practice_is_an_event(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    flag = the_flag(cast.other_practice, FATHER[0])
    for outcome in ({"outcome": "queried", "reason": "appears-twice"}, {"outcome": "rejected"}):
        said = [{"name": name, "valueCode": code} for name, code in outcome.items()]
        parameter = [{"name": "version", "valueString": v} for v in versions_in([flag])] + said
        body = {"resourceType": "Parameters", "parameter": parameter}
        assert cast.other_practice.posts(f"{FHIR}/$acknowledge", body).status_code == 200
    rejected, queried, _ = events(cast.other_practice, flag)
    for one in (rejected, queried):
        assert one["subtype"][0]["code"] == "operation"
    assert rejected["entity"][0]["what"]["reference"] == f"Flag/{flag['id']}"


def test_a_long_audit_is_walked_page_by_page(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "WALK", 3)
    cast.council.posts("/plans", a_plan())
    flag = the_flag(cast.practice, CHILD[0])
    for _ in range(4):
        cast.practice.gets(f"{FHIR}/Flag/{flag['id']}")
    answer = when_posted(cast.practice, AUDIT, f"entity=Flag/{flag['id']}")
    found, pages = resources(answer), 1
    while "next" in links(answer):
        url = links(answer)["next"]
        answer = cast.practice.gets(url)
        assert links(answer)["self"] == url
        found, pages = found + resources(answer), pages + 1
    assert len({one["id"] for one in found}) == len(found) == 5
    assert pages > 3
    assert links(answer)["self"].startswith(f"{BASE}{AUDIT}?page=")


def test_two_flags_of_one_page_share_neither_an_id_nor_an_instant_of_its_own(cast: Cast) -> None:
    """Else whoever has the events of two relatives could join them."""
    cast.council.posts("/plans", a_plan())
    cast.world.now += timedelta(minutes=17, seconds=3, microseconds=5)
    flags = resources(cast.practice.gets(f"{FHIR}/Flag/_history"))
    cast.world.now += timedelta(minutes=4)
    cast.practice.gets(f"{FHIR}/Flag/{flags[0]['id']}")
    assert len({flag["subject"]["identifier"]["value"] for flag in flags}) == len(flags) == 2
    (read, fed), (other,) = (events(cast.practice, flag) for flag in flags)
    assert len({read["id"], fed["id"], other["id"]}) == 3
    assert {one["recorded"] for one in (read, fed, other)} == {"2022-01-04T09:00:00+00:00"}
    assert not {read["id"], fed["id"], other["id"]} & {
        leaf["id"] for deed in ("fed", "read") for leaf in cast.service.leaves(deed)
    }


def test_a_page_ends_with_as_many_as_were_asked_for_and_none_is_lost(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_trail, "PAGE", 2)
    cast.council.posts("/plans", a_plan())
    flag = the_flag(cast.practice, CHILD[0])
    for _ in range(4):
        cast.practice.gets(f"{FHIR}/Flag/{flag['id']}")
    pages = [cast.practice.gets(f"{AUDIT}?entity=Flag/{flag['id']}")]
    while "next" in links(pages[-1]):
        pages.append(cast.practice.gets(links(pages[-1])["next"]))
    assert [len(resources(page)) for page in pages] == [2, 2, 1]
    assert len({one["id"] for page in pages for one in resources(page)}) == 5


def test_a_page_asks_for_few_leaves_and_reads_those_alone_that_name_the_flag(cast: Cast) -> None:
    """Who searches without end costs everybody little: of others' leaves no body is parsed."""
    cast.council.posts("/plans", a_plan())
    flag = the_flag(cast.practice, CHILD[0])
    with cast.world.database.transaction() as session:
        for body in (
            b'"ods":"B83901" no flag, and no JSON',
            b'"ods":"B83902" ' + flag["id"].encode(),
        ):
            session.add(tables.LeafRow(id="f" * 32, at=cast.world.now, body=body))
    issued: list[tuple[str, Any]] = []
    event.listen(
        *(cast.world.database.engine, "before_cursor_execute"),
        lambda *given: issued.append((given[2], given[3])),
    )
    assert len(events(cast.practice, flag)) == 1
    ((walk, given),) = [one for one in issued if "FROM leaf ORDER BY" in " ".join(one[0].split())]
    assert " ".join(walk.split()).startswith('SELECT leaf."row", leaf.body FROM leaf')
    assert max(value for value in given if isinstance(value, int)) <= 500


@pytest.mark.parametrize("path", [PROVENANCE, AUDIT])
@pytest.mark.parametrize(
    "value", [None, "Patient/1", "Flag", "Flag/a b", f"https://x.example/Flag/{'f' * 32}", "Flag/"]
)
def test_one_of_the_practices_own_has_to_be_named(
    house: Cast, path: str, value: str | None
) -> None:
    name = "target" if path == PROVENANCE else "entity"
    query = f"?{name}={value}" if value else ""
    answer = house.practice.gets(path + query)
    then_refused(answer, 422, (name, NEEDED["target"]))
    assert faults(when_posted(house.practice, path, query[1:])) == faults(answer)


def test_an_origin_needs_its_own_right(house: Cast) -> None:
    token = house.practice.token(scope="system/Flag.rs system/Provenance.s")
    headers = {"Authorization": f"Bearer {token}"}
    for path, status in (
        (f"{PROVENANCE}?target=Flag/{'f' * 32}", 200),
        (f"{PROVENANCE}/{'f' * 32}", 403),
        (f"{AUDIT}?entity=Flag/{'f' * 32}", 403),
    ):
        assert house.service.send("GET", path, headers=headers).status_code == status
