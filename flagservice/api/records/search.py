"""GP systems search: by patient in the body of a POST, and by all else in either way.

An NHS number never stands in a URL or a link: the next page of a search is one sealed word. Another
practice's patient, and one that does not exist, get the same empty answer.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlencode

import orjson
from fastapi import Depends, Request, Response

from flagservice.api.access.callers import Api, ApiDep, Caller
from flagservice.api.edge.bodies import body_of
from flagservice.api.openapi import examples
from flagservice.api.openapi.answers import OF_A_BODY, FhirResource, refused_in_fhir
from flagservice.api.openapi.requests import FORM
from flagservice.api.records.cursors import Feed, SearchPosition, opened_page, sealed_page
from flagservice.api.records.instants import Range, range_of
from flagservice.api.records.negotiation import requires_fhir
from flagservice.api.records.parameters import (
    GivenParameters,
    Parameter,
    form_parameters,
    of_form,
    of_url,
    url_parameters,
)
from flagservice.api.records.responses import COUNT, FORMS, count_of, fhir, fhir_router
from flagservice.audit.log import Work
from flagservice.delivery.pull import search as pull_search
from flagservice.delivery.pull.search import Criteria, SearchPage
from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.people import NHS_NUMBER_SYSTEM
from flagservice.fhir.bundles import searchset
from flagservice.fhir.search.parameters import CRITERIA
from flagservice.fhir.search.tokens import Token, says, tokens

router = fhir_router()
_PATIENTS: Final = ("patient:identifier", "patient.identifier")
_TOKENS: Final = ("status", "category", "code")
_MOST_IDS: Final = 50
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_PAGE: Final = Parameter(
    "page", "the next page of a search, as its link has it: alone, opaque", example=examples.ID
)


def served(type_: str) -> tuple[Parameter, ...]:
    """Returns every parameter of a search of this type."""
    named = [
        Parameter(
            one.name,
            one.documentation,
            example=examples.CRITERIA[type_, one.name],
            again=one.name in (*_TOKENS, "_lastUpdated"),
        )
        for one in CRITERIA[type_]
        if one.name != "patient"
    ]
    patient = [
        Parameter(
            name,
            f"{NHS_NUMBER_SYSTEM}| and ten digits; never in a URL",
            example=examples.CRITERIA[type_, "patient"],
            body_only=True,
        )
        for name in _PATIENTS
    ]
    return (*named, COUNT, *patient)


@dataclass(frozen=True)
class SearchRequest:
    """One search: whose it is, what was given, its link, and where it goes on."""

    feed: Feed
    given: GivenParameters
    link: str
    position: SearchPosition | None = None


def _type_routes(type_: str) -> None:
    reads = Annotated[Caller, requires_fhir(f"system/{type_}.s")]
    parameters = served(type_)

    @router.post(
        f"/{type_}/_search",
        name="search",
        response_model=FhirResource,
        responses=refused_in_fhir(*OF_A_BODY),
        openapi_extra=form_parameters(*parameters, example=examples.SEARCHES[type_]),
    )
    def search_posted(
        api: ApiDep, caller: reads, request: Request, body: Annotated[bytes, Depends(body_of(FORM))]
    ) -> Response:
        """Returns matches by any parameter; only here by `patient:identifier`."""
        given = of_form(request, body, *parameters)
        link = _link(f"{type_}/_search", given)
        return _answer(api, caller, SearchRequest(Feed(caller.ods, type_), given, link))

    @router.get(
        f"/{type_}",
        name="search",
        response_model=FhirResource,
        openapi_extra=url_parameters(*parameters, _PAGE),
    )
    def search(api: ApiDep, caller: reads, request: Request) -> Response:
        """Returns matches by any parameter but patient, by `lastUpdated`, with removals."""
        given, feed = of_url(request, *parameters, _PAGE), Feed(caller.ods, type_)
        page = given.one("page")
        if page is None:
            return _answer(api, caller, SearchRequest(feed, given, _link(type_, given)))
        if len(given.pairs) > 1:
            raise Invalid(Fault("page", "stands alone: it says what was asked"))
        position = opened_page(api.log.vault, feed, page)
        link = f"{type_}?page={page}"
        return _answer(
            api, caller, SearchRequest(feed, GivenParameters(position.parameters), link, position)
        )


for _type in FORMS:
    _type_routes(_type)


def _answer(api: Api, caller: Caller, search: SearchRequest) -> Response:
    criteria, number = _criteria(search), _patient(search.given)

    def deed(work: Work) -> SearchPage:
        if search.position and search.position.person_id:
            return pull_search.search_onward(work, search.position.person_id, criteria)
        if number is not None:
            return pull_search.search_patient(work, number, criteria)
        return pull_search.search(work, criteria)

    page = api.perform(caller, deed)
    next_ = _next(api, search, page) if page.more else None
    return fhir(
        searchset(
            page.found, base=api.base, link=search.link, next_=next_, ignored=search.given.ignored
        )
    )


def _next(api: Api, search: SearchRequest, page: SearchPage) -> str:
    said = [(name, value) for name, value in search.given.pairs if name not in _PATIENTS]
    position = SearchPosition(said, page.person_id, page.found[-1].issued)
    return f"{search.feed.type}?page={sealed_page(api.log.vault, search.feed, position)}"


def _link(path: str, given: GivenParameters) -> str:
    """Returns a search's link, without a patient."""
    used = [(name, value) for name, value in given.pairs if name not in _PATIENTS]
    return f"{path}?{urlencode(used, safe=':,|')}" if used else path


def _criteria(search: SearchRequest) -> Criteria:
    given, updated = search.given, Range()
    for text in given.all("_lastUpdated"):
        updated = updated.narrowed(range_of("_lastUpdated", text))
    wanted = {name: [_tokens(name, text) for text in given.all(name)] for name in _TOKENS}
    wanted = {name: found for name, found in wanted.items() if found}
    return Criteria(
        form=FORMS[search.feed.type],
        limit=count_of(given.one("_count")),
        copy_ids=_ids(given.one("_id")),
        since=updated.since,
        until=updated.until,
        says=(lambda content: says(orjson.loads(content), wanted)) if wanted else None,
        after=search.position.after if search.position else None,
    )


def _tokens(name: str, text: str) -> list[Token]:
    found = tokens(text)
    if found is None:
        raise Invalid(Fault(name, "is system|code, |code, system| or code, with commas between"))
    return found


def _ids(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    found = text.split(",")
    if len(found) > _MOST_IDS:
        raise Invalid(Fault("_id", f"has at most {_MOST_IDS} ids: a link has to hold them"))
    if not all(map(_ID.fullmatch, found)):
        raise Invalid(Fault("_id", "is an id, or several with commas between"))
    return frozenset(found)


def _patient(given: GivenParameters) -> str | None:
    found = [value for name in _PATIENTS for value in given.all(name)]
    if not found:
        return None
    if len(found) > 1:
        raise Invalid(Fault("patient:identifier", "is given once"))
    system, bar, number = found[0].partition("|")
    if not bar or system != NHS_NUMBER_SYSTEM or not re.fullmatch(r"[0-9]{10}", number, re.ASCII):
        raise Invalid(Fault("patient:identifier", f"is {NHS_NUMBER_SYSTEM}| and ten digits"))
    return number
