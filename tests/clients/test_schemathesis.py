"""schemathesis, which nobody here wrote, holds every route against what its description says.

All its checks are on and, in a long run, all its phases, with a token for each face: no fault of
ours, no status, header, media type or body that is not described, no bad request that is taken,
nothing that is answered without a token. https://schemathesis.readthedocs.io
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flagservice.api.edge.limits import Audience
from flagservice.app.serve import described
from tests.clients.counting import then_nothing_failed
from tests.clients.supplier import Supplier, a_supplier, patient
from tests.sandbox.running import HOME
from tests.sizes import sizes

_CONFIGURED = HOME / "tests/clients/schemathesis.toml"
_PHASES = "examples,coverage,fuzzing,stateful"
_UNLIMITED = json.dumps(dict.fromkeys(Audience, 1_000_000))


# Nine requests in ten are of the phase that covers every value of a schema.
@sizes("how", short=("examples,fuzzing,stateful", 2), long=(_PHASES, 8))
def test_schemathesis_finds_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], how: tuple[str, int]
) -> None:
    with a_supplier(tmp_path, FLAGSERVICE_LIMITS=_UNLIMITED) as supplier:
        report, said = when_schemathesis_runs(supplier, tmp_path, *how)
    operations, cases = report["operations"], report["test_cases"]
    failures = [f"{one['title']}: {one['operations']}" for one in report["failures"]]
    count = cases["unique_failures"] + cases["errored"]
    line = f"schemathesis: operations {operations['tested']}, failures {count}"
    line += f", requests {cases['generated']}"
    if failures:
        failures.append(said.partition("= FAILURES =")[2])
    then_nothing_failed((line, failures), capsys, fewest=len(_operations(described().openapi())))
    assert report["complete"]
    assert operations["tested"] == operations["total"]
    played = {name for name, phase in report["phases"].items() if phase["status"] == "success"}
    assert played == set(how[0].split(","))
    assert report["warnings"]["missing_auth"] == report["warnings"]["missing_test_data"] == []
    assert cases["errored"] == 0


def when_schemathesis_runs(
    supplier: Supplier, folder: Path, phases: str, examples: int
) -> tuple[dict[str, Any], str]:
    """Its report, and all that it printed."""
    description, report = folder / "openapi.json", folder / "report.json"
    description.write_text(json.dumps(_described_for(supplier)))
    tokens = {face.upper().replace("-", "_"): supplier.token(face) for face in supplier.clients}
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--config-file", str(_CONFIGURED)),
            *("run", str(description), "--url", supplier.address, "--checks", "all"),
            *("--phases", phases, "--max-examples", str(examples), "--no-color"),
        ],
        cwd=folder,
        env={**os.environ, "REPORT": str(report), **tokens},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert report.exists(), said
    return json.loads(report.read_text()), said


def _described_for(supplier: Supplier) -> dict[str, Any]:
    """The description, its examples being things that there are.

    schemathesis knows how to leave out a bearer token, and not one that OAuth gave.
    """
    description = described().openapi()
    description["components"]["securitySchemes"]["clients"] = {"type": "http", "scheme": "bearer"}
    known = _known(supplier)
    flag = f"Flag/{known['/fhir/R4/Flag/{id}']['id']}"
    anywhere = {"target": flag, "entity": flag, "_id": flag.removeprefix("Flag/")}
    for path, methods in description["paths"].items():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                parameter.get("schema", {}).pop("examples", None)
                here = anywhere | known.get(path, {})
                if parameter.get("name") in here:
                    parameter["schema"]["examples"] = [here[parameter["name"]]]
    return description


def _known(supplier: Supplier) -> dict[str, dict[str, str]]:
    """Ids that there are in this tenant's world, by address."""
    hold = supplier.asks("childrens-services", "GET", "/holds")["holds"][0]["id"]
    waiting = supplier.asks("governance", "GET", "/governance/manual-list")["waiting"]
    delivery = next(one["id"] for one in waiting if one["what"] == "delivery")
    found = {
        "/holds/{hold_id}/decision": {"hold_id": hold},
        "/governance/deliveries/{delivery_id}/close": {"delivery_id": delivery},
        "/receipts/{reference}": {"reference": "SBX-PLAN"},
    }
    for type_, name in (("Flag", "plan"), ("Task", "enquiry-father")):
        form = {"patient:identifier": patient(name)}
        bundle = supplier.asks("gp-system", "POST", f"/fhir/R4/{type_}/_search", data=form)
        resource = bundle["entry"][0]["resource"]
        here = {"id": resource["id"], "vid": resource["meta"]["versionId"]}
        for rest in ("", "/_history", "/_history/{vid}"):
            found[f"/fhir/R4/{type_}/{{id}}{rest}"] = here
        found["/fhir/R4/Provenance/{id}"] = {"id": here["vid"]}
        found["/governance/flags/{flag_id}/why"] = {"flag_id": here["id"]}
    return found


def _operations(description: dict[str, Any]) -> list[tuple[str, str]]:
    return [(method, path) for path, methods in description["paths"].items() for method in methods]
