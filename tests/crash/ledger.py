"""Holds what everybody has against what everybody was told: nothing lost, nothing twice."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlmodel import select

from flagservice.audit.log import Actor, Deed, Work
from flagservice.audit.verify import verify_audit
from flagservice.domain.copies import DeliveryState
from flagservice.intake.plans import find_plan
from flagservice.store import tables
from tests.crash.killing import Record
from tests.crash.town import Town
from tests.delivery.practices import GpSystem
from tests.world import COUNCIL

RECORDS_OF_A_PLAN = 3


@dataclass(frozen=True)
class Kept:
    """The service's rows, read once everything has settled."""

    submissions: list[tables.SubmissionRow]
    rulings: list[tables.RulingRow]
    copies: list[tables.CopyRow]
    behind: dict[str, set[str]]
    versions: list[tables.VersionRow]
    deliveries: list[tables.DeliveryRow]
    leaves: Counter[tuple[str, str]]
    contents: dict[str, dict[str, Any]]
    plans: dict[str, str]


def kept_by(town: Town) -> Kept:
    """In one unit of work; `contents` is what each version says, `plans` the id by reference.

    `behind` has the plans that each copy stands on.
    """

    def deed(work: Work) -> Kept:
        work.record(Deed.STATUS_READ)

        def everything(table: Any) -> list[Any]:
            return list(work.session.exec(select(table)).all())

        copies = everything(tables.CopyRow)
        versions = everything(tables.VersionRow)
        return Kept(
            everything(tables.SubmissionRow),
            everything(tables.RulingRow),
            copies,
            _behind(everything(tables.GroundRow), everything(tables.NamingRow)),
            versions,
            everything(tables.DeliveryRow),
            Counter(_about(everything(tables.LeafRow))),
            {version.id: _content(work, version) for version in versions},
            _plans(work, town),
        )

    return town.installation.log.perform(Actor("test"), deed)


def _behind(
    grounds: list[tables.GroundRow], namings: list[tables.NamingRow]
) -> dict[str, set[str]]:
    plans = {naming.id: naming.plan_id for naming in namings}
    found: dict[str, set[str]] = {}
    for ground in grounds:
        found.setdefault(ground.copy_id, set()).add(plans[ground.naming_id])
    return found


def _about(leaves: list[tables.LeafRow]) -> Iterator[tuple[str, str]]:
    for leaf in leaves:
        said = json.loads(leaf.body)
        for value in said["about"].values():
            yield said["deed"], str(value)


def _content(work: Work, version: tables.VersionRow) -> dict[str, Any]:
    copy = work.session.get_one(tables.CopyRow, version.copy_id)
    person = work.session.get_one(tables.PersonRow, copy.person_id)
    opened = work.vault.open_row_under(person.data_key, version)
    content: dict[str, Any] = json.loads(opened)
    return content


def _plans(work: Work, town: Town) -> dict[str, str]:
    found = {}
    for family in town.families:
        row = find_plan(work, COUNCIL, family.reference)
        if row is not None:
            found[family.reference] = row.id
    return found


def wrong_with_submissions(kept: Kept, record: Record) -> Iterator[str]:
    """Each acknowledged version is there once, with its rulings, its flags and its leaves."""
    there = Counter((one.plan_id, one.version) for one in kept.submissions)
    owed = Counter((kept.plans.get(ref, ref), version) for ref, version in record.accepted)
    if there != owed:
        yield f"submissions: {len(owed - there)} lost, {len(there - owed)} too many"
    ruled = Counter(ruling.plan_id for ruling in kept.rulings)
    for plan_id, posted in Counter(plan_id for plan_id, _ in owed).items():
        if ruled[plan_id] != posted * RECORDS_OF_A_PLAN:
            yield f"plan {plan_id}: {ruled[plan_id]} rulings for {posted} submissions"
        copies = [copy for copy in kept.copies if plan_id in kept.behind[copy.id]]
        if len(copies) != RECORDS_OF_A_PLAN:
            yield f"plan {plan_id}: {len(copies)} copies"
        if max((copy.number for copy in copies), default=0) != posted:
            yield f"plan {plan_id}: the child's flag has not a version for each submission"
    for deed, rows in (
        (Deed.SUBMITTED, kept.submissions),
        (Deed.RULED, kept.rulings),
        (Deed.DISCLOSED, kept.versions),
    ):
        for row in rows:
            if kept.leaves[deed, row.id] != 1:
                yield f"{row.id} has {kept.leaves[deed, row.id]} leaves that say {deed}"


