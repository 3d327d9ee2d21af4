"""Making checkpoints: a shard's new entries are checked, the tree grows by them, its root is signed and sent.

Several makers can run at once. The slow part needs no lock; the checkpoint and its message for the relay are written in
one transaction under the shard's lock, and the later of two makers finds the other's checkpoint and stops.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from acts.ledger_act import ledger_act
from handlers.audit.log_check import Fault, LogFinding, ShardCheck, read_entry
from handlers.audit.merkle import Frontier
from handlers.claims import outbound_messages
from infra.clock import Clock
from infra.keys.audit_signing import SigningKey, is_signed
from infra.ledger import audit_log
from infra.ledger.audit_log import ShardEnd
from schemas.bilingual import Saying
from schemas.checkpoint import Checkpoint, SignedCheckpoint, parse_notes
from schemas.records import CheckpointRow
from schemas.topics import CHECKPOINTS


class Made(NamedTuple):
    """The checkpoints of one round, and what is wrong with the shards that were not signed."""

    checkpoints: list[SignedCheckpoint]
    refused: list[LogFinding]


def make_due(engine: Engine, key: SigningKey, now: Clock, entries: int, interval: timedelta) -> Made:
    """A checkpoint of each shard with ``entries`` new entries, or with any once ``interval`` has passed since the last.

    A shard whose new entries do not hold together is not signed but named: signing would make the fault genuine.
    """
    with engine.connect() as connection:
        ends = audit_log.shard_ends(connection)
    made = Made([], [])
    for end in ends:
        last, fresh = end.newest, end.audit_seq - (end.newest.size if end.newest else 0)
        waited = fresh != 0 and (last is None or now() - last.made_at >= interval)
        if fresh >= entries or waited:  # also if the log has become shorter, which must be reported
            done = make(engine, key, end, now)
            if isinstance(done, LogFinding):
                made.refused.append(done)
            elif done is not None:
                made.checkpoints.append(done)
    return made


def make(engine: Engine, key: SigningKey, end: ShardEnd, now: Clock) -> SignedCheckpoint | LogFinding | None:
    """A checkpoint of a shard as it is now; None if another maker was faster; a finding if it must not be signed."""
    with engine.connect() as connection:
        check = _resume(connection, key, end)
        for value in audit_log.values(connection, end.shard, check.tree.size, end.audit_seq):
            check.take(read_entry(value))
        found = check.end() or ends_as_counted(check, end)
    if found is not None:
        return found
    tree = check.tree
    signed = key.sign(Checkpoint(key.verifier.name, end.shard, tree.size, tree.root(), now()))
    made_at = signed.checkpoint.made_at
    with engine.begin() as connection, ledger_act(connection, [end.shard], lambda: made_at) as journal:
        newest = next(each.newest for each in audit_log.shard_ends(connection) if each.shard == end.shard)
        if (newest.size if newest else 0) != (end.newest.size if end.newest else 0):
            return None
        checkpoint = signed.checkpoint
        row = (tree.size, checkpoint.root.hex(), key.verifier.key_id, checkpoint.made_at, signed.note, tree.stored())
        audit_log.add_checkpoint(connection, CheckpointRow(end.shard, *row))
        journal.send(end.shard, CHECKPOINTS.name, None, outbound_messages.checkpointed(signed))
    return signed


def ends_as_counted(check: ShardCheck, end: ShardEnd) -> LogFinding | None:
    """A finding if the entries do not end where the shard's own row says."""
    if (check.tree.size, check.last_hash) == (end.audit_seq, end.audit_hash):
        return None
    fault = Fault.TRUNCATED if check.tree.size < end.audit_seq else Fault.INSERTED
    saying = Saying(
        f"分片记录的末尾是 {end.audit_seq} 号条目,实际到 {check.tree.size} 号,两者散列或序号不符",
        f"the shard's own row ends with entry {end.audit_seq} and its hash, the entries end with {check.tree.size}",
    )
    return LogFinding(end.shard, min(check.tree.size, end.audit_seq) + 1, fault, saying)


def _resume(connection: Connection, key: SigningKey, end: ShardEnd) -> ShardCheck:
    """Continues after the last checkpoint if this key signed it; else starts at the first entry.

    The stored frontier is not signed, but its root is. After a change of keys the whole log is read once.
    """
    if end.newest is None:
        return ShardCheck(end.shard)
    try:
        (last,) = parse_notes(end.newest.note)
        tree = Frontier(end.newest.size, end.newest.frontier)
    except ValueError:  # a row that this program has not written: no entry will match it
        return ShardCheck(end.shard, [Checkpoint("", end.shard, end.newest.size, b"", end.newest.made_at)])
    before = next(audit_log.values(connection, end.shard, tree.size - 1, tree.size), b"")
    entry = read_entry(before)
    genuine = is_signed(last, [key.verifier]) and last.checkpoint.shard == end.shard
    if genuine and entry is not None and (last.checkpoint.size, last.checkpoint.root) == (tree.size, tree.root()):
        return ShardCheck(end.shard, tree=tree, last_hash=entry.hash)
    return ShardCheck(end.shard, [last.checkpoint])
