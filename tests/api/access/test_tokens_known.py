"""A token's signature is checked once; everything else about it is asked every time."""

from dataclasses import replace

import pytest
from joserfc.jwk import ECKey

from flagservice.api.access.tokens import Tokens, VerifiedTokens
from flagservice.domain.errors import Unauthenticated
from tests.api.access.test_own_tokens import a_token, claims_of
from tests.api.steps import TOKEN_URL, Cast, our_token_key


class Counting(ECKey):
    """A key that says how often something was verified with it."""

    verified = 0

    def get_op_key(self, operation: str) -> object:
        if operation == "verify":
            type(self).verified += 1
        return super().get_op_key(operation)


@pytest.fixture
def key() -> Counting:
    whole = our_token_key()
    Counting.verified = 0
    return Counting(whole.raw_value, whole.raw_value, {"use": "sig"})


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_the_second_use_of_a_token_checks_no_signature(house: Cast, key: Counting) -> None:
    tokens = Tokens(TOKEN_URL, key)
    token = a_token(claims_of(house.council))
    callers = [tokens.verify(token) for _ in range(1000)]
    assert Counting.verified == 1
    assert set(callers) == {callers[0]}
    assert callers[0].client_id == house.council.id


def test_on_the_wire_too(cast: Cast, key: Counting) -> None:
    api = cast.service.fastapi.state.api
    cast.service.fastapi.state.api = replace(api, tokens=Tokens(TOKEN_URL, key))
    assert {cast.council.gets("/holds").status_code for _ in range(5)} == {200}
    assert Counting.verified == 1


def test_a_token_that_is_known_ends_when_it_says_so(house: Cast, key: Counting) -> None:
    claims = claims_of(house.council)
    clock = Clock(claims["iat"])
    tokens, token = Tokens(TOKEN_URL, key, clock), a_token(claims)
    tokens.verify(token)
    clock.now = claims["exp"] - 1
    tokens.verify(token)
    clock.now = claims["exp"]
    with pytest.raises(Unauthenticated):
        tokens.verify(token)
    assert len(tokens.verified) == 0


def test_a_token_that_is_known_has_not_begun_where_the_clock_went_back(
    house: Cast, key: Counting
) -> None:
    claims = claims_of(house.council)
    clock = Clock(claims["iat"])
    tokens, token = Tokens(TOKEN_URL, key, clock), a_token(claims)
    tokens.verify(token)
    clock.now = claims["iat"] - 31
    with pytest.raises(Unauthenticated):
        tokens.verify(token)


@pytest.mark.parametrize(
    "more", [{"exp": 301}, {"exp": 300.5}, {"iat": True}, {"kind": ["police"]}]
)
def test_a_token_that_is_not_as_ours_are_is_never_known(
    house: Cast, key: Counting, more: dict[str, object]
) -> None:
    claims = claims_of(house.council)
    changed = {
        name: claims["iat"] + value if isinstance(value, float) or value == 301 else value
        for name, value in more.items()
    }
    tokens = Tokens(TOKEN_URL, key)
    with pytest.raises(Unauthenticated):
        tokens.verify(a_token({**claims, **changed}))
    assert len(tokens.verified) == 0


def test_one_byte_more_is_another_token(house: Cast, key: Counting) -> None:
    tokens, token = Tokens(TOKEN_URL, key), a_token(claims_of(house.council))
    tokens.verify(token)
    for other in (token + "=", token + "A", token[:-1], token.upper()):
        with pytest.raises(Unauthenticated):
            tokens.verify(other)


def test_the_oldest_known_token_makes_room(house: Cast, key: Counting) -> None:
    tokens = Tokens(TOKEN_URL, key, verified=VerifiedTokens(most=2))
    issued = [a_token(claims_of(house.council)) for _ in range(3)]
    for token in issued:
        tokens.verify(token)
    assert len(tokens.verified) == 2
    tokens.verify(issued[2])
    assert Counting.verified == 3
    tokens.verify(issued[0])
    assert Counting.verified == 4
