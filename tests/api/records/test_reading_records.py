"""GP systems read: one flag, one version of it, and what the service says of itself."""

from typing import Any

import httpx
import pytest

from flagservice.api.records.cursors import Feed, cursor_of
from tests.api.answers import FHIR, resources, then_refused
from tests.api.steps import CHILD, FATHER, Cast, Client, a_notification, a_plan, an_enquiry


def flags_of(client: Client, number: str) -> list[dict[str, Any]]:
    return resources(client.searches(number))


def given_a_plan(cast: Cast) -> None:
    assert cast.council.posts("/plans", a_plan()).status_code == 201


def the_fathers(cast: Cast) -> str:
    """The address of the father's flag, as his practice reads it."""
    (flag,) = flags_of(cast.other_practice, FATHER[0])
    return f"{FHIR}/Flag/{flag['id']}"


def the_same_but_for_its_request_id(one: httpx.Response, other: httpx.Response) -> bool:
    names = {"x-request-id"}
    return (
        one.status_code == other.status_code
        and one.content == other.content
        and [(k, v) for k, v in one.headers.multi_items() if k not in names]
        == [(k, v) for k, v in other.headers.multi_items() if k not in names]
    )


def the_version(practice: Client, path: str) -> str:
    """The id of the version that a practice reads there now."""
    return str(practice.gets(path).json()["meta"]["versionId"])


def test_a_practice_reads_its_own_flag_with_its_version_as_etag(any_cast: Cast) -> None:
    given_a_plan(any_cast)
    answer = any_cast.other_practice.gets(the_fathers(any_cast))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/fhir+json"
    flag = answer.json()
    assert answer.headers["ETag"] == f'W/"{flag["meta"]["versionId"]}"'
    assert flag["subject"]["identifier"]["value"] == FATHER[0]
    assert len(any_cast.service.leaves("read")) == 1


def test_read_vread_search_and_feed_give_the_same_bytes(any_cast: Cast) -> None:
    given_a_plan(any_cast)
    practice, path = any_cast.other_practice, the_fathers(any_cast)
    stored = practice.gets(path).content
    assert practice.gets(f"{path}/_history/{the_version(practice, path)}").content == stored
    assert stored in practice.searches(FATHER[0]).content
    assert stored in practice.gets(f"{FHIR}/Flag").content
    assert stored in practice.gets(f"{FHIR}/Flag/_history").content


def test_an_earlier_version_stays_readable_where_nothing_was_taken_back(any_cast: Cast) -> None:
    given_a_plan(any_cast)
    (child,) = flags_of(any_cast.practice, CHILD[0])
    path = f"{FHIR}/Flag/{child['id']}"
    before = the_version(any_cast.practice, path)
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    both = (before, the_version(any_cast.practice, path))
    one, two = (any_cast.practice.gets(f"{path}/_history/{version}") for version in both)
    assert [one.headers["ETag"], two.headers["ETag"]] == [f'W/"{version}"' for version in both]
    assert one.content != two.content
    assert any_cast.practice.gets(path).content == two.content


def test_a_version_that_was_narrowed_is_gone(any_cast: Cast) -> None:
    given_a_plan(any_cast)
    path, practice = the_fathers(any_cast), any_cast.other_practice
    before = the_version(practice, path)
    any_cast.police.posts("/notifications", a_notification())
    unknown = practice.gets(f"{FHIR}/Flag/{'f' * 32}/_history/{before}")
    gone = practice.gets(f"{path}/_history/{before}")
    then_refused(gone, 404)
    assert the_same_but_for_its_request_id(gone, unknown)
    now = the_version(practice, path)
    assert now != before
    assert "period" not in practice.gets(f"{path}/_history/{now}").json()


