"""The files of a release: the first policies, the duty desks, the profiles."""

from dataclasses import dataclass
from pathlib import Path

from flagservice.domain.elements import Kind
from flagservice.fhir.profile.check import Profile
from flagservice.intake.rulebook import Rulebook
from flagservice.policy.desks import Desks, load_desks
from flagservice.policy.proof.prove import load
from flagservice.policy.table import digest_of


@dataclass(frozen=True)
class ShippedPolicy:
    """A policy's file: what its name says it is, and its text, not read yet."""

    kind: Kind
    version: int
    text: str

    @property
    def digest(self) -> str:
        """Returns the digest by which the text is known."""
        return digest_of(self.text)


def shipped_policies(home: Path) -> list[ShippedPolicy]:
    """Returns the newest version of each kind's policy, unread."""
    return [
        ShippedPolicy(kind, _version(path), path.read_text("utf-8"))
        for kind, path in zip(Kind, policy_files(home), strict=True)
    ]


def read_rulebook(home: Path) -> Rulebook:
    """Returns the newest version of each kind's policy, proved, with the desks and profiles."""
    policies = [load(path.read_text("utf-8")) for path in policy_files(home)]
    by_kind = {policy.kind: policy for policy in policies}
    return Rulebook(by_kind, read_desks(home), read_profiles(home))


def policy_files(home: Path) -> list[Path]:
    """Returns the file of the newest version of each kind, in the order of the kinds."""
    return [max((home / "policies" / kind).glob("v*.toml"), key=_version) for kind in Kind]


def read_desks(home: Path) -> Desks:
    """Returns the duty desks that a flag may name."""
    return load_desks((home / "policies" / "desks.toml").read_text("utf-8"))


def read_profiles(home: Path) -> dict[str, Profile]:
    """Returns the profiles that a copy must fit, by resource type."""
    profiles = home / "profiles"
    value_sets = _texts(profiles, "ValueSet-*.json")
    extensions = [
        (profiles / f"StructureDefinition-{name}.json").read_text("utf-8")
        for name in ("review-due", "expected-date", "duty-desk")
    ]
    loaded = [
        Profile.load(text, value_sets=value_sets, extensions=extensions)
        for text in _texts(profiles, "StructureDefinition-Safeguarding*.json")
    ]
    return {profile.definition.type: profile for profile in loaded}


def _version(path: Path) -> int:
    return int(path.stem[1:])


def _texts(folder: Path, pattern: str) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(folder.glob(pattern))]
