"""The Merkle tree (RFC 6962) of a shard's audit entries: roots, inclusion proofs and consistency proofs.

A leaf is an entry's canonical bytes. The tree is never held in memory: appending needs only a *frontier*,
the roots of the full subtrees so far, at most one hash per bit of the size. Proofs are made in one pass over
the leaves, holding one frontier at a time. Indexes and sizes count leaves; ranges are half-open; hashes are 32 bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, 2.1)."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256 of a leaf; the prefix keeps a leaf from passing for an inner node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """An append-only tree as the roots of its full subtrees, the largest first."""

    __slots__ = ("_subtrees", "size")

    def __init__(self, size: int = 0, subtrees: bytes = b"") -> None:
        """Continues from a stored frontier. Raises ValueError when ``subtrees`` does not fit ``size``."""
        if len(subtrees) != size.bit_count() * HASH_BYTES:
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} full subtrees")
        self.size = size
        self._subtrees = [subtrees[start : start + HASH_BYTES] for start in range(0, len(subtrees), HASH_BYTES)]

    def append(self, leaf: bytes) -> None:
        """Adds the hash of the next leaf: full subtrees of one size become one of twice the size."""
        size, subtrees = self.size, self._subtrees
        while size & 1:
            leaf = node_hash(subtrees.pop(), leaf)
            size >>= 1
        subtrees.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The tree's root as it is now."""
        if not self._subtrees:
            return EMPTY_ROOT
        root = self._subtrees[-1]
        for left in reversed(self._subtrees[:-1]):
            root = node_hash(left, root)
        return root

    def stored(self) -> bytes:
        """What `Frontier` needs to continue."""
        return b"".join(self._subtrees)


def inclusion_path(leaves: Iterable[bytes], index: int, size: int) -> list[bytes]:
    """The audit path of leaf ``index`` in the tree of the first ``size`` leaf hashes (RFC 6962, 2.1.1), leaf first.

    Raises ValueError when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    return _roots(leaves, list(_siblings(index, size)))


def consistency_path(leaves: Iterable[bytes], old: int, new: int) -> list[bytes]:
    """The proof that the tree of ``new`` leaves continues the one of ``old`` (RFC 6962, 2.1.2).

    Raises ValueError unless 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} leaves does not continue one of {old}")
    return _roots(leaves, list(_differences(old, 0, new, whole=True)))


def root_of_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an audit path leads to; None when the path cannot be one of this leaf and size."""
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a consistency proof shows that the newer tree begins with all leaves of the older one."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    hashes = [old_root, *path] if old.bit_count() == 1 else list(path)
    if not hashes:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1


def _siblings(index: int, size: int) -> Iterator[tuple[int, int]]:
    """The ranges of leaves beside the way from leaf ``index`` to the root, nearest first."""
    way: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            way.append((middle, end))
            end = middle
        else:
            way.append((start, middle))
            start = middle
    return reversed(way)


def _differences(old: int, start: int, end: int, *, whole: bool) -> Iterator[tuple[int, int]]:
    """SUBPROOF of the RFC as ranges of leaves: ``old`` leaves of ``[start, end)`` are the older tree's."""
    if old == end - start:
        if not whole:
            yield start, end
        return
    middle = start + _split(end - start)
    if old <= middle - start:
        yield from _differences(old, start, middle, whole=whole)
        yield middle, end
    else:
        yield from _differences(old - (middle - start), middle, end, whole=False)
        yield start, middle


def _roots(leaves: Iterable[bytes], ranges: list[tuple[int, int]]) -> list[bytes]:
    """The roots of disjoint ranges of leaves, as given, in one pass. Raises ValueError if leaves are missing."""
    roots: dict[tuple[int, int], bytes] = {}
    waiting = sorted(ranges)
    tree, reached = Frontier(), 0
    for leaf in leaves:
        if not waiting:
            break
        start, end = waiting[0]
        if reached >= start:
            tree.append(leaf)
        reached += 1
        if reached == end:
            roots[waiting.pop(0)] = tree.root()
            tree = Frontier()
    if waiting:
        raise ValueError(f"there are only {reached} leaves")
    return [roots[span] for span in ranges]
