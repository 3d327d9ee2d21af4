"""Sums of payouts, as the overview and the list of payouts add them up."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from schemas.outbound import InstructionKind
from schemas.records import PayoutState


class Moved(Protocol):
    """A sum of instructions of one kind and state, in fen."""

    @property
    def kind(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def payouts(self) -> int: ...
    @property
    def amount(self) -> int: ...


class Sums(NamedTuple):
    """Sums in fen by what was ordered and what insurers reported. Every payout counts as what it is now.

    ``instructed`` and ``recovered`` are all orders to pay and to take back; ``reversed`` is what book entries took off
    the first (less off the second), because it was ordered anew. So ``net`` is what the schemes owe. Of the payments,
    ``paid`` were reported as arrived and ``failed`` as not; ``taken`` and ``not_taken`` are the same of the recoveries.
    """

    instructed: int = 0
    paid: int = 0
    recovered: int = 0
    failed: int = 0
    taken: int = 0
    not_taken: int = 0
    reversed: int = 0
    payouts: int = 0

    @property
    def net(self) -> int:
        return self.instructed - self.reversed - self.recovered

    @property
    def unreported(self) -> int:
        """Payments of which nothing was heard yet."""
        return self.instructed - self.paid - self.failed

    @property
    def untold(self) -> int:
        """Recoveries of which nothing was heard yet."""
        return self.recovered - self.taken - self.not_taken

    def plus(self, row: Moved) -> Sums:
        payment = row.kind == InstructionKind.PAYMENT
        if row.state == PayoutState.BOOK:
            return self._replace(reversed=self.reversed + (-row.amount if payment else row.amount))
        ordered, arrived, missing = ("instructed", "paid", "failed") if payment else ("recovered", "taken", "not_taken")
        gained = {ordered: row.amount, "payouts": row.payouts}
        if row.state == PayoutState.PAID:
            gained[arrived] = row.amount
        elif row.state != PayoutState.INSTRUCTED:
            gained[missing] = row.amount
        return self._replace(**{name: getattr(self, name) + amount for name, amount in gained.items()})
