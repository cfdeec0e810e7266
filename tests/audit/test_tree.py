"""The audit tree against the reference vectors, the definitions of RFC 6962, and forgers."""

from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagservice.audit import tree

# The leaves, roots and proofs that Certificate Transparency implementations test themselves with.
WRITTEN = " 00 10 2021 3031 40414243 5051525354555657 606162636465666768696a6b6c6d6e6f"
LEAVES = [bytes.fromhex(leaf) for leaf in WRITTEN.split(" ")]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
FIRST_LEAF = ROOTS[1]
SECOND_LEAF = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
THIRD_AND_FOURTH = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
FIFTH_LEAF = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
FIFTH_AND_SIXTH = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
SEVENTH_AND_EIGHTH = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
LAST_FOUR = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

MOST = 200
HASHES = tuple(tree.leaf_hash(number.to_bytes(2)) for number in range(MOST))
SHAPES = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    15,
    16,
    17,
    31,
    33,
    63,
    64,
    65,
    100,
    127,
    128,
    129,
    199,
    200,
)

sizes = st.integers(0, MOST)


# The definitions of RFC 6962, section 2.1, word for word, over D[start:stop] of HASHES.


def largest_power_of_two_below(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


@cache
def mth(start: int, stop: int) -> bytes:
    if start == stop:
        return sha256().digest()
    if stop - start == 1:
        return HASHES[start]
    k = start + largest_power_of_two_below(stop - start)
    return sha256(b"\x01" + mth(start, k) + mth(k, stop)).digest()


def path(m: int, start: int, stop: int) -> list[bytes]:
    if stop - start == 1:
        return []
    k = largest_power_of_two_below(stop - start)
    if m < k:
        return [*path(m, start, start + k), mth(start + k, stop)]
    return [*path(m - k, start + k, stop), mth(start, start + k)]


def subproof(m: int, span: tuple[int, int], *, known: bool) -> list[bytes]:
    start, stop = span
    if m == stop - start:
        return [] if known else [mth(start, stop)]
    k = largest_power_of_two_below(stop - start)
    if m <= k:
        return [*subproof(m, (start, start + k), known=known), mth(start + k, stop)]
    return [*subproof(m - k, (start + k, stop), known=False), mth(start, start + k)]


def hashes_of(leaves: list[bytes]) -> list[bytes]:
    return [tree.leaf_hash(leaf) for leaf in leaves]


def hexes(proof: list[bytes]) -> list[str]:
    return [each.hex() for each in proof]


def flipped(data: bytes, bit: int) -> bytes:
    altered = bytearray(data)
    altered[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(altered)


def then_inclusion_holds(index: int, size: int, proof: list[bytes]) -> None:
    tree.verify_inclusion(HASHES[index], proof, index=index, size=size, root=mth(0, size))


def then_consistency_holds(old: int, new: int, proof: list[bytes]) -> None:
    tree.verify_consistency(
        proof, old_size=old, old_root=mth(0, old), new_size=new, new_root=mth(0, new)
    )


@pytest.mark.parametrize("size", range(9))
def test_the_reference_leaves_have_the_reference_roots(size: int) -> None:
    assert tree.root_of(hashes_of(LEAVES[:size])).hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (0, 8, [SECOND_LEAF, THIRD_AND_FOURTH, LAST_FOUR]),
        (5, 8, [FIFTH_LEAF, SEVENTH_AND_EIGHTH, ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [FIRST_LEAF, THIRD_AND_FOURTH, FIFTH_LEAF]),
    ],
)
def test_reference_inclusion_proofs(index: int, size: int, proof: list[str]) -> None:
    ours = tree.inclusion_proof(hashes_of(LEAVES[:size]), index)
    assert hexes(ours) == proof
    root = bytes.fromhex(ROOTS[size])
    tree.verify_inclusion(tree.leaf_hash(LEAVES[index]), ours, index=index, size=size, root=root)


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (1, 1, []),
        (1, 8, [SECOND_LEAF, THIRD_AND_FOURTH, LAST_FOUR]),
        (6, 8, [FIFTH_AND_SIXTH, SEVENTH_AND_EIGHTH, ROOTS[4]]),
        (2, 5, [THIRD_AND_FOURTH, FIFTH_LEAF]),
    ],
)
def test_reference_consistency_proofs(old: int, new: int, proof: list[str]) -> None:
    ours = tree.consistency_proof(hashes_of(LEAVES[:new]), old)
    assert hexes(ours) == proof
    roots = {"old_root": bytes.fromhex(ROOTS[old]), "new_root": bytes.fromhex(ROOTS[new])}
    tree.verify_consistency(ours, old_size=old, new_size=new, **roots)


def test_a_frontier_has_the_defined_root_at_every_size_and_survives_storage() -> None:
    frontier = tree.Frontier()
    for size in range(MOST):
        assert (frontier.size, frontier.root()) == (size, mth(0, size))
        frontier = tree.Frontier.from_bytes(frontier.to_bytes())
        frontier.append(HASHES[size])
    assert frontier.root() == mth(0, MOST) == tree.root_of(HASHES)


