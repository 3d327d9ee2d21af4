"""What an operator proposes about the clearing between payers and payees, and another one decides."""

from __future__ import annotations

from enum import StrEnum


class ClearingAct(StrEnum):
    """What is proposed: a statement to issue, a month of the books or a pool's year to close, a recovery to settle, or
    a claim to release that is held.

    The subject of a proposal is the treaty of a statement, empty for the books, the pool of a year, the claim, else the
    payout of the recovery.
    """

    STATEMENT = "statement"
    CLOSING = "closing"
    SET_OFF = "set_off"
    WAIVER = "waiver"
    POOL_YEAR = "pool_year"
    HOLD = "hold"
