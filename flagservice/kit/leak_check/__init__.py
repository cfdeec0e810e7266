"""What a GP supplier runs: does a flag leave a trace where a patient, or a proxy, looks?

Two synthetic patients are alike in everything, and flags are filed on one of them. Before and
after, the check asks for all that the patient-facing FHIR API offers, and for much that it does
not. It compares the answers whole: status, headers, body. It knows a system by HTTP alone.

    config       what the supplier says: addresses, tokens, twins
    crawl        the list of requests, the client that asks them, one reader of one twin
    differences  what differs between two answers, and what it is called
    control      whether what is pushed shows on the patient's side at all
    filing       files, reads back, spells the label otherwise, takes back
    check        the whole, in order; a verdict
    result       what is signed
"""

from flagservice.kit.leak_check.check import run
from flagservice.kit.leak_check.config import SupplierSystem, read_system
from flagservice.kit.leak_check.result import LeakCheckOutcome, ResultSigner, signed, write_out

__all__ = [
    "LeakCheckOutcome",
    "ResultSigner",
    "SupplierSystem",
    "read_system",
    "run",
    "signed",
    "write_out",
]
