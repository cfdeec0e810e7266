"""Every error on the FHIR side: an OperationOutcome that names fields and quotes nothing.

The error codes are those of the national demographics service, which GP suppliers already parse.
https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from flagservice.domain.errors import Fault

ERROR_SYSTEM: Final = "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode"

_BY_STATUS: Final = {
    400: ("invalid", "INVALID_RESOURCE"),
    401: ("login", "ACCESS_DENIED"),
    403: ("forbidden", "ACCESS_DENIED"),
    404: ("not-found", "RESOURCE_NOT_FOUND"),
    405: ("not-supported", "UNSUPPORTED_SERVICE"),
    406: ("not-supported", "UNSUPPORTED_SERVICE"),
    408: ("timeout", "INVALID_RESOURCE"),
    409: ("conflict", "RESOURCE_VERSION_MISMATCH"),
    413: ("too-long", "INVALID_RESOURCE"),
    414: ("too-long", "INVALID_RESOURCE"),
    415: ("not-supported", "UNSUPPORTED_SERVICE"),
    422: ("invalid", "INVALID_RESOURCE"),
    429: ("throttled", "TOO_MANY_REQUESTS"),
    431: ("too-long", "INVALID_RESOURCE"),
    500: ("exception", "SERVER_ERROR"),
    503: ("transient", "SERVER_ERROR"),
}


def outcome(status: int, rule: str, faults: Sequence[Fault] = ()) -> bytes:
    """Returns the OperationOutcome for a status: one issue for each fault, or one for the rule."""
    code, spine = _BY_STATUS.get(status, ("processing", "SERVER_ERROR"))
    details = {"coding": [{"system": ERROR_SYSTEM, "version": "1", "code": spine}]}
    issues = [
        {
            "severity": "error",
            "code": code,
            "details": details,
            "diagnostics": f"{fault.field}: {fault.rule}",
            "expression": [fault.field],
        }
        for fault in faults
    ] or [{"severity": "error", "code": code, "details": details, "diagnostics": rule}]
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": issues})


def passed_over(parameters: int) -> dict[str, Any]:
    """Returns a warning that so many parameters were not served, and narrowed nothing."""
    said = f"{parameters} of the parameters are not served here and were not used"
    issue = {"severity": "warning", "code": "not-supported", "diagnostics": said}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
