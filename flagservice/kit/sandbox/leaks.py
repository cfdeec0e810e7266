"""The mistakes that a GP system can make, to show that a leak check finds each.

Without `--leak` there are none, and the patient's side never reads a flag.
"""

from enum import Enum

from .patient import labels
from .wire import Resource


class Leak(Enum):
    """One mistake. The last five hide too much or too little, and are no leak."""

    LABEL_IGNORED = "label-ignored"
    ONE_NOPAT_SYSTEM = "one-nopat-system"
    COUNT = "count"
    HISTORY = "history"
    INCLUDE = "include"
    EVERYTHING = "everything"
    DOCUMENT = "document"
    EXPORT = "export"
    NARRATIVE = "narrative"
    FORBIDDEN = "forbidden"
    GONE = "gone"
    ERROR_TEXT = "error-text"
    LAST_UPDATED = "last-updated"
    VERSION = "version"
    PAGING = "paging"
    SECURITY_SEARCH = "security-search"
    REVERSE_CHAIN = "reverse-chain"
    WARNING = "warning"
    NOTIFICATION = "notification"
    LIST = "list"
    PROXY = "proxy"
    DROPS_FLAGS = "drops-flags"
    CLINICIAN_BLIND = "clinician-blind"
    NO_FLAGS = "no-flags"
    NO_CONTROL = "no-control"
    KEEPS_ALL = "keeps-all"


Leaks = frozenset[Leak]
NONE: Leaks = frozenset()

_ONLY_KNOWN_SYSTEM = "http://hl7.org/fhir/v3/ActCode"


def named(text: str) -> Leaks:
    """Returns the modes of a list with commas; raises ValueError for an unknown one."""
    return frozenset(Leak(name) for name in text.split(",") if name)


def slips_through(flag: Resource, *, leaks: Leaks, proxy: bool) -> bool:
    """Returns whether this flag is shown like an ordinary entry."""
    if Leak.LABEL_IGNORED in leaks or (proxy and Leak.PROXY in leaks):
        return True
    return Leak.ONE_NOPAT_SYSTEM in leaks and not _labelled_as_it_was_in_stu3(flag)


def _labelled_as_it_was_in_stu3(flag: Resource) -> bool:
    security = flag.get("meta", {}).get("security", [])
    return any(
        label.get("system") == _ONLY_KNOWN_SYSTEM
        and labels.withheld({"meta": {"security": [label]}})
        for label in security
    )
