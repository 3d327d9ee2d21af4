"""The Merkle tree is that of RFC 6962: the vectors of Certificate Transparency, and a naive second spelling."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    inclusion_path,
    is_consistent,
    leaf_hash,
    node_hash,
    root_of_inclusion,
)
from tests.support.builders import unhurried

# The reference implementation's vectors: eight inputs, the root of the first n of them, and proofs.
INPUTS = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
LEAVES = [leaf_hash(each) for each in INPUTS]


def tree(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier


def naive_root(entries: list[bytes]) -> bytes:
    """MTH as section 2.1 of the RFC defines it, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(entries[:split]) + naive_root(entries[split:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_published_vectors(size: int) -> None:
    assert ROOTS[size] == tree(LEAVES[:size]).root().hex()
    assert EMPTY_ROOT.hex() == ROOTS[0]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [A, B, C]),
        (5, 8, [D, E, ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [ROOTS[1], B, D]),
    ],
)
def test_the_inclusion_proofs_are_those_of_the_published_vectors(index: int, size: int, path: list[str]) -> None:
    made = inclusion_path(LEAVES, index, size)
    assert path == [each.hex() for each in made]
    assert ROOTS[size] == (root_of_inclusion(LEAVES[index], index, size, made) or b"").hex()


@pytest.mark.parametrize(
    ("old", "new", "path"), [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[4]]), (2, 5, [B, D])]
)
def test_the_consistency_proofs_are_those_of_the_published_vectors(old: int, new: int, path: list[str]) -> None:
    made = consistency_path(LEAVES, old, new)
    assert path == [each.hex() for each in made]
    assert is_consistent(old, bytes.fromhex(ROOTS[old]), new, bytes.fromhex(ROOTS[new]), made)


ENTRIES = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


@unhurried
@given(ENTRIES, st.data())
def test_every_proof_of_any_tree_leads_to_the_root_of_the_definition(entries: list[bytes], data: st.DataObject) -> None:
    """Inclusion of each leaf, consistency with each older tree; and none of it with a hash changed, more or less."""
    leaves = [leaf_hash(each) for each in entries]
    size, root = len(leaves), naive_root(entries)
    assert root == tree(leaves).root()
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(leaves, index, size)
    assert root == root_of_inclusion(leaves[index], index, size, path)
    assert root != root_of_inclusion(leaf_hash(b"another entry"), index, size, path)
    assert root != root_of_inclusion(leaves[index], index, size, [*path, root])
    old = data.draw(st.integers(1, size))
    old_root, proof = naive_root(entries[:old]), consistency_path(leaves, old, size)
    assert is_consistent(old, old_root, size, root, proof)
    assert not is_consistent(old, leaf_hash(b"another past"), size, root, proof)
    assert not is_consistent(old, old_root, size, leaf_hash(b"another present"), proof)
    assert not is_consistent(old, old_root, size, root, [*proof, root])
    for position in range(len(path)):
        wrong = [*path[:position], node_hash(path[position], root), *path[position + 1 :]]
        assert root != root_of_inclusion(leaves[index], index, size, wrong)
        assert root != root_of_inclusion(leaves[index], index, size, [*path[:position], *path[position + 1 :]])
    for position in range(len(proof)):
        wrong = [*proof[:position], node_hash(proof[position], root), *proof[position + 1 :]]
        assert not is_consistent(old, old_root, size, root, wrong)
        assert not is_consistent(old, old_root, size, root, [*proof[:position], *proof[position + 1 :]])


@unhurried
@given(ENTRIES, ENTRIES)
def test_a_stored_frontier_goes_on_where_it_stopped(first: list[bytes], then: list[bytes]) -> None:
    """A checkpoint costs what came since the last one, not the whole log."""
    before = tree([leaf_hash(each) for each in first])
    assert before.size.bit_count() * 32 == len(before.stored())
    after = Frontier(before.size, before.stored())
    for each in then:
        after.append(leaf_hash(each))
    assert naive_root([*first, *then]) == after.root()


def test_what_cannot_be_is_refused() -> None:
    """A frontier of another size, a leaf or a tree that is not there."""
    with pytest.raises(ValueError, match="2 full subtrees"):
        Frontier(3, b"\x00" * 32)
    with pytest.raises(ValueError, match="no leaf 8"):
        inclusion_path(LEAVES, 8, 8)
    with pytest.raises(ValueError, match="only 8 leaves"):
        inclusion_path(LEAVES, 1, 9)
    with pytest.raises(ValueError, match="does not continue"):
        consistency_path(LEAVES, 8, 7)
    assert root_of_inclusion(LEAVES[0], 1, 1, []) is None
    assert not is_consistent(3, LEAVES[0], 5, LEAVES[1], [])
