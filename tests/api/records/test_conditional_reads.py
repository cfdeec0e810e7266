"""A GP system reads again only what has changed, in the one form that there is, and is audited."""

from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.api.answers import FHIR, links, resources, then_refused
from tests.api.steps import CHILD, FORM, Cast, a_notification, a_plan, versions_in

FLAG = f"{FHIR}/Flag"
DAY_LATER = "Wed, 05 Jan 2022 09:00:00 GMT"
FORM_RULE = "the answer is application/fhir+json, FHIR version 4.0"


def given_a_flag(cast: Cast) -> str:
    cast.council.posts("/plans", a_plan())
    (flag,) = resources(cast.practice.searches(CHILD[0]))
    return f"{FLAG}/{flag['id']}"


@pytest.mark.parametrize("form", ["{etag}", 'W/"a", {etag}', '"{bare}"', "*", ' W/"b",{etag}'])
def test_what_is_held_is_not_sent_again_and_is_in_the_audit(any_cast: Cast, form: str) -> None:
    path = given_a_flag(any_cast)
    first = any_cast.practice.gets(path)
    etag = first.headers["ETag"]
    tags = form.format(etag=etag, bare=etag[3:-1])
    before = len(any_cast.service.leaves("read"))
    again = any_cast.practice.gets(path, headers={"If-None-Match": tags})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == etag
    assert "Content-Type" not in again.headers
    assert len(any_cast.service.leaves("read")) == before + 1
    version = f"{path}/_history/{first.json()['meta']['versionId']}"
    assert any_cast.practice.gets(version, headers={"If-None-Match": tags}).status_code == 304


@pytest.mark.parametrize("tag", ['W/"a"', "", '"', "W/", 'W/"*"'])
def test_what_is_not_held_is_sent(cast: Cast, tag: str) -> None:
    path = given_a_flag(cast)
    date = cast.practice.gets(path).headers["Last-Modified"]
    headers = {"If-None-Match": tag, "If-Modified-Since": date}
    assert cast.practice.gets(path, headers=headers).status_code == 200


def test_a_date_is_never_asked_whether_it_is_held(any_cast: Cast) -> None:
    """All versions of an hour have one date, so it proves of none that it is held."""
    path, practice = given_a_flag(any_cast), any_cast.practice
    first = practice.gets(path)
    date, version = first.headers["Last-Modified"], first.json()["meta"]["versionId"]
    for other in (date, DAY_LATER, "Mon, 03 Jan 2022 09:00:00 GMT", "yesterday", "", date[:-4]):
        for one in (path, f"{path}/_history/{version}"):
            again = practice.gets(one, headers={"If-Modified-Since": other})
            assert (again.status_code, again.content) == (200, first.content)
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    second = practice.gets(path, headers={"If-Modified-Since": date})
    assert second.headers["Last-Modified"] == date
    assert second.json()["meta"]["versionId"] != version


def test_somebody_elses_tag_says_nothing(cast: Cast) -> None:
    path = given_a_flag(cast)
    tags = {"If-None-Match": "*"}
    then_refused(cast.other_practice.gets(path, headers=tags), 404)
    then_refused(cast.unadmitted.gets(path, headers=tags), 403)


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+json",
        "application/json",
        "*/*",
        "application/*;q=0.2",
        "text/html, */*;q=0.1",
        "application/fhir+xml;q=0.9, application/fhir+json;q=0.1",
        "application/fhir+json; fhirVersion=4.0; charset=utf-8",
        'Application/FHIR+JSON;fhirVersion="4.0"',
        "application/fhir+json;fhirVersion=3.0, application/fhir+json;fhirVersion=4.0",
        "",
    ],
)
def test_who_takes_json_gets_it(house: Cast, accept: str) -> None:
    for path in (FLAG, f"{FHIR}/metadata", f"{FLAG}/_history", f"{FLAG}/$digest"):
        answer = house.practice.gets(path, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/fhir+json"


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+xml",
        "text/html",
        "application/fhir+json;q=0",
        "application/fhir+json;q=0, */*;q=0.5",
        "*/*;q=0",
        "application/fhir+json;q=much",
        "application/fhir+json;fhirVersion=3.0",
        "application/fhir+json;fhirVersion=4.3, application/fhir+xml",
    ],
)
def test_who_takes_nothing_that_we_have_is_told_so(house: Cast, accept: str) -> None:
    for path in (FLAG, f"{FHIR}/metadata", f"{FLAG}/{'f' * 32}", f"{FLAG}/_history"):
        with house.service.storing_nothing():
            answer = house.practice.gets(path, headers={"Accept": accept})
        then_refused(answer, 406)
        assert answer.json()["issue"][0]["diagnostics"] == FORM_RULE


