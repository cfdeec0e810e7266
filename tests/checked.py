"""A system that passed: genuine results, signed by a key that a service may register."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flagservice.admission.checkers import add_checker
from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.endpoints import EndpointRegistration, register
from flagservice.admission.results import accept
from flagservice.audit.log import Actor, Log, Work
from flagservice.kit.leak_check.config import FhirEndpoint, SupplierSystem, Twin
from flagservice.kit.leak_check.control import ControlKind
from flagservice.kit.leak_check.result import (
    CrawlExtent,
    LeakCheckOutcome,
    ResultSigner,
    content,
    signed,
)
from flagservice.store import tables

SYSTEM, VERSION = "A GP system", "4.2"
SIGNING = ResultSigner("a.checker", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
DECIDED = OperatorDecision("A. Lead", "the transcript was read")
_ACTOR = Actor("test")


def public_pem(signing: ResultSigner = SIGNING) -> bytes:
    return signing.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def given_a_checker(work: Work, signing: ResultSigner = SIGNING) -> None:
    add_checker(work, signing.name, public_pem(signing), decision=DECIDED)


def an_outcome(
    run_at: datetime, *, system: str = SYSTEM, version: str = VERSION
) -> LeakCheckOutcome:
    nowhere = FhirEndpoint("https://gp.example/fhir", "t")
    twin = Twin("9990548609", "t")
    return LeakCheckOutcome(
        SupplierSystem(system, version, nowhere.base, nowhere, nowhere, twin, twin, timedelta(4)),
        run_at,
        findings=(),
        doubts=(),
        extent=CrawlExtent(3614, 3302, "sha256:" + "0" * 64),
        control=ControlKind.FLAG,
    )


def a_result(
    at: datetime,
    *,
    signing: ResultSigner = SIGNING,
    system: str = SYSTEM,
    version: str = VERSION,
    **changed: Any,
) -> str:
    """A clean result as the tool writes it, but for what is changed before it is signed."""
    line = content(an_outcome(at, system=system, version=version), tool_version="0.1.0")
    said = json.loads(line) | changed
    return signed(json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n", signing)


def a_finding(at: datetime, **changed: Any) -> str:
    """A result of a system that leaks."""
    found = {"name": "read", "where": "GET Flag/1", "readers": ["patient"], "seen": []}
    return a_result(at, **({"verdict": "leaks", "findings": [found]} | changed))


def a_registration(practice: str, **more: str) -> EndpointRegistration:
    said = {"url": "https://gp.example/fhir", "token": "t", "system": SYSTEM, "version": VERSION}
    return EndpointRegistration(practice, **{**said, **more})


def registering(
    registration: EndpointRegistration, decision: OperatorDecision = DECIDED
) -> Callable[[Work], None]:
    """The deed of an operator who registers it, on this machine, too."""
    return partial(register, registration=registration, decision=decision, allow_loopback=True)


def given_a_checked_system(log: Log, *, version: str = VERSION) -> None:
    """Its result is accepted, as of now; once is enough."""

    def deed(work: Work) -> None:
        if work.session.get(tables.CheckerRow, SIGNING.name) is None:
            given_a_checker(work)
        accept(work, a_result(work.now, version=version), decision=DECIDED)

    log.perform(_ACTOR, deed)


def given_an_admitted_practice(log: Log, registration: EndpointRegistration) -> None:
    """Registered, and running what was checked."""
    log.perform(_ACTOR, registering(registration))
