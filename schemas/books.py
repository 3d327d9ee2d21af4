"""What is read back from the books: entries, sums of accounts by month, and closed months. Amounts are fen."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from schemas.accounts import AccountKind, read_account


class MonthlySum(NamedTuple):
    """What was booked to the debit and to the credit of an account in a month; neither is negative."""

    account: str
    month: date
    debit: int
    credit: int


class BookLeg(NamedTuple):
    """One leg of an entry: fen to the debit of an account, or below zero to its credit."""

    account: str
    amount: int


class About(StrEnum):
    """What the reference of an entry names."""

    PAYOUT = "payout"
    STATEMENT = "statement"
    CONTRIBUTION = "contribution"


class BookEntry(NamedTuple):
    """An entry of the books: ``entry`` counts within its event, and ``reference`` names what it is ``about``.

    ``audit_hash`` is that of the audit entry of the instruction that was posted, else of the event; empty where it
    was not asked for.
    """

    event_no: int
    entry: int
    booked_on: date
    effective_on: date
    reference: str
    legs: tuple[BookLeg, ...]
    audit_hash: str = ""

    @property
    def about(self) -> About:
        """What the entry is about, from its accounts: no two things have their entries in the same ones."""
        kinds = {read_account(leg.account).kind for leg in self.legs}
        if AccountKind.INSURER in kinds:
            return About.STATEMENT
        return About.CONTRIBUTION if kinds == {AccountKind.CASH, AccountKind.POOL} else About.PAYOUT

    @property
    def concerns(self) -> date | None:
        """The month that the entry concerns, if it was booked in another one."""
        month = self.effective_on.replace(day=1)
        return None if month == self.booked_on.replace(day=1) else month


class ClosedMonth(NamedTuple):
    """A month that was closed, with its trial balance as it was then: canonical bytes, and their SHA-256."""

    month: date
    trial_balance: bytes
    sha256: str
    operator: str
    closed_at: datetime
    event_no: int


class Closing(NamedTuple):
    """An operator's act of closing a month; ``month`` is written like ``2024-03``. ``reason`` may be empty."""

    month: str
    trial_balance_sha256: str
    operator: str
    reason: str
