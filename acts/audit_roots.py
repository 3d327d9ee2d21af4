"""The roots of the audit log as it is now, without a signature: what a statement names of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import orjson
from sqlalchemy import Connection

from handlers.audit.merkle import Frontier, leaf_hash
from infra.ledger import audit_log
from schemas.bordereau import AuditedShard
from schemas.dates import parse_instant
from schemas.records import CheckpointRow, ShardState


class GrowingRoots:
    """The tree of each shard's audit entries. Most of it is grown before the shards are locked, and the rest after."""

    def __init__(self, connection: Connection) -> None:
        """Grows the trees from the newest checkpoints to what is committed now."""
        self._connection = connection
        self._trees: dict[int, Frontier] = {}
        for end in audit_log.shard_ends(connection):
            self._trees[end.shard] = tree_at(end.newest)
            for _ in self._grown(end.shard, end.audit_seq):
                pass

    def finish(self, shards: Mapping[int, ShardState]) -> datetime | None:
        """Grows the trees to where the locked shards end.

        Returns the earliest time of the entries that came since the trees were begun; None if none came.
        """
        came = [
            parse_instant(orjson.loads(value)["occurred_at"])
            for state in shards.values()
            for value in self._grown(state.shard, state.audit_seq)
        ]
        return min(came, default=None)

    def audited(self) -> list[AuditedShard]:
        """The size and root of each shard, in order."""
        return [
            AuditedShard(shard=shard, size=tree.size, root=tree.root().hex())
            for shard, tree in sorted(self._trees.items())
        ]

    def _grown(self, shard: int, until: int) -> Iterator[bytes]:
        """Appends a shard's entries up to number ``until``, and gives each."""
        tree = self._trees[shard]
        if tree.size < until:
            for value in audit_log.values(self._connection, shard, tree.size, until):
                tree.append(leaf_hash(value))
                yield value


def tree_at(checkpoint: CheckpointRow | None) -> Frontier:
    """The tree at a checkpoint; an empty one where there is none, or where what is stored is not its tree."""
    if checkpoint is None:
        return Frontier()
    try:
        tree = Frontier(checkpoint.size, checkpoint.frontier)
    except ValueError:
        return Frontier()
    return tree if tree.root().hex() == checkpoint.root else Frontier()
