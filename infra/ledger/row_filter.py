"""Which rows of a list or of an export are wanted: one filter for both, so that a file holds what was on the page."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from schemas.money import format_yuan


class Filter(NamedTuple):
    """Which rows: half-open days ``[since, until)`` in Shanghai; empty strings and None filter nothing.

    The day is that of discharge for claims, of the instruction for payouts and those that are open, of arrival for
    refused events. The status of what is open is its kind. ``scheme`` is one that pays something for the claim, or
    orders the payout; ``tier`` is one of that scheme. ``low`` and ``high`` are fen, both included: of what is due, or
    of the payout's part in a tier. Payouts also have a ``kind`` (payment or recovery), a ``payer`` and a ``payee``
    (person or facility).
    """

    since: date | None = None
    until: date | None = None
    status: str = ""
    scheme: str = ""
    tier: str = ""
    facility: str = ""
    area: str = ""
    low: int | None = None
    high: int | None = None
    kind: str = ""
    payer: str = ""
    payee: str = ""

    @property
    def needs_list(self) -> bool:
        """Whether only the digest's list knows which rows these are."""
        named = (self.tier, self.facility, self.area, self.kind, self.payer, self.payee)
        return any(named) or self.low is not None or self.high is not None

    def words(self) -> dict[str, str]:
        """As the audit log and an address have it."""
        given = {name: str(value) for name, value in self._asdict().items() if value not in (None, "")}
        return given | {name: format_yuan(getattr(self, name)) for name in ("low", "high") if name in given}
