"""The oracle of what a pool's money may pay: restricted sums, and shares pro rata (groups.md, section 3).

Money is whole fen. Restricted money is judged by looking at every set of schemes, not by sending money along a network.
"""

from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations
from math import floor

Money = dict[frozenset[str], int]
"""What came in, by the only schemes that it may pay; the empty set is money that may pay all."""

FREE: frozenset[str] = frozenset()


def free_money_used(received: Money, spent: Mapping[str, int]) -> int:
    """The least free money (fen) with which what was spent can have been paid.

    By Hall's condition: of any schemes together, what no money restricted to one of them or more can have paid.
    """
    return max(
        sum(spent[scheme] for scheme in some)
        - sum(amount for only, amount in received.items() if not only.isdisjoint(some))
        for size in range(len(spent) + 1)
        for some in combinations(spent, size)
    )


def is_covered(received: Money, spent: Mapping[str, int]) -> bool:
    return free_money_used(received, spent) <= received.get(FREE, 0)


def by_size(only: frozenset[str]) -> tuple[int, list[str]]:
    """The order of restricted sums: the smallest set of schemes first, then by names."""
    return len(only), sorted(only)


def left_of(only: frozenset[str], received: Money, spent: Mapping[str, int]) -> int:
    """What is left of a restricted sum: of what was spent, each sum paid all that it could, in the order of sums."""

    def paid_by(sums: list[frozenset[str]]) -> int:
        return sum(spent.values()) - free_money_used({each: received[each] for each in sums}, spent)

    before = [each for each in received if by_size(each) < by_size(only)]
    return received[only] - (paid_by([*before, only]) - paid_by(before))


def pro_rata(available: int, asked: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """The part of each who asks, by claim id and the place of the scheme in its policy.

    Rounded down; what is left over goes one fen each by largest remainder, then claim id, then place.
    """
    total = sum(asked.values())
    if total == 0:
        return {}
    rate = min(Fraction(1), Fraction(available, total))
    parts = {who: floor(amount * rate) for who, amount in asked.items()}
    left_over = min(available, total) - sum(parts.values())
    for who in sorted(asked, key=lambda who: (parts[who] - asked[who] * rate, who))[:left_over]:
        parts[who] += 1
    return parts