def wrong_with_deliveries(kept: Kept) -> Iterator[str]:
    """Each version is owed once; delivered, or superseded by a newer one of its copy."""
    owed = {delivery.version_id: delivery for delivery in kept.deliveries}
    numbers = {copy.id: copy.number for copy in kept.copies}
    if len(owed) != len(kept.deliveries) or owed.keys() != {one.id for one in kept.versions}:
        yield "versions and deliveries are not one to one"
    for version in kept.versions:
        newest = version.number == numbers[version.copy_id]
        state = owed[version.id].state
        if state != DeliveryState.DELIVERED and (newest or state != DeliveryState.SUPERSEDED):
            yield f"version {version.id} is {state}"
        if state == DeliveryState.DELIVERED and kept.leaves[Deed.DELIVERED, version.id] != 1:
            yield f"version {version.id} was delivered without one leaf"


@dataclass(frozen=True)
class Found:
    """What the practices hold, against what they should."""

    duplicates: int
    lost: int
    wrong: list[str]


def found_at_the_practices(kept: Kept, systems: dict[str, GpSystem]) -> Found:
    """Each copy's newest version, once; no older one ever put over a newer one.

    And every version that is called delivered was really there once, newest or not.
    """
    held = {code: system.held() for code, system in systems.items()}
    resources = Counter((code, _copy_id(one)) for code, all_ in held.items() for one in all_)
    wanted = {(copy.practice, copy.id) for copy in kept.copies}
    at = {(code, _copy_id(one)): one for code, all_ in held.items() for one in all_}
    newest = {
        (version.practice, version.copy_id): kept.contents[version.id]
        for version in sorted(kept.versions, key=lambda version: version.number)
    }
    lost = [
        where for where in wanted if where not in at or _told(at[where]) != _told(newest[where])
    ]
    wrong = [f"{where} was never sent there" for where in resources.keys() - wanted]
    arrived = {_version_id(one) for system in systems.values() for one in system.history()}
    delivered = {one.version_id for one in kept.deliveries if one.state == DeliveryState.DELIVERED}
    return Found(
        sum(times - 1 for times in resources.values()),
        len(lost) + len(delivered - arrived),
        [*wrong, *_went_back(kept, systems)],
    )


def _copy_id(resource: dict[str, Any]) -> str:
    return str(resource["identifier"][0]["value"])


def _version_id(resource: dict[str, Any]) -> str:
    return str(resource["identifier"][1]["value"])


def _told(resource: dict[str, Any]) -> dict[str, Any]:
    """Less what is the server's own to say."""
    meta = {
        name: value
        for name, value in resource["meta"].items()
        if name not in ("versionId", "lastUpdated")
    }
    return {**{name: value for name, value in resource.items() if name != "id"}, "meta": meta}


def _went_back(kept: Kept, systems: dict[str, GpSystem]) -> Iterator[str]:
    numbers = {version.id: version.number for version in kept.versions}
    last: dict[str, int] = {}
    for system in systems.values():
        for resource in system.history():
            copy_id = _copy_id(resource)
            number = numbers[_version_id(resource)]
            if number < last.get(copy_id, 0):
                yield f"{copy_id}: version {number} was put over {last[copy_id]}"
            last[copy_id] = number


def wrong_with_feeds(town: Town) -> Iterator[str]:
    """Read over the API from 0: every number once, in order."""
    for code in town.systems:
        for type_ in ("Flag", "Task"):
            numbers = list(_feed(town, code, type_=type_))
            if numbers != list(range(1, len(numbers) + 1)) or (type_ == "Flag" and not numbers):
                yield f"{code}: the feed of {type_} is not contiguous from 1"


def _feed(town: Town, code: str, *, type_: str) -> Iterator[int]:
    address = f"/fhir/R4/{type_}/_history?_count=200"
    while True:
        bundle = town.clients[code].ask("GET", address).json()
        page = bundle.get("entry", [])
        if not page:
            return
        for entry in page:
            yield entry["extension"][0]["valuePositiveInt"]
        following = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
        address = "/fhir/R4/" + following.partition("/fhir/R4/")[2]


def wrong_with_the_audit(town: Town) -> tuple[str, ...]:
    """Nothing, once every leaf has its place."""
    while town.installation.sequencer().sequence():
        pass
    signer = town.installation.keys.signer
    return verify_audit(
        town.installation.database,
        origin=signer.name,
        public_key=signer.public_key_bytes,
        now=town.installation.log.clock(),
    ).findings
