"""The trial balance of a month (科目余额表): what each account opened with, what was booked, and what it closes with.

A balance is what was debited less what was credited, in fen. An account is listed from the month of its first posting
on, for good. The same postings give the same bytes, whenever and by whomever they are added up.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from schemas.books import MonthlySum
from schemas.canonical import canonical_json
from schemas.money import FEN_PER_YUAN, format_yuan
from schemas.months import format_month, next_month, parse_month


class BalanceLine(NamedTuple):
    """One account in a month, in fen; ``debit`` and ``credit`` are not negative."""

    account: str
    opening: int
    debit: int
    credit: int

    @property
    def closing(self) -> int:
        return self.opening + self.debit - self.credit


class TrialBalance(NamedTuple):
    """The accounts in a month, by name. The debits of all are the credits of all, and the balances sum to zero."""

    month: date
    lines: tuple[BalanceLine, ...]

    @property
    def debit(self) -> int:
        """All that was booked to the debit of some account."""
        return sum(line.debit for line in self.lines)

    @property
    def credit(self) -> int:
        """All that was booked to the credit of some account."""
        return sum(line.credit for line in self.lines)

    @property
    def closings(self) -> dict[str, int]:
        """What each account closes with: the openings of the next month."""
        return {line.account: line.closing for line in self.lines}


def trial_balances(
    sums: Iterable[MonthlySum], first: date, last: date, opening: Mapping[str, int] | None = None
) -> Iterator[TrialBalance]:
    """The trial balance of each month from ``first`` to ``last``, a month without postings too.

    ``sums`` are of months in this span; ``opening`` is what the accounts held before it.
    """
    moved: defaultdict[date, dict[str, MonthlySum]] = defaultdict(dict)
    for each in sums:
        moved[each.month][each.account] = each
    held, month = dict(opening or {}), first
    while month <= last:
        own = moved.pop(month, {})
        lines = []
        for account in sorted(held.keys() | own.keys()):
            debit, credit = (own[account].debit, own[account].credit) if account in own else (0, 0)
            lines.append(BalanceLine(account, held.get(account, 0), debit, credit))
        balance = TrialBalance(month, tuple(lines))
        yield balance
        held, month = balance.closings, next_month(month)


def trial_balance_bytes(balance: TrialBalance) -> bytes:
    """The canonical JSON of a trial balance, which is hashed at closing; amounts in yuan, no person in it."""
    accounts = [
        {
            "account": line.account,
            "opening": format_yuan(line.opening),
            "debit": format_yuan(line.debit),
            "credit": format_yuan(line.credit),
            "closing": format_yuan(line.closing),
        }
        for line in balance.lines
    ]
    totals = {"debit": format_yuan(balance.debit), "credit": format_yuan(balance.credit)}
    return canonical_json({"month": format_month(balance.month), "accounts": accounts, **totals})


def read_trial_balance(value: bytes) -> TrialBalance:
    """A trial balance from its bytes. Raises ValueError, KeyError or TypeError for what is none."""
    fields = json.loads(value)
    lines = [
        BalanceLine(each["account"], *(_fen(each[name]) for name in ("opening", "debit", "credit")))
        for each in fields["accounts"]
    ]
    return TrialBalance(parse_month(fields["month"]), tuple(lines))


def _fen(yuan: str) -> int:
    """Fen of a sum, which may be larger than any one amount may be."""
    return int(Decimal(yuan) * FEN_PER_YUAN)
