"""Setting a recovery off against the person's next payments (抵扣): what of an order is kept back, and for which."""

from __future__ import annotations

from typing import NamedTuple

from handlers.claims.payers import Order, Payer
from schemas.ids import PayoutId
from schemas.outbound import InstructionKind


class SetOff(NamedTuple):
    """A recovery of which ``left`` fen still wait for a payment that the same payer makes to the same person."""

    payout_id: PayoutId
    payer: Payer
    left: int


class Part(NamedTuple):
    """So many fen of an order: kept back for the recovery ``set_off_of``, or to be moved."""

    amount: int
    set_off_of: PayoutId | None


def split(order: Order, waiting: list[SetOff]) -> list[Part]:
    """The parts of an order to a person, oldest recovery first and what is left of the order last.

    Takes what is kept back off those ``waiting``. Nothing is kept back of a recovery.
    """
    if order.kind is not InstructionKind.PAYMENT:
        return [Part(order.amount, None)]
    parts, rest = list[Part](), order.amount
    for place, each in enumerate(waiting):
        kept = min(rest, each.left)
        if kept and each.payer == order.payer:
            parts.append(Part(kept, each.payout_id))
            waiting[place] = each._replace(left=each.left - kept)
            rest -= kept
    return [*parts, Part(rest, None)] if rest else parts
