"""A few entries looked at under a signed root: they are in the log, letter by letter and in their places, or not."""

from __future__ import annotations

import pytest

from handlers.audit.inclusion import all_included
from handlers.audit.merkle import Frontier, leaf_hash

LOG = [b"entry %d" % number for number in range(1, 14)]


def grown(size: int) -> Frontier:
    tree = Frontier()
    for value in LOG[:size]:
        tree.append(leaf_hash(value))
    return tree


@pytest.mark.parametrize("begun", range(6))
def test_entries_that_are_there_are_included(begun: int) -> None:
    """From wherever before the first of them the log is read."""
    wanted = {6: LOG[5], 13: LOG[12]}
    assert all_included(grown(begun), LOG[begun:], wanted, 13, grown(13).root())


def test_what_is_not_there_is_not_included() -> None:
    """Another entry, one in another place, a log that is longer or shorter, or another beginning."""
    root = grown(13).root()
    assert not all_included(grown(0), LOG, {6: b"entry 7"}, 13, root)
    assert not all_included(grown(0), LOG, {7: LOG[5]}, 13, root)
    assert not all_included(grown(0), LOG, {14: LOG[5]}, 13, root)
    assert not all_included(grown(0), LOG[:12], {6: LOG[5]}, 13, root)
    assert not all_included(grown(0), [*LOG, b"more"], {6: LOG[5]}, 13, root)
    assert not all_included(Frontier(4, b"\x00" * 32), LOG[4:], {6: LOG[5]}, 13, root)
    assert not all_included(grown(0), [LOG[1], LOG[0], *LOG[2:]], {6: LOG[5]}, 13, root)
