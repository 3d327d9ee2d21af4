"""The entry that each movement makes in the books (payers.md, section 4), as a debit and a credit.

| movement | debit | credit |
| --- | --- | --- |
| payment instructed | expense of the scheme | payable to the payee |
| recovery instructed | receivable from the payee | expense of the scheme |
| payment reported paid | payable | cash of the payer |
| recovery reported paid | cash of the payer | receivable |
| set off against a payment | payable to the person | receivable from the person |
| recovery waived | loss of the scheme | receivable |
| contribution to a pool | cash of the fund | pool |
| payment of a pool's money instructed | pool | funded by pools |
| part of another insurer | insurer's account with the lead | borne by the insurer |

A lower or voided contribution makes the opposite entry, and so does a recovery of a pool's money.
A report that takes back ``paid`` makes the opposite entry; so does a negative part. A book reversal takes what it
reverses off the payable, or off the receivable: nothing is to be collected for it. A report about a recovery that was
set off or waived posts nothing, as about a book reversal: it contradicts.
"""

from __future__ import annotations

from typing import NamedTuple

from schemas import accounts
from schemas.outbound import InstructionKind
from schemas.records import InstructionRow, PayoutState
from schemas.treaty.treaty_model import FUND


class Entry(NamedTuple):
    """``amount`` fen from the account ``credit`` to the account ``debit``; over zero."""

    debit: str
    credit: str
    amount: int


def instructed(row: InstructionRow) -> list[Entry]:
    """What an instruction posts; one that sets off a recovery posts that too."""
    payee, expense = accounts.payee_of(row.payee_id), accounts.expense(row.scheme_id)
    payable, receivable = accounts.payable(row.payer, payee), accounts.receivable(row.payer, payee)
    reversal = row.reversal_of is not None and row.set_off_of is None
    if row.kind == InstructionKind.PAYMENT:
        entries = [Entry(expense, receivable if reversal else payable, row.amount)]
    else:
        entries = [Entry(payable if reversal else receivable, expense, row.amount)]
    if row.set_off_of is not None:
        entries.append(Entry(payable, receivable, row.amount))
    if row.pool_id is not None:
        pool, funded = accounts.pool(row.pool_id), accounts.funded(row.scheme_id)
        payment = row.kind == InstructionKind.PAYMENT
        entries.append(Entry(pool, funded, row.amount) if payment else Entry(funded, pool, row.amount))
    return entries


def reported(row: InstructionRow, before: str, after: str) -> list[Entry]:
    """What a report posts that moves a payout from one state to another: money only where ``paid`` comes or goes."""
    paid = PayoutState.PAID
    if not row.moves_money or (before == paid) == (after == paid):
        return []
    payee, cash = accounts.payee_of(row.payee_id), accounts.cash(row.payer)
    if row.kind == InstructionKind.PAYMENT:
        entry = Entry(accounts.payable(row.payer, payee), cash, row.amount)
    else:
        entry = Entry(cash, accounts.receivable(row.payer, payee), row.amount)
    return [entry if after == paid else Entry(entry.credit, entry.debit, entry.amount)]


def waived(row: InstructionRow, amount: int) -> Entry:
    """What waiving ``amount`` fen of a recovery posts."""
    receivable = accounts.receivable(row.payer, accounts.payee_of(row.payee_id))
    return Entry(accounts.waived(row.scheme_id), receivable, amount)


def contributed(pool_id: str, more: int) -> list[Entry]:
    """What ``more`` fen of a contribution post, or below zero what a correction takes back."""
    cash, pool = accounts.cash(FUND), accounts.pool(pool_id)
    if more == 0:
        return []
    return [Entry(cash, pool, more) if more > 0 else Entry(pool, cash, -more)]


def shared(lead: str, other: str, treaty_id: str, part: int) -> list[Entry]:
    """What the part of another insurer than the lead posts, in fen of either sign."""
    owed, borne = accounts.insurer(lead, other), accounts.borne(other, treaty_id)
    if part == 0:
        return []
    return [Entry(owed, borne, part) if part > 0 else Entry(borne, owed, -part)]
