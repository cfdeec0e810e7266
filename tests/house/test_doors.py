"""The rules that keep a value from getting where it must not: one door, one clock, one session."""

import ast
import importlib.util
import inspect
import pkgutil
import re
import typing
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

import flagservice.fhir
from flagservice.fhir import flags
from flagservice.fhir.flags import CopyIdentity
from flagservice.policy.disclosure import Disclosure
from tests.house import source
from tests.house.source import PURE, Module

CHANCE_AND_TIME = re.compile(
    r"(datetime|date)\.(now|utcnow|today|fromtimestamp)|(time|random|secrets)\.\w+|os\.urandom"
    r"|(uuid\.)?uuid[14]|getrandbits|monotonic|perf_counter"
)
SESSIONS = r"(.*\.)?(Session|create_engine|sessionmaker|connect)"
TRANSACTIONS = r".*\.(transaction|begin|begin_nested)"
QUESTIONS = r".*\.is_waiting"
DISCLOSURES = r"(.*\.)?Disclosure|object\.__new__|copy\.(copy|deepcopy|replace)|pickle\.\w+"
SEALING = r"(.*\.)?vault\.(seal|open)"
DAYS = r".*\.(date|today)"
READING = r"open|input|.*\.(read_text|write_text|read_bytes)"
CATCHING_ALL = {
    "api/edge/envelope.py": "a fault that was answered as 500 is not printed by a server",
    "api/refusals.py": "whatever the audit's fault is, nothing leaves unrecorded",
    "audit/group_commit.py": "its callers go the ordinary way, and meet the fault there",
    "app/serve.py": "a loop goes on; the type is logged",
    "delivery/push/fhir_rest.py": "whatever a receiver answers, this one flag stays owed",
    "kit/sandbox/server.py": "a GP system answers a fault as 500",
}


def where(pattern: str, modules: tuple[Module, ...]) -> dict[str, list[int]]:
    """The files in which something of this name is called, and the lines."""
    found: dict[str, list[int]] = {}
    for module in modules:
        for name, line in module.calls():
            if re.fullmatch(pattern, name):
                found.setdefault(module.name, []).append(line)
    return found


def outside(found: dict[str, list[int]], *allowed: str) -> dict[str, list[int]]:
    return {name: lines for name, lines in found.items() if not name.startswith(allowed)}


def test_a_session_or_an_engine_is_made_in_one_file() -> None:
    made = where(SESSIONS, source.package())
    assert set(outside(made, "kit/sandbox/")) == {"store/database.py"}


def test_a_transaction_is_opened_by_the_audit_alone() -> None:
    opened = where(TRANSACTIONS, source.package())
    assert outside(opened, "store/database.py", "audit/") == {}


def test_the_question_without_a_leaf_is_asked_by_those_who_look_for_work_alone() -> None:
    looking = ("delivery/", "intake/policies/enforcement.py", "app/keys/backlog.py")
    assert outside(where(QUESTIONS, source.package()), *looking) == {}


def test_a_disclosure_is_made_by_its_own_module_alone() -> None:
    assert set(where(DISCLOSURES, source.package())) == {"policy/disclosure.py"}
    mentions = {module.name for module in source.package() if "_DOOR" in module.text}
    assert mentions == {"policy/disclosure.py"}


def test_no_place_of_a_sealed_body_is_written_by_hand() -> None:
    """It is read from the row: a place that is spelled twice is spelled in two ways one day."""
    spelled = where(SEALING, source.package())
    assert set(outside(spelled, "store/sealing/")) == {"audit/log.py"}


def test_only_the_rim_reads_the_environment() -> None:
    """The kit may hand its own on, whole, to the programs that it starts."""
    read = {module.name for module in source.package() if _reads_environment(module)}
    assert {name for name in read if not name.startswith(("app/", "__main__.py"))} == {
        "settings.py"
    }


def _reads_environment(module: Module) -> bool:
    reading = ("os.environ", "os.environb", "os.getenv", "environ", "getenv", "BaseSettings")
    uses = sum(name in reading for name, _ in module.names())
    handed_on = sum(
        key is None and ast.unparse(value) == "os.environ"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
    )
    return uses > (handed_on if module.floor == "kit" else 0)


def test_only_a_command_line_prints() -> None:
    assert outside(where("print", source.package()), "kit/") == {}


def test_below_the_line_there_is_no_clock_and_no_chance() -> None:
    pure = tuple(module for module in source.package() if module.floor in PURE)
    assert where(CHANCE_AND_TIME.pattern, pure) == {}
    assert where(READING, pure) == {}


