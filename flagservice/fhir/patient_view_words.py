"""Which words speak of safeguarding, for narratives, displays, notes and text that is attached.

Whole phrases, not stems: abuse of alcohol, neglect of one side after a stroke and a seat belt that
safeguards are ordinary, and so is somebody's opioid abuse in remission.
"""

import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from typing import Final

_PHRASES: Final = (
    "safeguarding",
    r"child(?:ren)? protection",
    r"(?:child|cp) protection plan",
    r"cp plan",
    r"child(?:ren)? (?:is |no longer )?in need(?! of (?!protection))",
    r"cin plan",
    r"looked after child(?:ren)?",
    r"protection register",
    r"at risk register",
    r"(?:section|s) ?47 (?:enquir|inquir|investigation|assessment|strategy|of the children act)\w*",
    r"child protection (?:strategy )?meeting",
    r"(?:care|pre) proceedings",
    r"care order",
    r"domestic (?:abuse|violence)",
    r"domestic incident",
    r"(?:intimate )?partner (?:abuse|violence)",
    r"coercive (?:control|behaviou?r)",
    r"honou?r based (?:abuse|violence)",
    r"forced marriage",
    r"(?:human|child) trafficking",
    r"modern slavery",
    r"female genital mutilation",
    r"perpetrators?",
    "marac",
    "mappa",
    r"multi agency risk assessment conferences?",
    r"multi agency public protection arrangements?",
    r"(?:sexual|physical|emotional|psychological|financial|child|elder|institutional) abuse",
    r"abuse of (?:a )?child(?:ren)?",
    r"victim of (?:\w+ ){0,3}(?:abuse|violence|neglect|assault|grooming)",
    r"abuse or violence",
    r"sexual (?:assault|exploitation|grooming)",
    r"criminal exploitation",
    r"(?:child|category|suspected) neglect",
    r"neglect of (?:a |the )?child(?:ren)?",
    r"non accidental injur(?:y|ies)",
    r"(?:family|child|parent|carer) is (?:a )?cause for concern",
    r"cause for safeguarding",
    r"at risk (?:of|from|for) (?:\w+ )?(?:abuse|violence|neglect|exploitation|radicali[sz]ation)",
    r"vulnerable (?:adult|child)",
    r"enhanced review (?:not )?indicated",
)
_WITHHOLDING: Final = (
    r"hidden from (?:the )?patient",
    r"not (?:for|to be (?:shown|disclosed|shared|seen) (?:to|with|by)) (?:the )?patient",
    r"do not (?:show|display|disclose|share) (?:this )?(?:to|with|on) (?:the )?(?:patient|online)",
    r"no disclosure to (?:the )?patient",
    "redacted",
    r"(?:items?|entries|information|data|results?) (?:\w+ ){0,3}withheld",
    r"confidential items",
)


def _one_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(phrases)})(?![a-z0-9])")


_SAFEGUARDING: Final = _one_of(_PHRASES)
_WITHHELD: Final = _one_of(_WITHHOLDING)
_TAG: Final = re.compile(r"<[^<>]*>")
_SPACES: Final = re.compile(r"[\s_\-\u2010-\u2015/]+")


def folded(text: str) -> str:
    """The text as it is compared: one case, one sort of space, nothing that cannot be seen."""
    seen = text
    if not text.isascii():
        plain = unicodedata.normalize("NFKC", text)
        seen = "".join(one for one in plain if unicodedata.category(one) != "Cf")
    return _SPACES.sub(" ", seen.casefold()).strip()


def readings(text: str) -> Iterator[str]:
    """A text in every way in which somebody could read it: as it is, and as a page shows it."""
    yield folded(text)
    if "<" in text or "&" in text:
        shown = unescape(text)
        yield folded(shown)
        yield folded(unescape(_TAG.sub("", text)))
        yield folded(unescape(_TAG.sub(" ", text)))


def speaks_of_safeguarding(reading: str) -> bool:
    """Whether a folded text names safeguarding in so many words."""
    return _SAFEGUARDING.search(reading) is not None


def says_that_something_is_withheld(reading: str) -> bool:
    """Whether a folded text tells its reader that there is more than is shown."""
    return _WITHHELD.search(reading) is not None
