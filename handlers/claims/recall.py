"""Accounts from facts that were accepted before, as the ledger gives them back."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.claims.account import Account
from handlers.claims.read import recall
from schemas.ids import PersonId


def account_of(person_id: PersonId, values: Iterable[bytes]) -> Account:
    """One person's account from the bytes of their accepted facts, in any order."""
    account = Account(person_id)
    for value in values:
        account.apply(recall(value))
    return account


def accounts_of(values: Iterable[bytes]) -> dict[PersonId, Account]:
    """The accounts of all persons that accepted facts name."""
    accounts: dict[PersonId, Account] = {}
    for value in values:
        fact = recall(value)
        accounts.setdefault(fact.person_id, Account(fact.person_id)).apply(fact)
    return accounts
