"""Every request that somebody could make who should never tell whether a flag exists.

Routes and their parameters come from the application itself, so that a new route is asked, too.
"""

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.routing import APIRoute
from joserfc import jwt
from joserfc.jwk import ECKey

from flagservice.clients.kinds import SCOPES
from tests.api.steps import NHS_NUMBER
from tests.twin import cast
from tests.twin.outside.asking import FORM, HOST, Request, get, post_form
from tests.twin.outside.bodies import body_for
from tests.twin.outside.learning import NOBODYS, Learnt

FHIR = "/fhir/R4"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
ODD_VALUES = ("", "0", "-1", "1", "200", "99999999999", "%00", "%C3%A9", "true", "*", "null")
ODD_PATHS = (
    "/",
    "//fhir/R4/Flag",
    "/fhir/R4/",
    "/fhir/R4/Flag/",
    "/FHIR/r4/Flag",
    "/fhir/R4/Patient/{nhs}/$everything",
    "/fhir/R4/Patient?identifier={nhs}",
    "/fhir/R4/Flag?patient:identifier={nhs}",
    "/fhir/R4/Flag?_summary=count",
    "/fhir/R4/Flag?_security=NOPAT",
    "/fhir/R4/Flag?_id={copy}&_total=accurate",
    "/fhir/R4/Flag/%2e%2e/{copy}",
    "/fhir/R4/Flag%2F{copy}",
    "/fhir/R4/Flag/{copy}%00",
    "/fhir/R4/Flag/{copy}/_history",
    "/fhir/R4/Task/{copy}/$whatever",
    "/fhir/R4/AuditEvent?entity={copy}",
    "/fhir/R3/Flag/{copy}",
    "/patient/{nhs}",
    "/receipts/",
    "/openapi.json",
    "/docs",
)


@dataclass(frozen=True)
class Outsider:
    """Somebody, and what they show of themselves."""

    name: str
    authorization: str | None
    party: cast.Party | None = None

    def asking(self, request: Request) -> Request:
        shown = () if self.authorization is None else (("Authorization", self.authorization),)
        return replace(request.having(*shown), who=self.name)


def outsiders(tokens: dict[str, str], *, now: int) -> list[Outsider]:
    """Everybody outside; `tokens` are those that the service gave to who may call."""
    unknown_key = ECKey.derive_key("a key of nobody's", "P-256")
    lead, app = cast.REVOKED, cast.PATIENT_APP
    flags = "system/Flag.rs system/Task.rs"
    return [
        Outsider("nobody", None),
        Outsider("garbage", "Bearer not.a.token"),
        Outsider("another scheme", "Basic bm9ib2R5Om5vYm9keQ=="),
        Outsider("expired", f"Bearer {minted(lead, now=now - 3600)}"),
        Outsider("another key", f"Bearer {minted(lead, now=now, key=unknown_key)}"),
        Outsider("revoked client", f"Bearer {minted(lead, now=now)}", lead),
        Outsider("patient-facing app", f"Bearer {minted(app, now=now, scope=flags)}", app),
        Outsider(
            "patient-facing app with its own scope",
            f"Bearer {minted(app, now=now, scope='patient/Flag.rs')}",
            app,
        ),
        *(Outsider(one.name, f"Bearer {tokens[one.name]}", one) for one in cast.CALLING),
    ]


def minted(
    party: cast.Party, *, now: int, key: ECKey | None = None, scope: str | None = None
) -> str:
    """A token as the service makes it, for one that it would not make it for."""
    address = f"https://{HOST}/oauth2/token"
    claims = {
        "iss": address,
        "aud": address,
        "sub": party.id,
        "ods": party.ods,
        "kind": party.kind,
        "kid": cast.client_key().thumbprint(),
        "scope": " ".join(SCOPES.get(party.kind, ())) if scope is None else scope,
        "iat": now,
        "exp": now + 300,
        "jti": "minted",
    }
    header = {"alg": "ES256", "typ": "at+jwt"}
    return jwt.encode(header, claims, key or cast.token_key(), algorithms=["ES256"])


def routes(app: Any) -> list[APIRoute]:
    """Every route that there is."""
    inside = getattr(app, "routes", ())
    found = [one for one in inside if isinstance(one, APIRoute)]
    for one in inside:
        found += routes(getattr(one, "original_router", None))
    return found


