"""Lets a policy change what is told only once two named people have signed for it.

An approver has an Ed25519 key. A signature covers the kind, the version and the text's digest, so
it says exactly what was approved. Anyone with the public key can check it.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy import func
from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.elements import Kind
from flagservice.domain.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from flagservice.intake.policies.in_force import keep_text, newest_that_ruled, proposed_text
from flagservice.policy.proof.prove import load
from flagservice.policy.table import Policy
from flagservice.store import tables

NEEDED: Final = 2
"""How many different people must approve."""


@dataclass(frozen=True)
class Approval:
    """An approver's name, and their signature in base64."""

    name: str
    signature: str


def signed_text(deed: str, kind: str, *, version: int, digest: str) -> bytes:
    """Returns what is signed: the deed (`approve` or `back`), and its text."""
    return f"flagservice policy {deed}\n{kind} v{version}\nsha256 {digest}\n".encode()


def vouching_text(name: str, key: str) -> bytes:
    """Returns what an approver signs for another: the name, and the public key in base64."""
    return f"flagservice approver\n{_key_of(name)}\n{key}\n".encode()


def add_approver(
    work: Work, *, name: str, role: str, public_key: bytes, vouched: Approval | None = None
) -> None:
    """Registers an approver by an Ed25519 key. Raises Invalid, Forbidden, Conflict or NotFound.

    Once there are two, one of them signs for the next: `vouched` is over `vouching_text`. Else
    whoever runs the service could register as many people as it takes.
    """
    if not name.strip() or not role.strip():
        raise Invalid(Fault("name, role", "an approver is somebody with a name and a role"))
    key = read_public_key(public_key)
    names = _pseudonyms(work, name)
    taken = select(tables.ApproverRow).where(
        col(tables.ApproverRow.pseudonym).in_(names) | (col(tables.ApproverRow.public_key) == key)
    )
    if work.session.exec(taken).first() is not None:
        raise Conflict("an approver with this name, or this key, is registered already")
    if work.session.exec(select(func.count()).select_from(tables.ApproverRow)).one() >= NEEDED:
        if vouched is None:
            raise Forbidden("vouched-by: another approver needs the word of one who is there")
        check_signed(work, vouched, signed=vouching_text(name, key))
    row_id, data_key = work.new_id(), work.vault.new_data_key()
    who = json.dumps({"name": name.strip(), "role": role.strip()}).encode()
    row = tables.ApproverRow(
        id=row_id, pseudonym=names[0], public_key=key, data_key=data_key, sealed=b""
    )
    row.sealed = work.vault.seal_row(row, who)
    work.session.add(row)
    work.session.flush()
    work.record(Deed.APPROVER_ADDED, approver=row_id)


def revoke_approver(work: Work, name: str) -> None:
    """Revokes an approver's word for what is not in force yet. Raises NotFound."""
    row = _approver(work, name)
    row.revoked = True
    work.session.add(row)
    work.record(Deed.APPROVER_REVOKED, approver=row.id)


def propose(work: Work, text: str) -> Policy:
    """Keeps a proved text as its kind's next version. Raises UnusablePolicy or Conflict."""
    policy = load(text)
    newest = newest_that_ruled(work, policy.kind)
    if policy.version <= newest:
        raise Conflict(f"version: v{newest} has ruled already, so the next is v{newest + 1}")
    keep_text(work, policy)
    work.record(Deed.POLICY_PROPOSED, kind=policy.kind, policy=policy.digest)
    return policy


def approve(work: Work, kind: Kind, version: int, *, approval: Approval) -> None:
    """Records one person's approval. Raises NotFound, Forbidden or Conflict."""
    row = proposed_text(work, kind, version)
    signed = signed_text("approve", kind, version=version, digest=row.digest)
    approver = check_signed(work, approval, signed=signed)
    if any(found.approver_id == approver.id for found in _approvals(work, row.digest)):
        raise Conflict("name: has approved this version already; another person must")
    work.session.add(
        tables.PolicyApprovalRow(
            id=work.new_id(),
            digest=row.digest,
            approver_id=approver.id,
            at=work.now,
            signature=approval.signature,
        )
    )
    work.session.flush()
    work.record(Deed.POLICY_APPROVED, policy=row.digest, approver=approver.id)


def check_signed(work: Work, approval: Approval, *, signed: bytes) -> tables.ApproverRow:
    """Returns the approver who signed this. Raises NotFound or Forbidden."""
    approver = _approver(work, approval.name)
    if approver.revoked:
        raise Forbidden("name: is no approver any more")
    if not _is_signed(approver, approval.signature, over=signed):
        raise Forbidden("signature: is not this approver's, over this version's text")
    return approver


def approved_by(work: Work, text: tables.PolicyTextRow) -> list[str]:
    """Returns who has approved a text, by name and role. Checks each signature again."""
    signed = signed_text("approve", text.kind, version=text.version, digest=text.digest)
    names = []
    for found in _approvals(work, text.digest):
        approver = work.session.get_one(tables.ApproverRow, found.approver_id)
        if not approver.revoked and _is_signed(approver, found.signature, over=signed):
            names.append(_who(work, approver))
    return sorted(names)


def _approvals(work: Work, digest: str) -> list[tables.PolicyApprovalRow]:
    asked = select(tables.PolicyApprovalRow).where(col(tables.PolicyApprovalRow.digest) == digest)
    return list(work.session.exec(asked).all())


def _approver(work: Work, name: str) -> tables.ApproverRow:
    asked = select(tables.ApproverRow).where(
        col(tables.ApproverRow.pseudonym).in_(_pseudonyms(work, name))
    )
    row = work.session.exec(asked).first()
    if row is None:
        raise NotFound("name: no approver is registered under this name")
    return row


def name_key_of(work: Work, approver: tables.ApproverRow) -> str:
    """Returns what an approver's pseudonym stands for."""
    return _key_of(_sealed(work, approver)["name"])


def _who(work: Work, approver: tables.ApproverRow) -> str:
    who = _sealed(work, approver)
    return f"{who['name']} ({who['role']})"


def _sealed(work: Work, approver: tables.ApproverRow) -> dict[str, str]:
    opened = work.vault.open_row(approver)
    who: dict[str, str] = json.loads(opened)
    return who


def _key_of(name: str) -> str:
    return " ".join(name.split()).casefold()


def _pseudonyms(work: Work, name: str) -> tuple[str, ...]:
    return work.vault.pseudonyms(_key_of(name), purpose="approver")


def read_public_key(pem: bytes) -> str:
    """Returns an Ed25519 public key in base64, from PEM. Raises Invalid."""
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise Invalid(Fault("public_key", "is not a public key in PEM")) from None
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid(Fault("public_key", "is not an Ed25519 key"))
    return b64encode(key.public_bytes_raw()).decode()


def _is_signed(approver: tables.ApproverRow, signature: str, *, over: bytes) -> bool:
    key = Ed25519PublicKey.from_public_bytes(b64decode(approver.public_key))
    try:
        key.verify(b64decode(signature, validate=True), over)
    except (InvalidSignature, NotBase64):
        return False
    return True
