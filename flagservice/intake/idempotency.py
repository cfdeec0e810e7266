"""Gives an `Idempotency-Key` one answer, for ever. Another body with the same key is a conflict."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Conflict
from flagservice.store import tables


@dataclass(frozen=True)
class KeptAnswer:
    """The status and the body that a key got."""

    status: int
    content: bytes


def answer_once(
    work: Work, key: str | None, *, digest: str, deed: Callable[[], KeptAnswer]
) -> KeptAnswer:
    """Returns what the key got before; else does the deed and keeps its answer. Raises Conflict."""
    if key is None:
        return deed()
    row_id = hashlib.sha256(f"{work.actor.name}|{key}".encode()).hexdigest()
    row = work.session.get(tables.IdempotencyRow, row_id)
    if row is not None:
        return _again(work, row, digest)
    answer = deed()
    data_key = work.vault.new_data_key()
    keyed = _keyed(work, data_key, digest)
    row = tables.IdempotencyRow(
        id=row_id, request=keyed, status=answer.status, data_key=data_key, sealed=b""
    )
    row.sealed = work.vault.seal_row(row, answer.content)
    # Two with one key at once meet in the primary key. The loser finds the winner's answer.
    work.session.add(row)
    work.session.flush()
    return answer


def _keyed(work: Work, data_key: bytes, digest: str) -> str:
    return work.vault.digest(data_key, digest.encode(), purpose="idempotency")


def _again(work: Work, row: tables.IdempotencyRow, digest: str) -> KeptAnswer:
    if row.request != _keyed(work, row.data_key, digest):
        raise Conflict("Idempotency-Key: this key was sent before with another body")
    work.record(Deed.REPEATED, key=row.id)
    content = work.vault.open_row(row)
    return KeptAnswer(row.status, content)
