"""The token endpoint's errors are the NHS API platform's, to the word, so that clients know them.

The table is the one that the platform's own end-to-end tests hold it to. Two of its rows cannot be
true here, and say so below: we take three algorithms, and keys are registered, never fetched.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from joserfc.jwk import RSAKey

from flagservice.clients.assertions import ALGORITHMS, ASSERTION_TYPE, SKEW
from flagservice.store import tables
from tests.api.answers import then_refused
from tests.api.steps import Cast, Client

Asking = Callable[[Client], httpx.Response]
JWT_ = "client_assertion JWT"
UNTRUE_HERE = {
    f"Invalid 'alg' header in {JWT_} - unsupported JWT algorithm - must be 'RS512'": "three are",
    "The JWKS endpoint, for your client_assertion can't be reached": "nothing is ever fetched",
}


@dataclass(frozen=True)
class Row:
    """What the platform answers, and how to get there."""

    status: int
    error: str
    description: str
    asking: Asking


def with_(*, header: dict[str, Any] | None = None, **claims: Any) -> Asking:
    """An assertion with one thing changed, or taken out."""
    return lambda c: c.asks_for_a_token(c.assertion(header=header, **claims))


def form(**changed: Any) -> Asking:
    return lambda c: c.asks_for_a_token(**changed)


def used_twice(client: Client) -> httpx.Response:
    assertion = client.assertion()
    assert client.asks_for_a_token(assertion).status_code == 200
    return client.asks_for_a_token(assertion)


def signed_by_somebody_else(client: Client) -> httpx.Response:
    forged = replace(client, key=RSAKey.generate_key(2048, private=True))
    header = {"alg": "RS512", "kid": client.key.thumbprint()}
    return client.asks_for_a_token(forged.assertion(header=header))


def whose_key_is_still_awaited(client: Client) -> httpx.Response:
    with client.service.world.database.transaction() as session:
        row = session.get_one(tables.ClientRow, client.id)
        keys, row.keys = row.keys, '{"keys": []}'
        session.add(row)
    answer = client.asks_for_a_token()
    with client.service.world.database.transaction() as session:
        session.get_one(tables.ClientRow, client.id).keys = keys
    return answer


def now() -> int:
    return int(time.time())


INVALID = "invalid_request"
ROWS = [
    Row(400, INVALID, f"Missing 'kid' header in {JWT_}", with_(header={"kid": None})),
    Row(
        401,
        INVALID,
        f"Invalid 'kid' header in {JWT_} - no matching public key",
        with_(header={"kid": "unknown"}),
    ),
    Row(
        400,
        INVALID,
        f"Invalid 'typ' header in {JWT_} - must be 'JWT'",
        with_(header={"typ": "JWE"}),
    ),
    Row(400, INVALID, f"Missing or non-matching 'iss'/'sub' claims in {JWT_}", with_(iss=None)),
    Row(401, INVALID, f"Invalid 'iss'/'sub' claims in {JWT_}", with_(iss="f" * 32, sub="f" * 32)),
    Row(401, INVALID, f"Missing or invalid 'aud' claim in {JWT_}", with_(aud="https://a.example")),
    Row(400, INVALID, f"Missing 'jti' claim in {JWT_}", with_(jti=None)),
    Row(
        400,
        INVALID,
        f"Invalid 'jti' claim in {JWT_} - must be a unique string value such as a GUID",
        with_(jti=1),
    ),
    Row(400, INVALID, f"Non-unique 'jti' claim in {JWT_}", used_twice),
    Row(400, INVALID, f"Missing 'exp' claim in {JWT_}", with_(exp=None)),
    Row(400, INVALID, f"Invalid 'exp' claim in {JWT_} - must be an integer", with_(exp="soon")),
    Row(
        400,
        INVALID,
        f"Invalid 'exp' claim in {JWT_} - JWT has expired",
        lambda c: c.asks_for_a_token(c.assertion(exp=now() - SKEW - 1)),
    ),
    Row(
        400,
        INVALID,
        f"Invalid 'exp' claim in {JWT_} - more than 5 minutes in future",
        lambda c: c.asks_for_a_token(c.assertion(exp=now() + 300 + SKEW + 10)),
    ),
    Row(400, INVALID, "Malformed JWT in client_assertion", form(assertion="abc")),
    Row(400, INVALID, "Missing client_assertion", form(client_assertion=None)),
    Row(
        400,
        INVALID,
        f"Missing or invalid client_assertion_type - must be '{ASSERTION_TYPE}'",
        form(client_assertion_type="saml"),
    ),
    Row(400, "unsupported_grant_type", "grant_type is invalid", form(grant_type="password")),
    Row(400, INVALID, "grant_type is missing", form(grant_type=None)),
    Row(
        403,
        "public_key error",
        "You need to register a public key to use this authentication method",
        whose_key_is_still_awaited,
    ),
    Row(401, "public_key error", "JWT signature verification failed", signed_by_somebody_else),
]


def test_every_row_of_the_platforms_table_is_answered_as_there(cast: Cast) -> None:
    equal = sum(answered(cast.practice, row) for row in ROWS)
    print(f"\ntoken errors: rows {len(ROWS)}, equal {equal}")  # noqa: T201, the count is the proof
    assert equal == len(ROWS)
    assert UNTRUE_HERE.keys().isdisjoint(row.description for row in ROWS)


def answered(client: Client, row: Row) -> bool:
    answer = row.asking(client)
    then_refused(answer, row.status)
    said = answer.json()
    assert said.pop("message_id") == answer.headers["X-Request-ID"]
    assert said == {"error": row.error, "error_description": row.description}
    return True


def test_the_row_about_algorithms_names_the_three_that_are_taken(cast: Cast) -> None:
    answer = cast.practice.asks_for_a_token(cast.practice.assertion(header={"alg": "RS256"}))
    then_refused(answer, 400)
    assert answer.json()["error_description"] == (
        f"Invalid 'alg' header in {JWT_} - unsupported JWT algorithm - must be one of "
        + ", ".join(ALGORITHMS)
    )


KEYS_FROM_ELSEWHERE = {
    "jku": "https://keys.example/jwks.json",
    "x5u": "https://keys.example/chain.pem",
    "x5c": ["MIIB"],
    "jwk": {"kty": "oct", "k": "AAAA"},
    "crit": ["exp"],
    "b64": True,
}


@pytest.mark.parametrize("name", KEYS_FROM_ELSEWHERE)
def test_a_header_that_brings_a_key_or_changes_what_is_signed_is_refused(
    house: Cast, name: str
) -> None:
    """Under a good signature, so that nothing else is wrong with it."""
    client = house.practice
    assertion = by_hand(client, {name: KEYS_FROM_ELSEWHERE[name]})
    answer = client.asks_for_a_token(assertion)
    then_refused(answer, 400)
    assert answer.json()["error_description"] == "Malformed JWT in client_assertion"
    assert client.asks_for_a_token(by_hand(client, {})).status_code == 200


def by_hand(client: Client, more: dict[str, Any]) -> str:
    """Signed by the registered key, without a library that would mind the header."""
    _, claims, _ = client.assertion().split(".")
    header = {"alg": "RS512", "typ": "JWT", "kid": client.key.thumbprint(), **more}
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    signed = f"{head}.{claims}".encode()
    private_key = client.key.private_key
    assert isinstance(private_key, RSAPrivateKey)
    signature = private_key.sign(signed, padding.PKCS1v15(), hashes.SHA512())
    return f"{head}.{claims}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_an_algorithm_of_another_sort_of_key_is_no_signature(house: Cast) -> None:
    """An elliptic key with RSA's name; the other way round stands in `test_token_endpoint`."""
    for alg in ("RS512", "RS384"):
        _, claims, signature = house.police.assertion().split(".")
        said = {"alg": alg, "typ": "JWT", "kid": house.police.key.thumbprint()}
        head = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
        answer = house.police.asks_for_a_token(f"{head}.{claims}.{signature}")
        then_refused(answer, 401)
        assert answer.json()["error_description"] == "JWT signature verification failed"


