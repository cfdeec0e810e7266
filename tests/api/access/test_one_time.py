"""An assertion opens once, however many processes it is sent to at one time."""

import threading
import time
from dataclasses import replace
from typing import Any

from sqlmodel import col, select

from flagservice.api.access.tokens import Tokens
from flagservice.audit.log import Actor
from flagservice.clients.assertions import SKEW, BadAssertion
from flagservice.store import tables
from tests.api.answers import then_refused
from tests.api.steps import TOKEN_URL, Cast, our_token_key
from tests.forked import forking
from tests.patience import enough
from tests.world import World

PROCESSES, THREADS, ROUNDS = 3, 3, 4
USED = "Non-unique 'jti' claim in client_assertion JWT"


def a_process(url: str, forms: list[dict[str, str]], together: Any, told: Any) -> None:
    """A service of its own on the same database, used from several threads."""
    world = World(url)
    tokens = Tokens(TOKEN_URL, our_token_key())

    def use(form: dict[str, str]) -> None:
        together.wait()
        try:
            world.log.perform(Actor("token endpoint"), lambda work: tokens.issue(work, form))
            told.put("taken")
        except BadAssertion as refused:
            told.put(refused.rule)

    for form in forms:
        threads = [threading.Thread(target=use, args=(form,)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    world.close()


def test_of_many_uses_in_several_processes_one_wins(any_cast: Cast) -> None:
    forked = forking()
    together, told = forked.Barrier(PROCESSES * THREADS), forked.Queue()
    forms = [any_cast.council.form() for _ in range(ROUNDS)]
    url = any_cast.world.url
    running = [
        forked.Process(target=a_process, args=(url, forms, together, told))
        for _ in range(PROCESSES)
    ]
    for process in running:
        process.start()
    answers = [told.get(timeout=enough()) for _ in range(PROCESSES * THREADS * ROUNDS)]
    for process in running:
        process.join()
    taken = answers.count("taken")
    print(f"\nuses {len(answers)} in {PROCESSES} processes, assertions {ROUNDS}, taken {taken}")  # noqa: T201
    assert taken == ROUNDS
    assert set(answers) == {"taken", USED}
    assert len(any_cast.service.leaves("token-issued")) == ROUNDS


def test_a_used_assertion_is_kept_as_long_as_any_clock_would_take_it(any_cast: Cast) -> None:
    """To the end of the skew, though others fetch tokens and clear away what is over."""
    api = any_cast.service.fastapi.state.api
    start = int(time.time())
    clock = [float(start)]
    tokens = replace(api.tokens, clock=lambda: clock[0])
    any_cast.service.fastapi.state.api = replace(api, tokens=tokens)
    assertion = any_cast.council.assertion(exp=start + 10)
    assert any_cast.council.asks_for_a_token(assertion).status_code == 200
    clock[0] = start + 10 + SKEW - 1
    assert any_cast.police.asks_for_a_token().status_code == 200
    again = any_cast.council.asks_for_a_token(assertion)
    then_refused(again, 400)
    assert again.json()["error_description"] == USED
    clock[0] = start + 10 + 3 * SKEW
    assert any_cast.police.asks_for_a_token().status_code == 200
    with any_cast.world.database.transaction() as session:
        kept = set(session.exec(select(col(tables.AssertionRow.expires))).all())
    assert start + 10 not in kept
