"""Persons who have to be decided together, found among many: those whom memberships of households link."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from handlers.claims.decidable import Decidable
from handlers.claims.households import linked
from schemas.facts import UnitKind
from schemas.policy.model import Policies


def together(accounts: Iterable[Decidable], *compared: Policies) -> Iterator[Sequence[Decidable]]:
    """Each person alone, or with the others of their group where one of the policies counts by household.

    The accounts must hold whole groups. Persons whom nothing links come first, as they are met.
    """
    if not any(policies.household_schemes for policies in compared):
        for account in accounts:
            yield (account,)
        return
    waiting, households = dict[str, Decidable](), dict[str, set[str]]()
    for account in accounts:
        if names := households_of(account):
            waiting[account.person_id], households[account.person_id] = account, names
        else:
            yield (account,)
    for group in linked(households):
        yield [waiting[name] for name in group]


def households_of(account: Decidable) -> set[str]:
    """The households to which a membership that was not voided links a person, on whatever days."""
    return {each.household_id for each in account.recorded_memberships() if each.unit == UnitKind.HOUSEHOLD}
