"""Pushes to a practice's FHIR server, and believes only what it can read back.

It updates conditionally by our identifier (https://hl7.org/fhir/R4/http.html#cond-update): sent
twice, it is applied once. The stored bytes go out without `id`, which is the receiver's. A 2xx is
not delivery: our version, echoed or read back with its labels, is.
"""

import asyncio
import threading
import uuid
import zlib
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from flagservice.admission.endpoints import Endpoint
from flagservice.delivery.push.channel import OutgoingVersion, Reply, SendOutcome

MOST_BYTES = 1_000_000
LONGEST = timedelta(seconds=20)
_FHIR = "application/fhir+json"


class FhirRest:
    """One pool of connections. It follows no redirect, no cookie and no proxy of the environment.

    A time-out for each byte does not stop a receiver that drips, so a whole push ends `within` a
    limit. Only an event loop can end a read, or a look-up of a name: it has a thread of its own.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport | None = None, *, within: timedelta = LONGEST
    ) -> None:
        self._within = within.total_seconds()
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(10, connect=5),
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            transport=transport,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="push", daemon=True)
        self._thread.start()

    def send(self, version: OutgoingVersion) -> Reply:
        """As `Channel` says."""
        return asyncio.run_coroutine_threadsafe(self._send(version), self._loop).result()

    async def _send(self, version: OutgoingVersion) -> Reply:
        try:
            async with asyncio.timeout(self._within):
                return await self._push(version)
        except Exception:  # noqa: BLE001, whatever a receiver thinks of, this one flag stays owed
            return Reply(SendOutcome.UNKNOWN)

    async def _push(self, version: OutgoingVersion) -> Reply:
        resource = orjson.loads(version.stored)
        resource.pop("id")
        status, headers, held = await self._ask(
            version.endpoint, "PUT", _by_identifier(resource, 0), body=orjson.dumps(resource)
        )
        reply = Reply(_outcome(status), _retry_after(headers))
        match reply.outcome:
            case SendOutcome.DELIVERED if not verified(resource, held):
                return Reply(await self._read_back(version.endpoint, resource))
            case SendOutcome.CONFLICT:
                # Identical content is delivered: an earlier try of ours may have been the rival.
                there = await self._read_back(version.endpoint, resource)
                return Reply(there) if there is SendOutcome.DELIVERED else reply
        return reply

    async def _read_back(self, endpoint: Endpoint, resource: dict[str, Any]) -> SendOutcome:
        _, _, bundle = await self._ask(endpoint, "GET", _by_identifier(resource, 1))
        entries = bundle.get("entry") if isinstance(bundle, dict) else None
        found = entries if isinstance(entries, list) else []
        there = [entry.get("resource") for entry in found if isinstance(entry, dict)]
        if len(there) == 1 and verified(resource, there[0]):
            return SendOutcome.DELIVERED
        return SendOutcome.UNVERIFIED

    async def _ask(
        self, endpoint: Endpoint, method: str, target: str, *, body: bytes | None = None
    ) -> tuple[int, httpx.Headers, Any]:
        headers = {
            "Accept": _FHIR,
            "Accept-Encoding": "identity",
            "Authorization": f"Bearer {endpoint.token}",
            "Content-Type": _FHIR,
            "Prefer": "return=representation",
            "X-Request-ID": str(uuid.uuid4()),
        }
        request = self._http.build_request(
            method, f"{endpoint.url}/{target}", content=body, headers=headers
        )
        reply = await self._http.send(request, stream=True)
        try:
            return reply.status_code, reply.headers, _json(await _bounded(reply))
        finally:
            await reply.aclose()

    def close(self) -> None:
        """Closes the connections and the thread."""
        asyncio.run_coroutine_threadsafe(self._http.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _TooLarge(Exception):
    """The reply is larger than any flag."""


def verified(sent: dict[str, Any], held: object) -> bool:
    """Returns whether what they hold is our version, for our patient, with our labels."""
    if not isinstance(held, dict):
        return False
    meta = held.get("meta")
    labels = meta.get("security") if isinstance(meta, dict) else None
    named = held.get("identifier")
    if not isinstance(named, list) or any(ours not in named for ours in sent["identifier"]):
        return False  # it may have identifiers of its own beside ours
    kept = {_label(label) for label in labels} if isinstance(labels, list) else set()
    return kept >= {_label(label) for label in sent["meta"]["security"]} and all(
        held.get(name) == sent.get(name)
        for name in ("resourceType", "status", "code", "subject", "for")
    )


def _label(label: object) -> tuple[object, object]:
    if not isinstance(label, dict):
        return None, None
    system, code = label.get("system"), label.get("code")
    return (system, code) if isinstance(system, str) and isinstance(code, str) else (None, None)


def _by_identifier(resource: dict[str, Any], which: int) -> str:
    identifier = resource["identifier"][which]
    value = quote(f"{identifier['system']}|{identifier['value']}", safe="")
    return f"{resource['resourceType']}?identifier={value}"


def _outcome(status: int) -> SendOutcome:
    match status:
        case 200 | 201:
            return SendOutcome.DELIVERED  # so far: what is held is still to be verified
        case 404 | 410:
            return SendOutcome.NOT_THEIRS
        case 409 | 412:
            return SendOutcome.CONFLICT
        case 401 | 403:
            return SendOutcome.CREDENTIALS
        case 429:
            return SendOutcome.BUSY
        case 408 | 425:
            return SendOutcome.UNKNOWN
    if 200 <= status < 300:
        return SendOutcome.UNVERIFIED
    if 300 <= status < 400:
        return SendOutcome.ELSEWHERE
    return SendOutcome.POISONED if 400 <= status < 500 else SendOutcome.UNKNOWN


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    """Returns the wait in seconds. A date is ignored: our clock and theirs may differ."""
    seconds = headers.get("Retry-After", "")
    if not seconds.isdecimal():
        return None
    return timedelta(seconds=int(seconds) if len(seconds) <= 5 else 86_400)


async def _bounded(reply: httpx.Response) -> bytes:
    """Returns the body, unpacked; raises _TooLarge for more than a flag can have."""
    taken = bytearray()
    async for chunk in reply.aiter_raw(65_536):
        taken += chunk
        if len(taken) > MOST_BYTES:
            raise _TooLarge
    if reply.headers.get("Content-Encoding") != "gzip":
        return bytes(taken)
    unpacked = zlib.decompressobj(31).decompress(taken, MOST_BYTES + 1)
    if len(unpacked) > MOST_BYTES:
        raise _TooLarge
    return unpacked


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
