"""What an officer or operator does about policies, on the service's own database."""

from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from flagservice.app.build import Parts
from flagservice.audit.log import Actor, Deed, Work
from flagservice.domain.elements import Kind
from flagservice.domain.errors import Fault, Invalid
from flagservice.intake.policies import approval, enforcement, in_force
from flagservice.intake.policies.approval import Approval
from flagservice.intake.policies.effect import PolicyEffect, policy_effect
from flagservice.policy.table import Policy
from flagservice.store.tables import policies

OPERATOR = Actor("operator")


@dataclass(frozen=True)
class Signer:
    """Somebody who signs here, with the key that only they hold."""

    name: str
    key: Path

    def sign(self, statement: bytes) -> Approval:
        """Their word on this statement; raises Invalid where the file is no private key."""
        try:
            key = load_pem_private_key(self.key.read_bytes(), password=None)
        except (ValueError, TypeError):
            raise Invalid(Fault("key", "is not a private key in PEM without password")) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise Invalid(Fault("key", "is not an Ed25519 key"))
        return Approval(self.name, b64encode(key.sign(statement)).decode())


@dataclass(frozen=True)
class Standing:
    """One version of a kind: what it is now, and by whose word."""

    kind: str
    version: int
    digest: str
    state: str
    by: str


@dataclass(frozen=True)
class NewApprover:
    """Somebody who is to approve: their name, post and public key."""

    name: str
    role: str
    public_key: Path


def add_approver(parts: Parts, new: NewApprover, *, voucher: Signer | None) -> None:
    """Registers who may approve; raises Invalid, Forbidden or Conflict."""
    pem = new.public_key.read_bytes()
    signed = approval.vouching_text(new.name, approval.read_public_key(pem))
    vouched = None if voucher is None else voucher.sign(signed)
    parts.log.perform(
        OPERATOR,
        lambda work: approval.add_approver(
            work, name=new.name, role=new.role, public_key=pem, vouched=vouched
        ),
    )


def revoke_approver(parts: Parts, name: str) -> None:
    """Takes somebody's right to approve; raises NotFound."""
    parts.log.perform(OPERATOR, lambda work: approval.revoke_approver(work, name))


def propose(parts: Parts, text: str) -> Policy:
    """Keeps a proved text as a version that may be approved."""
    return parts.log.perform(OPERATOR, lambda work: approval.propose(work, text))


def digest_of(parts: Parts, kind: Kind, version: int) -> str:
    """The digest of a proposed text: what an approver compares with the file they have read."""

    def deed(work: Work) -> str:
        work.record(Deed.POLICY_READ, kind=kind)
        return in_force.proposed_text(work, kind, version).digest

    return parts.log.perform(OPERATOR, deed)


def approve(parts: Parts, kind: Kind, version: int, *, signer: Signer) -> int:
    """One person's approval; gives how many there are now."""

    def deed(work: Work) -> int:
        text = in_force.proposed_text(work, kind, version)
        signed = approval.signed_text("approve", kind, version=version, digest=text.digest)
        approval.approve(work, kind, version, approval=signer.sign(signed))
        return len(approval.approved_by(work, text))

    return parts.log.perform(OPERATOR, deed)


def enforce(parts: Parts, kind: Kind, version: int) -> int:
    """Puts an approved version in force and rules on everybody again; gives how many people."""
    parts.log.perform(OPERATOR, lambda work: enforcement.enforce(work, kind, version))
    return sweep_all(parts)


def go_back(parts: Parts, kind: Kind, *, signer: Signer, reason: str) -> tuple[int, int]:
    """Puts the version before back in force; gives it, and how many people were ruled on again."""

    def deed(work: Work) -> int:
        before = enforcement.would_go_back_to(work, kind)
        signed = approval.signed_text("back", kind, version=before.version, digest=before.digest)
        return enforcement.go_back(work, kind, approval=signer.sign(signed), reason=reason)

    return parts.log.perform(OPERATOR, deed), sweep_all(parts)


def sweep_all(parts: Parts) -> int:
    """Rules on everybody again whom a change has not reached yet."""
    swept = 0
    while parts.log.is_waiting(OPERATOR, enforcement.is_unswept):
        swept += sweep(parts)
    return swept


def sweep(parts: Parts) -> int:
    """The next people whom a change concerns; none where there is no change."""
    if not parts.log.is_waiting(OPERATOR, enforcement.is_unswept):
        return 0
    return parts.log.perform(OPERATOR, lambda work: enforcement.sweep(work, parts.shelf))


def effect_of(parts: Parts, old: Policy, new: Policy) -> PolicyEffect:
    """What this change would do to the records held now, and would have done of late."""
    return parts.log.perform(
        OPERATOR, lambda work: policy_effect(work, old, new, rulebook=parts.shelf.rulebook(work))
    )


def standings(parts: Parts) -> list[Standing]:
    """Every version that was proposed or ruled, by kind."""

    def deed(work: Work) -> list[Standing]:
        work.record(Deed.POLICY_READ)
        found = [one for kind in Kind for one in _of_kind(work, kind)]
        return sorted(found, key=lambda one: (list(Kind).index(Kind(one.kind)), one.version))

    return parts.log.perform(OPERATOR, deed)


def _of_kind(work: Work, kind: Kind) -> list[Standing]:
    changes = {change.digest: change for change in reversed(in_force.changes_of_kind(work, kind))}
    return [
        _standing(work, text, changes.get(text.digest))
        for text in in_force.texts_of_kind(work, kind)
    ]


def _standing(
    work: Work, text: policies.PolicyTextRow, change: policies.PolicyChangeRow | None
) -> Standing:
    if change is None:
        names = approval.approved_by(work, text)
        state, by = f"proposed, {len(names)} of {approval.NEEDED} approvals", ", ".join(names)
    else:
        why = in_force.authority_of(work, change)
        state = "in force" if change.current else "was in force"
        state += ", not everybody is ruled on again yet" if change.swept is not None else ""
        by = "; ".join(why[part] for part in ("how", "by", "reason") if part in why)
    return Standing(text.kind, text.version, text.digest, state, by)


def counted(changes: Counter[str]) -> str:
    """`3 told less, 1 taken back`, or that nothing changes."""
    return ", ".join(f"{count} {what}" for what, count in changes.most_common()) or "none changes"
