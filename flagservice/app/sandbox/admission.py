"""Admits the tenants' practices, so that a supplier can begin before its leak check.

The sandbox has a checker of its own sign a result for a system of its own, and the service takes it
in as any. One practice runs something else.
"""

import secrets
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from flagservice.admission.checkers import add_checker
from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.endpoints import EndpointRegistration, register
from flagservice.admission.lapses import practice_systems
from flagservice.admission.result_notes import FEWEST_REQUESTS
from flagservice.admission.results import accept
from flagservice.app.build import Installation
from flagservice.app.sandbox.tenants import PRACTICE, SECOND, UNADMITTED
from flagservice.app.version import software_version
from flagservice.kit.leak_check.config import FhirEndpoint, SupplierSystem, Twin
from flagservice.kit.leak_check.control import ControlKind
from flagservice.kit.leak_check.result import (
    CrawlExtent,
    LeakCheckOutcome,
    ResultSigner,
    content,
    signed,
)

_DECISION: Final = OperatorDecision(
    "the sandbox", "synthetic people only: a supplier begins here before its leak check"
)
_SYSTEM, _CHECKED, _UNCHECKED = "A system under test", "admitted by the sandbox", "not checked"
_NOWHERE: Final = "http://127.0.0.1:9"
"""The discard port: the sandbox pushes nothing, and runs no worker."""


def admit(installation: Installation) -> None:
    """Admits the checked version for a year."""
    key = Ed25519PrivateKey.generate()
    signing = ResultSigner(f"sandbox.{secrets.token_hex(4)}", key)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    line = content(_outcome(installation.log.clock()), tool_version=software_version())
    note = signed(line, signing)
    installation.perform(lambda work: add_checker(work, signing.name, public, decision=_DECISION))
    installation.perform(lambda work: accept(work, note, decision=_DECISION))


def renew(installation: Installation) -> None:
    """Admits the version anew in a world that was not reset for a year."""
    if all(one.lapsed is not None for one in installation.perform(practice_systems)):
        admit(installation)


def register_practices(installation: Installation) -> None:
    """Registers two practices on the admitted version, and one that is not."""
    for practice, version in ((PRACTICE, _CHECKED), (SECOND, _CHECKED), (UNADMITTED, _UNCHECKED)):
        registration = EndpointRegistration(practice, _NOWHERE, "nobody", _SYSTEM, version)
        installation.perform(
            partial(register, registration=registration, decision=_DECISION, allow_loopback=True)
        )


def _outcome(now: datetime) -> LeakCheckOutcome:
    nowhere = FhirEndpoint(_NOWHERE, "nobody")
    twin = Twin("9990548609", "nobody")
    fewest = max(FEWEST_REQUESTS.values())
    return LeakCheckOutcome(
        SupplierSystem(_SYSTEM, _CHECKED, _NOWHERE, nowhere, nowhere, twin, twin, timedelta()),
        now,
        findings=(),
        doubts=(),
        extent=CrawlExtent(fewest, fewest, "sha256:" + "0" * 64),
        control=ControlKind.FLAG,
    )