def test_an_instant_becomes_a_day_in_one_file() -> None:
    """Anywhere else it would be a day of UTC, or of the machine."""
    assert set(where(DAYS, source.package())) == {"domain/days/london.py"}


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (DAYS, "log.clock().date()"),
        (DAYS, "date.today()"),
        (CHANCE_AND_TIME.pattern, "datetime.now(UTC)"),
        (CHANCE_AND_TIME.pattern, "date.today()"),
        (CHANCE_AND_TIME.pattern, "time.time()"),
        (CHANCE_AND_TIME.pattern, "random.random()"),
        (CHANCE_AND_TIME.pattern, "secrets.token_hex(16)"),
        (CHANCE_AND_TIME.pattern, "uuid4()"),
        (CHANCE_AND_TIME.pattern, "uuid.uuid4()"),
        (CHANCE_AND_TIME.pattern, "os.urandom(1)"),
        (SESSIONS, "Session(engine)"),
        (SESSIONS, "sqlmodel.create_engine(url)"),
        (TRANSACTIONS, "face.log._database.transaction()"),
        (QUESTIONS, "log.is_waiting(actor, ask)"),
        (DISCLOSURES, "Disclosure(form=form)"),
        (DISCLOSURES, "disclosure.Disclosure(form=form)"),
        (DISCLOSURES, "object.__new__(Disclosure)"),
        (READING, "open(path)"),
        (READING, "path.read_text()"),
    ],
)
def test_a_way_round_a_rule_would_be_found(pattern: str, text: str) -> None:
    assert where(pattern, (Module("policy/new.py", text),)) == {"policy/new.py": [1]}


def test_everything_is_caught_only_where_there_is_a_reason() -> None:
    assert {module.name for module in source.package() if _catches_all(module)} == set(CATCHING_ALL)


def _catches_all(module: Module) -> bool:
    return any(
        isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        for node in ast.walk(module.tree)
    )


def builders_in(module: ModuleType) -> Iterator[tuple[str, list[str]]]:
    """Every function that takes a Disclosure or a Copy, and what content it takes."""
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ != module.__name__:
            continue
        hints = typing.get_type_hints(function)
        taken = [hints.get(one, "unsaid") for one in inspect.signature(function).parameters]
        if Disclosure in taken or CopyIdentity in taken:
            yield (
                name,
                [getattr(one, "__name__", str(one)) for one in taken if one is not CopyIdentity],
            )


def wrong_builders_in(module: ModuleType) -> list[str]:
    """Those that take content other than one Disclosure."""
    return [name for name, content in builders_in(module) if content not in ([], ["Disclosure"])]


def the_modules_that_build() -> list[ModuleType]:
    """Every module of the floor, in whichever of its rooms."""
    found = pkgutil.walk_packages(flagservice.fhir.__path__, "flagservice.fhir.")
    return [importlib.import_module(one.name) for one in found if not one.ispkg]


@pytest.mark.parametrize("module", the_modules_that_build(), ids=lambda one: str(one.__name__))
def test_a_builder_takes_one_content_argument_a_disclosure(module: ModuleType) -> None:
    assert wrong_builders_in(module) == []


def test_there_are_builders_to_look_at() -> None:
    assert dict(builders_in(flags))["build"] == ["Disclosure"]


def test_a_copy_says_whose_copy_it_is_and_nothing_more() -> None:
    assert {field.name for field in fields(CopyIdentity)} == {
        "id",
        "version_id",
        "nhs_number",
        "issued",
    }


@pytest.mark.parametrize(
    "signature",
    [
        "disclosure: Disclosure, copy: CopyIdentity, note: str",
        "disclosure: Disclosure, copy: CopyIdentity, *, elements: Elements",
        "disclosure: Disclosure, copy: CopyIdentity, said=None",
        "disclosure: Disclosure, copy: CopyIdentity, *more: str",
        "disclosure: Disclosure, copy: CopyIdentity, **more: str",
        "first: Disclosure, second: Disclosure",
        "elements: Elements, copy: CopyIdentity",
        "disclosure: Disclosure | None, copy: CopyIdentity",
    ],
)
def test_a_second_content_argument_on_a_builder_would_be_found(
    signature: str, tmp_path: Path
) -> None:
    path = tmp_path / "later_builder.py"
    path.write_text(
        "from flagservice.domain.elements import Elements\n"
        "from flagservice.fhir.flags import CopyIdentity\n"
        "from flagservice.policy.disclosure import Disclosure\n"
        f"def build({signature}): ...\n"
        "def build_rightly(disclosure: Disclosure, copy: CopyIdentity): ...\n"
    )
    spec = importlib.util.spec_from_file_location("later_builder", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert wrong_builders_in(module) == ["build"]
