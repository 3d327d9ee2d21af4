"""Policies, and what changed between two, as JSON: the fields of the files, and the worked examples."""

from __future__ import annotations

import json
from typing import Any

from cli.policy.policy_diff import example_amounts, example_stay
from cli.policy.policy_table import CLAIM_EXAMPLE
from handlers.offline.worked_examples import (
    benefit_at,
    category_of,
    claim_at,
    first_category,
    members_at,
    telling_amounts,
)
from handlers.words.policy_changes import PolicyChange, affected, changes, union
from schemas.money import format_yuan
from schemas.policy.model import Check, Policy, Scheme, Term, Tier

PARTS = (Policy, Scheme, Tier)
"""What has the field of a change, by how many names its place has."""


def of_policy(policy: Policy, term: Term) -> dict[str, Any]:
    """A policy that is in force for a term: its fields that are not at their default, and worked examples."""
    categories = [first_category(scheme) for scheme in policy.schemes]
    decided = claim_at(policy, categories, *CLAIM_EXAMPLE)
    return {
        "policy_id": policy.id,
        "sha256": policy.sha256,
        "first_day": term.first.isoformat(),
        "last_day": None if term.last_day is None else term.last_day.isoformat(),
        "succeeded_by": None if term.successor is None else term.successor.id,
        "policy": json.loads(policy.canonical),
        "examples": [
            {
                "scheme_id": scheme.id,
                "tier": tier.name,
                "category": category,
                "amount": format_yuan(amount),
                "benefit": format_yuan(benefit_at(policy, scheme, category, amount).amount),
            }
            for scheme in policy.schemes
            for tier in scheme.tiers
            if (category := category_of(scheme, tier)) is not None
            for amount in telling_amounts(policy, scheme, tier)
        ],
        "stay": {
            **_stay(),
            "benefits": [
                {
                    "scheme_id": benefit.scheme.id,
                    "measured": format_yuan(benefit.measured),
                    "benefit": format_yuan(benefit.amount),
                }
                for benefit in decided.benefits
            ],
            "total_benefit": format_yuan(decided.total_benefit),
            "patient_pays": format_yuan(decided.patient_pays),
        },
        "household": _household(policy, categories),
    }


def _household(policy: Policy, categories: list[str | None]) -> dict[str, Any] | None:
    """Two members of a household with such a stay each; None where no scheme counts by household."""
    members = members_at(policy, categories, *CLAIM_EXAMPLE)
    if members is None:
        return None
    first, second = members
    return {
        "benefits": [
            {"scheme_id": one.scheme.id, "first": format_yuan(one.amount), "second": format_yuan(other.amount)}
            for one, other in zip(first.benefits, second.benefits, strict=True)
        ],
        "first": format_yuan(first.total_benefit),
        "second": format_yuan(second.total_benefit),
    }


def of_difference(old: Policy, new: Policy) -> dict[str, Any]:
    """Every field that differs with its values (null where not set), and what that means at a few example amounts."""
    schemes = [{scheme.id: scheme for scheme in policy.schemes} for policy in (old, new)]
    all_changes = changes(old, new)
    changed = {change.place[0] for change in all_changes if change.place}
    paid = example_stay(old, new).paid
    return {
        "same": old.sha256 == new.sha256,
        "before": _named(old),
        "after": _named(new),
        "changes": [_change(change) for change in all_changes],
        "examples": [
            {
                "scheme_id": name,
                "categories": list(group.categories),
                "amount": format_yuan(amount),
                "before": format_yuan(one),
                "after": format_yuan(other),
            }
            for name in union(list(schemes[0]), list(schemes[1]))
            if name in changed
            for group in affected(schemes[0].get(name), schemes[1].get(name))
            for amount, one, other in example_amounts(old, new, schemes[0].get(name), schemes[1].get(name), group)
        ],
        "stay": {
            **_stay(),
            "benefits": [
                {
                    "scheme_id": name,
                    "before": format_yuan(paid[0].get(name, 0)),
                    "after": format_yuan(paid[1].get(name, 0)),
                }
                for name in union(list(paid[0]), list(paid[1]))
            ],
        },
    }


def _stay() -> dict[str, str]:
    copay, outside = map(format_yuan, CLAIM_EXAMPLE)
    return {"copay": copay, "out_of_catalogue": outside}


def _named(policy: Policy) -> dict[str, str]:
    return {"policy_id": policy.id, "title": policy.title, "sha256": policy.sha256}


def _change(change: PolicyChange) -> dict[str, Any]:
    scheme, tier = [*change.place, None, None][:2]
    before, after = (_value(change, value) for value in (change.before, change.after))
    return {"scheme_id": scheme, "tier": tier, "field": change.field, "before": before, "after": after}


def _value(change: PolicyChange, value: object) -> Any:
    """A value as the file spells it; of a scheme, a tier or an order only what names it."""
    if value is None:
        return None
    if isinstance(value, Scheme):
        return value.id
    if isinstance(value, Tier):
        return value.name
    if change.field == "order" or isinstance(value, Check):
        return value
    construct: Any = PARTS[len(change.place)].model_construct
    part: Policy | Scheme | Tier = construct(**{change.field: value})
    (dumped,) = part.model_dump(mode="json", by_alias=True, include={change.field}).values()
    return dumped
