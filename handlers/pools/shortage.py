"""Whom a pool pays when its money is short: by its rule for a shortage (groups.md, section 3).

Pure: the same money and the same queue give the same releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from handlers.claims.restrictions import FREE, schemes_of
from handlers.pools.pool_money import PoolMoney, narrowest_first
from schemas.facts import OnShortage
from schemas.pool_records import PoolSide, WaitingBenefit


class ReleasedPart(NamedTuple):
    """So many fen more of a claim's benefit may be instructed."""

    claim_id: str
    scheme_id: str
    amount: int


def releases(on_shortage: str | None, money: PoolMoney, queue: Iterable[WaitingBenefit]) -> list[ReleasedPart]:
    """What is released of a queue that is in canonical order, as ``money`` then counts it too.

    ``on_shortage`` is None for a pool that nobody recorded: it pays nothing, as nobody knows whether it may owe.
    """
    found = list[ReleasedPart]()
    if on_shortage not in (OnShortage.OWE, OnShortage.QUEUE):
        return found
    for each in queue:
        if not each.open:
            continue
        if on_shortage == OnShortage.QUEUE and not money.covers(each.scheme_id, each.open):
            break  # nobody is overtaken
        money.add(PoolSide.RELEASED, each.scheme_id, each.open)
        found.append(ReleasedPart(each.claim_id, each.scheme_id, each.open))
    return found


def shares_of_a_year(money: PoolMoney, dues: Sequence[WaitingBenefit]) -> list[ReleasedPart]:
    """What each of the dues gets at the close of a year: all the same part of it, as far as the money goes.

    Restricted money pays its schemes' dues first, that with the fewest schemes before others; free money pays the rest.
    A fen that is left over goes by claim and scheme, whatever the order of the dues.
    """
    dues = sorted(dues, key=lambda each: (each.claim_id, each.scheme_id))
    paid = dict.fromkeys(((each.claim_id, each.scheme_id) for each in dues), 0)
    left = money.left()
    if left[FREE] < 0:
        return []  # it owes: what is there covers what was released before
    for name in sorted(left, key=lambda name: (name == FREE, *narrowest_first(name))):
        of = schemes_of(name)
        served = [each for each in dues if name == FREE or each.scheme_id in of]
        open_ = [each.open - paid[each.claim_id, each.scheme_id] for each in served]
        for each, amount in zip(served, pro_rata(open_, left[name]), strict=True):
            paid[each.claim_id, each.scheme_id] += amount
    return [ReleasedPart(*place, amount) for place, amount in paid.items() if amount]


def pro_rata(dues: Sequence[int], available: int) -> list[int]:
    """floor(due * min(1, available / sum of dues)) fen each; the fen left over go by largest remainder, then in order.

    The dues are given in order of their claims' ids.
    """
    total = sum(dues)
    if total <= available:
        return list(dues)
    exact = [Fraction(due * available, total) for due in dues]
    parts = [int(each) for each in exact]
    by_remainder = sorted(range(len(dues)), key=lambda index: parts[index] - exact[index])
    for index in by_remainder[: available - sum(parts)]:
        parts[index] += 1
    return parts
