"""What is attached is read where it can be, and hides its entry where nobody can read it."""

import base64
from typing import Any

import pytest

from flagservice.fhir.patient_view.content import HidingReason
from flagservice.fhir.patient_view.view import patient_view
from tests.fhir.patient_view.records import Json, a, bundle, to

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj (Minutes) Tj"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
TOLD = "Child protection conference: minutes"
PLAIN = "See me in two weeks, at the caf\u00e9"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def held(data: bytes, kind: str | None = None) -> Json:
    said = {} if kind is None else {"contentType": kind}
    return {**said, "data": base64.b64encode(data).decode()}


def reason(resource: Json) -> HidingReason | None:
    view = patient_view(bundle(resource))
    return view.removals[0].reason if view.removals else None


PLACES: dict[str, Any] = {
    "document": lambda file: a("DocumentReference", "d", content=[{"attachment": file}]),
    "binary": lambda file: a("Binary", "b", **file),
    "report": lambda file: a("DiagnosticReport", "r", presentedForm=[file]),
    "message": lambda file: a("Communication", "c", payload=[{"contentAttachment": file}]),
    "extension": lambda file: a("Basic", "e", extension=[{"url": "x", "valueAttachment": file}]),
    "contained": lambda file: a("Basic", "h", contained=[a("Binary", "b", **file)]),
}
UNREAD = {
    "pdf": (PDF, "application/pdf"),
    "a pdf in letters only": (b"%PDF-1.4 (Minutes) Tj", "text/plain"),
    "a pdf without a type": (PDF, None),
    "rich text": (b"{\\rtf1 safe\\b guarding}", "text/rtf"),
    "a word processor's": (b"PK\x03\x04\xff\xfe\x00", "application/msword"),
    "octets": (b"caf\xe9", "application/octet-stream"),
    "latin-1 without a type": (b"caf\xe9", None),
    "utf-16 that nothing announces": (TOLD.encode("utf-16-le"), "text/plain"),
    "a pdf that is said to be in utf-16": (PDF[:-1], "application/pdf;charset=utf-16"),
    "a scan": (PNG, "image/png"),
    "a scan in pages": (b"II*\x00", "image/tiff"),
    "a sound": (b"RIFF\x00\x00\x00\x00WAVE", "audio/wav"),
    "a message in base64": (b"Content-Transfer-Encoding: base64\n\nQ2hp", "message/rfc822"),
    "a page in a page": (b'<iframe src="data:application/pdf;base64,JVBE">', "text/html"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("file", UNREAD.values(), ids=UNREAD)
def test_what_cannot_be_read_hides_its_entry(file: tuple[bytes, str | None], place: str) -> None:
    assert reason(PLACES[place](held(*file))) is HidingReason.UNREAD


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_base64_hides_its_entry(place: str) -> None:
    assert reason(PLACES[place]({"data": "A"})) is HidingReason.UNREAD


WRITTEN = {
    "utf-8": (None, "utf-8"),
    "utf-8 with its mark": (None, "utf-8-sig"),
    "utf-16": (None, "utf-16"),
    "utf-32": ("application/octet-stream", "utf-32"),
    "utf-16 as its type says": ("text/plain; charset=UTF-16LE", "utf-16-le"),
    "utf-16, the other way round": ("text/plain;charset=utf-16", "utf-16-be"),
    "latin-1": ("text/html", "latin-1"),
    "latin-1 as its type says": ('text/plain;charset="iso-8859-1"', "latin-1"),
    "a charset that there is not": ("text/plain;charset=klingon", "latin-1"),
    "a charset that it is not in": ("text/plain;charset=utf-16", "utf-8"),
    "xml": ("application/fhir+xml", "latin-1"),
    "a type that is wrong": ("application/pdf", "utf-8"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_text_is_read_however_it_is_written(written: tuple[str | None, str], place: str) -> None:
    kind, charset = written
    assert (
        reason(PLACES[place](held(f"{PLAIN} {TOLD}".encode(charset), kind))) is HidingReason.WORDS
    )
    assert reason(PLACES[place](held(PLAIN.encode(charset), kind))) is None


@pytest.mark.parametrize("place", PLACES)
def test_text_with_a_picture_in_it_and_nothing_at_all_are_read(place: str) -> None:
    page = b'<p>See me<img src="data:image/png;base64,iVBO"/></p>'
    assert reason(PLACES[place](held(page, "text/html"))) is None
    assert reason(PLACES[place](held(b"", "application/pdf"))) is None


@pytest.mark.parametrize("picture", [held(PNG), held(JPEG, "image/jpeg"), held(b"\x00", "image/x")])
def test_a_photograph_is_shown_where_photographs_are(picture: Json) -> None:
    shown = (
        a("Patient", "p", photo=[picture]),
        a("BodyStructure", "s", image=[picture]),
        a("Media", "m", content=picture),
    )
    assert [reason(one) for one in shown] == [None, None, None]
    assert reason(a("Media", "m", content=held(PDF, "application/pdf"))) is HidingReason.UNREAD
    assert reason(a("Media", "m", content=held(b"II*\x00", "image/tiff"))) is HidingReason.UNREAD


def test_what_is_only_linked_is_not_here_and_hides_nothing_unless_its_binary_is_hidden() -> None:
    linked = a("DocumentReference", "d", content=[{"attachment": {"url": "Binary/b"}}])
    assert reason(linked) is None
    unread = a("Binary", "b", **held(PDF))
    assert patient_view(bundle(linked, unread)).kept == 0


def test_numbers_and_signatures_are_no_attachments() -> None:
    series = {"origin": {"value": 1}, "dimensions": 1, "data": "2 3 E U 5"}
    assert reason(a("Observation", "o", valueSampledData=series)) is None
    assert reason(a("Provenance", "p", signature=[held(b"\x00\xff")])) is None
    assert reason(a("Provenance", "p", signature=[held(TOLD.encode())])) is HidingReason.WORDS


@pytest.mark.parametrize("place", PLACES)
def test_somebodys_word_releases_what_cannot_be_read_and_nothing_else(place: str) -> None:
    document = PLACES[place](held(PDF, "application/pdf"))
    released = {"security": [{"system": ACT_REASON, "code": "PATRQT"}]}
    assert reason({**document, "meta": released}) is None
    if place == "document":
        assert reason({**document, "securityLabel": [{"coding": released["security"]}]}) is None
    other = {"security": [{"system": "http://example.org/own", "code": "PATRQT"}]}
    assert reason({**document, "meta": other}) is HidingReason.UNREAD
    nopat = {"security": [*released["security"], {"code": "NOPAT"}]}
    assert reason({**document, "meta": nopat}) is HidingReason.LABEL
    assert reason({**document, "meta": released, "title": TOLD}) is HidingReason.WORDS


def test_what_refers_to_an_unread_document_goes_with_it() -> None:
    unread = PLACES["document"](held(PDF))
    about = a("Condition", "c", evidence=[{"detail": [to("DocumentReference/d")]}])
    assert patient_view(bundle(unread, about, a("Basic", "b"))).kept == 1
