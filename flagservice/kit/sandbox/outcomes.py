"""Every side's answers, so that a refusal looks the same wherever it is made.

https://hl7.org/fhir/R4/operationoutcome.html
https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from dataclasses import dataclass

from . import wire

FHIR_JSON = "application/fhir+json"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SandboxReply:
    """One answer, whole."""

    status: int
    body: bytes = b""
    content_type: str = FHIR_JSON
    headers: Headers = ()


class SandboxRefusal(Exception):
    """A refused request; `because` is a constant of this package."""

    def __init__(self, status: int, issue: str, because: str, *, headers: Headers = ()) -> None:
        super().__init__(because)
        self.status = status
        self.issue = issue
        self.because = because
        self.headers = headers

    def reply(self) -> SandboxReply:
        """Returns the refusal as an OperationOutcome."""
        issue = {"severity": "error", "code": self.issue, "diagnostics": self.because}
        body = wire.write({"resourceType": "OperationOutcome", "issue": [issue]})
        return SandboxReply(self.status, body, headers=self.headers)


def unknown_caller() -> SandboxRefusal:
    """Returns the refusal of a request without a known token."""
    challenge = (("WWW-Authenticate", "Bearer"),)
    return SandboxRefusal(401, "login", "a known bearer token is needed", headers=challenge)


def not_found() -> SandboxRefusal:
    """Returns the same refusal for what is not there and for what is not for this caller."""
    return SandboxRefusal(404, "not-found", "there is nothing here for this caller")


def wrong_method(allowed: list[str]) -> SandboxRefusal:
    """Returns the refusal of a method that the path does not have."""
    allow = (("Allow", ", ".join(allowed)),)
    return SandboxRefusal(405, "not-supported", "this method is not supported here", headers=allow)


def unreadable() -> SandboxRefusal:
    """Returns the refusal of a body that is not the expected JSON."""
    return SandboxRefusal(
        400, "structure", "the body is not well-formed JSON of the expected shape"
    )


def broke() -> SandboxRefusal:
    """Returns the refusal after a fault of the sandbox; the reason stays inside."""
    return SandboxRefusal(500, "exception", "the server could not complete the request")
