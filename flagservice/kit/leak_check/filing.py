"""Files flags as the service does, reads them back as it does, and takes them back as it does.

They are the shipped examples: every kind, every record, open and ended, flags and requests, byte
for byte what a practice is sent except ids, instant and person. The code that builds every copy
generates them, and the build fails if they are out of date. So the service need not be installed
here.
"""

import json
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from flagservice.domain.errors import Fault, Invalid
from flagservice.kit.leak_check.config import FhirEndpoint, SupplierSystem
from flagservice.kit.leak_check.crawl.requests import HIDDEN, NOPAT_SYSTEMS, Json

NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
_FHIR: Final = "application/fhir+json"
_NEUTRAL: Final = ("U", "contact-duty-desk")
_PATIENT: Final = {"Flag": "subject", "Task": "for"}


class NotFiled(Exception):
    """The system did not take a flag, lost it, or hides it from a clinician."""


@dataclass(frozen=True)
class FiledCopy:
    """One copy on the flagged twin: what was sent, and the id that the system gave it."""

    sent: Json
    id: str = ""

    @property
    def kind(self) -> str:
        """Returns Flag or Task."""
        return str(self.sent["resourceType"])

    @property
    def identifier(self) -> str:
        """Returns the identifier by which it is found."""
        first = self.sent["identifier"][0]
        return f"{first['system']}|{first['value']}"

    @property
    def value(self) -> str:
        """Returns the random half of the identifier."""
        return str(self.sent["identifier"][0]["value"])

    def nobody(self) -> "FiledCopy":
        """Returns a copy of the same look with an id and an identifier that do not exist."""
        first = self.sent["identifier"][0] | {"value": secrets.token_hex(16)}
        fresh = "".join(_another(character) for character in self.id)
        return FiledCopy({**self.sent, "identifier": [first]}, fresh)


def _another(character: str) -> str:
    """Returns another digit or letter a to f of the same sort; any other character stays."""
    for alphabet in (string.digits, "abcdef", "ABCDEF"):
        if character in alphabet:
            return secrets.choice(alphabet)
    return character


def copies(examples: Path, *, nhs_number: str) -> list[FiledCopy]:
    """Returns a copy of everything that is ever sent, about this person; raises Invalid."""
    resources = [
        entry["resource"]
        for path in sorted(examples.glob("*.json"))
        for entry in json.loads(path.read_text("utf-8"))["entry"]
    ]
    distinct: dict[str, FiledCopy] = {}
    for resource in resources:
        alike = {name: held for name, held in resource.items() if name not in _OWN}
        alike["labels"] = resource["meta"]["security"]
        fresh = FiledCopy(_about(resource, nhs_number))
        distinct.setdefault(json.dumps(alike, sort_keys=True), fresh)
    if {one.kind for one in distinct.values()} != {*HIDDEN}:
        raise Invalid(Fault("examples", "hold flags and requests: profiles/examples is not whole"))
    return list(distinct.values())


_OWN: Final = ("id", "meta", "identifier", "subject", "for")


def _about(resource: Json, nhs_number: str) -> Json:
    identifiers = [one | {"value": secrets.token_hex(16)} for one in resource["identifier"]]
    person = {"type": "Patient", "identifier": {"system": NHS_NUMBER, "value": nhs_number}}
    meta = resource["meta"] | {"versionId": identifiers[1]["value"]}
    changed = {"identifier": identifiers, "meta": meta, _PATIENT[resource["resourceType"]]: person}
    return {name: held for name, held in (resource | changed).items() if name != "id"}


def spelt(filed: Iterable[FiledCopy], *, system: str) -> list[FiledCopy]:
    """Returns the same copies, one version on, with NOPAT under another system."""
    return [replace(one, sent=_next(one.sent, _respelt(one.sent, system))) for one in filed]


def taken_back(filed: Iterable[FiledCopy]) -> list[FiledCopy]:
    """Returns the same copies as a removal is sent: neutral, ended, nothing of what was said."""
    kept = ("resourceType", "identifier", "subject", "for", "intent")
    neutral = {"Flag": ("inactive", _NEUTRAL[0]), "Task": ("cancelled", _NEUTRAL[1])}
    removed = []
    for one in filed:
        status, code = neutral[one.kind]
        sent = {name: held for name, held in one.sent.items() if name in kept} | {"status": status}
        sent["meta"] = _respelt(one.sent, NOPAT_SYSTEMS[0])
        sent["code"] = {"coding": [{"code": code}]}
        removed.append(replace(one, sent=_next(sent, sent["meta"])))
    return removed


