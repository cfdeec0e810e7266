"""What the leak check will not conclude from, and what noise it allows: never one that hides."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from flagservice.domain.errors import Invalid
from flagservice.kit.leak_check.config import read_system
from flagservice.kit.leak_check.crawl.client import CrawlAnswer, CrawlExchange
from flagservice.kit.leak_check.crawl.requests import CrawlRequest, Door
from flagservice.kit.leak_check.differences.compare import Sign, SignKind, signs
from flagservice.kit.leak_check.differences.likeness import Noise, OwnValues
from flagservice.kit.leak_check.result import LeakCheckVerdict, ResultSigner
from tests.kit.leak_check.leak_check_steps import FLAGGED, PLAIN, a_test_system, when_checked
from tests.kit.sandbox.sandbox_steps import Running, an_entry, when_entered
from tests.patience import enough

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ASK = CrawlRequest(Door.SEARCH, "Condition", "Condition")


def an_answer(body: Any = None, *, status: int = 200, **headers: str) -> CrawlAnswer:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return CrawlAnswer(status, pairs, body, NOW, NOW)


def test_twins_that_differ_already_conclude_nothing(tmp_path: Path) -> None:
    with a_test_system(tmp_path / "gp") as system:
        port = int(system.push.base.split(":")[2].partition("/")[0])
        when_entered(Running(port, tmp_path), an_entry(about=PLAIN))
        outcome = when_checked(system)
    assert (outcome.verdict, outcome.findings) == (LeakCheckVerdict.INCONCLUSIVE, ())
    assert outcome.doubts == ("the twins differ already, before anything was filed",)


@pytest.mark.parametrize(
    ("spoil", "doubt"),
    [
        (lambda s: replace(s, flagged=replace(s.flagged, token="wrong")), "CapabilityStatement"),
        (lambda s: replace(s, push=replace(s.push, token="wrong")), "did not take a flag"),
        (lambda s: replace(s, clinician=replace(s.clinician, token="no")), "does not see"),
        (lambda s: replace(s, flagged=replace(s.flagged, nhs_number="9990002517")), "its NHS"),
        (lambda s: replace(s, patient_base="http://127.0.0.1:9/fhir"), "did not answer"),
    ],
)
def test_a_system_that_cannot_be_looked_at_concludes_nothing(
    tmp_path: Path, spoil: Callable[[Any], Any], doubt: str
) -> None:
    with a_test_system(tmp_path / "gp") as system:
        outcome = when_checked(spoil(system))
    assert outcome.verdict is LeakCheckVerdict.INCONCLUSIVE
    assert doubt in outcome.doubts[0]


@contextmanager
def a_system_that_says(headers: Callable[[], dict[str, str]], system: Any) -> Iterator[str]:
    """In front of the patient's side, somebody who adds headers of his own to every answer."""

    class Between(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sent = {n: v for n, v in self.headers.items() if n.lower() != "host"}
            there = f"{upstream}{self.path}"
            reply = behind.request(self.command, there, headers=sent, content=body)
            told = reply.text.replace(upstream, here).encode()
            self.send_response_only(reply.status_code)
            for name, value in {**reply.headers, **headers()}.items():
                if name.lower() != "content-length":
                    self.send_header(name, value.replace(upstream, here))
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Nothing."""

    upstream = system.patient_base.removesuffix("/patient/fhir")
    with (
        httpx.Client(trust_env=False, timeout=enough()) as behind,
        ThreadingHTTPServer(("127.0.0.1", 0), Between) as server,
    ):
        here = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"{here}/patient/fhir"
        finally:
            server.shutdown()
            thread.join()


def test_answers_that_change_by_themselves_conclude_nothing(tmp_path: Path) -> None:
    times = iter(range(10**9))
    with (
        a_test_system(tmp_path / "gp") as system,
        a_system_that_says(lambda: {"X-Served": str(next(times))}, system) as base,
    ):
        outcome = when_checked(replace(system, patient_base=base))
    assert outcome.doubts == ("answers change by themselves, before anything was filed",)


def out_of(noise: Noise, answer: CrawlAnswer) -> CrawlAnswer:
    (exchange,) = noise.out_of([CrawlExchange(ASK, answer)])
    return exchange.answer


def test_the_instant_of_an_answer_is_noise_only_where_it_is_listed_and_only_if_it_is_now() -> None:
    noise = Noise(timedelta(seconds=2))
    bundle = {"resourceType": "Bundle", "timestamp": NOW.isoformat(), "id": "x"}
    assert out_of(noise, an_answer(bundle)).body["timestamp"] == "<now>"
    for old in (NOW - timedelta(seconds=3), NOW + timedelta(seconds=3)):
        late = bundle | {"timestamp": old.isoformat()}
        assert out_of(noise, an_answer(late)).body == late
    inside = {"resourceType": "Patient", "meta": {"lastUpdated": NOW.isoformat()}}
    assert out_of(noise, an_answer(inside)).body == inside
    entry = {"resourceType": "Bundle", "entry": [{"resource": inside}]}
    assert out_of(noise, an_answer(entry)).body == entry


def test_without_a_pause_no_instant_is_noise() -> None:
    bundle = {"resourceType": "Bundle", "timestamp": NOW.isoformat()}
    assert out_of(Noise(timedelta(0)), an_answer(bundle)).body == bundle


def test_a_header_is_noise_only_where_it_is_listed() -> None:
    noise, now = Noise(timedelta(seconds=2)), "Mon, 23 Nov 2026 09:00:00 GMT"
    assert out_of(noise, an_answer(date=now)).headers == (("date", "<now>"),)
    for name in ("last_modified", "expires", "x_changed"):
        answer = an_answer(**{name: now})
        assert out_of(noise, answer) == answer


def test_an_id_is_noise_only_if_it_is_random_and_new_every_time() -> None:
    noise, chance = Noise(timedelta(0)), "0b7c8a9e-1f2d-4c3b-8a5e-6d7f8091a2b3"
    assert out_of(noise, an_answer(x_request_id=chance)).headers[0][1] == "<chance>"
    again = an_answer(x_request_id=chance)
    assert out_of(noise, again) == again
    counted = an_answer(x_request_id="1042")
    assert out_of(noise, counted) == counted


def test_what_is_a_twins_own_is_learned_before_the_flag_and_what_comes_later_stays_seen() -> None:
    body = {
        "resourceType": "Patient",
        "id": "one",
        "meta": {"lastUpdated": "2025-01-01T00:00:00Z"},
        "name": [{"text": "Robin Example"}],
    }
    own = OwnValues((FLAGGED,), [CrawlExchange(ASK, an_answer(body))])
    moved = body | {"meta": {"lastUpdated": "2026-11-23T09:00:00Z"}}
    before, after = (
        next(iter(own.crawl([CrawlExchange(ASK, an_answer(one))]).values())).answer
        for one in (body, moved)
    )
    assert "Robin" not in str(before)
    assert before.body["meta"]["lastUpdated"] == "<then>"
    assert signs(before, after, twins=True) == [Sign(SignKind.INSTANT, inside="Patient")]


def test_a_count_is_never_taken_for_an_id_of_the_same_look() -> None:
    own = OwnValues(("7",), [])
    (exchange,) = own.crawl([CrawlExchange(ASK, an_answer({"total": 7, "id": "7"}))]).values()
    assert exchange.answer.body == {"total": 7, "id": "<0>"}


@pytest.mark.parametrize(
    ("expected", "met", "kind"),
    [
        ({"total": 0}, {"total": 1}, SignKind.TOTAL),
        ({}, {"total": 1}, SignKind.TOTAL),
        ({"link": []}, {"link": [{"relation": "next"}]}, SignKind.LINK),
        ({"entry": []}, {"entry": [{"resource": {"resourceType": "Flag"}}]}, SignKind.NEW),
        ({}, {"entry": [{"resource": {"resourceType": "Flag"}}]}, SignKind.NEW),
        ({"entry": [{"a": 1}]}, {}, SignKind.MISSING),
        ({"entry": [1, 2]}, {"entry": [2, 1]}, SignKind.OTHER),
        ({"entry": [1]}, {"entry": [1, 1]}, SignKind.NEW),
        ({"text": {"div": "a"}}, {"text": {"div": "b"}}, SignKind.TEXT),
        ({"meta": {"versionId": "1"}}, {"meta": {"versionId": "2"}}, SignKind.VERSION),
        ({"issue": [{"code": "a"}]}, {"issue": [{"code": "b"}]}, SignKind.ISSUE),
        ({"anything": 1}, {"anything": True}, SignKind.OTHER),
        ("text", "other text", SignKind.OTHER),
        ({}, "", SignKind.OTHER),
    ],
)
def test_no_difference_in_a_body_goes_unseen(expected: Any, met: Any, kind: SignKind) -> None:
    assert kind in {sign.kind for sign in signs(an_answer(expected), an_answer(met), twins=True)}


def test_a_status_a_header_and_the_size_of_an_answer_without_a_body_are_compared() -> None:
    assert signs(an_answer(), an_answer(status=403), twins=True) == [Sign(SignKind.STATUS, "403")]
    assert signs(an_answer(etag="1"), an_answer(), twins=True) == [Sign(SignKind.HEADER, "etag")]
    sizes = an_answer("", content_length="10"), an_answer("", content_length="12")
    assert signs(*sizes, twins=False) == [Sign(SignKind.HEADER, "content-length")]
    assert signs(*sizes, twins=True) == []


CONFIG = f"""
system = "Sandbox"
version = "1.0"
patient_base = "https://gp.example/patient/fhir/"
push_base = "https://gp.example/fhir"
push_token = "p"
[flagged]
nhs_number = "{FLAGGED}"
token = "a"
[plain]
nhs_number = "{PLAIN}"
token = "b"
"""


def test_a_system_is_read_from_a_file_and_shows_no_token() -> None:
    system = read_system(CONFIG)
    assert (system.name, system.version) == ("Sandbox", "1.0")
    assert system.patient_base == "https://gp.example/patient/fhir"
    assert system.clinician == system.push
    assert "token" not in repr(system)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('system = "Sandbox"', "", "system"),
        ('version = "1.0"', "version = 1.0", "version"),
        ("https://gp.example/fhir", "gp.example", "push_base"),
        (f'"{FLAGGED}"', '"1234567890"', "flagged.nhs_number"),
        (f'"{PLAIN}"', f'"{FLAGGED}"', "plain.nhs_number"),
        ('token = "a"', 'token = ""', "flagged.token"),
        ('token = "a"', 'token = "a"\nproxy_token = "x"', "proxy_token"),
        ("[plain]", "[plain]\nname = 1", "plain"),
        ("[flagged]", "pause_seconds = -1\n[flagged]", "pause_seconds"),
        ("[flagged]", 'pause_seconds = "1"\n[flagged]', "pause_seconds"),
        ("[flagged]", 'clinician_token = "c"\n[flagged]', "clinician_base"),
        ("[flagged]", 'excuse = "noise"\n[flagged]', "excuse"),
        ("[flagged]", "[flagged", "file"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_by_field(old: str, new: str, field: str) -> None:
    assert old in CONFIG
    with pytest.raises(Invalid, match=rf"^{field}: "):
        read_system(CONFIG.replace(old, new))


@pytest.mark.parametrize(("name", "pem"), [("a.checker", b"no key"), ("", b"no key")])
def test_a_key_that_cannot_sign_is_refused(name: str, pem: bytes) -> None:
    with pytest.raises(Invalid, match="key"):
        ResultSigner.read(name, pem)
