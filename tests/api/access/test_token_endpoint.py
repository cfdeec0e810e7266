"""The token endpoint: the only way in, and every way that it refuses."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey

from flagservice.clients.assertions import ALGORITHMS, LIFETIME, SKEW
from tests.api.answers import then_refused
from tests.api.steps import BASE, FORM, Cast, Client, an_rsa_key

Assertion = Callable[[Client], str]
NOBODY = "Invalid 'iss'/'sub' claims in client_assertion JWT"
NO_MATCH = "Missing or non-matching 'iss'/'sub' claims in client_assertion JWT"
ALGORITHM = (
    "Invalid 'alg' header in client_assertion JWT - unsupported JWT algorithm - must be one of "
    + ", ".join(ALGORITHMS)
)
TYPE = "Invalid 'typ' header in client_assertion JWT - must be 'JWT'"
NO_KEY = "Missing 'kid' header in client_assertion JWT"
AUDIENCE = "Missing or invalid 'aud' claim in client_assertion JWT"
MALFORMED = "Malformed JWT in client_assertion"
EXPIRES = "Invalid 'exp' claim in client_assertion JWT - "
UNIQUE = (
    "Invalid 'jti' claim in client_assertion JWT - must be a unique string value such as a GUID"
)
FORGED = "JWT signature verification failed"
UNKNOWN_KEY = "Invalid 'kid' header in client_assertion JWT - no matching public key"
UNPROVEN = dict.fromkeys((NOBODY, AUDIENCE, UNKNOWN_KEY, FORGED), 401)
DEEP = b'{"iss":' + b"[" * 60_000


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def replaced(assertion: str, *, header: Any = None, payload: bytes | None = None) -> str:
    """The same assertion with another part, and a signature that no longer fits."""
    head, said, signature = assertion.split(".")
    head = encoded(json.dumps(header).encode()) if header is not None else head
    said = encoded(payload) if payload is not None else said
    return f"{head}.{said}.{signature}"


def signed(client: Client, payload: bytes) -> str:
    """Bytes that no library would write, under a good signature."""
    header = {"alg": client.algorithm, "typ": "JWT", "kid": client.key.thumbprint()}
    return jws.serialize_compact(header, payload, client.key, algorithms=[client.algorithm])


def with_the_public_key_as_a_secret(client: Client) -> str:
    header = {"alg": "HS256", "typ": "JWT", "kid": client.key.thumbprint()}
    bare = replaced(client.assertion(), header=header).rsplit(".", 1)[0]
    secret = client.key.as_pem(private=False)
    return f"{bare}.{encoded(hmac.new(secret, bare.encode(), hashlib.sha256).digest())}"


def unsigned(client: Client) -> str:
    header = {"alg": "none", "typ": "JWT", "kid": client.key.thumbprint()}
    return replaced(client.assertion(), header=header).rsplit(".", 1)[0] + "."


def by_another_key(client: Client) -> str:
    other = RSAKey.generate_key(2048, private=True)
    header = {"alg": "RS512", "typ": "JWT", "kid": client.key.thumbprint()}
    claims = json.loads(jws.extract_compact(client.assertion().encode()).payload)
    return jwt.encode(header, claims, other, algorithms=["RS512"])


REFUSED: dict[str, tuple[Assertion, str]] = {
    "no algorithm": (unsigned, ALGORITHM),
    "the public key as a secret": (with_the_public_key_as_a_secret, ALGORITHM),
    "RS256": (lambda c: c.assertion(header={"alg": "RS256"}), ALGORITHM),
    "a list of algorithms": (
        lambda c: replaced(c.assertion(), header={"alg": ["RS512"], "typ": "JWT", "kid": "k"}),
        ALGORITHM,
    ),
    "no kid": (lambda c: c.assertion(header={"kid": None}), NO_KEY),
    "a kid that is a number": (
        lambda c: replaced(c.assertion(), header={"alg": "RS512", "typ": "JWT", "kid": 1}),
        NO_KEY,
    ),
    "an unknown kid": (lambda c: c.assertion(header={"kid": "nobody's"}), UNKNOWN_KEY),
    "another typ": (lambda c: c.assertion(header={"typ": "at+jwt"}), TYPE),
    "no typ": (
        lambda c: replaced(c.assertion(), header={"alg": "RS512", "kid": c.key.thumbprint()}),
        TYPE,
    ),
    "no iss": (lambda c: c.assertion(iss=None), NO_MATCH),
    "no sub": (lambda c: c.assertion(sub=None), NO_MATCH),
    "iss and sub that differ": (lambda c: c.assertion(sub="f" * 32), NO_MATCH),
    "an iss that is a list": (lambda c: c.assertion(iss=[c.id], sub=[c.id]), NO_MATCH),
    "claims that are a list": (lambda c: signed(c, b'["iss", "sub"]'), NO_MATCH),
    "claims that are no JSON": (lambda c: signed(c, b"iss and sub"), NO_MATCH),
    "claims nested without end": (lambda c: signed(c, DEEP), NO_MATCH),
    "an unknown client": (lambda c: c.assertion(iss="f" * 32, sub="f" * 32), NOBODY),
    "a client with a NUL in its name": (lambda c: c.assertion(iss="\0", sub="\0"), NOBODY),
    "a client that is half a character": (
        lambda c: signed(c, b'{"iss": "\\ud800", "sub": "\\ud800"}'),
        NOBODY,
    ),
    "no aud": (lambda c: c.assertion(aud=None), AUDIENCE),
    "somebody else's aud": (lambda c: c.assertion(aud="https://other.example/token"), AUDIENCE),
    "our address without the endpoint": (lambda c: c.assertion(aud=BASE), AUDIENCE),
    "no exp": (lambda c: c.assertion(exp=None), "Missing 'exp' claim in client_assertion JWT"),
    "an exp that is text": (
        lambda c: c.assertion(exp=str(int(time.time()) + 60)),
        EXPIRES + "must be an integer",
    ),
    "an exp with a fraction": (
        lambda c: c.assertion(exp=time.time() + 60.5),
        EXPIRES + "must be an integer",
    ),
    "an exp that is true": (lambda c: c.assertion(exp=True), EXPIRES + "must be an integer"),
    "an exp that is past": (
        lambda c: c.assertion(exp=int(time.time()) - SKEW - 1),
        EXPIRES + "JWT has expired",
    ),
    "an exp too far ahead": (
        lambda c: c.assertion(exp=int(time.time()) + LIFETIME + 60),
        EXPIRES + "more than 5 minutes in future",
    ),
    "an exp beyond every clock": (
        lambda c: c.assertion(exp=10**40),
        EXPIRES + "more than 5 minutes in future",
    ),
    "no jti": (lambda c: c.assertion(jti=None), "Missing 'jti' claim in client_assertion JWT"),
    "an empty jti": (lambda c: c.assertion(jti=""), UNIQUE),
    "a jti that is a number": (lambda c: c.assertion(jti=7), UNIQUE),
    "an endless jti": (lambda c: c.assertion(jti="a" * 201), UNIQUE),
    "half a character as jti": (
        lambda c: signed(
            c,
            jws.extract_compact(c.assertion(jti="half").encode()).payload.replace(
                b"half", b"\\ud800"
            ),
        ),
        UNIQUE,
    ),
    "no JWT": (lambda _: "abc", MALFORMED),
    "two parts": (lambda c: c.assertion().rsplit(".", 1)[0], MALFORMED),
    "a header that is no JSON": (lambda c: "e30e." + c.assertion().split(".", 1)[1], MALFORMED),
    "a header nested without end": (
        lambda c: f"{encoded(DEEP)}." + c.assertion().split(".", 1)[1],
        MALFORMED,
    ),
    "another key": (by_another_key, FORGED),
    "other claims under the signature": (
        lambda c: replaced(c.assertion(), payload=json.dumps({"iss": c.id, "sub": c.id}).encode()),
        FORGED,
    ),
    "the algorithm of another sort of key": (
        lambda c: replaced(
            c.assertion(), header={"alg": "ES384", "typ": "JWT", "kid": c.key.thumbprint()}
        ),
        FORGED,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_token_endpoint_refuses_an_assertion_with(house: Cast, case: str) -> None:
    made, rule = REFUSED[case]
    client = house.practice
    assertion = made(client)
    with house.service.storing_nothing():
        answer = client.asks_for_a_token(assertion)
    then_refused(answer, UNPROVEN.get(rule, 400))
    word = "public_key error" if "signature" in rule else "invalid_request"
    assert (answer.json()["error"], answer.json()["error_description"]) == (word, rule)
    assert client.id not in answer.text


@pytest.mark.parametrize("algorithm", ["RS512", "RS384"])
def test_an_rsa_key_gets_a_token_with(any_cast: Cast, algorithm: str) -> None:
    client = any_cast.council
    then_a_token_that_opens(client, client.assertion(header={"alg": algorithm}))


def test_an_es384_key_gets_a_token(any_cast: Cast) -> None:
    then_a_token_that_opens(any_cast.police, any_cast.police.assertion())


def then_a_token_that_opens(client: Client, assertion: str) -> None:
    answer = client.asks_for_a_token(assertion)
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.json()["expires_in"] == 300
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert client.service.send("GET", "/holds", headers=bearer).status_code == 200


def test_an_assertion_is_taken_once(any_cast: Cast) -> None:
    assertion = any_cast.council.assertion()
    assert any_cast.council.asks_for_a_token(assertion).status_code == 200
    again = any_cast.council.asks_for_a_token(assertion)
    assert again.status_code == 400
    assert again.json()["error_description"] == "Non-unique 'jti' claim in client_assertion JWT"


def test_an_assertion_stays_used_whoever_else_fetches_a_token(any_cast: Cast) -> None:
    assertion = any_cast.council.assertion()
    assert any_cast.council.asks_for_a_token(assertion).status_code == 200
    assert any_cast.police.asks_for_a_token().status_code == 200
    assert any_cast.council.asks_for_a_token(assertion).status_code == 400


def test_an_assertion_that_comes_several_times_at_once_is_taken_once(any_cast: Cast) -> None:
    form = any_cast.council.form()
    asked = [("POST", "/oauth2/token", {"data": form})] * 4
    answers = any_cast.service.send_together(*asked)
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]


def test_two_clients_may_use_the_same_jti(house: Cast) -> None:
    for client in (house.council, house.police):
        assert client.asks_for_a_token(client.assertion(jti="the same")).status_code == 200


@pytest.mark.parametrize(
    ("change", "error", "rule"),
    [
        ({"grant_type": None}, "invalid_request", "grant_type is missing"),
        ({"grant_type": "password"}, "unsupported_grant_type", "grant_type is invalid"),
        ({"client_assertion_type": None}, "invalid_request", "client_assertion_type"),
        ({"client_assertion_type": "saml2"}, "invalid_request", "client_assertion_type"),
        ({"client_assertion": ""}, "invalid_request", "Missing client_assertion"),
        ({"scope": "governance.read"}, "invalid_scope", "none of the requested scopes is granted"),
    ],
)
def test_the_token_endpoint_refuses_a_form_with(
    house: Cast, change: dict[str, Any], error: str, rule: str
) -> None:
    with house.service.storing_nothing():
        answer = house.council.asks_for_a_token(**change)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert rule in answer.json()["error_description"]


@pytest.mark.parametrize("body", [b"grant_type=a&grant_type=a", b"no form", b"a=\xff"])
def test_a_form_that_is_none_or_says_a_thing_twice_is_refused(house: Cast, body: bytes) -> None:
    answer = house.service.send(
        "POST", "/oauth2/token", content=body, headers={"Content-Type": FORM}
    )
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_a_token_has_only_the_scopes_that_were_asked_for(house: Cast) -> None:
    answer = house.council.asks_for_a_token(scope="receipts.read governance.read plans.write")
    assert answer.json()["scope"] == "plans.write receipts.read"


def test_a_revoked_client_gets_no_token_and_the_answer_of_an_unknown_one(cast: Cast) -> None:
    cast.service.revokes(cast.council)
    revoked = cast.council.asks_for_a_token()
    unknown = cast.council.asks_for_a_token(cast.council.assertion(iss="f" * 32, sub="f" * 32))
    assert revoked.status_code == unknown.status_code == 401
    told = [{**a.json(), "message_id": ""} for a in (revoked, unknown)]
    assert told[0] == told[1]


def test_a_client_is_not_let_in_by_a_key_that_another_client_registered(house: Cast) -> None:
    stranger = ECKey.generate_key("P-384", private=True)
    ours = house.service.client("E08000032", "childrens-services", stranger)
    ours.key = an_rsa_key()
    assert ours.asks_for_a_token().json()["error_description"].startswith("Invalid 'kid' header")


def test_our_own_token_is_no_assertion(house: Cast) -> None:
    token = house.council.token()
    assert house.council.asks_for_a_token(token).json()["error_description"] == ALGORITHM
