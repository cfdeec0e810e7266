"""Says a case in words that an officer understands, for refusals and comparisons."""

from typing import Final

from flagservice.domain.elements import Element
from flagservice.domain.people import Knows, Phase, Role, Standing, State
from flagservice.policy.case import Case
from flagservice.policy.readers import Reader

_ROLE: Final = {
    Role.CHILD: "the child",
    Role.UNBORN: "the unborn child",
    Role.SIBLING: "a sibling",
    Role.MOTHER: "the mother",
    Role.FATHER: "the father",
    Role.PARENT: "a parent",
    Role.PARTNER: "a partner",
}
_STANDING: Final = {
    Standing.NEITHER: "who is neither victim nor alleged perpetrator",
    Standing.VICTIM: "who is a victim",
    Standing.ALLEGED_PERPETRATOR: "who is an alleged perpetrator",
    Standing.BOTH: "who is both a victim and an alleged perpetrator",
}
_KNOWS: Final = {
    Knows.KNOWS: "has been told",
    Knows.PRESUMED: "is presumed to have been told",
    Knows.UNKNOWN: "is not known to have been told",
    Knows.MUST_NOT_KNOW: "must not know",
}
_STATE: Final = {
    State.INCLUDED: "is included",
    State.EXCLUDED: "is not included",
    State.UNCONFIRMED: "may be somebody else",
    State.APPROVED: "was decided to be told",
    State.DECLINED: "was decided not to be told",
}
_PHASE: Final = {Phase.OPEN: "while it is open", Phase.ENDED: "once it has ended"}
_ELEMENT: Final = {
    Element.CONCERN: "what the concern is",
    Element.PLAN_CATEGORY: "the plan's category",
    Element.START: "the plan's start day",
    Element.PLACED: "the day the copy was placed",
    Element.END: "the plan's end day",
    Element.EXPIRES: "the day the copy goes away",
    Element.REVIEW_DUE: "the plan's next review day",
    Element.REVIEW_BY: "the day by which the practice checks",
    Element.EXPECTED_DATE: "the expected date of delivery",
    Element.DUTY_DESK: "a duty desk",
    Element.AGENCY: "the name of the agency",
}
_READER: Final = {
    Reader.PRACTICE: "the practice's clinicians",
    Reader.PRACTICE_STAFF: "practice staff without the right",
    Reader.PATIENT: "the patient's own online view",
    Reader.PROXY: "a proxy's view",
    Reader.PRINT: "a printed summary",
    Reader.INSURER: "an insurer or solicitor",
    Reader.NOTIFICATION: "a notification",
    Reader.LETTER: "a letter",
    Reader.SUBJECT_ACCESS: "a subject access export",
    Reader.SHARED_CARE: "a shared-care view",
    Reader.NEXT_PRACTICE: "the next practice",
    Reader.RESEARCH: "research",
    Reader.SUBMITTER: "the submitter",
}


def of_record(case: Case) -> str:
    """Returns the record: `the father, who is a victim, has been told and is included, …`."""
    return (
        f"{_ROLE[case.role]}, {_STANDING[case.standing]}, {_KNOWS[case.knows]}"
        f" and {_STATE[case.state]}, {_PHASE[case.phase]}"
    )


def of_element(element: Element) -> str:
    """Returns the element, and its name in the file: `the plan's category (plan-category)`."""
    return f"{_ELEMENT[element]} ({element})"


def of_reader(reader: Reader) -> str:
    """Returns who reads, and the name in the file."""
    return f"{_READER[reader]} ({reader})"
