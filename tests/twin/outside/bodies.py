"""Bodies that outsiders send: good, bad, and about people of whom they were told nothing.

Nobody outside may have submitted any of what differs. So a submitter's own body always breaks a
rule; a good one is sent only by those who may not submit.
"""

import json
import random
from dataclasses import replace
from typing import Any

from tests.api.steps import NHS_NUMBER
from tests.twin import cast
from tests.twin.outside.asking import FORM, Request, post, post_form
from tests.twin.outside.learning import Learnt
from tests.world import a_submission, person

JSON, FHIR_JSON = "application/json", "application/fhir+json"
GARBAGE = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"kind":"child-protection","kind":"child-in-need"}',
    b"\xff\xfe",
    b"a=1&a=2",
    b"%zz",
    b'{"parameter":' + b"[" * 500 + b"]" * 500 + b"}",
    b" " * (256 * 1024 + 1),
)


def body_for(
    chance: random.Random, request: Request, *, learnt: Learnt, party: cast.Party | None
) -> Request:
    """The request with a body: mostly what its route reads, at times anything else."""
    made = chance.choice(_FITTING.get(request.target.rpartition("/")[2], ()) or (_submission,))
    if chance.random() < 0.3:
        made = chance.choice((_search, _acknowledgement, _decision, _submission, _garbage))
    filled = made(chance, learnt, party)
    return replace(request, headers=filled.headers, body=filled.body)


def _garbage(chance: random.Random, _: Learnt, __: cast.Party | None) -> Request:
    media_type = chance.choice((JSON, FHIR_JSON, FORM, "text/plain", ""))
    return Request("POST", "", (("Content-Type", media_type),), chance.choice(GARBAGE))


def _search(chance: random.Random, learnt: Learnt, _: cast.Party | None) -> Request:
    number = chance.choice(learnt["nhs"])
    name = chance.choice(("patient:identifier", "patient.identifier", "patient", "identifier"))
    fields = {name: chance.choice((f"{NHS_NUMBER}|{number}", number, f"{NHS_NUMBER}|"))}
    if chance.random() < 0.2:
        fields["_total"] = "accurate"
    return post_form("", fields)


def _acknowledgement(chance: random.Random, learnt: Learnt, _: cast.Party | None) -> Request:
    which = learnt[chance.choice(("version", "copy", "delivery"))]
    named = chance.sample(which, min(len(which), chance.choice((1, 2, 50, 200))))
    parameters = [{"name": "version", "valueString": one} for one in named]
    return post("", {"resourceType": "Parameters", "parameter": parameters})


def _decision(chance: random.Random, _: Learnt, __: cast.Party | None) -> Request:
    outcome = chance.choice(("place", "withhold", "maybe"))
    return post("", {"outcome": outcome, "decided_by": "A. Lead", "reason": "one more decision"})


def _submission(chance: random.Random, learnt: Learnt, party: cast.Party | None) -> Request:
    """About somebody who may be flagged, or under a reference that somebody else uses."""
    number = chance.choice(learnt["nhs"])
    kind = chance.choice(("child-protection", "child-in-need", "section-47", "perpetrator"))
    reference = chance.choice(learnt["reference"] or ["F-1"])
    body: dict[str, Any] = a_submission(kind, reference, person("child", number, "2019-05-01"))
    if party is None or party.submits:
        body["end"] = "2999-01-01"
    if chance.random() < 0.3:
        body = {**body, chance.choice(sorted(body)): chance.choice((None, 7, [], "x", "\0"))}
        body["end"] = "2999-01-01"
    return post("", body, ("Idempotency-Key", f"key-{reference}"))


def _token(chance: random.Random, learnt: Learnt, _: cast.Party | None) -> Request:
    """Of a client that was revoked, of one without a scope, and, too late, of one that may."""
    party = chance.choice((cast.REVOKED, cast.PATIENT_APP, *cast.INSIDERS))
    now = 1 if party in cast.INSIDERS else int(learnt["now"][0])
    return party.asks_for_a_token(now=now, nonce=json.dumps(chance.random()))


_FITTING: dict[str, tuple[Any, ...]] = {
    "_search": (_search,),
    "$acknowledge": (_acknowledgement,),
    "decision": (_decision,),
    "close": (_decision,),
    "token": (_token,),
}
