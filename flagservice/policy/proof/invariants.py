"""What no policy may break, whatever an officer writes. Each has a name, a sentence and a check."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from flagservice.policy.proof import breaches
from flagservice.policy.proof.sheet import AnswerSheets


@dataclass(frozen=True)
class Invariant:
    """One promise of every policy."""

    name: str
    says: str
    breaches: Callable[[AnswerSheets], Iterator[str]]


INVARIANTS: Final = (
    Invariant(
        "nothing towards a patient",
        "The patient's own view, a proxy, a printout, an insurer or a notification is told nothing,"
        " ever.",
        breaches.towards_patient,
    ),
    Invariant(
        "only the practice reads",
        "Nobody but the practice's own clinicians is told.",
        breaches.others,
    ),
    Invariant(
        "nothing of somebody else's",
        "On an alleged perpetrator's record nothing stands that comes from somebody else: no date,"
        " category, name, place, count or contact but the policy's neutral desk.",
        breaches.somebody_elses,
    ),
    Invariant(
        "a neutral code",
        "A notification puts no code on an alleged perpetrator's record but a neutral one.",
        breaches.neutral,
    ),
    Invariant(
        "a copy that goes away",
        "A notification's copy on an alleged perpetrator's record expires within 12 months and"
        " leaves nothing.",
        breaches.goes_away,
    ),
    Invariant(
        "a counter-allegation erases nothing",
        "A victim who is accused, too, keeps the marker, with a neutral desk and nothing else.",
        breaches.counter_allegations,
    ),
    Invariant(
        "unknown is never more than knows",
        "Whoever is less sure to have been told is never told more on their record.",
        breaches.knows_most,
    ),
    Invariant(
        "a code on the record it speaks of",
        "An unborn child's code stands on the mother's record alone, a child's on a child's, a"
        " victim's on a victim's.",
        breaches.bearers,
    ),
    Invariant(
        "a start is no end",
        "What is open never begins with a code that ends another: its GP would read that it is"
        " over.",
        breaches.ends,
    ),
    Invariant(
        "a birth is the mother's",
        "The expected date of a birth stands on the mother's record alone.",
        breaches.births,
    ),
    Invariant(
        "who it is comes first",
        "Where the person may be somebody else the submitter is asked, and never a practice: it"
        " would read of a person who may not be its patient.",
        breaches.asked_first,
    ),
    Invariant(
        "every element and every case is ruled on",
        "For each case, element and reader some rule says what happens, with its reason.",
        breaches.ruled_on,
    ),
    Invariant(
        "adding a rule never discloses more",
        "Whatever is not told is redacted by a rule, so that no rule added later can tell it.",
        breaches.adding,
    ),
    Invariant(
        "nothing before the decision",
        "Where the person may be somebody else, or it was decided against, nothing is told.",
        breaches.waiting,
    ),
    Invariant(
        "a request asks to ring",
        "A request says whom to ring, and nothing else.",
        breaches.requests,
    ),
    Invariant(
        "the plan's days stay with the child",
        "A plan's own start, end and review day stand on the child's record alone.",
        breaches.plans_days,
    ),
    Invariant(
        "the end tells no more",
        "Once it has ended nothing is told that was not told before, but the day it ended.",
        breaches.ended,
    ),
    Invariant(
        "confidentiality follows the kind",
        "Every copy of one kind has the same confidentiality: a difference would tell who knows.",
        breaches.confidentiality,
    ),
)
