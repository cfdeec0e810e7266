"""Which words speak of safeguarding, for narratives, displays, notes and text that is attached.

They are whole phrases, not stems: abuse of alcohol, neglect of one side after a stroke and a seat
belt that safeguards are ordinary, and so is a patient's opioid abuse in remission. A short form
counts where the words beside it say what it is short for: CP is cerebral palsy, too, DV distance
vision, MASH a liver disease, S47 a crushed shoulder, and section 47 of another act a transfer from
prison.
"""

import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from typing import Final

_CP: Final = r"c\.? ?p\.?"
_STEPS: Final = (
    "assess|children act|clos|complet|conclu|enquir|initiat|inquir|investigat|meeting|of the child|"
    "open|outcome|ongoing|referral|start|strateg|threshold"
)
_PHRASES: Final = (
    r"safe ?guarding",
    r"safe ?guard (?:alert|concern|flag|issue|lead|meeting|referral)s?",
    r"child(?:ren)? ?protection",
    r"child(?:ren)? ?prot(?:ect)?(?:n|\.)? (?:plan|conf|register|meeting|medical)\w*",
    (
        rf"{_CP} (?:(?:case|initial|review|strategy) )*"
        r"(?:category|concerns?|conf|conferences?|medicals?|meetings?|plans?|proceedings|protection)"
    ),
    r"(?:icpc|rcpc) (?:attend|conference|held|invit|meeting|minutes|outcome|report)\w*",
    r"(?:baby|child(?:ren)?|made|siblings?|unborn) (?:\w+ ){0,2}subject (?:of|to) a plan",
    r"child(?:ren)? (?:is |are )?on a plan",
    r"child(?:ren)? at risk(?! (?:of|for|from) )",
    r"(?:police|emergency) protection (?:orders?|powers?)",
    r"child(?:ren)?['\u2019]?s social (?:care|services|work)",
    r"social (?:care|services) concerns?",
    r"child(?:ren)? (?:is |no longer )?in need(?! of (?!protection))",
    r"cin plan",
    r"looked after child(?:ren)?",
    r"protection register",
    r"at risk register(?! (?:of|for) )",
    r"section\.? ?47(?! ?(?:49|mha|mental|notional|transfer|direction|of (?!(?:the )?child)|\.\d))",
    rf"s(?:ect?)?\.? ?47(?: \w+)? (?:{_STEPS})\w*",
    r"(?:care|pre) proceedings",
    r"(?:court|emergency|family|final|full|interim|placement) care orders?",
    r"(?:subject (?:of|to)|under|on) (?:an? |the )?(?:full |interim )?care orders?(?! form| set)",
    r"care orders? (?:discharged|granted|in force|in place|revoked|sought)",
    r"domestic (?:abuse|violence)",
    r"domestic incident",
    (
        r"dv(?:a|pn|po)? (?:abuse|alerts?|assaults?|at home|concerns?|disclos\w*|flag|incidents?"
        r"|marac|perpetrator|police|referr\w*|support|survivor|victim)"
    ),
    (
        r"(?:disclos\w*|experienc\w*|exposed to|fleeing|suffer\w*|survivor of|victim of|witness\w*"
        r"|suspected|alleged) (?:\w+ )?dva?"
    ),
    r"(?:history|hx) of dva?(?! (?:and|correction|for|loss|problems?|reduced|x) ?)",
    r"idvas?",
    r"isvas?",
    r"(?:at|from|in|to|into) (?:a |the )?(?:wom[ae]n['\u2019]?s? )?refuges?(?! (?:for|from) )",
    r"wom[ae]n['\u2019]?s? refuges?",
    r"clare['\u2019]?s law",
    r"dash (?:ric|risk (?:assessment|checklist|identification|indicator)s?)",
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
    (
        r"mash (?:check|contact|enquir|hub|inquir|meeting|notification|outcome|referral"
        r"|request|team)s?\w*(?! to (?:gastro|hepato|liver))"
    ),
    (
        r"(?:contact|discuss|notif|refer|report|sen[dt])\w* (?:\w+ )?(?:by|from|to|with)"
        r" (?:the )?mash(?! (?:cirrhosis|clinic|fibrosis|trial))"
    ),
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
    r"non ?accidental injur(?:y|ies)",
    (
        r"(?:about|alleged|confirmed|exclude|likely|of|possible|probable|query|re|rule out"
        r"|suspect\w*|with) nai|\? ?nai"
    ),
    r"nai (?:concerns?|confirmed|excluded|investigation|medical|suspected)",
    r"(?:family|child|parent|carer) is (?:a )?cause for concern",
    r"cause for safeguarding",
    r"at risk (?:of|from|for) (?:\w+ )?(?:abuse|violence|neglect|exploitation|radicali[sz]ation)",
    (
        r"(?<!clinically )(?<!extremely )vulnerable (?:adult|child)"
        r"(?!s?:? (?:\w+ ){0,2}(?:booster|covid|flu|immuni[sz]ation|influenza|jab|vaccin\w*))"
    ),
    r"enhanced review (?:not )?indicated",
)
_WITHHOLDING: Final = (
    r"hidden from (?:the )?patient",
    r"not (?:for|to be (?:shown|disclosed|shared|seen) (?:to|with|by)) (?:the )?patient",
    r"do not (?:show|display|disclose|share) (?:this )?(?:to|with|on) (?:the )?(?:patient|online)",
    r"no disclosure to (?:the )?patient",
    "redacted",
    (
        r"(?:items?|entries|information|data|results?|records?) "
        r"(?:(?:from|in|of) (?:the|this|your) \w+ )?"
        r"(?:(?:are|been|being|has|have|is|may be|not|was|were) ){0,3}withheld"
    ),
    r"confidential items",
)