@pytest.mark.parametrize(
    ("format_", "status"),
    [
        ("json", 200),
        ("application/json", 200),
        ("application/fhir+json", 200),
        ("application/fhir%2Bjson", 200),
        ("xml", 406),
        ("application/fhir+xml", 406),
        ("text/turtle", 406),
        ("", 406),
    ],
)
def test_the_format_in_the_address_outweighs_the_header(
    house: Cast, format_: str, status: int
) -> None:
    for path in (FLAG, f"{FHIR}/metadata"):
        headers = {"Accept": "application/fhir+xml" if status == 200 else "*/*"}
        answer = house.practice.gets(f"{path}?_format={format_}", headers=headers)
        assert answer.status_code == status


def test_a_body_is_read_in_its_own_form_alone(house: Cast) -> None:
    for type_ in ("application/json", "application/fhir+json", "text/plain", ""):
        headers = {"Content-Type": type_}
        answer = house.practice.calls("POST", f"{FLAG}/_search", content=b"a=1", headers=headers)
        then_refused(answer, 415)
    answer = house.practice.calls(
        "POST", f"{FHIR}/$acknowledge", content=b"a=1", headers={"Content-Type": FORM}
    )
    then_refused(answer, 415)


def test_the_versions_of_a_flag_are_told_newest_first(any_cast: Cast) -> None:
    path, practice = given_a_flag(any_cast), any_cast.practice
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    any_cast.council.posts("/plans", a_plan(version=3, categories=["emotional"]))
    answer = practice.gets(f"{path}/_history")
    assert answer.json()["type"] == "history"
    assert "next" not in links(answer)
    found = versions_in(resources(answer))
    assert len(found) == 3
    assert found[0] == practice.gets(path).json()["meta"]["versionId"]
    for version, resource in zip(found, resources(answer), strict=True):
        assert practice.gets(f"{path}/_history/{version}").json() == resource
    first = practice.gets(f"{path}/_history?_count=2")
    assert versions_in(resources(first)) == found[:2]
    rest = practice.gets(links(first)["next"])
    assert versions_in(resources(rest)) == found[2:]
    assert practice.gets(links(rest)["self"]).content == rest.content


def test_a_history_has_nothing_that_was_withdrawn_and_none_of_anybody_else(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    (flag,) = resources(cast.other_practice.gets(FLAG))
    path = f"{FLAG}/{flag['id']}/_history"
    cast.police.posts("/notifications", a_notification())
    (left,) = resources(cast.other_practice.gets(path))
    assert left["meta"]["versionId"] != flag["meta"]["versionId"]
    then_refused(cast.practice.gets(path), 404)
    then_refused(cast.practice.gets(f"{FLAG}/{'f' * 32}/_history"), 404)
    (mine, *_) = versions_in(resources(cast.practice.gets(FLAG)))
    for cursor in ("nobodys", mine):
        then_refused(
            cast.other_practice.gets(f"{path}?cursor={cursor}"),
            422,
            ("cursor", "is not one that this history gave out"),
        )


def test_what_was_taken_back_unheard_has_no_history(cast: Cast) -> None:
    cast.police.posts("/notifications", a_notification())
    cast.world.decides("B83902", "place")
    (flag,) = cast.world.held_at("B83902")
    cast.police.posts("/notifications", a_notification(version=2, end="2022-01-04"))
    then_refused(cast.other_practice.gets(f"{FLAG}/{flag['id']}/_history"), 404)


@pytest.mark.parametrize(
    "headers", [{}, {"Prefer": "handling=strict"}, {"If-None-Match": "*"}], ids=str
)
def test_a_date_is_the_hour_of_the_version_and_no_finer(
    any_cast: Cast, headers: dict[str, str]
) -> None:
    """A finer one would join relatives: in each practice's hour they stand nearly alike."""
    path, practice = given_a_flag(any_cast), any_cast.practice
    for version in range(2, 10):
        categories = [["neglect"], ["physical"]][version % 2]
        any_cast.council.posts("/plans", a_plan(version=version, categories=categories))
    meta = practice.gets(path).json()["meta"]
    updated = datetime.fromisoformat(meta["lastUpdated"])
    hour = updated.replace(minute=0, second=0, microsecond=0)
    assert updated - hour > timedelta(seconds=1)
    for one in (path, f"{path}/_history/{meta['versionId']}"):
        answer = practice.gets(one, headers=headers)
        assert answer.headers["Last-Modified"] == format_datetime(hour, usegmt=True)
