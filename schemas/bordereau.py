"""Statements to insurers (bordereaux 对账单, payers.md section 3): what a treaty paid in a month, and who bears it.

What an insurer itself sends, and `huzhu reconcile` reads, is in `schemas.statement`.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from schemas.dates import BusinessDate, Instant
from schemas.ids import ClaimId, PayoutId, PersonId, StatementId
from schemas.money import Fen
from schemas.months import Month
from schemas.outbound import InstructionKind, Payee
from schemas.records import PayoutState

LINES_MAX = 500
"""So many lines are in one message at most."""


class LineEntry(StrEnum):
    """What a line tells: an instruction of the month, or what reports of the month made of an earlier one."""

    INSTRUCTION = "instruction"
    REPORT = "report"


class BordereauLine(BaseModel):
    """One payout on a statement, as it was when the month ended.

    Lines are numbered from 1. ``entry``: each instruction of the treaty is a line of exactly one month, the month in
    which it was recorded; a payout of an earlier month whose state changed by reports that were recorded in this month
    is there as a ``report``, which no sum counts. ``amount`` is positive. ``corrects`` is the payout of the earlier
    line that this one changes or orders again. ``recorded_on`` is the day in Shanghai on which the instruction, or the
    newest of the reports, was recorded. No line names a person.
    """

    model_config = ConfigDict(frozen=True)

    line: Annotated[int, Field(ge=1)]
    entry: LineEntry
    payout_id: PayoutId
    claim_id: ClaimId
    scheme_id: str
    tier: str | None
    kind: InstructionKind
    amount: Annotated[Fen, Field(gt=0)]
    payee: Payee
    state: PayoutState
    discharged_on: BusinessDate
    corrects: PayoutId | None
    recorded_on: BusinessDate


class StatementLines(BaseModel):
    """Some lines of a statement, at most 500; they come in order, before the statement itself."""

    model_config = ConfigDict(frozen=True)

    event_type: Literal["statement.lines"] = "statement.lines"
    event_id: str
    occurred_at: Instant
    statement_id: StatementId
    treaty_id: str
    month: Month
    insurer: str
    first_line: Annotated[int, Field(ge=1)]
    lines: Annotated[list[BordereauLine], Field(min_length=1, max_length=LINES_MAX)]


class InsurerShare(BaseModel):
    """The share that an insurer of the treaty bears, a decimal over 0 and up to 1."""

    model_config = ConfigDict(frozen=True)

    insurer: str
    share: str


class StopLossTerms(BaseModel):
    """The treaty's stop-loss: ``insurer`` bears ``share`` of what lies above ``attachment``, up to ``limit`` of it."""

    model_config = ConfigDict(frozen=True)

    attachment: Fen
    limit: Fen
    share: str
    insurer: str


class InsurerPart(BaseModel):
    """What an insurer bears of the month: by its share, and of the cession. Either can be below zero."""

    model_config = ConfigDict(frozen=True)

    insurer: str
    part: Fen
    cession: Fen


class SchemeTotal(BaseModel):
    """The month's instructions of a scheme: how many, and what was paid less what was taken back."""

    model_config = ConfigDict(frozen=True)

    scheme_id: str
    lines: int
    net: Fen


class StateTotal(BaseModel):
    """The month's instructions in a state at the end of the month: how many, and payments less recoveries."""

    model_config = ConfigDict(frozen=True)

    state: PayoutState
    lines: int
    net: Fen


class AuditedShard(BaseModel):
    """The audit log of a shard when the statement was issued: its first ``size`` entries, and their RFC 6962 root."""

    model_config = ConfigDict(frozen=True)

    shard: int
    size: int
    root: str


class StatementIssued(BaseModel):
    """What an insurer of a treaty bears of a month; it never changes.

    ``lines`` counts the lines, ``reports`` those of them that no sum counts. ``net`` is what the treaty paid in the
    month less what was taken back; ``cum_before`` and ``cum`` are the same of all months before it, and with it.
    ``cession`` is what the stop-loss bears of the month. The ``parts`` of all insurers and the cession add up to
    ``net``; ``part`` and ``part_of_cession`` are this insurer's own. ``lines_sha256`` is that of the lines in order,
    each as canonical JSON with a line feed; ``audit_root`` that of the canonical JSON of ``audit``.
    """

    model_config = ConfigDict(frozen=True)

    event_type: Literal["statement.issued"] = "statement.issued"
    event_id: str
    occurred_at: Instant
    statement_id: StatementId
    version: Literal[1] = 1
    number: Annotated[int, Field(ge=1)]
    treaty_id: str
    treaty_sha256: str
    month: Month
    insurer: str
    lead: str
    shares: list[InsurerShare]
    stop_loss: StopLossTerms | None
    lines: int
    reports: int
    net: Fen
    cum_before: Fen
    cum: Fen
    cession: Fen
    parts: list[InsurerPart]
    part: Fen
    part_of_cession: Fen
    by_scheme: list[SchemeTotal]
    by_state: list[StateTotal]
    lines_sha256: str
    audit: list[AuditedShard]
    audit_root: str


class StatedPayout(NamedTuple):
    """An instruction of a treaty as the ledger keeps it, with what a line says beside it.

    ``value`` is the instruction as published. ``recorded_at`` is when it was recorded; of one that is there because of
    reports, when the newest of these was. ``before`` is the payout of the instruction before it of the same claim,
    scheme and payee under the treaty.
    """

    payout_id: PayoutId
    claim_id: ClaimId
    scheme_id: str
    kind: str
    amount: int
    person_id: PersonId
    reissue_of: str | None
    reversal_of: str | None
    before: str | None
    value: bytes
    discharged_on: date
    recorded_at: datetime


class StatementRow(NamedTuple):
    """An issued statement as the ledger keeps it; ``month`` is its first day, ``number`` the statement's own."""

    statement_id: StatementId
    treaty_id: str
    month: date
    insurer: str
    number: int
    value: bytes


class StatementAct(NamedTuple):
    """An operator's act of issuing the statements of a month.

    ``statements`` are the SHA-256 of the statements as published, by insurer: so the audit log holds them.
    ``reason`` is that of a proposal, with who proposed and who approved.
    """

    treaty_id: str
    month: str
    number: int
    lines: int
    lines_sha256: str
    statements: dict[str, str]
    operator: str
    reason: str = ""
