"""Watching the audit log: every entry up to the newest checkpoint of its shard is checked, as it comes.

The same checks as `huzhu audit verify` makes of chain and checkpoints, a piece at a time in the memory of one frontier;
it begins anew when the console starts. What the entries stand for (events, decisions) `huzhu audit verify` looks at.
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
    """How a shard's audit log stands. ``entries`` are all there are, ``checked`` those that were found to be good.

    ``state``: `verified` (up to the checkpoint, signed by a known key), `unsigned` (good, but no known key has signed
    the checkpoint), `checking`, `broken` (then ``finding`` says what), or `none` where there is no checkpoint.
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
        """``keys`` are the public keys whose signatures count."""
        self._keys, self._now = list(keys), now
        self._known: dict[int, Watched] = {}
        self._trees: dict[int, tuple[Frontier, str]] = {}
        self._turn = threading.Lock()

    def states(self) -> list[Watched]:
        """Every shard as it stood when it was last looked at."""
        return [self._known[shard] for shard in sorted(self._known)]

    def proved(self, shard: int) -> int:
        """Up to which entry a shard's log is proved by a verified checkpoint."""
        known = self._known.get(shard)
        return known.size if known is not None and known.state == "verified" else 0

    def look(self, engine: Engine) -> bool:
        """Checks a piece of each shard; whether there is more to check."""
        with self._turn:
            with engine.connect() as connection:
                ends = audit_log.shard_ends(connection)
            for end in ends:
                self._known[end.shard] = self._looked(engine, end, self._known.get(end.shard))
        return any(each.state == "checking" for each in self._known.values())

    def _looked(self, engine: Engine, end: ShardEnd, known: Watched | None) -> Watched:
        if known is not None and known.state == "broken":
            return replace(known, entries=end.audit_seq)  # what comes after a fault proves nothing
        if end.newest is None:
            return Watched(end.shard, end.audit_seq, "none")
        row = end.newest
        begun = Watched(end.shard, end.audit_seq, "checking", row.size, row.made_at)
        try:
            (signed,) = parse_notes(row.note)
        except (NotACheckpoint, ValueError):
            return replace(begun, state="broken", finding=_DAMAGED)
        told = signed.checkpoint
        if (told.shard, told.size, told.root.hex()) != (row.shard, row.size, row.root):
            return replace(begun, state="broken", finding=_DAMAGED)
        tree, last_hash = self._trees.get(end.shard, (Frontier(), NO_HASH))
        if tree.size > row.size:
            return replace(begun, state="broken", checked=row.size, finding=_GONE)
        good = "verified" if is_signed(signed, self._keys) else "unsigned"
        if tree.size == row.size and known is not None:
            return replace(known, entries=end.audit_seq)
        return self._checked(engine, begun, good, told, tree, last_hash)

    def _checked(
        self, engine: Engine, begun: Watched, good: str, told: Checkpoint, tree: Frontier, last_hash: str
    ) -> Watched:
        check = ShardCheck(begun.shard, [told], tree, last_hash)
        with engine.connect() as connection:
            values = audit_log.values(connection, begun.shard, tree.size, begun.size)
            count = 0
            for value in islice(values, ENTRIES_AT_ONCE):
                count += 1
                if not check.take(read_entry(value)):
                    break
        if check.found is None and count < ENTRIES_AT_ONCE and check.tree.size < begun.size:
            check.end()
        if check.found is not None:
            return replace(begun, state="broken", checked=check.proved, finding=check.found.saying)
        self._trees[begun.shard] = (check.tree, check.last_hash)
        done = check.tree.size == begun.size
        state = good if done else "checking"
        return replace(begun, state=state, checked=check.tree.size, checked_at=self._now() if done else None)


_GONE = Saying("曾经有过更新的检查点,现在不见了", "there was a newer checkpoint, and it is gone")
_DAMAGED = Saying("检查点本身被改动或损坏", "the checkpoint itself was changed or damaged")
