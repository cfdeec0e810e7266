"""fhirpy, which nobody here wrote, reads, searches, pages, follows the feed and acknowledges.

https://github.com/beda-software/fhir-py. What it offers and we refuse is refused so that it can be
told what was wrong: by an OperationOutcome, which it raises.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import (
    AuthorizationError,
    ForbiddenError,
    OperationOutcome,
    ResourceNotFound,
)
from fhirpy.base.utils import parse_pagination_url

from tests.clients.counting import play, then_nothing_failed
from tests.clients.supplier import Supplier, patient

ON_A_PLAN = "http://snomed.info/sct|342191000000101"


class Fhirpy:
    """fhirpy's own clients, as its manual makes them."""

    def __init__(self, supplier: Supplier) -> None:
        self.supplier = supplier
        self.gp = self.client("gp-system")
        self.flags = self.gp.resources("Flag")

    def client(self, face: str, **more: Any) -> Any:
        token = f"Bearer {self.supplier.token(face)}"
        return SyncFHIRClient(self.supplier.fhir, authorization=token, **more)

    def searches(self, type_: str, name: str) -> list[Any]:
        """By patient: a form in the body, which fhirpy leaves to `requests`."""
        form = {"data": {"patient:identifier": patient(name)}}
        bundle = self.client("gp-system", requests_config=form).execute(f"{type_}/_search")
        return [entry.resource for entry in bundle.get("entry", [])]

    def follows(self, type_: str, count: int) -> list[Any]:
        """A feed from nothing to its end."""
        found: list[Any] = []
        bundle = self.gp.execute(f"{type_}/_history", "get", params={"_count": count})
        while entries := bundle.get("entry", []):
            found += entries
            next_ = next(one.url for one in bundle.link if one.relation == "next")
            path, params = parse_pagination_url(next_)
            bundle = self.gp.execute(path, "get", params=params)
        return found


def it_reads_the_capability_statement(fhirpy: Fhirpy) -> None:
    assert fhirpy.gp.execute("metadata", "get").fhirVersion == "4.0.1"


def it_searches_by_patient(fhirpy: Fhirpy) -> None:
    (flag,) = fhirpy.searches("Flag", "plan")
    assert flag.code.coding[0].code == "342191000000101"


def it_finds_two_flags_of_one_child(fhirpy: Fhirpy) -> None:
    assert len(fhirpy.searches("Flag", "household")) == 2


def it_finds_a_request(fhirpy: Fhirpy) -> None:
    (task,) = fhirpy.searches("Task", "enquiry-father")
    assert task.status == "requested"


def it_finds_nothing_of_another_practices_patient(fhirpy: Fhirpy) -> None:
    assert fhirpy.searches("Flag", "elsewhere") == []


def it_searches_all(fhirpy: Fhirpy) -> None:
    assert len(fhirpy.flags.fetch()) > 10


def it_searches_by_status(fhirpy: Fhirpy) -> None:
    assert {flag.status for flag in fhirpy.flags.search(status="active").fetch()} == {"active"}


def it_searches_by_code(fhirpy: Fhirpy) -> None:
    assert len(fhirpy.flags.search(code=ON_A_PLAN).fetch()) == 3


def it_searches_by_category(fhirpy: Fhirpy) -> None:
    assert len(fhirpy.flags.search(category="SG").fetch()) == len(fhirpy.flags.fetch())


def it_searches_by_last_update(fhirpy: Fhirpy) -> None:
    since = fhirpy.flags.search(_lastUpdated__ge="2024-01-01T00:00:00Z")
    assert len(since.fetch()) == len(fhirpy.flags.fetch())
    assert fhirpy.flags.search(_lastUpdated__lt="2024-01-01T00:00:00Z").fetch() == []


def it_gets_one_by_its_id(fhirpy: Fhirpy) -> None:
    flag = fhirpy.flags.first()
    assert fhirpy.flags.search(_id=flag.id).get() == flag


def it_pages(fhirpy: Fhirpy) -> None:
    whole = [flag.id for flag in fhirpy.flags.fetch()]
    assert [flag.id for flag in fhirpy.flags.limit(3).fetch_all()] == whole
    assert len(set(whole)) == len(whole)


def it_pages_within_a_search(fhirpy: Fhirpy) -> None:
    active = fhirpy.flags.search(status="active")
    assert fhirpy.flags.search(status="active").limit(2).fetch_all() == active.fetch()


def it_reads(fhirpy: Fhirpy) -> None:
    flag = fhirpy.flags.first()
    assert flag.to_reference().to_resource() == flag
    assert fhirpy.gp.get("Flag", flag.id) == flag.serialize()


