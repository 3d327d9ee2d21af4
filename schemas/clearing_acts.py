"""What an operator proposes about the clearing between payers and payees, and another one decides."""

from __future__ import annotations

from enum import StrEnum


class ClearingAct(StrEnum):
    """What is proposed: a statement to issue, a month of the books to close, a recovery to set off or to waive.

    The subject of a proposal is the treaty of a statement, empty for the books, else the recovery's payout.
    """

    STATEMENT = "statement"
    CLOSING = "closing"
    SET_OFF = "set_off"
    WAIVER = "waiver"
