"""What happens in a trace: rounds of ordinary traffic for all worlds, and of hidden for one.

Ordinary is what everybody would have seen anyway: other agencies' plans about people outside.
Hidden is what differs: plans, notifications, decisions, moves, deliveries, policies inside.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as some

from tests.twin import cast
from tests.world import a_submission, person

PLANS = ("child-protection", "child-in-need", "unborn-child-protection", "unborn-child-in-need")
ENQUIRIES = ("section-47", "unborn-section-47", "unborn-strategy-meeting", "unborn-pre-proceedings")
NOTICES = ("perpetrator", "unborn-marac")
KINDS = {
    "childrens-services": (*PLANS, *ENQUIRIES),
    "police": NOTICES,
    "zero-to-nineteen": ("child-in-need", "unborn-child-in-need"),
}
PATHS = {
    **dict.fromkeys(PLANS, "/plans"),
    **dict.fromkeys(ENQUIRIES, "/enquiries"),
    **dict.fromkeys(NOTICES, "/notifications"),
}


def reference(party: cast.Party, kind: str, family: int) -> str:
    """What an agency calls what it says of a kind about a family."""
    short = "".join(word[0] for word in kind.split("-"))
    return f"{party.ods}/{short}/{family}".upper()


@dataclass(frozen=True)
class Post:
    """The next version of one agency's submission about one family."""

    party: cast.Party
    kind: str
    family: int
    knows: tuple[str, str, str]
    identity: tuple[str, str, str]
    involvement: tuple[str, str, str]
    people: int
    ends: bool

    @property
    def reference(self) -> str:
        """Its own for each agency, kind and family."""
        return reference(self.party, self.kind, self.family)

    def body(self, members: tuple[cast.Member, ...], *, version: int, today: str) -> dict[str, Any]:
        unborn = self.kind.startswith("unborn-")
        said = list(zip(members, self.knows, self.identity, self.involvement, strict=True))
        people = [self._person(*one) for one in said[unborn : max(self.people, 2)]]
        if unborn:
            people.append({"role": "unborn", "expected_date": "2022-06-01"})
        more: dict[str, Any] = {"version": version}
        if self.ends:
            more["end"] = today
        if self.kind.endswith("-protection"):
            more["categories"] = [("physical", "neglect")[version % 2]]
        kind = self.kind.removeprefix("unborn-")
        return {**a_submission(kind, self.reference, *people), **more}

    def _person(
        self, member: cast.Member, knows: str, identity: str, involvement: str
    ) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if self.kind in NOTICES:
            alone = self.people == 1 and self.kind == "perpetrator"
            alleged = member.role == "father" or alone
            more["standing"] = "alleged-perpetrator" if alleged else "victim"
        return person(
            member.role,
            member.number,
            member.born,
            knows=knows,
            identity=identity,
            involvement=involvement,
            **more,
        )


@dataclass(frozen=True)
class Decide:
    """The first open hold of a worklist is decided."""

    party: cast.Party
    outcome: str


@dataclass(frozen=True)
class Acknowledge:
    """A practice says that it has filed its whole feed."""

    party: cast.Party


@dataclass(frozen=True)
class Move:
    """The register has news of somebody."""

    family: int
    member: int
    practice: str | None


@dataclass(frozen=True)
class Fall:
    """A practice's system answers with this status from now on; None: it is well again."""

    practice: str
    status: int | None


@dataclass(frozen=True)
class Admit:
    """A practice's system is admitted, or suspended."""

    practice: str
    suspended: bool


@dataclass(frozen=True)
class Rule:
    """A policy of a kind that nobody outside uses gets its next version."""

    kind: str = "section-47"


Step = Post | Decide | Acknowledge | Move | Fall | Admit | Rule


@dataclass(frozen=True)
class Round:
    """What happens until the outsiders look again."""

    ordinary: tuple[Step, ...]
    hidden: dict[str, tuple[Step, ...]] = field(default_factory=dict)
    minutes: int = 0
    seed: int = 0


def _posts(
    parties: tuple[cast.Party, ...], families: range, kinds: dict[str, tuple[str, ...]]
) -> some.SearchStrategy[Post]:
    def three(*words: str) -> some.SearchStrategy[Any]:
        return some.tuples(*[some.sampled_from(words)] * 3)

    return some.sampled_from(parties).flatmap(
        lambda party: some.builds(
            Post,
            some.just(party),
            some.sampled_from(kinds[party.kind]),
            some.sampled_from(families),
            three("knows", "presumed", "unknown", "must-not-know"),
            three("confirmed", "confirmed", "unconfirmed"),
            three("included", "included", "excluded"),
            some.integers(1, 3),
            some.booleans(),
        )
    )


HIDDEN, OPEN = range(len(cast.HIDDEN_FAMILIES)), range(3, 3 + len(cast.OPEN_FAMILIES))
FAMILIES = (*cast.HIDDEN_FAMILIES, *cast.OPEN_FAMILIES)
_OPEN_KINDS = {kind: tuple(k for k in ks if k != "section-47") for kind, ks in KINDS.items()}


def _others(
    posts: some.SearchStrategy[Post],
    *,
    deciders: tuple[cast.Party, ...],
    practices: tuple[cast.Party, ...],
    places: tuple[str, ...],
    families: range,
) -> some.SearchStrategy[Step]:
    codes = [party.ods for party in practices]
    ill = some.sampled_from([None, 503, 422, 404, 401])
    return some.one_of(
        posts,
        posts,
        posts,
        some.builds(Decide, some.sampled_from(deciders), some.sampled_from(["place", "withhold"])),
        some.builds(Acknowledge, some.sampled_from(practices)),
        some.builds(
            Move,
            some.sampled_from(families),
            some.integers(0, 2),
            some.sampled_from([None, *places]),
        ),
        some.builds(Fall, some.sampled_from(codes), ill),
        some.builds(Admit, some.sampled_from(codes), some.booleans()),
    )


ORDINARY: some.SearchStrategy[Step] = some.one_of(
    _others(
        _posts(cast.OTHERS, OPEN, _OPEN_KINDS),
        deciders=(*cast.OTHERS, *cast.OTHER_LEADS),
        practices=cast.OTHER_PRACTICES,
        places=cast.OUTSIDE,
        families=OPEN,
    ),
    _posts(cast.SUBMITTERS, OPEN, _OPEN_KINDS),
)
"""Insiders post about people outside, too: the same in every world."""
HIDDEN_STEP: some.SearchStrategy[Step] = some.one_of(
    _others(
        _posts(cast.SUBMITTERS, HIDDEN, KINDS),
        deciders=(*cast.SUBMITTERS, *cast.LEADS),
        practices=cast.PRACTICES,
        places=(*cast.INSIDE, cast.NOT_ADMITTED),
        families=HIDDEN,
    ),
    some.just(Rule()),
)


def rounds(most: int) -> some.SearchStrategy[list[Round]]:
    """Traces of up to so many rounds."""
    few = some.lists(HIDDEN_STEP, max_size=3).map(tuple)
    one = some.builds(
        Round,
        some.lists(ORDINARY, max_size=2).map(tuple),
        some.fixed_dictionaries({"B": few, "C": few}),
        some.sampled_from([0, 0, 1, 61, 60 * 24, 60 * 24 * 40]),
        some.integers(0, 2**32),
    )
    return some.lists(one, min_size=1, max_size=most)
