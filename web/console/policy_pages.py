"""Policies: when each is in force, its rules with worked examples, and the difference between two releases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from acts.published_policies import published_policies, published_policy
from handlers.offline.worked_examples import (
    benefit_at,
    category_of,
    claim_at,
    first_category,
    members_at,
    telling_amounts,
)
from handlers.offline.working_line import working
from handlers.words.policy_changes import PolicyChange, changes
from handlers.words.policy_sentences import (
    FIELDS,
    in_force,
    measure_words,
    policy_rules,
    scheme_rules,
    short_basis,
    value_words,
)
from infra.ledger import policy_rows
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.policy.model import Policy, Scheme, Tier
from web.console.visit import Visit, not_found

EXAMPLE = (8_000_00, 12_000_00)
"""Copay and out-of-catalogue amount (fen) of the example stay."""


@dataclass(frozen=True, slots=True)
class Release:
    """A published policy; ``state`` is past, now or later as of today."""

    policy: Policy
    operator: str
    published_at: datetime
    state: str
    days: Saying
    successor: Policy | None


def index(visit: Visit) -> Response:
    visit.require(Right.POLICIES)
    with visit.engine.connect() as connection:
        releases = _releases(connection, shanghai_date(visit.now()))
    return visit.page("policies.html", releases=releases)


def show(visit: Visit) -> Response:
    visit.require(Right.POLICIES)
    with visit.engine.connect() as connection:
        policy = _published(connection, visit.path_values["sha256"])
        term = published_policies(connection).term(policy)
    schemes = [
        {
            "scheme": scheme,
            "rules": scheme_rules(scheme),
            "tiers": [_tier(policy, scheme, tier) for tier in scheme.tiers],
        }
        for scheme in policy.schemes
    ]
    categories = [first_category(scheme) for scheme in policy.schemes]
    decided = claim_at(policy, categories, *EXAMPLE)
    example = [(benefit, short_basis(benefit.scheme), working(benefit)) for benefit in decided.benefits]
    both = members_at(policy, categories, *EXAMPLE)
    members = [] if both is None else list(zip(both[0].benefits, both[1].benefits, strict=True))
    return visit.page(
        "policy.html",
        members=[(first, second, working(second)) for first, second in members],
        policy=policy,
        rules=policy_rules(policy, term),
        schemes=schemes,
        example=example,
        decided=decided,
        copay=EXAMPLE[0],
        outside=EXAMPLE[1],
    )


def difference(visit: Visit) -> Response:
    visit.require(Right.POLICIES)
    with visit.engine.connect() as connection:
        before = _published(connection, visit.query.get("from", ""))
        after = _published(connection, visit.query.get("to", ""))
    return visit.page(
        "policy_difference.html",
        before=before,
        after=after,
        changes=[_in_words(change) for change in changes(before, after)],
    )


def _releases(connection: Connection, today: date) -> list[Release]:
    releases = []
    policies = published_policies(connection)
    for file in policy_rows.releases(connection):
        policy = published_policy(file.source_text)
        term = policies.term(policy)
        state = "now" if term.holds(today) else "later" if term.first > today else "past"
        releases.append(Release(policy, file.operator, file.published_at, state, in_force(term), term.successor))
    return releases


def _published(connection: Connection, sha256: str) -> Policy:
    text = policy_rows.text_of(connection, sha256)
    if text is None:
        raise not_found()
    return published_policy(text)


def _tier(policy: Policy, scheme: Scheme, tier: Tier) -> dict[str, Any]:
    category = category_of(scheme, tier)
    rows = []
    if category is not None:
        for amount in telling_amounts(policy, scheme, tier):
            benefit = benefit_at(policy, scheme, category, amount)
            rows.append((amount, benefit.amount, working(benefit)))
    return {"tier": tier, "rates": measure_words(tier), "rows": rows}


def _in_words(change: PolicyChange) -> tuple[str, Saying, Saying, Saying]:
    name = FIELDS[change.field]
    if len(change.place) == 2:
        name = Saying(f"{change.place[1]}:{name.zh}", f"{change.place[1]}: {name.en}")
    place = change.place[0] if change.place else ""
    return place, name, _value(change.field, change.before), _value(change.field, change.after)


def _value(field: str, value: object) -> Saying:
    if field in ("scheme", "tier"):
        return Saying("无", "absent") if value is None else Saying("有", "present")
    return value_words(field, value)
