"""Doors that look as if they could be left open: a branch, a feed half read, a flag taken back."""

from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.endpoints import suspend
from flagservice.audit.log import Actor
from tests.api.answers import FHIR, links, resources, then_refused
from tests.api.steps import FATHER, THEIRS, Cast, a_notification, a_plan, an_enquiry

BRANCH = THEIRS[:-1]


def test_a_practice_whose_code_begins_anothers_reads_nothing_of_it(cast: Cast) -> None:
    """A branch surgery has its practice's code and more: whose beginning it is, is no matter."""
    cast.council.posts("/plans", a_plan())
    cast.council.posts("/enquiries", an_enquiry())
    cast.world.admitted(BRANCH)
    parent = cast.service.client(BRANCH, "gp-system")
    for type_ in ("Flag", "Task"):
        (found,) = resources(cast.other_practice.searches(FATHER[0], type_))
        path = f"{FHIR}/{type_}/{found['id']}"
        assert cast.other_practice.gets(path).status_code == 200
        then_refused(parent.gets(path), 404)
        then_refused(parent.gets(f"{path}/_history/{found['meta']['versionId']}"), 404)
        assert resources(parent.searches(FATHER[0], type_)) == []
        assert resources(parent.gets(f"{FHIR}/{type_}")) == []
        assert resources(parent.gets(f"{FHIR}/{type_}/_history")) == []


def test_a_feed_that_was_begun_ends_where_the_practice_is_suspended(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    practice = cast.practice
    first = practice.gets(f"{FHIR}/Flag/_history?_count=1")
    assert len(resources(first)) == 1
    onward = links(first)["next"]
    assert len(resources(practice.gets(onward))) == 1
    cast.world.log.perform(
        Actor("operator"),
        lambda work: suspend(work, practice.ods, decision=OperatorDecision("IG lead", "it leaks")),
    )
    then_refused(practice.gets(onward), 403)
    then_refused(practice.gets(f"{FHIR}/Flag/_history?_count=1"), 403)
    cast.world.admitted(practice.ods)
    assert len(resources(practice.gets(onward))) == 1


def test_what_was_taken_back_before_it_was_heard_of_was_never_there(cast: Cast) -> None:
    cast.police.posts("/notifications", a_notification())
    cast.world.decides(THEIRS, "place")
    (flag,) = cast.world.held_at(THEIRS)
    cast.police.posts("/notifications", a_notification(version=2, end="2022-01-04"))
    taken_back, never = (
        cast.other_practice.gets(f"{FHIR}/Flag/{i}") for i in (flag["id"], "f" * 32)
    )
    then_refused(taken_back, 404)
    assert taken_back.content == never.content
    assert taken_back.headers.keys() == never.headers.keys()
