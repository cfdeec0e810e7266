"""What every side answers with, so that a refusal looks the same wherever it is made.

https://hl7.org/fhir/R4/operationoutcome.html
https://hl7.org/fhir/R4/valueset-issue-type.html
"""

from dataclasses import dataclass

from . import wire

FHIR_JSON = "application/fhir+json"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SandboxReply:
    """One answer, whole, before a byte of it is sent."""

    status: int
    body: bytes = b""
    content_type: str = FHIR_JSON
    headers: Headers = ()


class SandboxRefusal(Exception):
    """A request is refused; `because` is a constant of this package and quotes nobody."""

    def __init__(self, status: int, issue: str, because: str, *, headers: Headers = ()) -> None:
        super().__init__(because)
        self.status = status
        self.issue = issue
        self.because = because
        self.headers = headers

    def reply(self) -> SandboxReply:
        """The refusal as an OperationOutcome."""
        issue = {"severity": "error", "code": self.issue, "diagnostics": self.because}
        body = wire.write({"resourceType": "OperationOutcome", "issue": [issue]})
        return SandboxReply(self.status, body, headers=self.headers)


def unknown_caller() -> SandboxRefusal:
    """No token, or one that nobody was given."""
    challenge = (("WWW-Authenticate", "Bearer"),)
    return SandboxRefusal(401, "login", "a known bearer token is needed", headers=challenge)


def not_found() -> SandboxRefusal:
    """No such thing, or none for this caller: the same answer."""
    return SandboxRefusal(404, "not-found", "there is nothing here for this caller")


def wrong_method(allowed: list[str]) -> SandboxRefusal:
    """The path exists for this caller, and the method does not."""
    allow = (("Allow", ", ".join(allowed)),)
    return SandboxRefusal(405, "not-supported", "this method is not supported here", headers=allow)


def unreadable() -> SandboxRefusal:
    """The body is not the JSON that was expected."""
    return SandboxRefusal(
        400, "structure", "the body is not well-formed JSON of the expected shape"
    )


def broke() -> SandboxRefusal:
    """The sandbox itself failed; the reason stays inside."""
    return SandboxRefusal(500, "exception", "the server could not complete the request")
