"""The oracle of pools: what facts say of them, and what is due from them (groups.md, section 3). Money is whole fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from .calculator import Ledger, Policy, claims_of, coverage_of_tier, rule_payable
from .pool_money import Money

Line = tuple[str, str]
"""A claim and a scheme, by their ids."""


@dataclass(frozen=True)
class Due:
    """What is due of a line, and who is to pay it."""

    line: Line
    amount: int
    policy_date: date
    place: int
    """Of the scheme in the policy's order."""
    policy_year: int
    by_pool: bool
    pool_id: str | None

    @property
    def order(self) -> tuple[date, str, int]:
        return self.policy_date, self.line[0], self.place


@dataclass(frozen=True)
class Pool:
    """What the newest facts say of a pool."""

    id: str
    on_shortage: str | None
    """None: nobody recorded the pool, and all wait."""
    received: Money


def dues_of(ledger: Ledger, policies: Sequence[Policy]) -> list[Due]:
    """All that is due now, in canonical order."""
    claims = claims_of(ledger)
    found = []
    for rulings in rule_payable(claims, policies).values():
        for place, ruling in enumerate(rulings):
            if ruling.benefit > 0:
                by_pool = ruling.scheme.funded_by == "pool"
                by_coverage = by_pool and ruling.claim.trigger != "aid"
                pool = coverage_of_tier(ruling.claim, ruling.scheme).body.get("pool_id") if by_coverage else None
                due = Due(
                    line=(ruling.claim.id, ruling.scheme.id),
                    amount=int(ruling.benefit * 100),
                    policy_date=ruling.claim.policy_date,
                    place=place,
                    policy_year=ruling.policy_year.year,
                    by_pool=by_pool,
                    pool_id=None if pool is None else str(pool),
                )
                assert due.amount == ruling.benefit * 100, due
                found.append(due)
    return sorted(found, key=lambda due: due.order)


def pool_of(ledger: Ledger, pool_id: str) -> Pool:
    """What the newest facts about a pool and its contributions say; there may be none."""
    recorded = [event for event in ledger.newest("pool_id") if event.text("pool_id") == pool_id]
    received: Money = {}
    for event in ledger.newest("contribution_id"):
        if event.text("pool_id") == pool_id and not event.is_void:
            restricted_to = event.body.get("restricted_to") or []
            assert isinstance(restricted_to, list)
            only = frozenset(restricted_to)
            received[only] = received.get(only, 0) + int(event.money("amount") * 100)
    rule = recorded[0].body.get("on_shortage") or "owe" if recorded else None
    return Pool(pool_id, None if rule is None else str(rule), received)
