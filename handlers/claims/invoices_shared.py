"""Who names which invoice: whoever names one that somebody else has named is decided together with them.

The second who names it is known at once. The first one is from the step on that decides both, as only that holds the
lock of their shard; so a replay of the ledger finds the same.
"""

from __future__ import annotations

from collections.abc import Collection

from handlers.claims.twice import link_of
from handlers.claims.world import World
from schemas.ids import PersonId
from schemas.records import InvoiceRow, Outcome, SharedInvoiceRow


def named(world: World, outcome: Outcome, invoice: str, person_id: PersonId) -> None:
    """Keeps that a settlement of a person names an invoice."""
    link = link_of(invoice)
    first = world.invoices.get(link)
    if first is None:
        world.invoices[link] = person_id
        outcome.invoices.append(InvoiceRow(link, person_id))
    elif first != person_id:
        _shares(world, outcome, link, person_id)


def decided_together(world: World, outcome: Outcome, persons: Collection[PersonId]) -> None:
    """Keeps that those of a group who were the first to name an invoice share it."""
    if not world.invoices_link:
        return
    for link in sorted(set[str]().union(*(world.shared.get(person_id, ()) for person_id in persons))):
        first = world.invoices.get(link)
        if first is not None and first in persons:
            _shares(world, outcome, link, first)


def _shares(world: World, outcome: Outcome, link: str, person_id: PersonId) -> None:
    shared = world.shared.setdefault(person_id, set())
    if link not in shared:
        shared.add(link)
        outcome.shared_invoices.append(SharedInvoiceRow(link, person_id))
