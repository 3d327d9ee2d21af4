"""Payers, payees and ages of what is owed, as finance staff call them."""

from __future__ import annotations

from schemas.accounts import PERSON, facility_of
from schemas.bilingual import Saying
from schemas.treaty.treaty_model import FUND


def payer_words(payer: str) -> Saying:
    """Who pays: the public fund, or the lead of a treaty by its id."""
    return Saying("公共基金", "public fund") if payer == FUND else Saying(payer, payer)


def payee_words(payee: str) -> Saying:
    """Who is paid, as in the names of accounts: all persons and estates together, or a facility by its id."""
    if payee == PERSON:
        return Saying("个人(含继承人)", "persons and estates")
    facility = facility_of(payee) or ""
    return Saying(facility, facility)


def age_words(first: int, end: int | None) -> Saying:
    """An age in days, from ``first`` to the one before ``end``."""
    if end is None:
        return Saying(f"{first - 1} 天以上", f"over {first - 1} days")
    return Saying(f"{first}–{end - 1} 天", f"{first}–{end - 1} days")
