"""What a GP system's calls take over loopback against a sign of life, and the memory of it all."""

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from nhs_number.validate import is_valid

from tests.benchmarks import processes
from tests.benchmarks.measuring import Figure, Repeated, compare
from tests.benchmarks.processes import BORN, Served, peak_memory
from tests.world import a_submission, person

PLANS = 1_000
CALLS = 40
"""In each round."""
_POLLED = 20


def figures(folder: Path) -> Iterator[Figure]:
    """Reading and polling; then memory, idle and after a thousand plans."""
    numbers = (str(n) for n in itertools.count(9_991_600_000) if is_valid(str(n)))
    people = list(itertools.islice(numbers, PLANS))
    with processes.hello() as bare:
        hello = peak_memory(bare)
    with processes.serving(folder, people) as served:
        _call(served, "/_ping")()
        idle = peak_memory(served.process)
        for place in range(_POLLED):
            _post(served, place, people[place])
        yield from _calls(served)
        for place in range(_POLLED, PLANS):
            _post(served, place, people[place])
        busy = peak_memory(served.process)
    if hello and idle and busy:
        for name, most in (("idle", idle), (f"after {PLANS:,} plans", busy)):
            figure = (most / hello,)
            yield Figure(f"memory of serve, {name}", "a bare FastAPI process", figure, _size(most))


def _size(memory: int) -> str:
    return f"{memory / 2**20:.0f} MiB"


def _post(served: Served, place: int, number: str) -> None:
    child = person("child", number, BORN)
    body = a_submission("child-protection", f"CPP-{place}", child)
    served.council.call("POST", f"{served.url}/plans", json=body).raise_for_status()


def _calls(served: Served) -> Iterator[Figure]:
    feed = f"/fhir/R4/Flag/_history?_count={_POLLED}"
    page = json.loads(_call(served, feed)())
    newest = page["entry"][-1]["resource"]["id"]
    (after,) = (one["url"] for one in page["link"] if one["relation"] == "next")
    nothing_new = "/fhir/R4/" + after.partition("/fhir/R4/")[2]
    for what, target in (
        ("read one flag", f"/fhir/R4/Flag/{newest}"),
        ("poll the feed, nothing new", nothing_new),
        (f"poll the feed, {_POLLED} new", feed),
    ):
        yield compare(
            f"{what}, over loopback",
            Repeated(_call(served, target), CALLS),
            against="/_ping of the same process",
            theirs=Repeated(_call(served, "/_ping"), CALLS),
        )


def _call(served: Served, target: str) -> Callable[[], bytes]:
    """The call as a deed, with a token that lasts."""
    connection = served.connection()
    token = served.practice._fresh_token(served.url)
    headers = {"Authorization": f"Bearer {token}"}

    def called() -> bytes:
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{target} answered {answer.status}")
        return body

    return called
