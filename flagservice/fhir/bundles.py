"""Bundles around stored bytes, which are never modelled again on the way out.

They have no `total`: a count is an answer. https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from flagservice.domain.copies import Form, Label
from flagservice.fhir.flags import CANONICAL, instant, resource_type
from flagservice.fhir.labels import security
from flagservice.fhir.outcomes import passed_over

_LABELS: Final = (Label.NOPAT, Label.PERSISTLABEL)
_FEED_NUMBER: Final = f"{CANONICAL}/StructureDefinition/feed-number"


class IssuedVersion(NamedTuple):
    """One version's bytes, and where it stands in its copy and in its practice's feed."""

    copy_id: str
    form: Form
    version_id: str
    feed_number: int
    issued: datetime
    content: bytes


def searchset(
    entries: Sequence[IssuedVersion],
    *,
    base: str,
    link: str,
    next_: str | None = None,
    ignored: int = 0,
) -> bytes:
    """Returns matches in the order given, and a warning if parameters were passed over.

    The links hold no NHS number.
    """
    shown = [_match(e, base) for e in entries]
    if ignored:
        shown.append({"resource": passed_over(ignored), "search": {"mode": "outcome"}})
    return _bundle("searchset", _links(base, link, next_), shown)


def made(resources: Sequence[dict[str, Any]], *, base: str, link: str, next_: str | None) -> bytes:
    """Returns matches that were made for this answer, and are stored nowhere."""
    shown = [
        {
            "fullUrl": f"{base}/{one['resourceType']}/{one['id']}",
            "resource": one,
            "search": {"mode": "match"},
        }
        for one in resources
    ]
    return _bundle("searchset", _links(base, link, next_), shown)


def history(entries: Sequence[IssuedVersion], *, base: str, link: str, next_: str | None) -> bytes:
    """Returns a page of a practice's feed or of one copy's versions, each with its number."""
    return _bundle("history", _links(base, link, next_), [_change(e, base) for e in entries])


def _links(base: str, link: str, next_: str | None) -> list[dict[str, str]]:
    links = [{"relation": "self", "url": f"{base}/{link}"}]
    if next_ is not None:
        links.append({"relation": "next", "url": f"{base}/{next_}"})
    return links


def _bundle(type_: str, links: list[dict[str, str]], entries: list[dict[str, Any]]) -> bytes:
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "meta": {"security": security(_LABELS)},
        "type": type_,
        "link": links,
    }
    if entries:
        bundle["entry"] = entries
    return orjson.dumps(bundle)


def _match(entry: IssuedVersion, base: str) -> dict[str, Any]:
    return {
        "fullUrl": f"{base}/{_url(entry)}",
        "resource": orjson.Fragment(entry.content),
        "search": {"mode": "match"},
    }


def _change(entry: IssuedVersion, base: str) -> dict[str, Any]:
    if not entry.content:
        return _taken_back(entry)
    url = _url(entry)
    return {
        "extension": [{"url": _FEED_NUMBER, "valuePositiveInt": entry.feed_number}],
        "fullUrl": f"{base}/{url}",
        "resource": orjson.Fragment(entry.content),
        "request": {"method": "PUT", "url": url},
        "response": {
            "status": "200",
            "etag": f'W/"{entry.version_id}"',
            "lastModified": instant(entry.issued),
        },
    }


def _taken_back(entry: IssuedVersion) -> dict[str, Any]:
    """Returns the entry of a copy that was taken back unseen: its number, and nothing of it."""
    return {
        "extension": [{"url": _FEED_NUMBER, "valuePositiveInt": entry.feed_number}],
        "request": {"method": "DELETE", "url": _url(entry)},
        "response": {"status": "204"},
    }


def _url(entry: IssuedVersion) -> str:
    return f"{resource_type(entry.form)}/{entry.copy_id}"
