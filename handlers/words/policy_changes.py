"""What changed between two policies: scheme by scheme, tier by tier, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.policy.model import Checks, Policy, Scheme, Tier

FieldPath = tuple[str, ...]
"""Where a field is: () in the policy or its checks, (scheme id) in a scheme, (scheme id, tier name) in a tier."""


FieldsOf = Policy | Checks | Scheme | Tier
"""Whatever has fields that may differ."""


class PolicyChange(NamedTuple):
    """One field that differs; None where it is not set, or its scheme or tier does not exist."""

    place: FieldPath
    field: str
    before: object
    after: object


class Affected(NamedTuple):
    """Categories that lead to one tier before and to one after; None where they lead to none."""

    categories: tuple[str, ...]
    before: Tier | None
    after: Tier | None


def changes(before: Policy, after: Policy) -> list[PolicyChange]:
    """Every field that differs; none when the two policies have the same canonical form."""
    differing = list(_fields((), before, after, ("schemes", "checks")))
    differing += _fields((), before.checks, after.checks, ())
    old, new = ({scheme.id: scheme for scheme in policy.schemes} for policy in (before, after))
    differing += _order((), list(old), list(new))
    for name in union(list(old), list(new)):
        differing += _scheme(name, old.get(name), new.get(name))
    return differing


def affected(before: Scheme | None, after: Scheme | None) -> list[Affected]:
    """The categories of a scheme, grouped by the tiers to which they led and lead."""
    groups: dict[tuple[int | None, int | None], list[str]] = {}
    for category in union(_categories(before), _categories(after)):
        groups.setdefault((_tier_of(before, category), _tier_of(after, category)), []).append(category)
    return [
        Affected(
            tuple(categories),
            None if before is None or one is None else before.tiers[one],
            None if after is None or other is None else after.tiers[other],
        )
        for (one, other), categories in groups.items()
    ]


def union(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """All names once, in their order after the change; removed ones come last."""
    return list(dict.fromkeys([*after, *before]))


def _scheme(name: str, before: Scheme | None, after: Scheme | None) -> Iterator[PolicyChange]:
    if before is None or after is None:
        yield PolicyChange((name,), "scheme", before, after)
    yield from _fields((name,), before, after, ("id", "tiers"))
    old, new = _tiers(before), _tiers(after)
    yield from _order((name,), list(old), list(new))
    for tier in union(list(old), list(new)):
        one, other = old.get(tier), new.get(tier)
        if one is None or other is None:
            yield PolicyChange((name, tier), "tier", one, other)
        yield from _fields((name, tier), one, other, ("name",))


def _fields(
    place: FieldPath, before: FieldsOf | None, after: FieldsOf | None, aside: Sequence[str]
) -> Iterator[PolicyChange]:
    there = after or before
    assert there is not None
    for name, info in type(there).model_fields.items():
        one, other = (None if side is None else getattr(side, name) for side in (before, after))
        if name in aside or one == other:
            continue
        if (before is None or after is None) and (one or other) == info.default:
            continue  # a field of a new scheme that it does not set
        yield PolicyChange(place, name, one, other)


def _order(place: FieldPath, before: list[str], after: list[str]) -> Iterator[PolicyChange]:
    both = set(before) & set(after)
    if [name for name in before if name in both] != [name for name in after if name in both]:
        yield PolicyChange(place, "order", tuple(before), tuple(after))


def _tiers(scheme: Scheme | None) -> dict[str, Tier]:
    """By name; a duplicate name gets a number, so that no tier is lost."""
    by_name: dict[str, Tier] = {}
    for tier in scheme.tiers if scheme else ():
        name, number = tier.name, 1
        while name in by_name:
            number += 1
            name = f"{tier.name} #{number}"
        by_name[name] = tier
    return by_name


def _categories(scheme: Scheme | None) -> list[str]:
    return list(dict.fromkeys(category for tier in scheme.tiers for category in tier.categories)) if scheme else []


def _tier_of(scheme: Scheme | None, category: str) -> int | None:
    for index, tier in enumerate(scheme.tiers if scheme else ()):
        if category in tier.categories:
            return index
    return None