def test_a_version_that_was_retracted_is_gone_and_the_removal_says_nothing(cast: Cast) -> None:
    cast.police.posts("/notifications", a_notification())
    cast.world.decides("B83902", "place")
    path = the_fathers(cast)
    before = the_version(cast.other_practice, path)
    cast.police.posts("/notifications", a_notification(version=2, end="2022-01-04"))
    then_refused(cast.other_practice.gets(f"{path}/_history/{before}"), 404)
    removal = cast.other_practice.gets(path)
    assert removal.headers["ETag"] != f'W/"{before}"'
    assert not {"period", "extension", "author"} & removal.json().keys()
    assert flags_of(cast.other_practice, FATHER[0]) == []


@pytest.mark.parametrize(
    "version", ["0", "1", "-1", "%201", "x", "9" * 300, "f" * 32, "\u0661", "another's", "UPPER"]
)
def test_what_is_no_version_of_this_flag_is_not_found(house: Cast, version: str) -> None:
    house.council.posts("/plans", a_plan())
    path, practice = the_fathers(house), house.other_practice
    if version == "another's":
        (child,) = flags_of(house.practice, CHILD[0])
        version = child["meta"]["versionId"]
    if version == "UPPER":
        version = the_version(practice, path).upper()
    answer = practice.gets(f"{path}/_history/{version}")
    then_refused(answer, 404)
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "RESOURCE_NOT_FOUND"


def test_nobody_else_can_tell_a_flag_from_none(any_cast: Cast) -> None:
    given_a_plan(any_cast)
    path = the_fathers(any_cast)
    version = the_version(any_cast.other_practice, path)
    for client, status in ((any_cast.practice, 404), (any_cast.unadmitted, 403)):
        for tail in ("", f"/_history/{version}"):
            with any_cast.service.storing_nothing():
                answer = client.gets(path + tail)
            unknown = client.gets(f"{FHIR}/Flag/{'f' * 32}{tail}")
            then_refused(answer, status)
            assert the_same_but_for_its_request_id(answer, unknown)


def test_a_flag_is_no_task_and_a_task_no_flag(cast: Cast) -> None:
    cast.council.posts("/enquiries", an_enquiry())
    practice = cast.other_practice
    (task,) = resources(practice.searches(FATHER[0], "Task"))
    assert task["resourceType"] == "Task"
    version = the_version(practice, f"{FHIR}/Task/{task['id']}")
    assert practice.gets(f"{FHIR}/Task/{task['id']}/_history/{version}").status_code == 200
    then_refused(practice.gets(f"{FHIR}/Flag/{task['id']}"), 404)
    assert resources(practice.searches(FATHER[0], "Flag")) == []


def test_a_practice_that_is_not_admitted_reads_nothing_of_its_own(any_cast: Cast) -> None:
    any_cast.world.registered(*CHILD, "B83903")
    given_a_plan(any_cast)
    (flag,) = any_cast.world.held_at("B83903")
    client = any_cast.unadmitted
    then_refused(client.gets(f"{FHIR}/Flag/{flag['id']}"), 403)
    version = flag["meta"]["versionId"]
    then_refused(client.gets(f"{FHIR}/Flag/{flag['id']}/_history/{version}"), 403)
    then_refused(client.searches(CHILD[0]), 403)
    then_refused(client.gets(f"{FHIR}/Flag"), 403)
    then_refused(client.gets(f"{FHIR}/Flag/{flag['id']}/_history"), 403)
    then_refused(client.gets(f"{FHIR}/Flag/_history"), 403)
    then_refused(client.gets(f"{FHIR}/Flag/$digest"), 403)
    cursor = cursor_of(Feed("B83903", "Flag"), 0)
    then_refused(client.gets(f"{FHIR}/Flag/_history?cursor={cursor}"), 403)
    any_cast.world.admitted("B83903")
    assert client.gets(f"{FHIR}/Flag/{flag['id']}").status_code == 200


def test_the_metadata_are_open_and_the_same_for_everybody(house: Cast) -> None:
    nobody = house.service.send("GET", f"{FHIR}/metadata")
    assert nobody.status_code == 200
    for client in (house.practice, house.council):
        assert client.gets(f"{FHIR}/metadata").content == nobody.content
