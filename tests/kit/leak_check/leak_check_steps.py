"""The steps that the leak check's tests are told in: a supplier's test system, and a run."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flagservice.kit.leak_check import LeakCheckOutcome, SupplierSystem, run
from flagservice.kit.leak_check.config import FhirEndpoint, Twin
from flagservice.kit.leak_check.crawl.transcript import Transcript
from flagservice.kit.leak_check.result import ResultSigner
from tests.kit.sandbox import sandbox_steps as steps
from tests.kit.sandbox.sandbox_steps import Running, an_entry, when_entered

EXAMPLES = Path(__file__).parents[3] / "profiles" / "examples"
FLAGGED, PLAIN = steps.CHILD, steps.MOTHER
PLAIN_PROXY = "x-2"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNING = ResultSigner("a.checker", KEY)


@contextmanager
def a_test_system(folder: Path, *broken: str, proxies: bool = False) -> Iterator[SupplierSystem]:
    """Our sandbox as a process of its own, as broken as asked for, with twins in it."""
    folder.mkdir(exist_ok=True)
    steps.given_files(folder)
    proxy = {PLAIN_PROXY: PLAIN, steps.PROXY: FLAGGED}
    (folder / "tokens.json").write_text(json.dumps(steps.TOKENS | {"proxies": proxy}))
    options = {
        "--practice": "B83901",
        "--store": str(folder / "store.sqlite"),
        "--patients": str(folder / "patients.json"),
        "--journal": str(folder / "journal.jsonl"),
        "--token-file": str(folder / "tokens.json"),
        "--leak": ",".join(broken),
    }
    words = [word for pair in options.items() for word in pair]
    process = subprocess.Popen(
        [sys.executable, "-m", "flagservice.kit.sandbox", *words], stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            gp = Running(int(process.stdout.readline().rpartition(":")[2]), folder)
            given_twins(gp)
            yield the_system(gp, proxies=proxies)
        finally:
            process.kill()


def given_twins(gp: Running) -> None:
    """The same ordinary entries for both."""
    for person in (FLAGGED, PLAIN):
        for kind in ("Condition", "Observation"):
            when_entered(gp, an_entry(kind, about=person))


def the_system(gp: Running, *, proxies: bool = False) -> SupplierSystem:
    address = f"http://127.0.0.1:{gp.port}"
    return SupplierSystem(
        name="Sandbox",
        version="1.0",
        patient_base=f"{address}/patient/fhir",
        push=FhirEndpoint(gp.base, steps.PUSH),
        clinician=FhirEndpoint(f"{address}/clinician/fhir", steps.CLINICIAN),
        flagged=Twin(FLAGGED, steps.CHILD_READER, steps.PROXY if proxies else ""),
        plain=Twin(PLAIN, steps.MOTHER_READER, PLAIN_PROXY if proxies else ""),
        pause=timedelta(0),
    )


def when_checked(
    system: SupplierSystem, examples: Path = EXAMPLES, *, transcript: Transcript | None = None
) -> LeakCheckOutcome:
    return run(system, examples=examples, now=NOW, transcript=transcript)


def the_names(outcome: LeakCheckOutcome) -> set[str]:
    return {finding.name.value for finding in outcome.findings}
