"""A client's keys follow each other without a gap, and what a key may do ends with it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from flagservice.clients.keys import RegisteredKey, add_key, drop_key, keys_of
from flagservice.domain.errors import Conflict, Invalid, NotFound
from tests.api.answers import FHIR, then_refused
from tests.api.steps import Cast, Client, an_ec_key
from tests.commanded import when_told
from tests.patience import until
from tests.world import COUNCIL


def a_key() -> ECKey:
    return ECKey.generate_key("P-384", {"use": "sig"}, private=True)


def when_added(client: Client, key: ECKey | RSAKey) -> str:
    pem = key.as_pem(private=False)
    return client.service.installation.perform(lambda work: add_key(work, client.id, pem))


def when_dropped(client: Client, key: ECKey | RSAKey) -> None:
    client.service.installation.perform(lambda work: drop_key(work, client.id, key.thumbprint()))


def test_a_client_signs_with_any_of_its_keys_and_with_none_that_was_dropped(any_cast: Cast) -> None:
    client, old, new = any_cast.police, any_cast.police.key, a_key()
    assert when_added(client, new) == new.thumbprint()
    for client.key in (old, new):
        assert client.asks_for_a_token().status_code == 200
    when_dropped(client, old)
    assert client.asks_for_a_token().status_code == 200
    client.key = old
    then_refused(client.asks_for_a_token(), 401)
    (left,) = client.service.installation.perform(lambda work: keys_of(work, client.id))
    assert left == RegisteredKey(new.thumbprint(), "P-384")


def test_keys_are_rotated_while_tokens_are_fetched_and_none_is_refused(any_cast: Cast) -> None:
    """One thread fetches without end; another puts in a new key, moves over and drops the old."""
    client, rotations = any_cast.council, 4
    with fetching(client) as answers:
        for _ in range(rotations):
            old, new = client.key, a_key()
            when_added(client, new)
            client.key = new
            seen = len(answers)
            until(lambda seen=seen: len(answers) > seen + 2)
            when_dropped(client, old)
    refused = [answer for answer in answers if answer.status_code != 200]
    print(f"\nrotations {rotations}, tokens {len(answers)}, refused {len(refused)}")  # noqa: T201
    assert len(answers) > 2 * rotations
    assert refused == []


@contextmanager
def fetching(client: Client) -> Iterator[list[httpx.Response]]:
    answers: list[httpx.Response] = []
    over = threading.Event()

    def fetch() -> None:
        while not over.is_set():
            answers.append(client.asks_for_a_token())

    thread = threading.Thread(target=fetch)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("at", ["the routes", "the fast path"])
def test_a_token_ends_with_the_key_that_fetched_it(any_cast: Cast, at: str) -> None:
    """Whoever stole the old key reads nothing any more; what the new one fetched goes on."""
    client, old, new = any_cast.practice, any_cast.practice.key, a_key()
    headers = {} if at == "the fast path" else {"Prefer": "handling=strict"}
    when_added(client, new)
    stolen = client.token()
    client.key = new
    own = client.token()
    for token in (stolen, own):
        assert when_polled(client, token, headers).status_code == 200
    when_dropped(client, old)
    with client.service.storing_nothing():
        then_refused(when_polled(client, stolen, headers), 401)
    assert when_polled(client, own, headers).status_code == 200


def when_polled(client: Client, token: str, headers: dict[str, str]) -> httpx.Response:
    sent = {"Authorization": f"Bearer {token}", **headers}
    return client.service.send("GET", f"{FHIR}/Flag/_history", headers=sent)


def test_the_last_key_is_never_dropped(cast: Cast) -> None:
    with pytest.raises(Conflict, match="last key"):
        when_dropped(cast.police, cast.police.key)
    assert cast.police.asks_for_a_token().status_code == 200


def test_what_is_not_there_is_not_found_and_what_is_there_is_not_added(cast: Cast) -> None:
    installation, client = cast.service.installation, cast.police
    for wrong in (
        lambda work: drop_key(work, client.id, "none"),
        lambda work: drop_key(work, "nobody", "none"),
        lambda work: keys_of(work, "nobody"),
    ):
        with pytest.raises(NotFound):
            installation.perform(wrong)
    with pytest.raises(Conflict):
        when_added(client, client.key)
    weak = ECKey.generate_key("P-256", private=True)
    with pytest.raises(Invalid):
        when_added(client, weak)


def test_a_client_without_a_key_gets_its_first_one_later(cast: Cast) -> None:
    key, client_id = an_ec_key(), cast.service.adds_a_client(COUNCIL, "childrens-services", b"")
    client = Client(cast.service, client_id, key, COUNCIL)
    then_refused(client.asks_for_a_token(), 403)
    when_added(client, key)
    assert client.asks_for_a_token().status_code == 200


def test_every_change_is_in_the_audit_by_thumbprint(cast: Cast) -> None:
    client, old, new = cast.police, cast.police.key, a_key()
    when_added(client, new)
    when_dropped(client, old)
    for deed, key in (("client-key-added", new), ("client-key-dropped", old)):
        (leaf,) = cast.service.leaves(deed)
        assert leaf["about"] == {"client": client.id, "key": key.thumbprint()}
        assert leaf["actor"] == "operator at the command line"


def test_the_command_line_adds_lists_and_drops(tmp_path: Path) -> None:
    old, new = a_key(), a_key()
    old_pem, new_pem, no_pem = (str(tmp_path / f"{name}.pem") for name in ("old", "new", "no"))
    for path, key in ((old_pem, old), (new_pem, new)):
        Path(path).write_bytes(key.as_pem(private=False))
    client_id = said(tmp_path, "client", "add", COUNCIL, "childrens-services", old_pem)
    assert said(tmp_path, "client", "key", "add", client_id, new_pem) == new.thumbprint()
    listed = said(tmp_path, "client", "key", "list", client_id).splitlines()
    assert listed == [f"{key.thumbprint()}\tP-384" for key in (old, new)]
    assert said(tmp_path, "client", "key", "drop", client_id, str(old.thumbprint())) == ""
    assert "last key" in said(tmp_path, "client", "key", "drop", client_id, str(new.thumbprint()))
    assert "a file that can be read" in said(tmp_path, "client", "key", "add", client_id, no_pem)


def test_a_key_whose_thumbprint_begins_with_a_hyphen_is_dropped(tmp_path: Path) -> None:
    old = next(key for key in iter(a_key, None) if key.thumbprint().startswith("-"))
    new = a_key()
    for name, key in (("old", old), ("new", new)):
        (tmp_path / f"{name}.pem").write_bytes(key.as_pem(private=False))
    kind = "childrens-services"
    client_id = said(tmp_path, "client", "add", COUNCIL, kind, str(tmp_path / "old.pem"))
    said(tmp_path, "client", "key", "add", client_id, str(tmp_path / "new.pem"))
    assert said(tmp_path, "client", "key", "drop", client_id, str(old.thumbprint())) == ""
    listed = said(tmp_path, "client", "key", "list", client_id)
    assert listed == f"{new.thumbprint()}\tP-384"


def said(folder: Path, *words: str) -> str:
    """What the command says, on whichever stream."""
    told = when_told(folder / "var", *words)
    return "\n".join((told.out + told.err).splitlines())