def taken_back_in_error(one: FiledCopy) -> FiledCopy:
    """Returns an ordinary entry, one version on, taken back by its type's status."""
    field = {"Flag": {"status": "entered-in-error"}}.get(
        one.kind, {"verificationStatus": {"coding": [_IN_ERROR]}}
    )
    return replace(one, sent=_next({**one.sent, **field}, one.sent["meta"]))


_IN_ERROR: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
    "code": "entered-in-error",
}


def _respelt(sent: Json, system: str) -> Json:
    security = [
        label | {"system": system} if label["code"] == "NOPAT" else label
        for label in sent["meta"]["security"]
    ]
    return {**sent["meta"], "security": security}


def _next(sent: Json, meta: Json) -> Json:
    first, version = sent["identifier"]
    fresh = version | {"value": secrets.token_hex(16)}
    return {**sent, "identifier": [first, fresh], "meta": {**meta, "versionId": fresh["value"]}}


class PracticeClient:
    """A client of the pushed side and the clinician's side."""

    def __init__(self, system: SupplierSystem) -> None:
        self._system = system
        self._http = httpx.Client(timeout=30, trust_env=False)

    def file(self, wanted: Iterable[FiledCopy]) -> list[FiledCopy]:
        """Sends every copy, and returns what can be read back; raises NotFiled."""
        filed = [replace(one, id=self.push(one)) for one in wanted]
        self._clinician_sees(filed)
        return filed

    def push(self, one: FiledCopy) -> str:
        """Sends one, and returns the id under which it is read back; raises NotFiled."""
        place = f"{one.kind}?identifier={quote(one.identifier, safe='')}"
        reply = self._ask(self._system.push, "PUT", place, content=json.dumps(one.sent))
        if reply.status_code not in (200, 201):
            raise NotFiled("the system did not take a flag")
        found = _resources(self._ask(self._system.push, "GET", place))
        if len(found) != 1 or not _holds(found[0], one.sent):
            raise NotFiled("a flag was taken, and is not there as sent when read back")
        return str(found[0]["id"])

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _clinician_sees(self, filed: list[FiledCopy]) -> None:
        number = self._system.flagged.nhs_number
        form = f"patient:identifier={quote(f'{NHS_NUMBER}|{number}', safe='')}"
        for kind in HIDDEN:
            reply = self._ask(
                self._system.clinician,
                "POST",
                f"{kind}/_search",
                content=form,
                type_="application/x-www-form-urlencoded",
            )
            seen = _resources(reply)
            for one in filed:
                if one.kind == kind and not any(_holds(held, one.sent) for held in seen):
                    raise NotFiled("a clinician does not see what was filed")

    def _ask(
        self,
        place: FhirEndpoint,
        method: str,
        target: str,
        *,
        content: str = "",
        type_: str = _FHIR,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {place.token}", "Accept": _FHIR, "Content-Type": type_}
        try:
            return self._http.request(
                method, f"{place.base}/{target}", headers=headers, content=content or None
            )
        except httpx.HTTPError:
            raise NotFiled("the side that is pushed to did not answer") from None


def _resources(reply: httpx.Response) -> list[Json]:
    try:
        bundle: Any = reply.json()
        return [entry["resource"] for entry in bundle.get("entry", [])]
    except (ValueError, AttributeError, KeyError, TypeError):
        return []


def _holds(held: Json, sent: Json) -> bool:
    """Returns whether it is what was sent: our identifiers, our labels, and what was said."""
    labels = held.get("meta", {}).get("security", [])
    pairs = {(label.get("system"), label.get("code")) for label in labels}
    wanted = {(label["system"], label["code"]) for label in sent["meta"]["security"]}
    return (
        all(one in held.get("identifier", []) for one in sent["identifier"])
        and pairs >= wanted
        and all(held.get(name) == sent.get(name) for name in ("status", "code", "subject", "for"))
    )
