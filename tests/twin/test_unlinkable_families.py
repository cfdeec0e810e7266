"""Nothing that leaves towards two practices joins a family (P6): over the wire, with all headers.

The rule and its statistics stand in `tests/intake/ruling/test_unlinkable.py`. Here the values are
those that really leave: pushes, feed pages, reads, version reads and searches, with their headers.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations
from math import exp
from typing import Any

import httpx
import pytest

from flagservice.api.edge.envelope import ALWAYS
from flagservice.delivery.push.fhir_rest import FhirRest
from flagservice.delivery.push.worker import Worker
from tests.api.answers import FHIR
from tests.api.steps import Client, Service, an_ec_key
from tests.checked import a_registration, given_an_admitted_practice
from tests.intake.families import Made, made_up
from tests.intake.ruling.test_unlinkable import (
    CONSTANTS,
    Told,
    _amended,
    _desks,
    _leaves,
    _share,
    _strangers,
)
from tests.world import COUNCIL, HEALTH, POLICE, World

FAMILIES, PRACTICES = 90, [f"B839{place:02d}" for place in range(18)]
KINDS = {COUNCIL: "childrens-services", POLICE: "police", HEALTH: "zero-to-nineteen"}
NO_VALUES = {
    *("https", "http", "flags.example", "application/fhir+json", "no-store, private", "nosniff"),
    *("max-age=31536000; includeSubDomains", "Bundle", "match", "PUT", "200", "DELETE", "204"),
    *(value.decode() for _, value in ALWAYS),
}
"""What every answer has, whatever it is about."""
LENGTHS = {"read header content-length", "vread header content-length"}
"""A length says no more than the codes and the agency's name, which are no links."""