@pytest.mark.parametrize("size", SHAPES[1:])
def test_every_inclusion_proof_is_as_defined_and_holds(size: int) -> None:
    for index in range(size):
        proof = tree.inclusion_proof(HASHES[:size], index)
        assert proof == path(index, 0, size)
        then_inclusion_holds(index, size, proof)


@pytest.mark.parametrize("size", SHAPES[1:])
def test_every_consistency_proof_is_as_defined_and_holds(size: int) -> None:
    for old in range(1, size + 1):
        proof = tree.consistency_proof(HASHES[:size], old)
        assert proof == subproof(old, (0, size), known=True)
        then_consistency_holds(old, size, proof)


@pytest.mark.parametrize("size", range(MOST + 1))
def test_the_spans_name_the_defined_subtrees_at_every_size(size: int) -> None:
    for m in range(size):
        assert [mth(*span) for span in tree.inclusion_spans(m, size)] == path(m, 0, size)
        defined = subproof(m, (0, size), known=True) if m else []
        assert [mth(*span) for span in tree.consistency_spans(m, size)] == defined


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=80), st.data())
def test_any_leaf_of_any_tree_can_be_proved(leaves: list[bytes], data: st.DataObject) -> None:
    hashes = hashes_of(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = tree.inclusion_proof(hashes, index)
    root = tree.root_of(hashes)
    tree.verify_inclusion(hashes[index], proof, index=index, size=len(leaves), root=root)


@given(sizes, sizes)
def test_any_tree_is_consistent_with_any_it_grew_from(one: int, other: int) -> None:
    old, new = sorted((one, other))
    then_consistency_holds(old, new, tree.consistency_proof(HASHES[:new], old))


@given(st.integers(1, MOST), st.data())
def test_an_altered_bit_in_leaf_proof_or_root_is_found(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    parts = [HASHES[index], mth(0, size), *path(index, 0, size)]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    leaf, root, *proof = parts
    with pytest.raises(tree.BadProof):
        tree.verify_inclusion(leaf, proof, index=index, size=size, root=root)


@given(st.integers(2, MOST), st.data())
def test_a_leaf_is_proved_at_its_own_number_only(size: int, data: st.DataObject) -> None:
    index, other = data.draw(st.permutations(range(size)))[:2]
    with pytest.raises(tree.BadProof):
        tree.verify_inclusion(
            HASHES[index], path(index, 0, size), index=other, size=size, root=mth(0, size)
        )


@given(sizes, sizes, st.data())
def test_a_rewritten_past_is_found(one: int, other: int, data: st.DataObject) -> None:
    old, new = sorted((one, other))
    parts = [mth(0, old), mth(0, new), *tree.consistency_proof(HASHES[:new], old)]
    # From nothing every tree may follow, so there the new root is free.
    which = data.draw(st.sampled_from([n for n in range(len(parts)) if old or n != 1]))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    old_root, new_root, *proof = parts
    with pytest.raises(tree.BadProof):
        tree.verify_consistency(
            proof, old_size=old, old_root=old_root, new_size=new, new_root=new_root
        )


@pytest.mark.parametrize("length", [0, 1, -1])
def test_a_proof_of_another_length_is_refused(length: int) -> None:
    inclusion, consistency = path(5, 0, 100), tree.consistency_proof(HASHES[:100], 37)
    with pytest.raises(tree.BadProof):
        then_inclusion_holds(5, 100, inclusion[:length])
    with pytest.raises(tree.BadProof):
        then_inclusion_holds(5, 100, [*inclusion, inclusion[length]])
    with pytest.raises(tree.BadProof):
        then_consistency_holds(37, 100, consistency[:length])
    with pytest.raises(tree.BadProof):
        then_consistency_holds(37, 100, consistency + consistency[-1:])


def test_a_byte_moved_between_neighbouring_hashes_is_refused() -> None:
    leaf, (beside,) = HASHES[0], path(0, 0, 2)
    moved_leaf, moved_beside = leaf + beside[:1], beside[1:]
    assert tree.node_hash(moved_leaf, moved_beside) == mth(0, 2)
    with pytest.raises(tree.BadProof):
        tree.verify_inclusion(moved_leaf, [moved_beside], index=0, size=2, root=mth(0, 2))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(tree.BadProof):
        tree.inclusion_proof(HASHES[:size], index)
    with pytest.raises(tree.BadProof):
        tree.verify_inclusion(HASHES[0], [], index=index, size=size, root=mth(0, size))


@pytest.mark.parametrize("old", [-1, 4])
def test_there_is_no_proof_from_a_size_that_never_was(old: int) -> None:
    with pytest.raises(tree.BadProof):
        tree.consistency_proof(HASHES[:3], old)


@given(sizes, st.integers(1, 40))
def test_bytes_of_another_length_are_no_frontier(size: int, cut: int) -> None:
    frontier = tree.Frontier()
    for each in HASHES[:size]:
        frontier.append(each)
    stored = frontier.to_bytes()
    for wrong in (stored[:-cut], stored + bytes(cut), flipped(stored, 0)):
        with pytest.raises(tree.BadFrontier):
            tree.Frontier.from_bytes(wrong)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_only_a_hash_can_be_appended(length: int) -> None:
    with pytest.raises(tree.BadFrontier):
        tree.Frontier().append(bytes(length))
