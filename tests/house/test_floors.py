"""The floors of the house are kept, and each contract is shown to fail when it is broken."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((HOME / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}


@dataclass(frozen=True)
class Breach:
    """Lines that somebody adds to files of the package, and the contract that they break."""

    contract: str
    about: str
    added: dict[str, str]


BREACHES = (
    Breach(
        "floors",
        "a lower floor imports an upper one",
        {"policy/ruling.py": "from flagservice.fhir.flags import build"},
    ),
    Breach(
        "floors",
        "the domain imports the store",
        {"domain/people.py": "from flagservice.store.tables import PersonRow as Row"},
    ),
    Breach(
        "floors",
        "intake is imported by what is delivered",
        {"delivery/push/outbox.py": "from flagservice.intake.submission import submit"},
    ),
    Breach(
        "floors",
        "strangers on one floor meet",
        {"api/records/routes.py": "from flagservice.kit.sandbox.wire import Decimal"},
    ),
    Breach(
        "floors",
        "a connection knows what is asked over it",
        {"connections/bounds.py": "from flagservice.api.edge.envelope import MOST_BYTES"},
    ),
    Breach(
        "floors",
        "settings are read below the application",
        {"intake/submission.py": "from flagservice.settings import Settings"},
    ),
    Breach("floors", "a folder stands on no floor", {"rumours/__init__.py": '"""Unlisted."""'}),
    Breach("floors", "a module stands on no floor", {"rumours.py": '"""Unlisted."""'}),
    Breach(
        "submission",
        "a builder sees a submission",
        {"fhir/flags.py": "from flagservice.domain.submissions import Plan"},
    ),
    Breach(
        "submission",
        "a rule sees a submission",
        {"policy/ruling.py": "from flagservice.domain.submissions import Submission"},
    ),
    Breach(
        "submission",
        "a builder sees a statement",
        {"fhir/flags.py": "from flagservice.domain.statements import Person"},
    ),
    Breach(
        "submission",
        "a builder sees a submission through somebody else",
        {
            "domain/between.py": '"""Between."""\nfrom flagservice.domain.submissions import Plan',
            "fhir/flags.py": "from flagservice.domain.between import Plan",
        },
    ),
    Breach(
        "sessions",
        "a session is opened past the audit",
        {"api/records/routes.py": "from flagservice.store.database import Database"},
    ),
    Breach(
        "sessions",
        "intake opens a session of its own",
        {"intake/submission.py": "from flagservice.store import database"},
    ),
    Breach(
        "models",
        "intake knows the FHIR models",
        {"intake/submission.py": "from fhir.resources.R4B.flag import Flag"},
    ),
    Breach(
        "models", "the application knows the FHIR models", {"app/serve.py": "import fhir.resources"}
    ),
    Breach(
        "pure", "the policy knows a database", {"policy/table.py": "from sqlalchemy import select"}
    ),
    Breach("pure", "the domain rolls dice", {"domain/people.py": "import random"}),
    Breach("pure", "a builder reads a file", {"fhir/flags.py": "from pathlib import Path"}),
    Breach("pure", "a rule looks at a clock", {"policy/ruling.py": "import time"}),
    Breach(
        "sandbox",
        "a GP system knows our domain",
        {"kit/sandbox/store.py": "from flagservice.domain.elements import Kind"},
    ),
    Breach(
        "patient-view",
        "the process that serves a patient's view reaches a store",
        {"kit/patient_view.py": "from flagservice.store.tables import CopyRow"},
    ),
    Breach(
        "patient-view",
        "the patient's view reaches a database through somebody else",
        {
            "domain/between.py": '"""Between."""\nimport sqlite3',
            "fhir/patient_view/words.py": "from flagservice.domain import between",
        },
    ),
    Breach(
        "leak-check",
        "the leak check looks at a system from the inside",
        {"kit/leak_check/check.py": "from flagservice.kit.sandbox.store import Store"},
    ),
    Breach(
        "leak-check",
        "the leak check reaches the store through somebody else",
        {"kit/leak_check/result.py": "from flagservice.admission.results import VALID_FOR"},
    ),
    Breach(
        "demo",
        "the demonstration looks inside",
        {"kit/demo/play.py": "from flagservice.store.tables import CopyRow"},
    ),
)


def given_a_copy_of_the_house(folder: Path) -> None:
    """The package and its contracts, without compiled files."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(HOME / "flagservice", folder / "flagservice", ignore=ignored)
    shutil.copy(HOME / "pyproject.toml", folder)


def given_a_breach(folder: Path, added: dict[str, str]) -> None:
    for name, lines in added.items():
        path = folder / "flagservice" / name
        path.parent.mkdir(exist_ok=True)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(f"{before}\n{lines}\n", encoding="utf-8")


def when_the_floors_are_checked(folder: Path) -> tuple[int, dict[str, str]]:
    """The exit status of the linter, and its verdict on each contract by name."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "400", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = re.findall(r"^(\S.*) (KEPT|BROKEN)$", done.stdout, re.MULTILINE)
    return done.returncode, dict(verdicts)


def test_every_contract_is_kept() -> None:
    status, verdicts = when_the_floors_are_checked(HOME)
    assert verdicts == {contract["name"]: "KEPT" for contract in CONTRACTS.values()}
    assert status == 0


@pytest.mark.parametrize("broken", BREACHES, ids=lambda one: str(one.about))
def test_a_broken_contract_is_reported_by_name(broken: Breach, tmp_path: Path) -> None:
    given_a_copy_of_the_house(tmp_path)
    given_a_breach(tmp_path, broken.added)
    status, verdicts = when_the_floors_are_checked(tmp_path)
    assert status == 1
    assert verdicts[CONTRACTS[broken.contract]["name"]] == "BROKEN"


def test_an_unbroken_copy_is_kept_so_that_it_is_the_breach_that_is_reported(tmp_path: Path) -> None:
    given_a_copy_of_the_house(tmp_path)
    status, verdicts = when_the_floors_are_checked(tmp_path)
    assert (status, set(verdicts.values())) == (0, {"KEPT"})


def test_each_contract_is_broken_at_least_once_here() -> None:
    assert {one.contract for one in BREACHES} == set(CONTRACTS)


def test_no_contract_has_an_exception() -> None:
    allowed = {"ignore_imports", "exhaustive_ignores", "unmatched_ignore_imports_alerting"}
    assert [name for name, one in CONTRACTS.items() if allowed & set(one)] == []


def test_the_floors_are_those_of_the_design() -> None:
    contract = CONTRACTS["floors"]
    assert contract["exhaustive"] is True
    assert contract["layers"] == [
        "__main__",
        "app",
        "settings",
        "api | kit",
        "connections",
        "intake",
        "delivery",
        "people | admission | clients",
        "audit",
        "store",
        "fhir",
        "policy",
        "domain",
    ]


def test_every_folder_of_the_package_is_under_the_contracts_that_name_folders() -> None:
    """A folder that is new is added to them, too."""
    folders = {path.parent.name for path in (HOME / "flagservice").glob("*/__init__.py")}
    assert folders - named("models", "source_modules") == {"fhir"}
    assert folders - named("sandbox", "forbidden_modules") == {"kit"}
    assert folders - named("demo", "forbidden_modules") == {"kit"}
    assert folders - named("leak-check", "forbidden_modules") == {"kit", "domain"}


def named(contract: str, option: str) -> set[str]:
    """The folders of the package that an option lists."""
    return {module.removeprefix("flagservice.") for module in CONTRACTS[contract][option]}
