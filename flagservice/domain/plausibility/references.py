"""An agency's own reference is taken as it is sent, unless it names a person or no address has it.

It stands in the address of a receipt, so that an NHS number in it would be written to logs.
"""

import re
from typing import Annotated, Final

from nhs_number.validate import is_valid
from pydantic import Field

from flagservice.domain.errors import Fault

Reference = Annotated[str, Field(pattern=r"^[A-Za-z0-9_/.:-]{1,64}$")]
"""Letters of both cases, digits and `-_/.:`; it must not hold a name."""

_TEN_DIGITS: Final = re.compile(
    r"(?<![0-9])(?=([0-9]{3})[-_/.:]?([0-9]{3})[-_/.:]?([0-9]{4})(?![0-9]))", re.ASCII
)
_HEX: Final = (
    r"(?<![0-9a-z])(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-z])"
)
_RANDOM_ID: Final = re.compile(_HEX, re.ASCII | re.IGNORECASE)
_DOTS: Final = (".", "..")


def reference_faults(reference: str) -> list[Fault]:
    """Returns why a reference is not taken: it holds an NHS number, or addresses lose part of it.

    The digits of a random id (a GUID) are nobody's number.
    """
    found = []
    told = _RANDOM_ID.sub("id", reference)
    if any(is_valid("".join(match.groups())) for match in _TEN_DIGITS.finditer(told)):
        found.append(Fault("reference", "holds an NHS number"))
    if any(part in _DOTS for part in reference.split("/")):
        found.append(Fault("reference", "has a part that is . or .., which an address drops"))
    return found
