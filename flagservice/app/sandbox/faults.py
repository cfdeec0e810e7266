"""The faults that a caller of the sandbox may ask for in a header."""

from enum import StrEnum
from typing import Final

HEADER: Final = "Sandbox-Fault"
SLOW_SECONDS: Final = 10


class SandboxFault(StrEnum):
    """Every such fault."""

    TOO_MANY = "429"
    BROKEN = "500"
    NO_AUDIT = "503"
    SLOW = "slow"
    DROP = "drop"
    EXPIRED_TOKEN = "expired-token"  # noqa: S105, a fault and no secret
    NOT_ADMITTED = "not-admitted"
    STALE_PAGE = "stale-page"


MEANS: Final = {
    SandboxFault.TOO_MANY: "refused as over the limit, with `Retry-After`",
    SandboxFault.BROKEN: "something goes wrong inside before anything is done",
    SandboxFault.NO_AUDIT: "the audit cannot be written: nothing is done, nothing is answered",
    SandboxFault.SLOW: f"the answer takes {SLOW_SECONDS} seconds",
    SandboxFault.DROP: "what is asked is done, and the connection breaks off in the answer",
    SandboxFault.EXPIRED_TOKEN: "the token has run out",
    SandboxFault.NOT_ADMITTED: "the practice's system has no valid leak-check result any more",
    SandboxFault.STALE_PAGE: "the page's `cursor` is no longer known: begin again without one",
}