def it_refreshes(fhirpy: Fhirpy) -> None:
    flag = fhirpy.flags.first()
    before = flag.serialize()
    assert flag.refresh().serialize() == before


def it_reads_a_version(fhirpy: Fhirpy) -> None:
    flag = fhirpy.flags.first()
    version = fhirpy.gp.execute(f"Flag/{flag.id}/_history/{flag.meta.versionId}", "get")
    assert version == flag.serialize()


def it_reads_a_flags_own_history(fhirpy: Fhirpy) -> None:
    (amended,) = fhirpy.searches("Flag", "amended")
    history = fhirpy.gp.execute(f"Flag/{amended.id}/_history", "get")
    assert history.type == "history"
    assert history.entry[0].resource.meta.versionId == amended.meta.versionId


def it_follows_the_feed(fhirpy: Fhirpy) -> None:
    feeds = [fhirpy.follows("Flag", count) for count in (3, 200)]
    assert feeds[0] == feeds[1]
    numbers = [entry.extension[0].valuePositiveInt for entry in feeds[0]]
    assert numbers == list(range(1, len(numbers) + 1))


def it_follows_the_feed_of_requests(fhirpy: Fhirpy) -> None:
    assert len(fhirpy.follows("Task", 1)) == 1


def it_holds_what_the_digest_says(fhirpy: Fhirpy) -> None:
    newest = {e.resource.id: e.resource for e in fhirpy.follows("Flag", 5) if "resource" in e}
    active = [flag for flag in newest.values() if flag.status == "active"]
    lines = sorted(f"{flag.id}/{flag.meta.versionId}\n" for flag in active)
    said = {p.name: p for p in fhirpy.flags.execute("$digest", "get").parameter}
    assert said["count"].valueUnsignedInt == len(lines)
    assert said["sha256"].valueString == sha256("".join(lines).encode()).hexdigest()


def it_acknowledges(fhirpy: Fhirpy) -> None:
    flag = fhirpy.flags.first()
    version = {"name": "version", "valueString": flag.meta.versionId}
    body = {"resourceType": "Parameters", "parameter": [version]}
    assert fhirpy.gp.execute("$acknowledge", data=body).resourceType == "Parameters"


def it_is_told_of_a_flag_that_is_not_there(fhirpy: Fhirpy) -> None:
    _raises(ResourceNotFound, lambda: fhirpy.gp.get("Flag", "0" * 32))


def it_is_told_of_another_practices_flag(fhirpy: Fhirpy) -> None:
    (theirs, *_) = fhirpy.client("gp-system-second").resources("Flag").fetch()
    _raises(ResourceNotFound, lambda: fhirpy.gp.get("Flag", theirs.id))


def it_is_told_of_a_bad_token(fhirpy: Fhirpy) -> None:
    nobody = SyncFHIRClient(fhirpy.supplier.fhir, authorization="Bearer nobody")
    _raises(AuthorizationError, nobody.resources("Flag").fetch)


def it_is_told_that_a_practice_is_not_admitted(fhirpy: Fhirpy) -> None:
    unadmitted = fhirpy.client("gp-system-unadmitted")
    _raises(ForbiddenError, unadmitted.resources("Flag").fetch)


def it_is_told_what_is_not_served(fhirpy: Fhirpy) -> None:
    flag = fhirpy.flags.first()
    for asked in (
        fhirpy.flags.include("Flag", "subject").fetch,
        fhirpy.flags.sort("-_lastUpdated").fetch,
        fhirpy.flags.count,
        lambda: fhirpy.gp.execute("Flag/_search", data={"patient:identifier": patient("plan")}),
        flag.save,
        flag.delete,
    ):
        _raises(OperationOutcome, asked)


def it_is_told_that_there_are_no_patients_here(fhirpy: Fhirpy) -> None:
    _raises(ResourceNotFound, fhirpy.gp.resources("Patient").fetch)


def _raises(kind: type[Exception], asked: Callable[[], object]) -> None:
    with pytest.raises(kind) as raised:
        asked()
    assert "OperationOutcome" in str(raised.value)


OPERATIONS = [
    operation
    for name, operation in list(globals().items())
    if name.startswith("it_") and callable(operation)
]


def test_fhirpy_does_all_that_a_gp_system_does(
    supplier: Supplier, capsys: pytest.CaptureFixture[str]
) -> None:
    supplier.resets()
    then_nothing_failed(play("fhirpy", OPERATIONS, Fhirpy(supplier)), capsys, fewest=25)
