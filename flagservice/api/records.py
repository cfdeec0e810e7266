"""GP systems receive: FHIR R4 read, vread, search, the practice's history feed, acknowledgement.

https://hl7.org/fhir/R4/http.html. An NHS number never stands in a URL: search by patient is
`POST _search`. Whoever asks about somebody else's patient gets one same empty answer.
"""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Final
from urllib.parse import parse_qsl, quote

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response

from flagservice.api.bodies import body_of
from flagservice.api.callers import Asked, Face, Faced, may
from flagservice.audit.log import Work
from flagservice.delivery.channels import pull
from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.people import NHS_NUMBER_SYSTEM
from flagservice.fhir.bundles import Entry, history, searchset
from flagservice.fhir.capability import Interaction, statement

router = APIRouter(prefix="/fhir/R4", tags=["records"])
_FHIR: Final = "application/fhir+json"
_FORM: Final = "application/x-www-form-urlencoded"
_FORMS: Final = {"Flag": "flag", "Task": "request"}
_INSTANT: Final = re.compile(
    r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_MOST, _USUAL = 200, 50
Count = Annotated[int, Query(alias="_count", ge=1, le=_MOST)]
Since = Annotated[str | None, Query(alias="_lastUpdated")]


@router.get("/metadata")
def metadata(face: Faced) -> Response:
    """The CapabilityStatement, made from the routes; open to everybody, and the same for all."""
    said = statement(interactions(), base=face.base, version=face.version, changed=face.changed)
    return _fhir(orjson.dumps(said))


def interactions() -> list[Interaction]:
    """The interactions that the routes of this module serve, by their names."""
    served = [route.name for route in router.routes if hasattr(route, "name")]
    of_type = {"read": "read", "vread": "vread", "search": "search-type"}
    return [
        *(Interaction(of_type[n], t) for t in _FORMS for n in of_type if n in served),
        *(Interaction("history-system") for n in served if n == "get_history"),
        *(Interaction("$acknowledge") for n in served if n == "acknowledge"),
    ]


@router.get("/_history")
def get_history(
    face: Faced,
    asked: Annotated[Asked, Depends(may("system/Flag.rs", "system/Task.rs"))],
    request: Request,
    count: Count = _USUAL,
    cursor: str | None = None,
) -> Response:
    """The practice's own feed: every number once, in order, from the cursor on."""
    _only(request, "_count", "cursor")
    after = _opened(cursor, asked.caller.ods)
    found = face.perform(asked, lambda work: pull.feed(work, after=after, limit=count))
    last = found[-1].feed_number if found else after
    link = _page("_history", count, _cursor(after, asked.caller.ods))
    next_ = _page("_history", count, _cursor(last, asked.caller.ods))
    return _fhir(history([_entry(s) for s in found], base=face.base, link=link, next_=next_))


@router.post("/$acknowledge", status_code=200)
def acknowledge(
    face: Faced,
    asked: Annotated[Asked, Depends(may("flags.acknowledge"))],
    body: Annotated[bytes, Depends(body_of(_FHIR, "application/json"))],
) -> Response:
    """The practice has filed these versions: Parameters with a `version` string for each."""
    versions = _versions(body)
    taken = face.perform(asked, lambda work: pull.acknowledge(work, versions))
    answer = {
        "resourceType": "Parameters",
        "parameter": [{"name": "acknowledged", "valueInteger": taken}],
    }
    return _fhir(orjson.dumps(answer))


def _type_routes(type_: str) -> None:
    """The same interactions for Flag and for Task."""
    form = _FORMS[type_]
    reads = Annotated[Asked, Depends(may(f"system/{type_}.rs"))]

    @router.get(f"/{type_}/{{id}}", name="read")
    def read(face: Faced, asked: reads, id: str) -> Response:  # noqa: A002
        """The newest version."""
        return _one(face.perform(asked, lambda work: pull.read(work, id, form=form)))

    @router.get(f"/{type_}/{{id}}/_history/{{vid}}", name="vread")
    def vread(face: Faced, asked: reads, id: str, vid: str) -> Response:  # noqa: A002
        """One version by its id."""
        return _one(face.perform(asked, partial(pull.read, copy_id=id, form=form, version_id=vid)))

    @router.post(f"/{type_}/_search", name="search")
    def search(
        face: Faced, asked: reads, request: Request, body: Annotated[bytes, Depends(body_of(_FORM))]
    ) -> Response:
        """By patient, in the body: `patient:identifier`, system and number. Nothing in the URL."""
        _only(request)
        number = _patient(body)
        found = face.perform(asked, lambda work: pull.search_patient(work, number, form=form))
        link = f"{type_}/_search"
        return _fhir(searchset([_entry(s) for s in found], base=face.base, link=link))

    @router.get(f"/{type_}", name="search")
    def search_updated(
        face: Faced, asked: reads, request: Request, since: Since = None, count: Count = _USUAL
    ) -> Response:
        """By `_lastUpdated` (prefix `gt` or `ge`), in its order; removals are among them."""
        _only(request, "_lastUpdated", "_count")
        after, at_least = _since(since)

        def deed(work: Work) -> list[pull.Stored]:
            return pull.search_updated(work, form=form, after=after, at_least=at_least, limit=count)

        found = face.perform(asked, deed)
        return _fhir(_updated(face, type_, found, count=count, since=since))


for _type in _FORMS:
    _type_routes(_type)


def _updated(
    face: Face, type_: str, found: list[pull.Stored], *, count: int, since: str | None
) -> bytes:
    link = f"{type_}?_count={count}" + (f"&_lastUpdated={quote(since, ':')}" if since else "")
    next_ = None
    if len(found) == count:
        last = found[-1].issued.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        next_ = f"{type_}?_count={count}&_lastUpdated=gt{last}"
    return searchset([_entry(s) for s in found], base=face.base, link=link, next_=next_)


def _one(stored: pull.Stored) -> Response:
    headers = {"ETag": f'W/"{stored.version_id}"'}
    return Response(stored.content, headers=headers, media_type=_FHIR)


def _entry(stored: pull.Stored) -> Entry:
    return Entry(**vars(stored))


def _fhir(content: bytes) -> Response:
    return Response(content, media_type=_FHIR)


def _only(request: Request, *known: str) -> None:
    """What is not served, or given twice, is refused, not passed over: the caller would misread."""
    given = [name for name, _ in request.query_params.multi_items()]
    if not set(given) <= set(known):
        served = f"the parameters are {', '.join(known)}" if known else "there is none in the URL"
        raise Invalid(Fault("(unknown parameter)", served))
    for name in known:
        if given.count(name) > 1:
            raise Invalid(Fault(name, "is given once"))


def _patient(body: bytes) -> str:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise Invalid(Fault("body", "is not a form")) from None
    given = [value for name, value in pairs if name in ("patient:identifier", "patient.identifier")]
    if len(pairs) != 1 or len(given) != 1:
        raise Invalid(Fault("patient:identifier", "is the one parameter, given once"))
    system, bar, number = given[0].partition("|")
    if not bar or system != NHS_NUMBER_SYSTEM or not re.fullmatch(r"[0-9]{10}", number, re.ASCII):
        raise Invalid(Fault("patient:identifier", f"is {NHS_NUMBER_SYSTEM}| and ten digits"))
    return number


def _since(since: str | None) -> tuple[datetime | None, bool]:
    """An instant with its zone: a bare day or time would be read differently by each side."""
    if since is None:
        return None, True
    prefix, instant = since[:2], since[2:]
    if prefix not in ("gt", "ge"):
        raise Invalid(Fault("_lastUpdated", "starts with gt or ge"))
    instant = instant.replace(" ", "+")
    try:
        if not _INSTANT.fullmatch(instant):
            raise ValueError
        at = datetime.fromisoformat(instant)
    except ValueError:
        raise Invalid(Fault("_lastUpdated", "is an instant with its zone")) from None
    # `lastUpdated` has milliseconds: what is written inside one is not later than it.
    at = at.astimezone(UTC)
    return (
        (at + timedelta(microseconds=999 - at.microsecond % 1000), False)
        if prefix == "gt"
        else (at, True)
    )


def _versions(body: bytes) -> list[str]:
    try:
        parameters = orjson.loads(body)["parameter"]
        found = [p["valueString"] for p in parameters if p["name"] == "version"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Invalid(Fault("parameter", "is a list of version strings")) from None
    if not found or len(found) > _MOST or not all(map(_may_be_an_id, found)):
        raise Invalid(Fault("parameter", f"has 1 to {_MOST} version strings"))
    return found


def _may_be_an_id(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isalnum() and len(value) <= 64


def _page(path: str, count: int, cursor: str) -> str:
    return f"{path}?_count={count}&cursor={cursor}"


def _cursor(number: int, ods: str) -> str:
    """Opaque to the caller, and of use in its own feed alone."""
    return base64.urlsafe_b64encode(f"1:{ods}:{number}".encode()).decode().rstrip("=")


def _opened(cursor: str | None, ods: str) -> int:
    if cursor is None:
        return 0
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        version, whose, number = base64.urlsafe_b64decode(padded).decode("ascii").split(":")
        if (version, whose) != ("1", ods) or not number.isdecimal() or len(number) > 18:
            raise ValueError
    except (ValueError, binascii.Error):
        raise Invalid(Fault("cursor", "is not one that this feed gave out")) from None
    return int(number)
