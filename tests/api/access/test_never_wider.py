"""Taking a claim or a scope out of a token, or putting another in its place, never opens more.

Every route of the application, every kind that may call it, every claim and every scope: the answer
is the very same, or a refusal of the token (401) or of the right (403).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any

import httpx
import pytest
from fastapi.routing import RouteContext, iter_route_contexts

from flagservice.api.access.callers import Caller, RequiresScopes, requires
from flagservice.clients.kinds import SCOPES
from flagservice.clients.scopes import granted, rights
from tests.api.access.test_own_tokens import CLAIMS, a_token, claims_of
from tests.api.answers import FHIR, resources, then_refused
from tests.api.steps import (
    CHILD,
    FORM,
    NHS_NUMBER,
    UNADMITTED,
    Cast,
    Client,
    a_notification,
    a_plan,
    an_enquiry,
    versions_in,
)
from tests.sizes import sizes
from tests.world import person

A_UUID = "1ab5f8e4-07c6-4a3c-9d3b-3f6f5ac0e6b1"
GONE = object()
EVERY_SCOPE = sorted({scope for held in SCOPES.values() for scope in held})
DECISION = {"outcome": "place", "decided_by": "Dr N. Amed", "reason": "a recorded decision"}
CLOSING = {"closed_by": "Dr N. Amed", "reason": "seen to in another way"}


@dataclass(frozen=True)
class Call:
    """A route with its gaps filled by what is really there, for one kind that may call it."""

    method: str
    path: str
    kind: str
    client: Client
    more: dict[str, Any]

    def with_(self, claims: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        bearer = {"Authorization": f"Bearer {a_token(claims)}", "X-Request-ID": A_UUID}
        headers = {**self.more.get("headers", {}), **bearer}
        return self.method, self.path, {**self.more, "headers": headers}


def given_something_everywhere(cast: Cast) -> dict[str, str]:
    """What is really there, by the names of the gaps in addresses."""
    cast.council.posts("/plans", a_plan())
    cast.council.posts("/enquiries", an_enquiry(people=[person("child", *CHILD)]))
    cast.police.posts("/notifications", a_notification())
    cast.world.registered("9990002517", "1993-09-30", UNADMITTED)
    (flag, *_) = cast.world.held_at(cast.practice.ods)
    waiting = cast.governance.gets("/governance/manual-list").json()["waiting"]
    there = cast.other_lead.gets("/holds").json()["holds"]
    (version, *_) = versions_in([flag])
    return {
        "id": flag["id"],
        "vid": flag["meta"]["versionId"],
        "version": version,
        "flag_id": flag["id"],
        "reference": "CPP-1",
        "hold_id": there[0]["id"] if there else "0" * 32,
        "delivery_id": next((one["id"] for one in waiting if "id" in one), "0" * 32),
    }


def calls(cast: Cast) -> Iterator[Call]:
    there = given_something_everywhere(cast)
    clients = {
        "childrens-services": cast.council,
        "police": cast.police,
        "zero-to-nineteen": cast.health,
        "gp-system": cast.practice,
        "practice-lead": cast.lead,
        "reviewer": cast.service.client("X26", "reviewer"),
        "governance": cast.governance,
        "operator": cast.operator,
    }
    assert clients.keys() == SCOPES.keys()
    for route in iter_route_contexts(cast.service.fastapi.routes):
        needed = rights(scope for one in requirements(route) for scope in one.scopes)
        for kind, held in SCOPES.items():
            if needed and needed <= rights(held):
                path = re.sub(r"{(\w+)(:path)?}", lambda m: there.get(m[1], "0"), str(route.path))
                for method in route.methods or ():
                    yield Call(method, path, kind, clients[kind], body_for(path, method, there))


def requirements(route: RouteContext) -> list[RequiresScopes]:
    found = [one.call for one in route.dependant.dependencies]
    return [call for call in found if isinstance(call, RequiresScopes)]


def body_for(path: str, method: str, there: dict[str, str]) -> dict[str, Any]:
    if method != "POST":
        return {}
    if path.endswith("_search"):
        form = {"patient:identifier": f"{NHS_NUMBER}|{CHILD[0]}"}
        return {"data": form, "headers": {"Content-Type": FORM}}
    parts = [{"name": "version", "valueString": there["version"]}]
    bodies = {
        "/plans": a_plan(),
        "/enquiries": an_enquiry(),
        "/notifications": a_notification(),
        f"{FHIR}/$acknowledge": {"resourceType": "Parameters", "parameter": parts},
    }
    return {"json": bodies.get(path, CLOSING if path.endswith("close") else DECISION)}


def altered(call: Call) -> Iterator[dict[str, Any]]:
    """The claims of a whole token with one claim gone or another, or one scope gone or another."""
    whole = claims_of(call.client, kind=call.kind)
    held = list(SCOPES[call.kind])
    for claim in CLAIMS:
        for other in (GONE, None, "", 0, True, [], {}, [whole[claim]], "*", others(whole)[claim]):
            yield {name: value for name, value in {**whole, claim: other}.items() if value != GONE}
    for kind in SCOPES:
        yield {**whole, "kind": kind}
    for scope in held:
        left = [one for one in held if one != scope]
        yield {**whole, "scope": " ".join(left)}
        for other in (*EVERY_SCOPE, "system/*.rs", "system/*.cruds", "*", "patient/Flag.rs"):
            yield {**whole, "scope": " ".join([*left, other])}
        for letter in "rs":
            yield {**whole, "scope": re.sub(r"\.rs\b", f".{letter}", " ".join(held))}


def others(whole: dict[str, Any]) -> dict[str, Any]:
    """For each claim, another that could be believed."""
    return {
        "iss": "https://other.example/oauth2/token",
        "aud": "https://other.example/oauth2/token",
        "sub": "f" * 32,
        "ods": "B83999",
        "kind": "patient-facing",
        "kid": "another",
        "scope": "patient/Flag.rs",
        "iat": whole["iat"] + 3600,
        "exp": whole["iat"] - 1,
        "jti": "another",
    }


def told(answer: httpx.Response) -> tuple[int, str]:
    """The answer without the figures that every request moves on: an operator's."""
    text = answer.text
    if answer.request.url.path in ("/_status", "/metrics"):
        text = re.sub(r"[0-9.e+]+", "0", text)
    return answer.status_code, text


