"""Officers who approve policies, and a service whose policies are those in its database."""

from base64 import b64encode
from collections.abc import Callable
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from flagservice.audit.log import Actor, Deed, Work
from flagservice.domain.elements import Kind
from flagservice.intake.policies import approval as approving
from flagservice.intake.policies import enforcement, in_force
from flagservice.intake.policies.approval import Approval, signed_text
from flagservice.policy.proof.prove import load
from flagservice.store import tables
from tests.intake.people import a_plan, given_the_family, rows
from tests.policy.approved import changed, policy_text
from tests.world import COUNCIL, World

T = TypeVar("T")
OPERATOR = Actor("operator")
CP = policy_text(Kind.CHILD_PROTECTION)
NARROWER = changed(CP, "CP-D06", '"disclose"', '"redact"').replace("version = 1", "version = 2", 1)
"""A mother who was told is no longer told the category."""
AMED, BRUCE = "Dr N. Amed", "Ms L. Bruce"
KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32)) for name in (AMED, BRUCE)
}


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class Service:
    """A world whose policies are those that are in force in its database."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.in_force = world.in_force
        world.starts()

    def do(self, deed: Callable[[Work], T]) -> T:
        return self.world.log.perform(OPERATOR, deed)

    def rules_by(self) -> dict[Kind, int]:
        def deed(work: Work) -> dict[Kind, int]:
            work.record(Deed.POLICY_READ)
            found = self.in_force.rulebook(work).policies
            return {kind: policy.version for kind, policy in found.items()}

        return self.do(deed)

    def knows_the_approvers(self) -> None:
        for name, role in ((AMED, "Caldicott Guardian"), (BRUCE, "safeguarding lead")):
            self.do(
                lambda work, name=name, role=role: approving.add_approver(
                    work, name=name, role=role, public_key=public(KEYS[name])
                )
            )

    def proposes(self, policy: str) -> None:
        self.do(lambda work: approving.propose(work, policy))

    def approves(self, name: str, version: int = 2, *, text: str = NARROWER) -> None:
        approval = signed(name, "approve", version, text=text)
        self.do(
            lambda work: approving.approve(work, Kind.CHILD_PROTECTION, version, approval=approval)
        )

    def enforces(self, version: int = 2) -> None:
        self.do(lambda work: enforcement.enforce(work, Kind.CHILD_PROTECTION, version))

    def changes_to(self, text: str = NARROWER, version: int = 2) -> None:
        self.proposes(text)
        for name in (AMED, BRUCE):
            self.approves(name, version, text=text)
        self.enforces(version)

    def sweeps(self) -> int:
        swept = 0
        while self.world.log.is_waiting(OPERATOR, enforcement.is_unswept):
            swept += self.do(lambda work: enforcement.sweep(work, self.in_force))
        return swept

    def goes_back(self, name: str = AMED, version: int = 1, *, text: str = CP) -> int:
        approval = signed(name, "back", version, text=text)
        return self.do(
            lambda work: enforcement.go_back(
                work, Kind.CHILD_PROTECTION, approval=approval, reason="it told too little"
            )
        )

    def held(self) -> dict[str, tuple[str, int, str]]:
        """What each copy says now, at which version, and in what status."""
        return {
            copy.id: (" ".join(copy.says), copy.number, copy.status)
            for copy in rows(self.world, of=tables.CopyRow)
        }


def signed(name: str, deed: str, version: int, *, text: str) -> Approval:
    whole = signed_text(deed, Kind.CHILD_PROTECTION, version=version, digest=load(text).digest)
    return Approval(name, b64encode(KEYS[name].sign(whole)).decode())


def given_a_plan_and_approvers(any_world: World) -> Service:
    """A plan's records at two practices, and two people who may approve."""
    service = Service(any_world)
    service.knows_the_approvers()
    given_the_family(any_world)
    any_world.posts(COUNCIL, a_plan())
    return service


def why_of(work: Work, change: tables.PolicyChangeRow) -> dict[str, str]:
    work.record(Deed.POLICY_READ)
    return in_force.authority_of(work, change)
