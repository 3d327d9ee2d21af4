"""Persons who have to be decided together, found among many: those whom memberships of households or invoices link."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from handlers.claims.decidable import Decidable
from handlers.claims.households import linked
from handlers.claims.twice import link_of
from schemas.facts import UnitKind
from schemas.policy.model import Policies


class Linking(NamedTuple):
    """What links persons: memberships of one household, live bills with one invoice."""

    households: bool
    invoices: bool


BY_ANYTHING = Linking(households=True, invoices=True)


def together(
    accounts: Iterable[Decidable], *compared: Policies, by_household: bool = False, invoices: bool = False
) -> Iterator[Sequence[Decidable]]:
    """Each person alone, or with the others of their group where one of the policies, or the work, counts by household.

    With ``invoices``, with those too who name the same invoice: for whoever wants to know what is there twice. The
    accounts must hold whole groups. Persons whom nothing links come first, as they are met.
    """
    by_household = by_household or any(policies.household_schemes for policies in compared)
    linking = Linking(by_household, invoices)
    if not any(linking):
        for account in accounts:
            yield (account,)
        return
    waiting, links = dict[str, Decidable](), dict[str, set[str]]()
    for account in accounts:
        if names := links_of_account(account, linking):
            waiting[account.person_id], links[account.person_id] = account, names
        else:
            yield (account,)
    for group in linked(links):
        yield [waiting[name] for name in group]


def links_of_account(account: Decidable, linking: Linking) -> set[str]:
    """The names of all that links a person to others, or would if they were linked to it too."""
    names = households_of(account) if linking.households else set[str]()
    return names | invoice_links(account) if linking.invoices else names


def invoice_links(account: Decidable) -> set[str]:
    """What the live settlements of a person's claims link by their invoices, as far as the account knows them."""
    return {link_of(invoice) for _, trace in account.traces() for invoice in trace.invoices}


def households_of(account: Decidable) -> set[str]:
    """The households to which a membership that was not voided links a person, on whatever days."""
    return {each.household_id for each in account.recorded_memberships() if each.unit == UnitKind.HOUSEHOLD}
