"""Exporting the audit log: entries and checkpoints in files that are verified offline; itself an audited act."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine

from acts.record_operator_acts import record_operator_acts
from infra.clock import Clock
from infra.ledger import audit_log
from schemas.records import Export

AUDIT_LOG = "audit log"


class Exported(NamedTuple):
    """What an export holds: ``sha256`` is that of the file with the entries."""

    rows: int
    sha256: str
    checkpoints: int


def export_audit_log(
    engine: Engine,
    file: Path,
    operator: str,
    now: Clock,
    shard: int | None = None,
    progressed: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Writes the entries of all shards, or of one, as JSON lines, and their checkpoints beside them as signed notes.

    All as of one moment; the entry about the export is not among them. No file appears before its act is recorded.
    Raises OSError, and ValueError for a shard that the ledger does not have.
    """
    entries_file, notes_file = (each.with_name(f".{each.name}.part") for each in (file, checkpoints_beside(file)))
    digest, rows, notes = hashlib.sha256(), 0, 0
    try:
        with (
            engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
            open(entries_file, "wb") as out,
            open(notes_file, "w", encoding="utf-8") as notes_out,
        ):
            ends = audit_log.shard_ends(connection)
            if shard is not None and shard not in [end.shard for end in ends]:
                raise ValueError(f"the ledger has no shard {shard}")
            for end in ends:
                if shard in (None, end.shard):
                    for value in audit_log.values(connection, end.shard):
                        line = value + b"\n"
                        out.write(line)
                        digest.update(line)
                        rows += 1
                        if rows % audit_log.PAGE == 0:
                            progressed(audit_log.PAGE)
            for row in audit_log.checkpoints(connection):
                if shard in (None, row.shard):
                    notes_out.write(f"{row.note}\n")
                    notes += 1
        chosen = {} if shard is None else {"shard": str(shard)}
        export = Export(AUDIT_LOG, chosen, rows, digest.hexdigest(), operator)
        with engine.begin() as connection:
            record_operator_acts(connection, now, [export])
        os.replace(notes_file, checkpoints_beside(file))
        os.replace(entries_file, file)
    finally:
        for part in (entries_file, notes_file):
            part.unlink(missing_ok=True)
    return Exported(rows, digest.hexdigest(), notes)


def checkpoints_beside(file: Path) -> Path:
    """Where the checkpoints of an export are."""
    return file.with_name(f"{file.name}.checkpoints")
