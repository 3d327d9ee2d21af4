"""Watches the audit log: checks new entries up to the newest checkpoint of their shard.

Makes the same checks of chain and checkpoints as `huzhu audit verify`, step by step, with one Merkle frontier per shard
in memory. It starts over when the console restarts. The events and decisions behind the entries are only checked by
`huzhu audit verify`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import Engine

from handlers.audit.log_check import ShardCheck, read_entry
from handlers.audit.merkle import Frontier
from infra.clock import Clock
from infra.keys.audit_signing import is_signed
from infra.ledger import audit_log
from infra.ledger.audit_log import ShardEnd
from schemas.bilingual import Saying
from schemas.canonical import NO_HASH
from schemas.checkpoint import Checkpoint, NotACheckpoint, VerifierKey, parse_notes

ENTRIES_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Watched:
    """The state of a shard's audit log. ``entries`` counts all entries, ``checked`` those that passed the checks.

    ``state``: `verified` (up to a checkpoint signed by a trusted key), `unsigned` (intact, but no trusted key has
    signed the checkpoint), `checking`, `broken` (``finding`` says why), or `none` (there is no checkpoint).
    """

    shard: int
    entries: int
    state: str
    size: int = 0
    made_at: datetime | None = None
    checked: int = 0
    checked_at: datetime | None = None
    finding: Saying | None = None


class Watch:
    """Follows the audit logs of all shards."""

    def __init__(self, keys: Sequence[VerifierKey], now: Clock) -> None:
        """``keys`` are the trusted public keys."""
        self.keys, self._now = list(keys), now
        self._states: dict[int, Watched] = {}
        self._trees: dict[int, tuple[Frontier, str]] = {}
        self._turn = threading.Lock()

    def states(self) -> list[Watched]:
        """The state of every shard as of the last look."""
        return [self._states[shard] for shard in sorted(self._states)]

    def proved(self, shard: int) -> int:
        """The last entry of a shard that a verified checkpoint covers."""
        watched = self._states.get(shard)
        return watched.size if watched is not None and watched.state == "verified" else 0

    def look(self, engine: Engine) -> bool:
        """Checks the next entries of each shard. Returns whether there are more to check."""
        with self._turn:
            with engine.connect() as connection:
                ends = audit_log.shard_ends(connection)
            for end in ends:
                self._states[end.shard] = self._looked(engine, end, self._states.get(end.shard))
        return any(watched.state == "checking" for watched in self._states.values())

    def _looked(self, engine: Engine, end: ShardEnd, before: Watched | None) -> Watched:
        if before is not None and before.state == "broken":
            return replace(before, entries=end.audit_seq)  # what comes after a fault proves nothing
        if end.newest is None:
            return Watched(end.shard, end.audit_seq, "none")
        row = end.newest
        started = Watched(end.shard, end.audit_seq, "checking", row.size, row.made_at)
        try:
            (signed,) = parse_notes(row.note)
        except (NotACheckpoint, ValueError):
            return replace(started, state="broken", finding=_DAMAGED)
        checkpoint = signed.checkpoint
        if (checkpoint.shard, checkpoint.size, checkpoint.root.hex()) != (row.shard, row.size, row.root):
            return replace(started, state="broken", finding=_DAMAGED)
        tree, last_hash = self._trees.get(end.shard, (Frontier(), NO_HASH))
        if tree.size > row.size:
            return replace(started, state="broken", checked=row.size, finding=_GONE)
        good_state = "verified" if is_signed(signed, self.keys) else "unsigned"
        if tree.size == row.size and before is not None:
            return replace(before, entries=end.audit_seq)
        return self._checked(engine, started, good_state, checkpoint, tree, last_hash)

    def _checked(
        self, engine: Engine, started: Watched, good_state: str, checkpoint: Checkpoint, tree: Frontier, last_hash: str
    ) -> Watched:
        check = ShardCheck(started.shard, [checkpoint], tree, last_hash)
        with engine.connect() as connection:
            values = audit_log.values(connection, started.shard, tree.size, started.size)
            count = 0
            for value in islice(values, ENTRIES_AT_ONCE):
                count += 1
                if not check.take(read_entry(value)):
                    break
        if check.found is None and count < ENTRIES_AT_ONCE and check.tree.size < started.size:
            check.end()
        if check.found is not None:
            return replace(started, state="broken", checked=check.proved, finding=check.found.saying)
        self._trees[started.shard] = (check.tree, check.last_hash)
        done = check.tree.size == started.size
        state = good_state if done else "checking"
        return replace(started, state=state, checked=check.tree.size, checked_at=self._now() if done else None)


_GONE = Saying("曾经有过更新的检查点,现在不见了", "a newer checkpoint existed and is gone")
_DAMAGED = Saying("检查点本身被改动或损坏", "the checkpoint itself was altered or damaged")
