"""What a token of ours opens, and that no other token opens anything."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from flagservice.clients.kinds import SCOPES
from flagservice.clients.scopes import rights
from tests.api.answers import FHIR, then_refused
from tests.api.steps import (
    FORM,
    NHS_NUMBER,
    TOKEN_URL,
    Cast,
    Client,
    Service,
    a_notification,
    a_plan,
    an_enquiry,
    our_token_key,
)

DECISION = {"outcome": "place", "decided_by": "Dr N. Amed", "reason": "a recorded decision"}
SEARCH = {
    "data": {"patient:identifier": f"{NHS_NUMBER}|9990001111"},
    "headers": {"Content-Type": FORM},
}
ACKNOWLEDGEMENT = {"json": {"parameter": [{"name": "version", "valueString": "0"}]}}
RECORDS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("GET", "/0", "r", {}),
    ("GET", "/0/_history/1", "r", {}),
    ("GET", "/0/_history", "r", {}),
    ("GET", "", "s", {}),
    ("POST", "/_search", "s", SEARCH),
    ("GET", "/_history", "s", {}),
    ("GET", "/$digest", "s", {}),
]
ROUTES: dict[tuple[str, str], tuple[frozenset[str], dict[str, Any]]] = {
    ("POST", "/plans"): (frozenset({"plans.write"}), {"json": a_plan()}),
    ("POST", "/enquiries"): (frozenset({"enquiries.write"}), {"json": an_enquiry()}),
    ("POST", "/notifications"): (frozenset({"notifications.write"}), {"json": a_notification()}),
    ("GET", "/receipts/CPP-1"): (frozenset({"receipts.read"}), {}),
    ("GET", "/holds"): (frozenset({"holds.read"}), {}),
    ("POST", "/holds/0/decision"): (frozenset({"holds.decide"}), {"json": DECISION}),
    **{
        (method, f"{FHIR}/{type_}{path}"): (frozenset({f"system/{type_}.{right}"}), more)
        for type_ in ("Flag", "Task")
        for method, path, right, more in RECORDS
    },
    ("GET", f"{FHIR}/Provenance/0"): (frozenset({"system/Provenance.r"}), {}),
    ("GET", f"{FHIR}/Provenance"): (frozenset({"system/Provenance.s"}), {}),
    ("POST", f"{FHIR}/Provenance/_search"): (frozenset({"system/Provenance.s"}), SEARCH),
    ("GET", f"{FHIR}/AuditEvent"): (frozenset({"system/AuditEvent.s"}), {}),
    ("POST", f"{FHIR}/AuditEvent/_search"): (frozenset({"system/AuditEvent.s"}), SEARCH),
    ("GET", "/queries"): (frozenset({"receipts.read"}), {}),
    ("POST", f"{FHIR}/$acknowledge"): (frozenset({"flags.acknowledge"}), ACKNOWLEDGEMENT),
    ("GET", "/governance/flags/0/why"): (frozenset({"rulings.read"}), {}),
    ("GET", "/governance/rulings"): (frozenset({"rulings.read"}), {}),
    ("GET", "/governance/alarms"): (frozenset({"governance.read"}), {}),
    ("GET", "/governance/manual-list"): (frozenset({"governance.read"}), {}),
    ("POST", "/governance/deliveries/0/close"): (
        frozenset({"deliveries.close"}),
        {"json": DECISION},
    ),
    ("GET", "/_status"): (frozenset({"service.read"}), {}),
    ("GET", "/metrics"): (frozenset({"service.read"}), {}),
}
CLAIMS = ("iss", "aud", "sub", "ods", "kind", "kid", "scope", "iat", "exp", "jti")
OPEN = {("GET", "/_ping"), ("GET", f"{FHIR}/metadata"), ("POST", "/oauth2/token")}


def claims_of(client: Client, **more: Any) -> dict[str, Any]:
    """What our own token for this client says."""
    kind = more.pop("kind", "childrens-services")
    now = int(time.time())
    return {
        "iss": TOKEN_URL,
        "aud": TOKEN_URL,
        "sub": client.id,
        "ods": client.ods,
        "kind": kind,
        "kid": client.key.thumbprint(),
        "scope": " ".join(SCOPES.get(kind, ())),
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
        **more,
    }


def a_token(
    claims: dict[str, Any], key: ECKey | None = None, *, type_: str | None = "at+jwt"
) -> str:
    header = {"alg": "ES256", "typ": type_}
    return jwt.encode(header, claims, key or our_token_key(), algorithms=["ES256"])


def when_sent(service: Service, token: str, scheme: str = "Bearer") -> httpx.Response:
    return service.send("GET", "/holds", headers={"Authorization": f"{scheme} {token}"})


def then_nobody(answer: httpx.Response) -> None:
    then_refused(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_of_ours_opens_what_its_scopes_say(house: Cast) -> None:
    assert when_sent(house.service, a_token(claims_of(house.council))).status_code == 200
    assert when_sent(house.service, house.council.token(), scheme="bearer").status_code == 200


FORGED: dict[str, Callable[[Client], str]] = {
    "it has expired": lambda c: a_token(claims_of(c, exp=int(time.time()) - 1)),
    "it is not issued yet": lambda c: a_token(claims_of(c, iat=int(time.time()) + 600)),
    "it is of another issuer": lambda c: a_token(claims_of(c, iss="https://other.example")),
    "it is for another service": lambda c: a_token(claims_of(c, aud="https://other.example")),
    "it is for several services": lambda c: a_token(claims_of(c, aud=[TOKEN_URL])),
    "another key signed it": lambda c: a_token(claims_of(c), ECKey.generate_key("P-256")),
    "it is not an access token": lambda c: a_token(claims_of(c), type_="JWT"),
    "its last character is another": lambda c: tampered(a_token(claims_of(c))),
    "its expiry is no number": lambda c: a_token(claims_of(c, exp="soon")),
    "its scope is a list": lambda c: a_token(claims_of(c, scope=["holds.read"])),
    "its client is not registered": lambda c: a_token(claims_of(c, sub="f" * 32)),
    "its key is not the client's": lambda c: a_token(claims_of(c, kid=c.id)),
    "its key is no string": lambda c: a_token(claims_of(c, kid=None)),
    "its client is of another organisation": lambda c: a_token(claims_of(c, ods="Q0WYP")),
    "it is a client's assertion": lambda c: c.assertion(),
    "it is no token": lambda _: "abc",
    "there is none": lambda _: "",
}


def tampered(token: str) -> str:
    head, said, signature = token.split(".")
    return f"{head}.{said}.{('B' if signature[0] == 'A' else 'A') + signature[1:]}"


@pytest.mark.parametrize("why", FORGED)
def test_a_token_opens_nothing_where(house: Cast, why: str) -> None:
    token = FORGED[why](house.council)
    with house.service.storing_nothing():
        answer = when_sent(house.service, token)
    then_nobody(answer)
    assert not token or token not in answer.text


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Token abc", ""])
def test_no_other_scheme_opens_anything(house: Cast, header: str) -> None:
    then_nobody(house.service.send("GET", "/holds", headers={"Authorization": header}))


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_token_without_a_claim_opens_nothing(house: Cast, claim: str) -> None:
    claims = claims_of(house.council)
    del claims[claim]
    then_nobody(when_sent(house.service, a_token(claims)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(left_out=st.sets(st.sampled_from(CLAIMS)))
def test_taking_claims_out_never_opens_more(house: Cast, left_out: set[str]) -> None:
    whole = claims_of(house.council, kind="governance")
    claims = {name: value for name, value in whole.items() if name not in left_out}
    statuses = {when_sent(house.service, a_token(claims)).status_code}
    assert statuses <= {401, 403}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_the_scope_of_a_route_opens_it(house: Cast, method: str, path: str) -> None:
    needed, more = ROUTES[method, path]
    kinds = [kind for kind, held in SCOPES.items() if needed <= rights(held)]
    assert kinds
    for kind in SCOPES:
        # A practice that is not admitted is refused for that, whatever its scopes.
        client = house.practice if kind == "gp-system" else house.council
        token = a_token(claims_of(client, kind=kind))
        answer = asked(house.service, method, path, token)
        assert (answer.status_code == 403) is (kind not in kinds), (kind, answer.text)
    others = " ".join(rights(scope for held in SCOPES.values() for scope in held) - needed)
    narrowed = a_token(claims_of(house.council, kind=kinds[0], scope=others))
    then_refused(asked(house.service, method, path, narrowed), 403)
    then_refused(house.service.send(method, path, **more), 401)


def asked(service: Service, method: str, path: str, token: str) -> httpx.Response:
    """With a body that is refused for what it says, where there is one: nothing is changed."""
    more = dict(ROUTES[method, path][1])
    if "json" in more:
        more = {"json": {"parameter": "none"}}
    headers = {**more.pop("headers", {}), "Authorization": f"Bearer {token}"}
    return service.send(method, path, headers=headers, **more)


def test_a_scope_that_the_kind_may_not_hold_opens_nothing(house: Cast) -> None:
    everything = " ".join({scope for held in SCOPES.values() for scope in held})
    token = a_token(claims_of(house.council, scope=everything))
    then_refused(asked(house.service, "GET", "/governance/rulings", token), 403)


def test_a_token_for_flags_alone_reads_no_requests_in_the_feed(house: Cast) -> None:
    token = house.practice.token(scope="system/Flag.rs")
    then_refused(asked(house.service, "GET", f"{FHIR}/Task/_history", token), 403)
    assert asked(house.service, "GET", f"{FHIR}/Flag/_history", token).status_code == 200


def test_every_route_is_in_the_table_of_scopes(house: Cast) -> None:
    there = {
        (method.upper(), path)
        for path, operations in described(house).items()
        for method in operations
    }
    parts = {"0": "{id}", "CPP-1": "{reference}"}
    listed = {
        (method, "/".join(parts.get(part, part) for part in path.split("/")))
        for method, path in ROUTES
    }
    named = {(m, re.sub(r"{(hold|flag|delivery)_id}", "{id}", p)) for m, p in there}
    listed = {(m, p.replace("_history/1", "_history/{vid}")) for m, p in listed}
    assert named == listed | OPEN


def described(house: Cast) -> dict[str, Any]:
    paths: dict[str, Any] = house.service.fastapi.openapi()["paths"]
    return {path.replace(":path}", "}"): operations for path, operations in paths.items()}


def test_a_revoked_client_is_out_at_once_although_its_token_is_still_valid(any_cast: Cast) -> None:
    token = any_cast.council.token()
    assert when_sent(any_cast.service, token).status_code == 200
    any_cast.service.revokes(any_cast.council)
    with any_cast.service.storing_nothing():
        then_nobody(when_sent(any_cast.service, token))


def test_a_revoked_client_posts_nothing(cast: Cast) -> None:
    token = cast.council.token()
    cast.service.revokes(cast.council)
    headers = {"Authorization": f"Bearer {token}"}
    with cast.service.storing_nothing():
        then_nobody(cast.service.send("POST", "/plans", json=a_plan(), headers=headers))
