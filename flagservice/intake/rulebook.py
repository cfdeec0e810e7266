"""Holds what rules: a policy for each kind, the duty desks, and the profiles of copies."""

from collections.abc import Mapping
from dataclasses import dataclass

from flagservice.domain.elements import Kind
from flagservice.fhir.profile.check import Profile
from flagservice.policy.desks import Desks
from flagservice.policy.table import Policy


@dataclass(frozen=True)
class Rulebook:
    """Everything in force, as values."""

    policies: Mapping[Kind, Policy]
    desks: Desks
    profiles: Mapping[str, Profile]
