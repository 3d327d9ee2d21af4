"""Whether entries stand in the log that a checkpoint was signed for: the arithmetic of looking at a few of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handlers.audit.merkle import Frontier, leaf_hash


def all_included(tree: Frontier, values: Iterable[bytes], wanted: Mapping[int, bytes], size: int, root: bytes) -> bool:
    """Whether ``wanted``, entries by their numbers, are in the tree of ``size`` leaves that has this root.

    ``tree`` is the log before the first of them, ``values`` are the entries from there on. What is given as ``tree``
    need not be trusted: with another one, or with any other entry, the root would be another one.
    """
    found = 0
    for value in values:
        tree.append(leaf_hash(value))
        found += wanted.get(tree.size) == value
    return found == len(wanted) and (tree.size, tree.root()) == (size, root)
