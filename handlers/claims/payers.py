"""Who pays: the lead of the treaty in force on the day of discharge, or the public fund (payers.md, section 2).

A payment is made by whoever is the payer at that moment. What is recovered goes back to whoever had paid, the newest
payment first.
"""

from __future__ import annotations

import json
from datetime import date
from typing import NamedTuple

from schemas.canonical import canonical_json
from schemas.outbound import InstructionKind
from schemas.treaty.treaty_model import FUND, Treaties


class Payer(NamedTuple):
    """An insurer as the lead of a treaty, or the fund without one; and the pool whose money it pays, if it is one's."""

    id: str
    treaty_id: str | None
    pool_id: str | None = None


BY_FUND = Payer(FUND, None)
NO_TREATIES = Treaties()


class Order(NamedTuple):
    """So many fen to be paid, or taken back, by one payer."""

    kind: InstructionKind
    amount: int
    payer: Payer


def payer_of(treaties: Treaties, scheme_id: str, discharged_on: date | None) -> Payer:
    """Who pays for a scheme from now on, for a stay that ended on a day."""
    treaty = None if discharged_on is None else treaties.covering(scheme_id, discharged_on)
    return BY_FUND if treaty is None else Payer(treaty.lead, treaty.id)


def orders(paid_by: str, balance: int, amount: int, payer: Payer) -> tuple[list[Order], str]:
    """What brings a payee's line from ``balance`` to ``amount`` fen, and who has paid it then.

    ``paid_by`` says who has paid the balance, as this function returned it; "" where it was the fund alone.
    """
    if amount >= balance:
        if amount == balance:
            return [], paid_by
        order = Order(InstructionKind.PAYMENT, amount - balance, payer)
        if not paid_by and payer == BY_FUND:
            return [order], ""
        return [order], _written(_added(_read(paid_by, balance), payer, order.amount))
    if not paid_by:
        return [Order(InstructionKind.RECOVERY, balance - amount, BY_FUND)], ""
    parts, found, left = _read(paid_by, balance), list[Order](), balance - amount
    while left:
        last, held = parts.pop()
        taken = min(left, held)
        left -= taken
        found.append(Order(InstructionKind.RECOVERY, taken, last))
        if held > taken:
            parts.append((last, held - taken))
    return found, _written(parts)


def _added(parts: list[tuple[Payer, int]], payer: Payer, amount: int) -> list[tuple[Payer, int]]:
    if parts and parts[-1][0] == payer:
        return [*parts[:-1], (payer, parts[-1][1] + amount)]
    return [*parts, (payer, amount)]


def _read(paid_by: str, balance: int) -> list[tuple[Payer, int]]:
    """The payers and what each has paid, oldest first."""
    if not paid_by:
        return [(BY_FUND, balance)] if balance else []
    return [(Payer(name, treaty_id, *pool_id), held) for name, treaty_id, held, *pool_id in json.loads(paid_by)]


def _written(parts: list[tuple[Payer, int]]) -> str:
    if all(payer == BY_FUND for payer, _ in parts):
        return ""
    written = [[payer.id, payer.treaty_id, held, *([payer.pool_id] if payer.pool_id else [])] for payer, held in parts]
    return canonical_json(written).decode()
