"""fhir-kit-client, which nobody here wrote, does in JavaScript what a GP system does.

https://github.com/Vermonster/fhir-kit-client. What it does stands in `fhir_kit_client.mjs`.
"""

import json
import os
import re

import pytest

from tests.clients import node
from tests.clients.counting import then_nothing_failed
from tests.clients.supplier import Supplier, patient

FACES = ("gp-system", "gp-system-unadmitted")
PATIENTS = ("plan", "enquiry-father", "elsewhere", "amended")


@pytest.fixture(scope="session")
def javascript() -> node.Node:
    """Node.js with the client; where a user's machine can have neither, a skip by name."""
    try:
        return node.node()
    except node.NoNode as unavailable:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(unavailable))


def test_fhir_kit_client_does_all_that_a_gp_system_does(
    javascript: node.Node, supplier: Supplier, capsys: pytest.CaptureFixture[str]
) -> None:
    supplier.resets()
    given = {
        "fhir": supplier.fhir,
        "tokens": {face: supplier.token(face) for face in FACES},
        "patients": {name: patient(name) for name in PATIENTS},
    }
    said = json.loads(javascript.run("fhir_kit_client.mjs", given=json.dumps(given)))
    line = f"fhir-kit-client: operations {said['operations']}, failures {len(said['failures'])}"
    then_nothing_failed((line, said["failures"]), capsys, fewest=25)


def test_the_lock_file_names_versions_and_hashes_and_no_registry() -> None:
    text = (node.FOLDER / "package-lock.json").read_text("utf-8")
    asked = json.loads((node.FOLDER / "package.json").read_text("utf-8"))["dependencies"]
    packages = json.loads(text)["packages"]
    own = packages.pop("")
    assert own["dependencies"] == asked
    for name, package in packages.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"]), name
        assert package["integrity"].startswith("sha512-"), name
    assert "resolved" not in text
    assert "://" not in text


def test_the_package_of_node_is_pinned_with_its_hashes() -> None:
    lines = (node.FOLDER / "node.txt").read_text("utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith(("#", " "))]
    assert all(re.fullmatch(r"[a-z-]+==[0-9.]+ \\", line) for line in pinned)
    hashes = [line.strip(" \\") for line in lines if line.startswith(" ")]
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes)
