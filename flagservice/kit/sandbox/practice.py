"""What an answer may draw on, and a request once it has been read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .files import SandboxCaller, SandboxPatient, WatchedFile
from .leaks import NONE, Leaks
from .outcomes import SandboxRefusal, not_found
from .patient.jobs import Jobs
from .store import SandboxStore

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"


@dataclass(frozen=True, slots=True)
class SandboxPractice:
    """One practice's system: its records, people, clock and mistakes."""

    ods_code: str
    store: SandboxStore
    register: WatchedFile[dict[str, SandboxPatient]]
    callers: WatchedFile[dict[str, SandboxCaller]]
    clock: Callable[[], datetime]
    leaks: Leaks = NONE
    jobs: Jobs = field(default_factory=Jobs)

    def patient(self, nhs_number: str) -> SandboxPatient:
        """Returns the registered person; raises the refusal for none."""
        found = self.register.current().get(nhs_number)
        if found is None:
            raise not_found()
        return found


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """One request as it came; `fault` is what was wrong with its body."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base: str
    fault: SandboxRefusal | None = None

    def header(self, name: str) -> str:
        """Returns the header's value, or an empty text."""
        return self.headers.get(name.lower(), "")


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """A request with its caller and what its path names."""

    request: SandboxRequest
    caller: SandboxCaller
    kind: str = ""
    id: str = ""
    version: str = ""
