"""The Merkle tree over the audit's leaves. Nothing can be taken out of it or changed unseen.

Hashing and proofs are those of RFC 6962, section 2.1; RFC 9162 keeps them unchanged. A proof is a
list of subtree hashes. Sizes alone say which subtrees those are, so prover and verifier read them
from the same spans of leaves.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Self

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

Span = tuple[int, int]
"""The leaves from the first number up to, and without, the second."""

_SIZE_BYTES = 8


class TreeError(Exception):
    """Something about the tree was refused."""


class BadProof(TreeError):
    """No such proof can exist, or this one does not prove what it is offered for."""


class BadFrontier(TreeError):
    """These bytes are not a frontier, or what was appended is not a hash."""


def leaf_hash(leaf: bytes) -> bytes:
    """Returns the hash of a leaf (RFC 6962, 2.1). Its first byte sets leaves apart from nodes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Returns the hash of a node (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree: what is needed to append, in 8 + 32 x log2(size) bytes.

    It holds the roots of the complete subtrees, largest first: one for each bit set in the size.
    """

    def __init__(self) -> None:
        self._size = 0
        self._edge: list[bytes] = []

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._size

    def append(self, leaf_hash: bytes) -> None:
        """Adds a leaf's hash. Two complete subtrees of one size join, as a carry does."""
        if len(leaf_hash) != HASH_BYTES:
            raise BadFrontier("a leaf hash has 32 bytes")
        carry, filled = leaf_hash, self._size
        while filled & 1:
            carry = node_hash(self._edge.pop(), carry)
            filled >>= 1
        self._edge.append(carry)
        self._size += 1

    def root(self) -> bytes:
        """Returns the root (RFC 6962, 2.1). The smaller subtree is always on the right."""
        if not self._edge:
            return EMPTY_ROOT
        root = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            root = node_hash(left, root)
        return root

    def to_bytes(self) -> bytes:
        """Returns the bytes that `from_bytes` reads."""
        return self._size.to_bytes(_SIZE_BYTES) + b"".join(self._edge)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Returns the frontier that `to_bytes` wrote. Raises BadFrontier."""
        size = int.from_bytes(stored[:_SIZE_BYTES])
        if len(stored) != _SIZE_BYTES + HASH_BYTES * size.bit_count():
            raise BadFrontier("a frontier has 8 bytes, and 32 for each bit set in its size")
        frontier = cls()
        frontier._size = size
        frontier._edge = [
            stored[at : at + HASH_BYTES] for at in range(_SIZE_BYTES, len(stored), HASH_BYTES)
        ]
        return frontier


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Returns the root of the tree of these leaves."""
    frontier = Frontier()
    for each in leaf_hashes:
        frontier.append(each)
    return frontier.root()


def inclusion_spans(index: int, size: int) -> tuple[Span, ...]:
    """Returns the subtrees beside a leaf's way to the root: PATH of RFC 6962, 2.1.1."""
    if not 0 <= index < size:
        raise BadProof("the tree has no leaf of that number")
    spans: list[Span] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = _middle(start, stop)
        if index < middle:
            spans.append((middle, stop))
            stop = middle
        else:
            spans.append((start, middle))
            start = middle
    return tuple(reversed(spans))


def consistency_spans(old: int, size: int) -> tuple[Span, ...]:
    """Returns the subtrees that make up both sizes: PROOF of RFC 6962, 2.1.2.

    Size 0 is consistent with every tree, and needs no proof. The RFC leaves it out.
    """
    if not 0 <= old <= size:
        raise BadProof("the tree never had that size")
    spans: list[Span] = []
    start, stop = 0, size
    while 0 < old < stop:
        middle = _middle(start, stop)
        if old <= middle:
            spans.append((middle, stop))
            stop = middle
        else:
            spans.append((start, middle))
            start = middle
    if start > 0:  # else the old tree is itself a subtree, and the verifier has its root
        spans.append((start, stop))
    return tuple(reversed(spans))


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Returns a proof that leaf `index` is among `hashes`, for a holder of the root."""
    spans = inclusion_spans(index, len(hashes))
    return [root_of(hashes[start:stop]) for start, stop in spans]


def consistency_proof(hashes: Sequence[bytes], old: int) -> list[bytes]:
    """Returns a proof that the tree of the first `old` hashes was only appended to."""
    spans = consistency_spans(old, len(hashes))
    return [root_of(hashes[start:stop]) for start, stop in spans]


def verify_inclusion(
    leaf_hash: bytes, proof: Sequence[bytes], *, index: int, size: int, root: bytes
) -> None:
    """Raises BadProof unless the leaf stands at `index` under `root`.

    Take `size` and `root` from one signed checkpoint: nothing else says that they belong together.
    """
    steps = _steps(proof, inclusion_spans(index, size))
    reached, start = leaf_hash, index
    for beside, (first, _) in steps:
        if first < start:
            reached, start = node_hash(beside, reached), first
        else:
            reached = node_hash(reached, beside)
    _same(reached, root)


def verify_consistency(
    proof: Sequence[bytes], *, old_size: int, old_root: bytes, new_size: int, new_root: bytes
) -> None:
    """Raises BadProof unless the new tree begins with all of the old one.

    Take each size and its root from one signed checkpoint, as for `verify_inclusion`.
    """
    spans = consistency_spans(old_size, new_size)
    steps = _steps(proof, spans)
    if old_size == 0:
        _same(old_root, EMPTY_ROOT)
        return
    reached, start = old_root, 0
    if spans and spans[0][1] == old_size:  # the old tree is not one subtree of the new
        (reached, (start, _)), *steps = steps
    old = new = reached
    for beside, (first, _) in steps:
        if first < start:
            old, new, start = node_hash(beside, old), node_hash(beside, new), first
        else:
            new = node_hash(new, beside)
    _same(old, old_root)
    _same(new, new_root)


def _middle(start: int, stop: int) -> int:
    """Returns where a tree is split (RFC 6962, 2.1): at the largest power of two below its size."""
    return start + (1 << ((stop - start - 1).bit_length() - 1))


def _steps(proof: Sequence[bytes], spans: tuple[Span, ...]) -> list[tuple[bytes, Span]]:
    if len(proof) != len(spans):
        raise BadProof("a proof for these sizes has another number of hashes")
    # Else a byte moved from one hash to its neighbour would give the same node.
    if any(len(each) != HASH_BYTES for each in proof):
        raise BadProof("each hash in a proof has 32 bytes")
    return list(zip(proof, spans, strict=True))


def _same(reached: bytes, root: bytes) -> None:
    if reached != root:
        raise BadProof("the proof leads to another root")
