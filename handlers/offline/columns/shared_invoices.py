"""Persons who name an invoice that is named in two encounters, whoever's these are: their claims may be there twice.

All versions of bills count here, also of those that are voided or refused: what is really found among the claims of
these persons says `handlers.claims.twice`, which is told the invoices of nobody else. As for `rivals`, texts are
compared by their keys; two invoices that differ may have one key, by rare chance, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from handlers.offline.columns.arrays import whole
from handlers.offline.columns.texts import Keys, keys_of


class NamedInvoices(NamedTuple):
    """The invoices that bills name, in which encounters and whose, as keys."""

    invoice: Keys
    encounter: Keys
    person: Keys


_NOTHING = NamedInvoices(*(np.zeros(0, np.uint64) for _ in range(3)))


def invoices_named_in(bills: pa.Table, persons: Keys) -> NamedInvoices:
    """The invoices in a table of bills; ``persons`` are the keys of the persons."""
    invoices = whole(bills.column("invoice_no"))
    named = pc.is_valid(invoices)
    encounters = whole(bills.column("encounter_id")).filter(named)
    return NamedInvoices(
        keys_of(invoices.filter(named)), keys_of(encounters), persons[named.to_numpy(zero_copy_only=False)]
    )


def sharing_invoices(parts: Iterable[NamedInvoices]) -> Keys:
    """The keys of the persons who name an invoice of two encounters."""
    invoices, encounters, persons = (np.concatenate(each) for each in zip(_NOTHING, *parts, strict=True))
    order = np.argsort(invoices)
    one, other = order[:-1], order[1:]
    twice = (invoices[one] == invoices[other]) & (encounters[one] != encounters[other])
    found: Keys = np.unique(persons[np.isin(invoices, invoices[one][twice])])
    return found
