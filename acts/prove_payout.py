"""Proving one payout: its audit entry, and the hashes that lead from it to a signed checkpoint."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine

from handlers.audit.log_check import AuditEntry, read_entry
from handlers.audit.merkle import consistency_path, inclusion_path, is_consistent, leaf_hash, root_of_inclusion
from infra.ledger import audit_log
from schemas.bilingual import SaidError
from schemas.checkpoint import SignedCheckpoint, parse_notes

FORMAT = "huzhu.audit.proof/1"


class NotProvable(SaidError):
    """The payout does not exist, no checkpoint covers it yet, or the ledger does not lead to the checkpoint."""


def prove(engine: Engine, payout_id: str, kept: SignedCheckpoint | None = None) -> dict[str, Any]:
    """A proof as JSON that a payout instruction is in the audit log, and unchanged since a checkpoint.

    The checkpoint is ``kept``, one that somebody has kept outside, if it is new enough. Else it is the newest, with a
    proof that it continues the kept one. Hashes are hexadecimal; ``index`` counts from 0. Raises NotProvable.
    """
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        entry, content = _entry(connection, payout_id)
        if kept is not None and kept.checkpoint.shard != entry.shard:
            raise NotProvable(
                f"该笔支付在分片 {entry.shard},所存检查点是分片 {kept.checkpoint.shard} 的",
                f"the payout is in shard {entry.shard}, the kept checkpoint of {kept.checkpoint.shard}",
            )
        signed = kept if kept is not None and kept.checkpoint.size >= entry.seq else None
        signed = signed or _newest(connection, entry.shard, entry.seq)
        checkpoint = signed.checkpoint
        try:
            path = inclusion_path(
                _leaves(connection, checkpoint.shard, checkpoint.size), entry.seq - 1, checkpoint.size
            )
        except ValueError:
            path = []
        if root_of_inclusion(leaf_hash(entry.value), entry.seq - 1, checkpoint.size, path) != checkpoint.root:
            raise NotProvable(
                "账本的审计日志与检查点不符:请运行 `huzhu audit verify`,并告诉审计人员",
                "the ledger does not lead to the checkpoint: run `huzhu audit verify`",
            )
        proof: dict[str, Any] = {
            "format": FORMAT,
            "payout_id": payout_id,
            "entry": entry.value.decode(),
            "content": content.decode(),
            "index": entry.seq - 1,
            "size": checkpoint.size,
            "path": [each.hex() for each in path],
            "checkpoint": signed.note,
            "signature": base64.b64encode(signed.signatures[0].value).decode(),
            "key_id": signed.signatures[0].key_id,
        }
        if kept is not None and signed is not kept:
            proof["consistency"] = {"kept_size": kept.checkpoint.size, "path": _continued(connection, kept, signed)}
        return proof


def proof_file(proof: dict[str, Any]) -> bytes:
    """The bytes of the file that the independent verifier takes, wherever it is written."""
    return (json.dumps(proof, ensure_ascii=False, indent=1) + "\n").encode()


def shard_of_payout(connection: Connection, payout_id: str) -> int:
    """The shard whose log holds a payout. Raises NotProvable."""
    return _entry(connection, payout_id)[0].shard


def _entry(connection: Connection, payout_id: str) -> tuple[AuditEntry, bytes]:
    """A payout's audit entry, and the instruction."""
    about = audit_log.about_payout(connection, payout_id)
    if about is None:
        raise NotProvable(
            f"账本里没有支付 {payout_id}:请核对编号", f"the ledger has no payout {payout_id}: check the id"
        )
    for value in about[0]:
        entry = read_entry(value)
        if entry is not None and entry.subject.get("payout_id") == payout_id:
            return entry, about[1]
    raise NotProvable(
        f"支付 {payout_id} 的审计条目缺失或被改动:请运行 `huzhu audit verify`,并告诉审计人员",
        f"the audit entry of payout {payout_id} is gone or edited: run `huzhu audit verify`",
    )


def _newest(connection: Connection, shard: int, seq: int) -> SignedCheckpoint:
    newest = next((each.newest for each in audit_log.shard_ends(connection) if each.shard == shard), None)
    if newest is None or newest.size < seq:
        raise NotProvable(
            f"还没有检查点覆盖分片 {shard} 第 {seq} 条:请稍候,或运行 `huzhu audit sign --once`",
            f"no checkpoint covers entry {seq} of shard {shard} yet: wait, or run `huzhu audit sign --once`",
        )
    try:
        (signed,) = parse_notes(newest.note)
    except ValueError:
        raise NotProvable(
            "最新的检查点已损坏:请运行 `huzhu audit verify`,并告诉审计人员",
            "the newest checkpoint is damaged: run `huzhu audit verify`",
        ) from None
    return signed


def _continued(connection: Connection, kept: SignedCheckpoint, signed: SignedCheckpoint) -> list[str]:
    old, new = kept.checkpoint, signed.checkpoint
    path = consistency_path(_leaves(connection, new.shard, new.size), old.size, new.size)
    if not is_consistent(old.size, old.root, new.size, new.root, path):
        raise NotProvable(
            "账本不是所存检查点的延续:请运行 `huzhu audit verify --checkpoint 文件`,并告诉审计人员",
            "the ledger does not continue the kept checkpoint: run `huzhu audit verify --checkpoint FILE`",
        )
    return [each.hex() for each in path]


def _leaves(connection: Connection, shard: int, size: int) -> Iterator[bytes]:
    return map(leaf_hash, audit_log.values(connection, shard, 0, size))