def _one_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(phrases)})(?![a-z0-9])")


_SAFEGUARDING: Final = _one_of(_PHRASES)
_ALONE: Final = frozenset({"care order", "care orders", "nai"})
"""What is about safeguarding if nothing at all stands beside it, as the name of a code does."""
_WITHHELD: Final = _one_of(_WITHHOLDING)
_TAG: Final = re.compile(r"<[^<>]*>")
_SPACED: Final = re.compile(r"(?<![a-z0-9])[a-z](?: [a-z]){3,}(?![a-z0-9])")
_ALIKE: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u0432\u043d\u043a\u043c\u0442\u03b1\u03bf\u03c1\u03b5\u03b9\u03bd\u03ba\u03c4\u03c5"
    "\u03c7\u03b2\u03b7\u03bc\u03bb\u0131\u0261\u0578\u057d\u0581\u0570",
    "aeopcyxijshdqwbhkmtaopeivktuxbhmlignugh",
)
"""Cyrillic, Greek and other letters that look like those of the words above, in either case.
https://www.unicode.org/reports/tr39/#Confusable_Detection"""
_SPACES: Final = re.compile(r"[\s_\-\u2010-\u2015/]+")


def folded(text: str) -> str:
    """Returns the text as it is compared: one case, one sort of space, nothing invisible."""
    seen = text
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text.casefold())
        seen = "".join(one for one in plain if unicodedata.category(one) not in ("Cf", "Mn"))
    return _SPACES.sub(" ", seen.casefold().translate(_ALIKE)).strip()


def readings(text: str) -> Iterator[str]:
    """Yields a text in every way in which it may be read: as it is, and as a page shows it."""
    yield folded(text)
    if "<" in text or "&" in text:
        shown = unescape(text)
        yield folded(shown)
        yield folded(unescape(_TAG.sub("", text)))
        yield folded(unescape(_TAG.sub(" ", text)))


def speaks_of_safeguarding(reading: str) -> bool:
    """Returns whether a folded text names safeguarding."""
    joined = _SPACED.sub(lambda found: found[0].replace(" ", ""), reading)
    return reading.strip(" .:") in _ALONE or _SAFEGUARDING.search(joined) is not None


def says_that_something_is_withheld(reading: str) -> bool:
    """Returns whether a folded text says that there is more than is shown."""
    return _WITHHELD.search(reading) is not None