# No part of a change repeats after 7 of them: what is left out is different for each call.
@sizes("every", short=7, long=1)
def test_no_answer_is_wider_for_a_claim_or_a_scope_that_is_gone_or_another(
    cast: Cast, every: int
) -> None:
    tried, widened, opened = 0, [], set()
    for which, call in enumerate(calls(cast)):
        whole = call.with_(claims_of(call.client, kind=call.kind))
        for _ in range(2):  # what is done once is done: the next answers are about that
            baseline = told(cast.service.send_together(whole)[0])
        if baseline[0] < 400:
            opened.add((call.method, call.path))
        tries = islice(altered(call), which % every, None, every)
        answers = cast.service.send_together(*map(call.with_, tries))
        assert told(cast.service.send_together(whole)[0]) == baseline, call
        tried += len(answers)
        widened += [
            (call.method, call.path, call.kind, answer.status_code)
            for answer in answers
            if told(answer) != baseline and answer.status_code not in (401, 403)
        ]
    print(f"\ncases tried {tried}, widened {len(widened)}; routes opened {len(opened)}")  # noqa: T201
    assert widened == []
    assert tried > 3000 / every
    assert len(opened) > 20


def test_a_route_that_needs_two_rights_opens_to_neither_alone(cast: Cast) -> None:
    both = requires("system/Flag.s", "system/Task.s")

    def route(_: Annotated[Caller, both]) -> dict[str, str]:
        return {"it": "opened"}

    cast.service.fastapi.add_api_route("/both", route)
    for scope, status in (
        ("system/Flag.rs", 403),
        ("system/Task.rs", 403),
        ("system/Flag.r system/Task.rs", 403),
        ("system/Flag.s system/Task.s", 200),
        ("system/*.s", 200),
    ):
        bearer = {"Authorization": f"Bearer {cast.practice.token(scope=scope)}"}
        assert cast.service.send("GET", "/both", headers=bearer).status_code == status, scope


def test_a_narrower_scope_reads_and_does_not_search_or_the_other_way_round(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    (flag,) = resources(cast.practice.searches(CHILD[0]))
    for scope, read, search in (("system/Flag.r", 200, 403), ("system/Flag.s", 403, 200)):
        bearer = {"Authorization": f"Bearer {cast.practice.token(scope=scope)}"}
        one = cast.service.send("GET", f"{FHIR}/Flag/{flag['id']}", headers=bearer)
        many = cast.service.send("GET", f"{FHIR}/Flag", headers=bearer)
        assert (one.status_code, many.status_code) == (read, search)


HELD = ("system/Flag.rs", "system/Task.rs", "flags.acknowledge")


@pytest.mark.parametrize(
    ("asked_for", "given"),
    [
        ("system/Flag.rs", "system/Flag.rs"),
        ("system/Flag.r", "system/Flag.r"),
        ("system/Flag.s system/Flag.r", "system/Flag.rs"),
        ("system/*.rs", "system/Flag.rs system/Task.rs"),
        ("system/*.s flags.acknowledge", "system/Flag.s system/Task.s flags.acknowledge"),
        ("system/*.cruds", "system/Flag.rs system/Task.rs"),
        ("system/Flag.cud", ""),
        ("system/Flag.sr", ""),
        ("system/Flag.", ""),
        ("system/Flag.rs?category=x", ""),
        ("system/Flag.read", ""),
        ("user/Flag.rs patient/Flag.rs", ""),
        ("*", ""),
        ("system/Patient.rs governance.read", ""),
    ],
)
def test_what_is_granted_is_what_is_asked_for_of_what_is_held(asked_for: str, given: str) -> None:
    assert " ".join(granted(HELD, asked_for.split())) == given


def test_a_wildcard_in_a_token_would_open_nothing(house: Cast) -> None:
    """None is ever issued; one that were would be no right of any kind of client."""
    token = a_token(claims_of(house.practice, kind="gp-system", scope="system/*.rs"))
    bearer = {"Authorization": f"Bearer {token}"}
    then_refused(house.service.send("GET", f"{FHIR}/Flag", headers=bearer), 403)


def test_a_reviewer_reads_rulings_and_why_and_decides_nothing(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    reviewer = cast.service.client("X26", "reviewer")
    (flag, *_) = cast.world.held_at(cast.practice.ods)
    assert reviewer.gets("/governance/rulings").json()["rulings"]
    assert reviewer.gets(f"/governance/flags/{flag['id']}/why").status_code == 200
    for path in ("/governance/manual-list", "/governance/alarms", "/holds", f"{FHIR}/Flag"):
        then_refused(reviewer.gets(path), 403)
    for path in ("/governance/deliveries/0/close", "/holds/0/decision", "/plans"):
        then_refused(reviewer.posts(path, json.dumps(DECISION).encode()), 403)
