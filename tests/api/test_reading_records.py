"""GP systems read: one flag, one version of it, and what the service says of itself."""

from typing import Any

import httpx
import pytest

from flagservice.api.records import router
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


def test_a_practice_reads_its_own_flag_with_its_version_as_etag(any_cast: Cast) -> None:
    given_a_plan(any_cast)
    answer = any_cast.other_practice.gets(the_fathers(any_cast))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/fhir+json"
    assert answer.headers["ETag"] == 'W/"1"'
    flag = answer.json()
    assert flag["meta"]["versionId"] == "1"
    assert flag["subject"]["identifier"]["value"] == FATHER[0]
    assert len(any_cast.service.leaves("read")) == 1


def test_read_vread_search_and_feed_give_the_same_bytes(any_cast: Cast) -> None:
    given_a_plan(any_cast)
    practice, path = any_cast.other_practice, the_fathers(any_cast)
    stored = practice.gets(path).content
    assert practice.gets(f"{path}/_history/1").content == stored
    assert stored in practice.searches(FATHER[0]).content
    assert stored in practice.gets(f"{FHIR}/Flag").content
    assert stored in practice.gets(f"{FHIR}/_history").content


def test_an_earlier_version_stays_readable_where_nothing_was_taken_back(any_cast: Cast) -> None:
    given_a_plan(any_cast)
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    (child,) = flags_of(any_cast.practice, CHILD[0])
    path = f"{FHIR}/Flag/{child['id']}"
    one, two = (any_cast.practice.gets(f"{path}/_history/{n}") for n in (1, 2))
    assert [one.headers["ETag"], two.headers["ETag"]] == ['W/"1"', 'W/"2"']
    assert one.content != two.content
    assert any_cast.practice.gets(path).content == two.content


def test_a_version_that_was_narrowed_is_gone(any_cast: Cast) -> None:
    given_a_plan(any_cast)
    path = the_fathers(any_cast)
    any_cast.police.posts("/notifications", a_notification())
    unknown = any_cast.other_practice.gets(f"{FHIR}/Flag/{'f' * 32}/_history/1")
    gone = any_cast.other_practice.gets(f"{path}/_history/1")
    then_refused(gone, 404)
    assert the_same_but_for_its_request_id(gone, unknown)
    assert any_cast.other_practice.gets(path).headers["ETag"] == 'W/"2"'
    assert "period" not in any_cast.other_practice.gets(f"{path}/_history/2").json()


def test_a_version_that_was_retracted_is_gone_and_the_removal_says_nothing(cast: Cast) -> None:
    cast.police.posts("/notifications", a_notification())
    cast.world.decides("B83902", "place")
    path = the_fathers(cast)
    cast.police.posts("/notifications", a_notification(version=2, end="2022-01-04"))
    then_refused(cast.other_practice.gets(f"{path}/_history/1"), 404)
    removal = cast.other_practice.gets(path)
    assert removal.headers["ETag"] == 'W/"2"'
    assert not {"period", "extension", "author"} & removal.json().keys()
    assert flags_of(cast.other_practice, FATHER[0]) == []


@pytest.mark.parametrize(
    "number", ["0", "-1", "3", "01", "1.0", "1_0", "%201", "x", "9" * 30, "\u0661"]
)
def test_a_number_that_is_no_version_is_not_found(house: Cast, number: str) -> None:
    house.council.posts("/plans", a_plan())
    answer = house.other_practice.gets(f"{the_fathers(house)}/_history/{number}")
    then_refused(answer, 404)
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "RESOURCE_NOT_FOUND"


def test_nobody_else_can_tell_a_flag_from_none(any_cast: Cast) -> None:
    given_a_plan(any_cast)
    path = the_fathers(any_cast)
    for client in (any_cast.practice, any_cast.unadmitted):
        for tail in ("", "/_history/1"):
            with any_cast.service.storing_nothing():
                answer = client.gets(path + tail)
            unknown = client.gets(f"{FHIR}/Flag/{'f' * 32}{tail}")
            then_refused(answer, 404)
            assert the_same_but_for_its_request_id(answer, unknown)


def test_a_flag_is_no_task_and_a_task_no_flag(cast: Cast) -> None:
    cast.council.posts("/enquiries", an_enquiry())
    practice = cast.other_practice
    (task,) = resources(practice.searches(FATHER[0], "Task"))
    assert task["resourceType"] == "Task"
    assert practice.gets(f"{FHIR}/Task/{task['id']}").headers["ETag"] == 'W/"1"'
    assert practice.gets(f"{FHIR}/Task/{task['id']}/_history/1").status_code == 200
    then_refused(practice.gets(f"{FHIR}/Flag/{task['id']}"), 404)
    assert resources(practice.searches(FATHER[0], "Flag")) == []


def test_a_practice_that_is_not_admitted_reads_nothing_of_its_own(any_cast: Cast) -> None:
    any_cast.world.registered(*CHILD, "B83903")
    given_a_plan(any_cast)
    (flag,) = any_cast.world.held_at("B83903")
    client = any_cast.unadmitted
    then_refused(client.gets(f"{FHIR}/Flag/{flag['id']}"), 404)
    then_refused(client.gets(f"{FHIR}/Flag/{flag['id']}/_history/1"), 404)
    assert flags_of(client, CHILD[0]) == []
    assert resources(client.gets(f"{FHIR}/Flag")) == []
    assert resources(client.gets(f"{FHIR}/_history")) == []
    any_cast.world.admitted("B83903")
    assert client.gets(f"{FHIR}/Flag/{flag['id']}").status_code == 200


def test_the_metadata_are_open_and_the_same_for_everybody(house: Cast) -> None:
    nobody = house.service.send("GET", f"{FHIR}/metadata")
    assert nobody.status_code == 200
    for client in (house.practice, house.council):
        assert client.gets(f"{FHIR}/metadata").content == nobody.content


def test_the_metadata_say_what_the_routes_serve(house: Cast) -> None:
    said = house.service.send("GET", f"{FHIR}/metadata").json()
    assert said["resourceType"] == "CapabilityStatement"
    (rest,) = said["rest"]
    codes = {
        (resource["type"], interaction["code"])
        for resource in rest["resource"]
        for interaction in resource["interaction"]
    }
    paths = {
        ("{id}", "GET"): "read",
        ("{id}/_history/{number}", "GET"): "vread",
        ("_search", "POST"): "search-type",
        ("", "GET"): "search-type",
    }
    served: set[tuple[str, str]] = set()
    for route in router.routes:
        path = str(getattr(route, "path", "")).removeprefix(f"{FHIR}/")
        type_, _, rest_of_it = path.partition("/")
        if type_ in ("Flag", "Task"):
            methods: set[str] = getattr(route, "methods", set())
            served |= {(type_, paths[rest_of_it, method]) for method in methods}
    assert codes == served
    assert rest["interaction"] == [{"code": "history-system"}]
    assert [operation["name"] for operation in rest["operation"]] == ["acknowledge"]
