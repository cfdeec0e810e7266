"""A practice's feed, one for each type: every number once, in order, from a cursor on.

It is oldest first, unlike an ordinary history: it is read to its end and then polled. The digest
says what a practice should hold after that.
"""

from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Request, Response

from flagservice.api.access.callers import ApiDep, Caller
from flagservice.api.openapi import examples
from flagservice.api.openapi.answers import FhirResource
from flagservice.api.records.cursors import Feed, cursor_of, number_of
from flagservice.api.records.instants import instant_of
from flagservice.api.records.negotiation import requires_fhir
from flagservice.api.records.parameters import GivenParameters, Parameter, of_url, url_parameters
from flagservice.api.records.responses import COUNT, FORMS, count_of, fhir, fhir_router, parameters
from flagservice.delivery.pull import feed as pull_feed
from flagservice.delivery.pull.feed import FeedPage
from flagservice.domain.errors import Fault, Invalid
from flagservice.fhir.bundles import history

router = fhir_router()
SERVED: Final = (
    COUNT,
    Parameter(
        "cursor",
        "where to go on: from the next link of the page before, opaque",
        example=examples.ID,
    ),
    Parameter(
        "_since",
        "an instant with its zone: from its hour on, for who has no cursor yet",
        example=examples.SINCE,
    ),
)


def _type_routes(type_: str) -> None:
    form = FORMS[type_]
    reads = Annotated[Caller, requires_fhir(f"system/{type_}.s")]

    @router.get(
        f"/{type_}/_history",
        name="history-type",
        response_model=FhirResource,
        openapi_extra=url_parameters(*SERVED),
    )
    def get_feed(api: ApiDep, caller: reads, request: Request) -> Response:
        """Returns the practice's own feed of this type: every number once, in order."""
        given = of_url(request, *SERVED)
        mine, count = Feed(caller.ods, type_), count_of(given.one("_count"))
        after, since = number_of(mine, given.one("cursor")), _since(given)
        page = api.perform(
            caller,
            lambda work: pull_feed.feed(work, form=form, after=after, since=since, limit=count),
        )
        link = _self(given, mine) if since else None
        return page_of(page, mine, base=api.base, count=count, after=after, link=link)

    @router.get(f"/{type_}/$digest", name="$digest", response_model=FhirResource)
    def get_digest(api: ApiDep, caller: reads, request: Request) -> Response:
        """Returns how many the practice should hold as active, their hash, and the last number."""
        of_url(request)
        found = api.perform(caller, lambda work: pull_feed.digest(work, form=form))
        return parameters(
            {"name": "count", "valueUnsignedInt": found.count},
            {"name": "sha256", "valueString": found.sha256},
            {"name": "last", "valueUnsignedInt": found.last},
        )


for _type in FORMS:
    _type_routes(_type)


def page_of(
    page: FeedPage, feed: Feed, *, base: str, count: int, after: int, link: str | None = None
) -> Response:
    """Returns a page of a feed after a number, with links to itself and to the next."""
    here, next_ = link or _page(feed, count, after), _page(feed, count, page.last)
    return fhir(history(page.found, base=base, link=here, next_=next_))


def _since(given: GivenParameters) -> datetime | None:
    since = given.one("_since")
    if since is None:
        return None
    if given.one("cursor") is not None:
        raise Invalid(Fault("_since", "is for who has no cursor: a cursor says more"))
    return instant_of("_since", since)


def _self(given: GivenParameters, feed: Feed) -> str:
    query = urlencode(given.pairs, safe=":")
    return f"{feed.type}/_history?{query}"


def _page(feed: Feed, count: int, number: int) -> str:
    return f"{feed.type}/_history?_count={count}&cursor={cursor_of(feed, number)}"
