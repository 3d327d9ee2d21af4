"""An insurer's statement of payouts, line by line, and what differs from the ledger. Amounts are signed fen."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from schemas.bilingual import Saying
from schemas.ids import ClaimId, PayoutId
from schemas.records import PayoutState


class StatementLine(NamedTuple):
    """One line; ``number`` is that of the file, from 1. ``amount`` is negative where money was taken back.

    ``state`` is None where the statement has no such column; ``signed`` says whether the statement distinguishes
    payments from recoveries.
    """

    number: int
    payout_id: PayoutId
    amount: int
    state: PayoutState | None
    signed: bool


class Unreadable(NamedTuple):
    """A line that cannot be compared: where, and why."""

    number: int
    why: Saying
    payout_id: PayoutId | None = None
    """The payout that it names all the same."""


class Statement(NamedTuple):
    """What was read of a file; ``columns`` names the file's own heading for each column that was found."""

    lines: list[StatementLine]
    unreadable: list[Unreadable]
    columns: dict[str, str]


class DifferenceKind(StrEnum):
    MISSING_IN_LEDGER = "missing_in_ledger"
    MISSING_IN_STATEMENT = "missing_in_statement"
    AMOUNT_DIFFERS = "amount_differs"
    STATE_DIFFERS = "state_differs"
    DUPLICATE_IN_STATEMENT = "duplicate_in_statement"
    UNREADABLE_LINE = "unreadable_line"
    OTHER_PAYER = "other_payer"
    OTHER_STATEMENT = "other_statement"


class Difference(NamedTuple):
    """One difference. ``line`` is the statement's; what a side does not have is None. Amounts are in yuan, signed."""

    kind: DifferenceKind
    line: int | None
    payout_id: PayoutId | None
    claim_id: ClaimId | None = None
    scheme_id: str | None = None
    ledger_amount: str | None = None
    statement_amount: str | None = None
    ledger_state: PayoutState | None = None
    statement_state: PayoutState | None = None
    zh: str = ""
    en: str = ""


class Issued(NamedTuple):
    """The payouts of a statement that was issued, with their states when its month ended.

    ``ordered`` were instructed in the month and move money. ``others`` are its book entries, and the payouts of earlier
    months that changed their state in it: they may stand in the insurer's list, and need not.
    """

    ordered: dict[PayoutId, PayoutState]
    others: dict[PayoutId, PayoutState]


class Scope(NamedTuple):
    """Which of the ledger's payouts a statement should hold: of a scheme, the days ``[since, until)``, and a payer.

    Or those of one statement that was ``issued``, and then nothing else.
    """

    scheme_id: str | None = None
    since: date | None = None
    until: date | None = None
    payer: str | None = None
    issued: Issued | None = None