def in_time(at: int) -> Iterator[dict[str, int]]:
    yield {"exp": at - 25}
    yield {"exp": at + 300 + 25}
    yield {"iat": at + 25}
    yield {"nbf": at + 25}


def test_half_a_minute_between_two_clocks_does_no_harm(house: Cast) -> None:
    assert SKEW == 30
    for claims in in_time(now()):
        assert house.practice.asks_for_a_token(house.practice.assertion(**claims)).is_success


@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize("given", ["later", "soon", True])
def test_what_has_not_begun_is_refused(house: Cast, name: str, given: object) -> None:
    at = now() + SKEW + 10 if given == "later" else given
    answer = house.practice.asks_for_a_token(house.practice.assertion(**{name: at}))
    then_refused(answer, 400)
    assert answer.json()["error_description"].startswith(f"Invalid '{name}' claim in {JWT_} - ")


@pytest.mark.parametrize("shape", [lambda url: [url], lambda url: f"{url}/", lambda _: None])
def test_an_audience_is_the_one_address_and_no_list(
    house: Cast, shape: Callable[[str], Any]
) -> None:
    address = f"{house.service.installation.settings.base}/oauth2/token"
    answer = house.practice.asks_for_a_token(house.practice.assertion(aud=shape(address)))
    then_refused(answer, 401)