@dataclass
class Pushed(httpx.AsyncBaseTransport):
    """Files whatever is pushed, and remembers every request by the practice that got it."""

    seen: list[tuple[str, httpx.Request]]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((request.url.host.partition(".")[0].upper(), request))
        return httpx.Response(200, stream=httpx.ByteStream(request.content))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Told]]:
    """Many families of every kind in one hour, after another hour's; amended and ended in turn."""
    world = World(f"sqlite:///{tmp_path_factory.mktemp('families')}/flagservice.db", seed=12)
    world.admitted()
    for practice in PRACTICES:
        registration = a_registration(practice, url=f"https://{practice.lower()}.example/fhir")
        given_an_admitted_practice(world.log, registration)
    service, pushed = Service(world), Pushed([])
    chance = random.Random(6)
    families = [made_up(chance, place, PRACTICES) for place in range(FAMILIES)]
    earlier, later = families[: FAMILIES // 3], families[FAMILIES // 3 :]
    when_all_are_posted(world, service, earlier)
    world.now += timedelta(hours=2)
    when_all_are_posted(world, service, later)
    channel = FhirRest(pushed)
    worker = Worker(world.log, channel, jitter=lambda: 1.0)
    while worker.run_once():
        pass
    channel.close()
    yield list(what_left(service, later, pushed))
    world.close()


def when_all_are_posted(world: World, service: Service, families: list[Made]) -> None:
    """Over the wire, ten seconds apart."""
    key = an_ec_key()
    clients = {ods: service.client(ods, kind, key) for ods, kind in KINDS.items()}
    for family in families:
        for number, (practice, born) in family.at.items():
            world.registered(number, born, practice)
    for family in families:
        kind = family.body["kind"]
        path = {"section-47": "/enquiries", "perpetrator": "/notifications"}.get(kind, "/plans")
        for body in _versions_of(family):
            answer = clients[_sender(family)].posts(path, body)
            assert answer.status_code == 201, answer.text
        world.now += timedelta(seconds=10)


def _sender(family: Made) -> str:
    """Health services post child in need plans alone."""
    may = family.ods != HEALTH or family.body["kind"] == "child-in-need"
    return family.ods if may else COUNCIL


def _versions_of(family: Made) -> Iterator[dict[str, Any]]:
    """One version, or two: every third is amended, and every ninth ended by it."""
    yield family.body
    if family.place % 3 == 0:
        ended = {"end": "2022-01-04"} if family.place % 9 == 0 else {}
        yield {**family.body, "version": 2, **_amended(family), **ended}


def what_left(service: Service, families: list[Made], pushed: Pushed) -> Iterator[Told]:
    """By member: every value that left towards the practice, by where it stood."""
    own = {value for ods in KINDS for value, _ in _desks(service.world, ods)}
    members = {
        number: Told(family, number, practice)
        for family in families
        for number, (practice, _) in family.at.items()
    }
    for practice in PRACTICES:
        client = service.client(practice, "gp-system", an_ec_key())
        for number, where, value in _seen(client, practice, pushed):
            constant = value in CONSTANTS | own | NO_VALUES or value.startswith(_CANONICAL)
            if number in members and not constant:
                members[number].values.setdefault(where, set()).add(value)
    yield from (one for one in members.values() if one.values)


TYPES = ("Flag", "Task")
_CANONICAL = ("https://flagservice.example/", "http://terminology", "https://fhir.hl7.org.uk")


def _seen(client: Client, practice: str, pushed: Pushed) -> Iterator[tuple[str, str, str]]:
    feeds = [client.gets(f"{FHIR}/{type_}/_history?_count=200").json() for type_ in TYPES]
    for entry in [entry for feed in feeds for entry in feed.get("entry", ())]:
        if "resource" not in entry:  # taken back before anybody heard of it: it is about nobody
            continue
        number = _whose(entry["resource"])
        yield from ((number, f"feed{where}", value) for where, value in _leaves(entry, ""))
        path = f"{FHIR}/{entry['request']['url']}"
        version = entry["resource"]["meta"]["versionId"]
        for name, found in (("read", path), ("vread", f"{path}/_history/{version}")):
            answer = client.gets(found)
            headers = [(f"{name} header {h}", v) for h, v in answer.headers.items()]
            yield from ((number, where, value) for where, value in headers)
    for whose, request in pushed.seen:
        resource = json.loads(request.content)
        if whose == practice:
            yield _whose(resource), "push target", request.url.path + str(request.url.params)
            yield _whose(resource), "push request id", request.headers["X-Request-ID"]
            found = _leaves(resource, "push")
            yield from ((_whose(resource), where, value) for where, value in found)


def _whose(resource: dict[str, Any]) -> str:
    who = resource.get("subject") or resource.get("for") or {"identifier": {"value": ""}}
    return str(who["identifier"]["value"])


def joined(told: list[Told]) -> dict[str, tuple[int, float]]:
    """Where relatives share more than chance gives strangers: how often, and how often expected.

    Chance is Poisson's, one in a thousand: a rare value that two share once is none.
    """
    shared, expected = Counter[str](), Counter[str]()
    for one, other in relatives(told):
        strangers = _strangers(told, one, other)
        for where in {*one.values, *other.values} - LENGTHS if strangers else ():
            shared[where] += _share(one, other, where)
            often = sum(_share(one, stranger, where) for stranger in strangers)
            expected[where] += often / len(strangers)
    found = {where: (shared[where], expected[where]) for where in shared}
    return {where: both for where, both in found.items() if _chance(*both) < 0.001}


def relatives(told: list[Told]) -> list[tuple[Told, Told]]:
    """Two of one family at two practices."""
    return [
        (one, other)
        for one, other in combinations(told, 2)
        if one.family is other.family and one.practice != other.practice
    ]


def _chance(times: int, expected: float) -> float:
    """Of so many times or more."""
    mean = max(expected, 0.25)
    fewer, term = 0.0, exp(-mean)
    for count in range(times):
        fewer, term = fewer + term, term * mean / (count + 1)
    return 1 - fewer


def test_nothing_that_leaves_over_the_wire_joins_a_family(told: list[Told]) -> None:
    assert len(told) > 120
    assert joined(told) == {}


def test_a_header_that_did_join_them_would_be_found(told: list[Told]) -> None:
    leaky = [replace(one, values={**one.values, "h": {str(one.family.place)}}) for one in told]
    assert set(joined(leaky)) == {"h"}


def test_no_two_copies_have_a_version_in_common(told: list[Told]) -> None:
    """`meta.versionId` counts nothing: two who are amended together would share a count."""
    for one, other in combinations(told, 2):
        assert not one.values["read header etag"] & other.values["read header etag"]
