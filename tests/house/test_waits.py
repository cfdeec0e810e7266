"""No wait in a test ends by the clock alone: a slow machine would fail what is not wrong.

A test asks `tests.patience` how long is long enough. What takes a time of its own to be slow on
purpose, or to see that nothing happens, is listed here with its reason.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.house.source import Module, suite

PATIENCE = "patience.py"
CLOCK = {"time.monotonic", "time.perf_counter", "time.process_time", "time.sleep"}
ASLEEP = {"asyncio.sleep", "anyio.sleep", "asyncio.timeout", "anyio.fail_after"}
WAITING = {"wait", "join", "result", "acquire", "communicate", "settimeout", "wait_for"}
"""Methods that may be told last how long to wait."""
UNTIMED = {f"httpx.{how}" for how in ("get", "post", "put", "request", "Client")}
"""They give up after five seconds where they are told nothing."""
MEASURED = "benchmarks/"
"""What measures speed reads the clock."""
ALLOWED = {
    ("audit/test_witness.py", "one.join(timeout=0.2)"): "sees that nothing happens meanwhile",
    ("connections/test_connection_deadlines.py", "over.wait(0.02)"): "drips on purpose",
    ("crash/killing.py", "time.monotonic()"): "kills at an age that chance says",
    ("crash/killing.py", "time.sleep(max(0.0, being.born + age - time.monotonic()))"): "the same",
    ("crash/killing.py", "time.sleep(chance.uniform(0, _MIDST) * slowness())"): "the same",
    ("crash/rotating.py", "time.sleep(0.01)"): "a reader's pause, until the posters are done",
    ("crash/rotating.py", "time.sleep(chance.uniform(0.05, 1.2) * slowness())"): "kills by chance",
    ("crash/town.py", "time.monotonic()"): "when a process was born; nothing waits for it",
    ("delivery/push/test_hostile_receivers.py", "time.sleep(0.05)"): "drips on purpose",
    ("delivery/push/test_leases.py", "threading.Event().wait(0.002)"): "a send that takes a while",
    ("delivery/push/test_unsent.py", "given_back.wait(0.05)"): "a pause between two looks",
    ("delivery/push/test_unsent.py", "schedule.wait(3, jitter=1.0)"): "no wait",
    ("store/sealing/test_rotation.py", "rotation.result(timeout=0.5)"): "sees that it waits",
    ("twin/__main__.py", "time.monotonic()"): "says how long it took",
}


def waits_by_the_clock(module: Module) -> Iterator[str]:
    """Each call that ends, or goes on, when a time is over that nobody scaled."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _waits(node):
            yield ast.unparse(node)


def _waits(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    limits = [one.value for one in call.keywords if one.arg == "timeout"]
    if called in CLOCK or (called in UNTIMED and not limits):
        return True
    if called in ASLEEP or called.rpartition(".")[2] in WAITING:
        limits += call.args[-1:]
    return any(_number(limit) for limit in limits)


def _number(value: ast.expr) -> bool:
    """Is it a number that stands there, other than 0?"""
    return (
        isinstance(value, ast.Constant) and type(value.value) in (int, float) and value.value != 0
    )


def found() -> set[tuple[str, str]]:
    return {
        (module.name, call)
        for module in suite()
        if module.name != PATIENCE and not module.name.startswith(MEASURED)
        for call in waits_by_the_clock(module)
    }


def test_no_test_waits_by_the_clock_alone() -> None:
    assert found() - ALLOWED.keys() == set()


def test_whatever_is_allowed_is_there() -> None:
    assert ALLOWED.keys() - found() == set()


@pytest.mark.parametrize(
    "line",
    [
        "until = time.monotonic() + 30",
        "time.sleep(1)",
        "thread.join(5)",
        "thread.join(timeout=5)",
        "subprocess.run(['x'], timeout=60)",
        "httpx.get('http://x')",
        "await asyncio.sleep(0.1)",
    ],
)
def test_a_wait_by_the_clock_is_found(line: str) -> None:
    assert list(waits_by_the_clock(Module("test_x.py", f"async def f():\n    {line}\n")))


@pytest.mark.parametrize(
    "line",
    [
        "thread.join()",
        "thread.join(timeout=enough())",
        "httpx.get('http://x', timeout=enough())",
        "await asyncio.sleep(0)",
        "until(lambda: server.started)",
        "counts.get('x', 0)",
        "', '.join(words)",
    ],
)
def test_another_call_is_not(line: str) -> None:
    assert not list(waits_by_the_clock(Module("test_x.py", f"async def f():\n    {line}\n")))
