"""Checking now that audit entries are in the log as its newest checkpoints were signed.

Of each shard the log is read from the last checkpoint before the first of the entries on, to the newest one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from acts.audit_roots import tree_at
from handlers.audit.inclusion import all_included
from infra.keys.audit_signing import is_signed
from infra.ledger import audit_log
from infra.ledger.audit_log import ShardEnd
from schemas.checkpoint import VerifierKey, parse_notes

Place = tuple[int, int]
"""An entry's shard and number."""


class Inclusion(StrEnum):
    """What came out for the entries of a shard.

    `unsigned`: they lead to the checkpoint, but none of the known keys has signed it. `differs`: the log does not lead
    to the checkpoint. `damaged`: the checkpoint does not say what its signed text says. `waiting`: no checkpoint covers
    any of them.
    """

    HOLDS = "holds"
    UNSIGNED = "unsigned"
    DIFFERS = "differs"
    DAMAGED = "damaged"
    WAITING = "waiting"


class ShardChecked(NamedTuple):
    """The entries of one shard under its newest checkpoint, over the first ``size`` entries of the log.

    Of those that were asked for it covers ``covered``, and ``waiting`` are newer. ``first`` is the number of the first
    entry that was read; 0 if none was.
    """

    shard: int
    inclusion: Inclusion
    covered: int
    waiting: int
    first: int = 0
    size: int = 0
    made_at: datetime | None = None


def check_inclusion(engine: Engine, keys: Sequence[VerifierKey], entries: Mapping[Place, bytes]) -> list[ShardChecked]:
    """Checks entries, by place, against the newest checkpoints, as of one moment. ``keys`` are the trusted ones."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        checked = []
        for end in audit_log.shard_ends(connection):
            wanted = {seq: value for (shard, seq), value in entries.items() if shard == end.shard}
            if wanted:
                checked.append(_of_shard(connection, keys, end, wanted))
        return checked


def _of_shard(
    connection: Connection, keys: Sequence[VerifierKey], end: ShardEnd, wanted: Mapping[int, bytes]
) -> ShardChecked:
    row = end.newest
    covered = {seq: value for seq, value in wanted.items() if row is not None and seq <= row.size}
    counts = (len(covered), len(wanted) - len(covered))
    if row is None or not covered:
        return ShardChecked(end.shard, Inclusion.WAITING, *counts)
    try:
        (signed,) = parse_notes(row.note)
    except ValueError:
        return ShardChecked(end.shard, Inclusion.DAMAGED, *counts, 0, row.size, row.made_at)
    checkpoint = signed.checkpoint
    if (checkpoint.shard, checkpoint.size, checkpoint.root.hex()) != (row.shard, row.size, row.root):
        return ShardChecked(end.shard, Inclusion.DAMAGED, *counts, 0, row.size, row.made_at)
    tree = tree_at(audit_log.checkpoint_up_to(connection, end.shard, min(covered) - 1))
    first = tree.size + 1
    values = audit_log.values(connection, end.shard, tree.size, row.size)
    inclusion = Inclusion.HOLDS if is_signed(signed, keys) else Inclusion.UNSIGNED
    if not all_included(tree, values, covered, row.size, checkpoint.root):
        inclusion = Inclusion.DIFFERS
    return ShardChecked(end.shard, inclusion, *counts, first, row.size, checkpoint.made_at)
