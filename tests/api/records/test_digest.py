"""A GP system finds by itself that it holds something else than it should: `$digest`."""

from hashlib import sha256
from typing import Any

import pytest

from tests.api.answers import FHIR, links, then_refused
from tests.api.steps import CHILD, Cast, Client, a_notification, a_plan, an_enquiry

ACTIVE = {"Flag": "active", "Task": "requested"}


class Supplier:
    """What a GP system keeps of its feed, and the digest that it makes of that alone."""

    def __init__(self, client: Client, type_: str) -> None:
        self.client, self.type = client, type_
        self.held: dict[str, dict[str, Any]] = {}
        self.last = 0
        self._next = f"{FHIR}/{type_}/_history?_count=2"

    def follows(self, *, losing: int | None = None) -> None:
        while page := (answer := self.client.gets(self._next)).json().get("entry"):
            for entry in page:
                self.last = entry["extension"][0]["valuePositiveInt"]
                if self.last == losing:
                    continue
                identity = entry["request"]["url"].rpartition("/")[2]
                self.held.pop(identity, None)
                if "resource" in entry:
                    self.held[identity] = entry["resource"]
            self._next = links(answer)["next"]

    def active(self) -> list[dict[str, Any]]:
        return [one for _, one in sorted(self.held.items()) if one["status"] == ACTIVE[self.type]]

    def digest(self) -> dict[str, Any]:
        lines = sorted(f"{one['id']}/{one['meta']['versionId']}\n" for one in self.active())
        hashed = sha256("".join(lines).encode()).hexdigest()
        return {"count": len(lines), "sha256": hashed, "last": self.last}


def digest_of(client: Client, type_: str = "Flag") -> dict[str, Any]:
    answer = client.gets(f"{FHIR}/{type_}/$digest")
    assert answer.status_code == 200
    assert answer.json()["resourceType"] == "Parameters"
    return {
        part["name"]: part.get("valueUnsignedInt", part.get("valueString"))
        for part in answer.json()["parameter"]
    }


def given_a_busy_hour(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    cast.council.posts("/plans", a_plan("CPP-2"))
    cast.council.posts("/enquiries", an_enquiry())
    cast.police.posts("/notifications", a_notification())
    cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    cast.council.posts("/plans", a_plan("CPP-2", version=2, end="2022-01-04"))


@pytest.mark.parametrize("type_", ["Flag", "Task"])
def test_who_followed_its_feed_has_the_digest_that_we_have(any_cast: Cast, type_: str) -> None:
    clients = (any_cast.practice, any_cast.other_practice)
    suppliers = [Supplier(client, type_) for client in clients]
    for busy in (False, True):
        if busy:
            given_a_busy_hour(any_cast)
        for supplier in suppliers:
            supplier.follows()
            assert supplier.digest() == digest_of(supplier.client, type_)


def test_an_entry_that_was_lost_is_found(any_cast: Cast) -> None:
    given_a_busy_hour(any_cast)
    ours, whole = digest_of(any_cast.practice), Supplier(any_cast.practice, "Flag")
    whole.follows()
    found = 0
    for lost in range(1, ours["last"] + 1):
        supplier = Supplier(any_cast.practice, "Flag")
        supplier.follows(losing=lost)
        differs = supplier.active() != whole.active()
        assert (supplier.digest()["sha256"] != ours["sha256"]) is differs
        found += differs
    assert found >= 3


def test_a_flag_that_moved_away_is_no_part_of_it(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    supplier = Supplier(cast.practice, "Flag")
    supplier.follows()
    assert digest_of(cast.practice)["count"] == 2
    cast.world.registered(*CHILD, "B83902")
    supplier.follows()
    assert supplier.digest() == digest_of(cast.practice)
    assert digest_of(cast.practice)["count"] == 1


def test_a_digest_is_audited_and_takes_no_parameter(house: Cast) -> None:
    digest_of(house.practice)
    assert house.service.leaves("digested")[-1]["about"] == {"form": "flag", "count": 0}
    answer = house.practice.gets(f"{FHIR}/Flag/$digest?status=active")
    then_refused(answer, 422, ("(unknown parameter)", "there is none here"))
