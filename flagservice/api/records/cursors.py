"""What a caller hands back to go on where it was: opaque, and of use in its own feed or search.

A feed's cursor is kept for years, so it depends on no key. A checksum finds one that was cut or
mistyped; a forged one only moves within the forger's own feed. A page of a search lives for
minutes, and is sealed, because it may say whose flags were searched for.
"""

import base64
import binascii
import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from flagservice.domain.errors import Fault, Invalid
from flagservice.store.sealing.vault import Vault

_MOST: Final = 4096


@dataclass(frozen=True)
class Feed:
    """One practice's feed of one type."""

    ods: str
    type: str


def cursor_of(feed: Feed, number: int) -> str:
    """Returns the cursor after this number."""
    said = f"1:{feed.ods}:{feed.type}:{number}"
    return _encoded(f"{said}:{_checksum(said)}".encode())


def number_of(feed: Feed, cursor: str | None) -> int:
    """Returns the number that the cursor stands after, 0 without one; raises Invalid."""
    if cursor is None:
        return 0
    try:
        said, _, checksum = _decoded(cursor).decode("ascii").rpartition(":")
        version, ods, type_, number = said.split(":")
        fits = (version, Feed(ods, type_), checksum) == ("1", feed, _checksum(said))
        if not fits or not number.isdecimal() or len(number) > 18:
            raise ValueError
    except ValueError:
        raise Invalid(Fault("cursor", "is not one that this feed gave out")) from None
    return int(number)


def _checksum(said: str) -> str:
    return sha256(said.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class SearchPosition:
    """Where a search goes on: its parameters, the person, and the instant of the last match.

    A walk through the audit goes on before a row instead.
    """

    parameters: Sequence[tuple[str, str]]
    person_id: str
    after: datetime
    row: int = 0


def sealed_page(vault: Vault, feed: Feed, position: SearchPosition) -> str:
    """Returns the next page as a sealed word; the same page is the same word.

    AES-SIV needs no random number, which would make two worlds that are equal for a caller differ.
    https://www.rfc-editor.org/rfc/rfc5297
    """
    said = json.dumps({**asdict(position), "after": position.after.isoformat()}).encode()
    return _encoded(_ciphers(vault)[0].encrypt(said, [_whose(feed)]))


def opened_page(vault: Vault, feed: Feed, page: str) -> SearchPosition:
    """Returns what `sealed_page` sealed for this caller and type; raises Invalid."""
    for cipher in _ciphers(vault):
        with contextlib.suppress(ValueError, InvalidTag):
            said = json.loads(cipher.decrypt(_decoded(page), [_whose(feed)]))
            parameters = [(name, value) for name, value in said["parameters"]]
            after = datetime.fromisoformat(said["after"])
            return SearchPosition(parameters, said["person_id"], after, said["row"])
    raise Invalid(Fault("page", "is not one that this search gave out"))


def _whose(feed: Feed) -> bytes:
    return f"{feed.ods} {feed.type}".encode()


def _ciphers(vault: Vault) -> Sequence[AESSIV]:
    """Returns the ciphers, newest key first, the same in every process."""
    keys = vault.pseudonyms("next page", purpose="page")
    return [AESSIV(bytes.fromhex(key.partition(":")[2])) for key in keys]


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    """Returns the bytes; raises ValueError, also for what a lenient decoder would accept."""
    if len(text) > _MOST or not text.isascii():
        raise ValueError
    found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encoded(found) != text:
        raise binascii.Error
    return found
