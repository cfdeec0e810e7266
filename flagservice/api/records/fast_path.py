"""The hot path: polls and reads of GP systems, answered in groups and without the framework.

These come a thousand times as often as all else, nearly always in the plainest form. That form is
answered here, with the bytes of the routes of `feed` and `reading`. Every other form, and every
refusal, goes on to the routes.
"""

import re
from collections.abc import Sequence
from typing import Final

from fastapi import Response
from sqlmodel import col, select

from flagservice.api.access.callers import Api, Caller, RequiresScopes, is_as_registered
from flagservice.api.edge.envelope import Application, Receive, Scope, Send
from flagservice.api.openapi.answers import FHIR_JSON
from flagservice.api.records.cursors import Feed, number_of
from flagservice.api.records.feed import page_of
from flagservice.api.records.responses import FORMS, count_of, whole
from flagservice.audit.group_commit import GroupCommit
from flagservice.audit.log import Log, Work
from flagservice.delivery.pull import batched
from flagservice.delivery.pull.batched import BatchedAnswer, Poll, Read
from flagservice.delivery.pull.feed import FeedPage
from flagservice.domain.errors import Refusal
from flagservice.fhir.bundles import IssuedVersion
from flagservice.store import tables
from flagservice.store.lists import one_of

_ADDRESS: Final = re.compile(r"/fhir/R4/(Flag|Task)/(?:(_history)|([0-9a-f]{32}))", re.ASCII)
_QUERY: Final = re.compile(rb"(?:_count=([0-9]{1,3}))?(?:(?:^|&)cursor=([A-Za-z0-9_-]{1,200}))?")
_PLAIN: Final = (FHIR_JSON.encode(), b"application/json", b"*/*")
_UNUSUAL: Final = frozenset({b"prefer", b"if-none-match", b"transfer-encoding"})
_READS: Final = {type_: RequiresScopes((f"system/{type_}.r",)) for type_ in FORMS}
_SEARCHES: Final = {type_: RequiresScopes((f"system/{type_}.s",)) for type_ in FORMS}
_CLIENTS: Final = select(
    col(tables.ClientRow.id),
    col(tables.ClientRow.ods),
    col(tables.ClientRow.kind),
    col(tables.ClientRow.keys),
).where(one_of(col(tables.ClientRow.id), "ids"), col(tables.ClientRow.revoked).is_(False))
Question = tuple[Caller, Poll | Read]


class FastPath:
    """Stands before the routes: answers what is plain, and passes on the rest untouched."""

    def __init__(self, app: Application, *, log: Log) -> None:
        self._app = app
        self._group: GroupCommit[Question, BatchedAnswer] = GroupCommit(log, _answers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or passes it on."""
        answer = await self._answer(scope) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        address = _ADDRESS.fullmatch(scope["path"]) if scope["method"] == "GET" else None
        token = _token(scope) if address else None
        if address is None or token is None:
            return None
        type_, history, copy_id = address.groups()
        try:
            api: Api = scope["app"].state.api
            scopes = (_SEARCHES if history else _READS)[type_]
            caller = scopes.check(api, api.tokens.verify(token), scope)
            if history:
                return await self._polled(caller, type_, scope, base=api.base)
            return await self._read(caller, type_, copy_id, scope)
        except Refusal:
            return None

    async def _polled(
        self, caller: Caller, type_: str, scope: Scope, *, base: str
    ) -> Response | None:
        query = _QUERY.fullmatch(scope["query_string"])
        if query is None:
            return None
        count, cursor = (None if one is None else one.decode() for one in query.groups())
        feed, limit = Feed(caller.ods, type_), count_of(count)
        after = number_of(feed, cursor)
        question = Poll(FORMS[type_], after, limit)
        page = await self._group.ask(caller.actor, (caller, question))
        if not isinstance(page, FeedPage):
            return None
        return page_of(page, feed, base=base, count=limit, after=after)

    async def _read(
        self, caller: Caller, type_: str, copy_id: str, scope: Scope
    ) -> Response | None:
        if scope["query_string"]:
            return None
        stored = await self._group.ask(caller.actor, (caller, Read(FORMS[type_], copy_id)))
        return whole(stored) if isinstance(stored, IssuedVersion) else None


def _token(scope: Scope) -> str | None:
    """Returns the bearer's token, unless a header asks for more than the plain answer."""
    token = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, given = value.decode("latin-1").partition(" ")
            if token is not None or scheme.lower() != "bearer" or not given:
                return None
            token = given
        elif name in _UNUSUAL or (name == b"accept" and value not in _PLAIN):
            return None
    return token


def _answers(
    works: Sequence[Work], questions: Sequence[Question]
) -> Sequence[BatchedAnswer | None]:
    """Returns the answers for callers who are still registered."""
    wanted = sorted({caller.claims.client_id for caller, _ in questions})
    rows = works[0].session.connection().execute(_CLIENTS, {"ids": wanted})
    clients = {row.id: row for row in rows}
    theirs = [
        place
        for place, (caller, _) in enumerate(questions)
        if (client := clients.get(caller.claims.client_id))
        and is_as_registered(caller.claims, client)
    ]
    found = batched.answers(
        [works[place] for place in theirs], [questions[place][1] for place in theirs]
    )
    by_place = dict(zip(theirs, found, strict=True))
    return [by_place.get(place) for place in range(len(questions))]