def own_reads(outsider: Outsider, learnt: Learnt) -> Iterator[Request]:
    """What the outsider has every right to ask: here a count, an instant or a page could tell."""
    kind = outsider.party.kind if outsider.party else ""
    if kind == "gp-system":
        pages = ["Flag/_history", "Task/_history", "Flag/_history?_count=1"]
        pages += ["Flag", "Task", "Flag?_count=1", "Flag/$digest", "Task/$digest"]
        pages += ["Flag?status=active", "Task?status=requested", "Flag?category=SG"]
        pages += [f"Flag/_history?_count=2&cursor={cursor}" for cursor in learnt["cursor"]]
        pages += [f"Flag/_history?_since={instant}" for instant in learnt["instant"]]
        pages += [f"Flag?_lastUpdated=gt{instant}" for instant in learnt["instant"]]
        yield from (outsider.asking(get(f"{FHIR}/{page}")) for page in pages)
        for number in learnt["nhs"]:
            for type_ in ("Flag", "Task"):
                form = {"patient:identifier": f"{NHS_NUMBER}|{number}"}
                yield outsider.asking(post_form(f"{FHIR}/{type_}/_search", form))
        for copy in learnt["copy"]:
            yield outsider.asking(get(f"{FHIR}/Flag/{copy}"))
            yield outsider.asking(get(f"{FHIR}/Flag/{copy}/_history/1"))
            yield outsider.asking(get(f"{FHIR}/Flag/{copy}/_history"))
            yield outsider.asking(get(f"{FHIR}/Flag?_id={copy}"))
    if kind in ("childrens-services", "police", "zero-to-nineteen"):
        yield from (outsider.asking(get(f"/receipts/{quote(one)}")) for one in learnt["reference"])
    if kind != "gp-system":
        yield outsider.asking(get("/holds"))


def probes(
    chance: random.Random, learnt: Learnt, *, everybody: list[Outsider], app: FastAPI
) -> Iterator[Request]:
    """Endless requests of any outsider: any method, any route, any id, any header, any body."""
    known = routes(app)
    while True:
        outsider = chance.choice(everybody)
        route = chance.choice(known)
        target = _target(chance, route, learnt)
        method = chance.choice([*METHODS, *sorted(route.methods or ()) * 6])
        request = Request(method, target)
        if method in ("POST", "PUT", "PATCH") or chance.random() < 0.1:
            request = body_for(chance, request, learnt=learnt, party=outsider.party)
        yield outsider.asking(request.having(*_headers(chance, learnt)))


def every_route(learnt: Learnt, *, everybody: list[Outsider], app: FastAPI) -> Iterator[Request]:
    """Each outsider, each route, each method, once with an id of the other worlds."""
    chance = random.Random(1)
    for outsider in everybody:
        for route in routes(app):
            for method in METHODS:
                target = _filled(chance, route.path_format, learnt)
                yield outsider.asking(Request(method, target))


def _target(chance: random.Random, route: APIRoute, learnt: Learnt) -> str:
    if chance.random() < 0.1:
        return _filled(chance, chance.choice(ODD_PATHS), learnt)
    path = _filled(chance, route.path_format, learnt)
    names = [str(parameter.alias) for parameter in route.dependant.query_params]
    names += [one["name"] for one in (route.openapi_extra or {}).get("parameters", ())]
    names += ["_format", "_summary", "patient"]
    asked = [
        f"{chance.choice(names)}={quote(_value(chance, learnt), safe='%*')}"
        for _ in range(chance.choice((0, 0, 0, 1, 1, 2)))
    ]
    return "?".join([path, "&".join(asked)] if asked else [path])


def _filled(chance: random.Random, template: str, learnt: Learnt) -> str:
    """Each gap with what its name says, or with any id that was learnt."""
    named = {"hold_id": "hold", "delivery_id": "delivery", "flag_id": "copy", "id": "copy"}
    parts = template.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition("}")
        name = name.partition(":")[0]
        choices = learnt.get(named.get(name, name)) or [_value(chance, learnt)]
        filled += [quote(chance.choice([*choices, NOBODYS]), safe="/"), rest]
    return "".join(filled)


def _value(chance: random.Random, learnt: Learnt) -> str:
    which = chance.choice(sorted(learnt))
    found = chance.choice(learnt[which]) if learnt[which] else ""
    return chance.choice([found, found, f"gt{found}", *ODD_VALUES])


def _headers(chance: random.Random, learnt: Learnt) -> list[tuple[str, str]]:
    number, instant = chance.choice(learnt["number"]), chance.choice(learnt["instant"])
    offered = [
        ("If-None-Match", f'W/"{number}"'),
        ("If-Match", f'W/"{number}"'),
        ("If-Modified-Since", "Tue, 04 Jan 2022 09:00:00 GMT"),
        ("If-Unmodified-Since", instant),
        ("If-None-Exist", f"identifier={chance.choice(learnt['copy'])}"),
        ("X-Request-ID", "11111111-2222-3333-4444-555555555555"),
        ("X-Request-ID", chance.choice(learnt["version"])),
        ("X-Correlation-ID", "\xff"),
        ("Idempotency-Key", f"key-{chance.choice(learnt['reference'] or ['none'])}"),
        ("Prefer", "handling=lenient"),
        ("Accept", "application/fhir+xml"),
        ("Accept-Encoding", "gzip"),
        ("Range", "bytes=0-10"),
        ("X-HTTP-Method-Override", "GET"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("NHSD-End-User-Organisation-ODS", chance.choice(learnt["ods"])),
        ("Origin", "https://patient.example"),
        ("Access-Control-Request-Method", "GET"),
        ("Authorization", "Bearer " + base64.b64encode(number.encode()).decode()),
        ("Content-Type", FORM),
    ]
    return chance.sample(offered, chance.choice((0, 0, 1, 2)))
