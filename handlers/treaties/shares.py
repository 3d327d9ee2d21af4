"""What each insurer of a treaty bears of a sum, and what its stop-loss bears (payers.md, section 3). All in fen."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

from schemas.money import round_half_up
from schemas.treaty.treaty_model import Share, StopLoss, Treaty


def allocated(total: int, shares: Sequence[Share]) -> list[int]:
    """The parts of ``total`` in the order of the shares, which add up to 1; their sum is ``total``.

    Each gets the whole fen of its share. The fen left over go one each to the largest remainders, ties in the order
    of the shares. A negative total is shared like a positive one, with the other sign.
    """
    if total < 0:
        return [-part for part in allocated(-total, shares)]
    ratios = [each.share.as_integer_ratio() for each in shares]
    scale = lcm(*(denominator for _, denominator in ratios))
    scaled = [total * numerator * (scale // denominator) for numerator, denominator in ratios]
    parts = [amount // scale for amount in scaled]
    by_remainder = sorted(range(len(shares)), key=lambda place: -(scaled[place] % scale))  # stable: ties keep the order
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts


def ceded(total: int, stop_loss: StopLoss | None) -> int:
    """What the stop-loss bears of all that the treaty paid so far; nothing without one."""
    if stop_loss is None:
        return 0
    numerator, denominator = stop_loss.share.as_integer_ratio()
    return round_half_up(numerator * min(stop_loss.limit, max(0, total - stop_loss.attachment)), denominator)


def month_parts(before: int, after: int, treaty: Treaty) -> tuple[list[int], int]:
    """What each insurer bears of a month, in the order of the shares, and the month's cession to the stop-loss.

    ``before`` and ``after`` are the net sums of the treaty up to the month and with it. Parts and cession add up to
    their difference. A part may have the other sign than the month.
    """
    parts = [new - old for new, old in zip(_kept(after, treaty), _kept(before, treaty), strict=True)]
    return parts, ceded(after, treaty.stop_loss) - ceded(before, treaty.stop_loss)


def _kept(total: int, treaty: Treaty) -> list[int]:
    """What each insurer bears of all that the treaty paid so far, less its part of what is ceded."""
    over = ceded(total, treaty.stop_loss)
    return [
        part - taken
        for part, taken in zip(allocated(total, treaty.shares), allocated(over, treaty.shares), strict=True)
    ]
