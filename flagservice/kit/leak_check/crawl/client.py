"""Asks every request of a list with one reader's token, and follows the answers' links."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from flagservice.kit.leak_check.config import FhirEndpoint
from flagservice.kit.leak_check.crawl.requests import CrawlRequest, Door, Json
from flagservice.kit.leak_check.crawl.transcript import Transcript

_MOST_PAGES: Final = 20
_MOST_POLLS: Final = 60
_LONGEST_WAIT: Final = 5
_SLOW_DOWN: Final = (429, 503)
_PATIENCE: Final = 30
Headers = tuple[tuple[str, str], ...]
_JOB: Final = "<job>"


class Unanswered(Exception):
    """The system did not answer, or asked us to wait: nothing can be concluded."""


@dataclass(frozen=True)
class CrawlAnswer:
    """One answer, whole. The body is JSON, a list of JSON for NDJSON, or text."""

    status: int
    headers: Headers
    body: Any
    asked: datetime
    answered: datetime


@dataclass(frozen=True)
class CrawlExchange:
    """A request and its answer; `step` tells the pages and stages of an export apart."""

    request: CrawlRequest
    answer: CrawlAnswer
    step: str = ""

    @property
    def line(self) -> str:
        """Returns the request in one line."""
        return f"{self.request.line}{f' {self.step}' if self.step else ''}"


class CrawlClient:
    """A client of the patient-facing API, with one reader's token."""

    def __init__(self, place: FhirEndpoint, reader: str, transcript: Transcript) -> None:
        self.base, self.reader = place.base, reader
        self._transcript = transcript
        self._headers = {
            "Authorization": f"Bearer {place.token}",
            "Accept": "application/fhir+json",
            "Accept-Encoding": "identity",
        }
        self._line = _line(place.base)

    def crawl(self, requests: Sequence[CrawlRequest]) -> list[CrawlExchange]:
        """Returns the exchanges of a list, in order, with the pages and files behind it."""
        return [exchange for request in requests for exchange in self._follow(request)]

    def request(self, request: CrawlRequest) -> CrawlAnswer:
        """Returns the answer to one request; raises Unanswered."""
        slash = "/" if request.target and not request.target.startswith("?") else ""
        return self._fetch(request, f"{self.base}{slash}{request.target}")

    def close(self) -> None:
        """Closes the connection."""
        self._line.close()

    def _follow(self, request: CrawlRequest) -> Iterator[CrawlExchange]:
        answer = self.request(request)
        if request.door is Door.EXPORT and answer.status == 202:
            yield from self._export(request, answer)
            return
        yield CrawlExchange(request, answer)
        for page in range(2, _MOST_PAGES):
            address = _next(answer.body)
            if not self._is_ours(address):
                return
            answer = self._fetch(replace(request, method="GET", form=""), address)
            yield CrawlExchange(request, answer, f"page {page}")

    def _export(self, request: CrawlRequest, begun: CrawlAnswer) -> Iterator[CrawlExchange]:
        """Follows an export, and leaves out the address of its job, which is random.

        https://hl7.org/fhir/uv/bulkdata/export.html
        """
        place = dict(begun.headers).get("content-location", "")
        yield CrawlExchange(request, _without(begun, place))
        if not self._is_ours(place):
            return
        polling = replace(request, headers=())
        manifest = self._fetch(polling, place)
        for _ in range(_MOST_POLLS):
            if manifest.status != 202:
                break
            time.sleep(_wait(manifest))
            manifest = self._fetch(polling, place)
        yield CrawlExchange(request, _without(manifest, place), "manifest")
        outputs = manifest.body.get("output", []) if isinstance(manifest.body, dict) else []
        for number, output in enumerate(outputs):
            if self._is_ours(str(output.get("url", ""))):
                answer = self._fetch(polling, output["url"])
                earlier = sum(one.get("type") == output.get("type") for one in outputs[:number])
                step = f"file {output.get('type')} {earlier + 1}"
                yield CrawlExchange(request, _without(answer, place), step)
        self._fetch(replace(polling, method="DELETE"), place)

    def _is_ours(self, address: str) -> bool:
        """Returns whether the token may go there: to its own base alone."""
        return address.startswith((f"{self.base}/", f"{self.base}?"))

    def _fetch(self, request: CrawlRequest, address: str) -> CrawlAnswer:
        asked = datetime.now(UTC)
        try:
            status, headers, text = self._exchange(request, address)
        except (OSError, HTTPException) as fault:
            raise Unanswered(type(fault).__name__) from None
        self._transcript.add(self.reader, request.line, status=status, body=text)
        if status in _SLOW_DOWN:
            raise Unanswered(str(status))
        return CrawlAnswer(status, headers, _body(headers, text), asked, datetime.now(UTC))

    def _exchange(self, request: CrawlRequest, address: str) -> tuple[int, Headers, str]:
        """Sends one request with the plainest client: no redirect, no cookie, no proxy."""
        parts = urlsplit(address)
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        headers = self._headers | dict(request.headers)
        if request.form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._line.request(request.method, target, request.form or None, headers)
        reply = self._line.getresponse()
        text = reply.read().decode("utf-8", errors="replace")
        told = sorted((name.lower(), value) for name, value in reply.getheaders())
        return reply.status, tuple(told), text


def _line(base: str) -> HTTPConnection:
    parts = urlsplit(base)
    of = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return of(str(parts.hostname), parts.port, timeout=_PATIENCE)


def _body(headers: Headers, text: str) -> Any:
    if "ndjson" in dict(headers).get("content-type", ""):
        return [_json(line) for line in text.splitlines() if line.strip()]
    return _json(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _next(body: Any) -> str:
    links: list[Json] = body.get("link", []) if isinstance(body, dict) else []
    found = [one.get("url", "") for one in links if one.get("relation") == "next"]
    return str(found[0]) if found else ""


def _wait(answer: CrawlAnswer) -> float:
    seconds = dict(answer.headers).get("retry-after", "1")
    return min(int(seconds) if seconds.isdecimal() else 1, _LONGEST_WAIT)


def _without(answer: CrawlAnswer, job: str) -> CrawlAnswer:
    if not job:
        return answer
    headers = tuple((name, value.replace(job, _JOB)) for name, value in answer.headers)
    body = json.loads(json.dumps(answer.body).replace(json.dumps(job)[1:-1], _JOB))
    return replace(answer, headers=headers, body=body)
