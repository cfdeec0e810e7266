"""Reads what is attached as data, so that no document passes because it could not be read.

A PDF, a scan, a word processor's file or a sound can hold the minutes of a conference, and nothing
here can tell. Hiding it costs a patient an ordinary letter in the same form. Showing it can cost a
child its safety, and nothing shown can be taken back. So what cannot be read hides its entry
(catalogue, DOC-08). An ordinary one is shown once a person has read it, and has put text beside it
or the label PATRQT (`labels.releases`), which no system sets by itself.

A picture can hold words, too. In the place of a photograph (of a person, a body site, or as Media)
it is shown: such pictures are of faces and skin, and a record without its Patient is none. In any
other place, and as TIFF in every place, it is a scanned page. What is only linked (`url`) is not in
the bundle and hides nothing. Who serves it must pass it through this filter, too.
"""

import base64
import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_DATA: Final = ("data", "query", "valueBase64Binary")
_NOT_ATTACHED: Final = frozenset({"valueSampledData", "signature", "valueSignature"})
"""A series of measurements, in plain numbers, and what a machine signed: neither is a letter. Text
in them is read like any other."""
_PHOTOGRAPHS: Final = frozenset({"photo", "image", "content"})
"""Of people and places; of a body site; `Media.content` (a document's stands one level deeper)."""
_PICTURE: Final = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP", re.DOTALL)
_PICTURE_TYPE: Final = re.compile(r"image/(?!tiff)")
_TEXT_TYPE: Final = re.compile(r"text/(?!rtf)|application/(?:[\w.+-]*[+])?(?:xml|json)\b")
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_NOT_TEXT: Final = re.compile(
    r"\A\s*(?:%PDF|%!PS|\{\\rtf)|content-transfer-encoding:\s{0,9}(?:base64|quoted-printable)"
    r"|data:(?!image/(?:png|jpe?g|gif|webp)\b)[^,\s\"']{0,99};base64",
    re.IGNORECASE,
)
"""Pages and messages that are written in letters, and yet do not say in them what they show."""


def attached_to(part: Mapping[str, Any], *, name: str) -> Iterator[str | None]:
    """Yields the text of each thing attached to one object, which stands under this name.

    It is None where it cannot be told what it says, and empty where there is nothing to read.
    """
    for one in _DATA:
        data = part.get(one)
        if isinstance(data, str):
            text = _read(data, kind=str(part.get("contentType", "")).casefold(), name=name)
            yield text if text is not None or name not in _NOT_ATTACHED else ""


def _read(data: str, *, kind: str, name: str) -> str | None:
    try:
        held = base64.b64decode(data)
    except ValueError:
        return None
    if name in _PHOTOGRAPHS and (_PICTURE.match(held) or _PICTURE_TYPE.match(kind)):
        return ""
    told = [text for charset in _charsets(held, kind) for text in _decoded(held, charset)]
    return "\n".join(told) if told and not any(map(_NOT_TEXT.search, told)) else None


def _charsets(held: bytes, kind: str) -> Iterator[str]:
    """Returns the charsets in which it may be written. Readers differ, so each is tried.

    Bytes of any sort are text in some charset, so one counts only where text is announced.
    """
    yield from (charset for mark, charset in _BOMS if held.startswith(mark))
    yield "utf-8"
    if _TEXT_TYPE.match(kind):
        yield "latin-1"
        for said in _CHARSET.findall(kind):
            yield from (said, f"{said}-be")


def _decoded(held: bytes, charset: str) -> Iterator[str]:
    try:
        text = held.decode(charset)
    except (ValueError, LookupError):
        return
    if not _CONTROL.search(text):
        yield text
