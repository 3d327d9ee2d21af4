"""Which unit a claim counts to, and whose claims have to be decided together (groups.md, section 2).

A unit is a household, or a person alone. A person who moves belongs to several units in turn, so their claims are
decided together with those of everybody to whom such memberships link them, of whatever days.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple, TypeVar

from handlers.claims.decidable import MembershipView
from schemas.facts import UnitKind

Name = TypeVar("Name", bound=str)

GROUP_MAX = 512
"""A group of more persons raises an alert; its claims are decided all the same."""


class Unit(NamedTuple):
    """Whose sums a claim counts to: a household's, or with ``household_id`` None the person's own."""

    household_id: str | None
    person_id: str


def unit_of(person_id: str, memberships: Sequence[MembershipView], day: date) -> Unit:
    """The unit of a person's claims of a day; ``memberships`` are those that were not voided.

    Of several that hold the day the one with the latest first day counts, then the greatest id.
    """
    held = [each for each in memberships if holds(each, day)]
    if not held:
        return Unit(None, person_id)
    newest = max(held, key=lambda each: (each.valid_from, each.membership_id))
    return Unit(newest.household_id, "") if newest.unit == UnitKind.HOUSEHOLD else Unit(None, person_id)


def overlap(memberships: Sequence[MembershipView], day: date) -> bool:
    """Whether several memberships hold a day (the alert MEMBERSHIPS_OVERLAP)."""
    return sum(holds(each, day) for each in memberships) > 1


def holds(membership: MembershipView, day: date) -> bool:
    """Whether the membership's half-open interval holds the day."""
    return membership.valid_from <= day and (membership.valid_to is None or day < membership.valid_to)


def linked(households: Mapping[Name, Collection[str]]) -> list[list[Name]]:
    """The persons of each component: those whom their households link, directly or over others.

    Takes the households that link each person. Components, and the persons of each, are in order of their ids.
    """
    members: dict[str, list[Name]] = {}
    for person_id, names in households.items():
        for name in names:
            members.setdefault(name, []).append(person_id)
    found, met = list[list[Name]](), set[str]()
    for person_id in sorted(households):
        if person_id in met:
            continue
        met.add(person_id)
        component, entered = [person_id], set[str]()
        for each in component:  # grows meanwhile
            for name in set(households[each]) - entered:
                entered.add(name)
                component += [member for member in members[name] if member not in met]
                met.update(members[name])
        found.append(sorted(component))
    return found
