"""The accounts of the books (payers.md, section 4): names that the ledger keeps, and what they are called.

A name is the kind of the account and what it is kept for, with colons between. The ids of payers and insurers hold no
colon, so a name can be read back. No account names a person: persons and their estates are one payee.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

PERSON = "person"
"""The payee of all persons and estates."""

_FACILITY = "facility:"


class AccountKind(StrEnum):
    """What an account holds. Its balance is what was debited less what was credited."""

    CASH = "cash"
    RECEIVABLE = "receivable"
    INSURER = "insurer"
    PAYABLE = "payable"
    POOL = "pool"
    FUNDED = "funded"
    BORNE = "borne"
    EXPENSE = "expense"
    WAIVED = "waived"


class BookAccount(NamedTuple):
    """An account, taken apart. What does not apply to its kind is empty.

    ``payer`` is the fund or a lead. ``payee`` is `PERSON`, or ``facility:`` and the facility's id. ``insurer`` owes the
    payer its part, or bears it; ``of`` is the scheme of an expense, of a loss or of what pools gave, the treaty of a
    part, or the pool.
    """

    kind: AccountKind
    payer: str = ""
    payee: str = ""
    insurer: str = ""
    of: str = ""


def payee_of(payee_id: str) -> str:
    """The payee in the names of accounts, from the id in an instruction: a facility's, or empty for a person."""
    return f"{_FACILITY}{payee_id}" if payee_id else PERSON


def facility_of(payee: str) -> str | None:
    """The facility of a payee; None for the persons."""
    return None if payee == PERSON else payee.removeprefix(_FACILITY)


def cash(payer: str) -> str:
    """The money of a payer."""
    return f"cash:{payer}"


def payable(payer: str, payee: str) -> str:
    """What a payer has been instructed to pay and has not yet paid."""
    return f"payable:{payer}:{payee}"


def receivable(payer: str, payee: str) -> str:
    """What a payee has to give back to the payer that had paid it."""
    return f"receivable:{payer}:{payee}"


def insurer(lead: str, other: str) -> str:
    """What another insurer of a treaty owes to its lead: its parts by the statements."""
    return f"insurer:{lead}:{other}"


def borne(other: str, treaty_id: str) -> str:
    """What another insurer than the lead bears of a treaty's expenses."""
    return f"borne:{other}:{treaty_id}"


def expense(scheme_id: str) -> str:
    """What is due under a scheme, less what was taken back."""
    return f"expense:{scheme_id}"


def pool(pool_id: str) -> str:
    """What a pool has: what it received less what was instructed of its money. Credited, as it is held for others."""
    return f"pool:{pool_id}"


def funded(scheme_id: str) -> str:
    """What pools gave for a scheme."""
    return f"funded:{scheme_id}"


def waived(scheme_id: str) -> str:
    """Recoveries of a scheme that were waived."""
    return f"waived:{scheme_id}"


def read_account(name: str) -> BookAccount:
    """An account from its name. Raises ValueError for what is none."""
    word, _, rest = name.partition(":")
    kind = AccountKind(word)
    first, _, second = rest.partition(":")
    match kind:
        case AccountKind.CASH:
            return BookAccount(kind, payer=rest)
        case AccountKind.RECEIVABLE | AccountKind.PAYABLE:
            return BookAccount(kind, payer=first, payee=second)
        case AccountKind.INSURER:
            return BookAccount(kind, payer=first, insurer=second)
        case AccountKind.BORNE:
            return BookAccount(kind, insurer=first, of=second)
        case AccountKind.EXPENSE | AccountKind.WAIVED | AccountKind.FUNDED | AccountKind.POOL:
            return BookAccount(kind, of=rest)
