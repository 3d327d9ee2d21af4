"""The lines of a statement as a file: a table for people, or the bytes that were hashed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from acts.statement_lines import NewLine
from infra.files.export_files import OFFERED, WRITERS, Field, Head
from schemas.bordereau import LineEntry, StatementIssued
from schemas.dates import shanghai_date
from schemas.money import format_yuan
from schemas.months import format_month
from schemas.outbound import InstructionKind

FIELDS = [
    Field("line", "count"),
    Field("entry", "text"),
    Field("payout_id", "text"),
    Field("claim_id", "text"),
    Field("scheme_id", "text"),
    Field("tier", "text"),
    Field("kind", "text"),
    Field("amount", "yuan"),
    Field("net", "yuan"),
    Field("payee", "text"),
    Field("state", "text"),
    Field("discharged_on", "day"),
    Field("corrects", "text"),
    Field("recorded_on", "day"),
]
"""``amount`` is below zero where money was taken back; ``net`` is the same of what is counted in the month's net."""

FORMATS = [*WRITERS, "jsonl"]
OFFERED_FORMATS = [*OFFERED, "jsonl"]
"""Those that this installation can write."""


def write_lines(path: Path, kind: str, statement: StatementIssued, lines: Iterable[NewLine]) -> None:
    """Writes the lines in one of `FORMATS`. The SHA-256 of ``jsonl`` is the statement's own. Raises OSError."""
    if kind == "jsonl":
        with path.open("wb") as out:
            out.writelines(line.value + b"\n" for line in lines)
    else:
        WRITERS[kind](path, FIELDS, map(line_row, lines), _head(statement))


def line_row(line: NewLine) -> Sequence[Any]:
    """A line as a row of `FIELDS`."""
    told, payout = orjson.loads(line.value), line.payout
    signed = payout.amount if payout.kind == InstructionKind.PAYMENT else -payout.amount
    return (
        told["line"],
        line.entry,
        payout.payout_id,
        payout.claim_id,
        payout.scheme_id,
        told["tier"],
        payout.kind,
        signed,
        signed if line.entry is LineEntry.INSTRUCTION else None,
        told["payee"],
        line.state,
        payout.discharged_on,
        told["corrects"],
        shanghai_date(payout.recorded_at),
    )


def _head(statement: StatementIssued) -> Head:
    return [
        ("对账单 statement", statement.statement_id),
        ("协议 treaty", statement.treaty_id),
        ("月份 month", f"{format_month(statement.month)}, {statement.number}"),
        ("保险公司 insurer", statement.insurer),
        ("按份额承担 part", format_yuan(statement.part)),
        ("超赔承担 part of the cession", format_yuan(statement.part_of_cession)),
        ("明细散列 SHA-256 of the lines", statement.lines_sha256),
    ]
