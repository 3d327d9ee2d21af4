"""The laws of shares and cessions (payers.md, section 3), to the fen, over random treaties and months."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from math import floor
from random import Random

import pytest

from handlers.treaties.shares import allocated, ceded, month_parts
from schemas.treaty.treaty_model import Share, StopLoss, Treaty, identified
from tests.support.length import times

TREATIES = times(500, 20_000)
MILLIONTHS = 1_000_000

pytestmark = pytest.mark.long


def treaties() -> Iterator[tuple[Random, Treaty]]:
    """Random treaties, each with the chance that made it; some shares are equal, so that remainders tie."""
    for seed in range(TREATIES):
        random = Random(seed)
        yield random, treaty_of(random)


def treaty_of(random: Random) -> Treaty:
    count = random.choice((1, 2, 2, 3, 3, 4, 7, 12))
    if random.random() < 0.4:  # as equal as they can be
        parts = [MILLIONTHS // count] * count
        parts[random.randrange(count)] += MILLIONTHS - sum(parts)
    else:
        step = random.choice((1, 10_000, 50_000))
        cuts = sorted(random.sample(range(1, MILLIONTHS // step), count - 1))
        parts = [(end - start) * step for start, end in pairwise([0, *cuts, MILLIONTHS // step])]
    shares = tuple(Share(f"insurer-{place}", millionths(part)) for place, part in enumerate(parts))
    stop_loss = None
    if random.random() < 0.8:
        share = random.choice((MILLIONTHS, 500_000, 900_000, random.randint(1, MILLIONTHS)))
        stop_loss = StopLoss(sum_of(random), 1 + sum_of(random), millionths(share), "reinsurer-x")
    days = date(2024, 1, 1), date(2025, 1, 1)
    lead = random.choice(shares).insurer
    return identified(Treaty("t", "", "sample", *days, ("aid",), lead, shares, stop_loss, ""))


def millionths(number: int) -> Decimal:
    return Decimal(number).scaleb(-6)


def sum_of(random: Random) -> int:
    """Fen: nothing, a few, or millions."""
    return random.choice((0, random.randint(0, 20), random.randint(0, 10**6), random.randint(0, 10**12)))


def signed(random: Random) -> int:
    return random.choice((1, 1, -1)) * sum_of(random)


def sums_of(random: Random, treaty: Treaty) -> list[int]:
    """What a treaty paid in all, month after month: up, down, and to where its stop-loss begins and ends."""
    sums = list(accumulate((signed(random) for _ in range(random.randint(1, 15))), initial=0))
    if treaty.stop_loss is not None:
        edges = [treaty.stop_loss.attachment, treaty.stop_loss.attachment + treaty.stop_loss.limit]
        sums += [random.choice(edges) + random.randint(-3, 3) for _ in range(3)]
    return sums


def test_a_sum_is_shared_without_losing_or_making_a_fen() -> None:
    """Each insurer gets its share down to the fen, or one fen more; the parts add up to the sum."""
    for random, treaty in treaties():
        total = signed(random)
        parts = allocated(total, treaty.shares)
        assert total == sum(parts), (treaty, total)
        for each, part in zip(treaty.shares, parts, strict=True):
            whole = floor(abs(total) * Fraction(each.share))
            assert abs(part) in (whole, whole + 1), (treaty, total)
            assert part * total >= 0


def test_fen_left_over_go_to_the_largest_remainders_in_the_order_of_the_file() -> None:
    """Nobody who went without had a larger remainder, or an equal one and stands above."""
    ties = 0
    for random, treaty in treaties():
        total = sum_of(random)
        exact = [total * Fraction(each.share) for each in treaty.shares]
        remainders = [amount - floor(amount) for amount in exact]
        parts = allocated(total, treaty.shares)
        more = {place for place, part in enumerate(parts) if part > floor(exact[place])}
        for got in more:
            for went_without in set(range(len(parts))) - more:
                assert (remainders[got], -got) > (remainders[went_without], -went_without), (treaty, total)
                ties += remainders[got] == remainders[went_without]
    assert ties > 10


def test_a_negative_sum_is_shared_like_a_positive_one() -> None:
    """alloc(x) = -alloc(-x): what is taken back comes from whom it was paid by."""
    for random, treaty in treaties():
        total = sum_of(random)
        assert allocated(-total, treaty.shares) == [-part for part in allocated(total, treaty.shares)]


def test_the_cession_is_the_share_of_what_lies_between_attachment_and_limit() -> None:
    """Rounded half up, never below zero, and never more than the share of the limit; without a stop-loss nothing."""
    for random, treaty in treaties():
        for total in sums_of(random, treaty):
            found, stop_loss = ceded(total, treaty.stop_loss), treaty.stop_loss
            if stop_loss is None:
                assert found == 0
                continue
            layer = min(stop_loss.limit, max(0, total - stop_loss.attachment))
            assert found == half_up(Fraction(stop_loss.share) * layer), (treaty, total)
            assert 0 <= found <= half_up(Fraction(stop_loss.share) * stop_loss.limit)


def half_up(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))


def test_parts_and_cession_add_up_to_the_month() -> None:
    """Whatever the months before it were, and also when money came back."""
    for random, treaty in treaties():
        for before, after in pairwise(sums_of(random, treaty)):
            parts, cession = month_parts(before, after, treaty)
            assert after - before == sum(parts) + cession, (treaty, before, after)


def test_months_add_up_to_what_they_are_together() -> None:
    """No drift: over any months, negative ones too, each insurer bears what one long month would have cost it."""
    opposite = 0
    for random, treaty in treaties():
        sums = sums_of(random, treaty)
        together = [0] * len(treaty.shares)
        cessions = 0
        for before, after in pairwise(sums):
            parts, cession = month_parts(before, after, treaty)
            together = [so_far + part for so_far, part in zip(together, parts, strict=True)]
            cessions += cession
            opposite += any(part * (after - before) < 0 for part in parts)
        assert (together, cessions) == month_parts(sums[0], sums[-1], treaty), (treaty, sums)
        taken = ceded(sums[-1], treaty.stop_loss)
        own = [
            part - over
            for part, over in zip(allocated(sums[-1], treaty.shares), allocated(taken, treaty.shares), strict=True)
        ]
        assert (own, taken) == (together, cessions), (treaty, sums)
    assert opposite, "no month in which a part has the other sign than the month"


def test_there_and_back_costs_nobody_anything() -> None:
    """A month that takes back exactly what another one paid gives every insurer its part back."""
    for random, treaty in treaties():
        before, after = signed(random), signed(random)
        there, back = month_parts(before, after, treaty), month_parts(after, before, treaty)
        assert ([-part for part in there[0]], -there[1]) == back


@pytest.mark.parametrize(
    ("total", "parts"),
    [
        (0, [0, 0, 0]),
        (1, [1, 0, 0]),
        (2, [1, 1, 0]),
        (3, [1, 1, 1]),
        (100, [34, 33, 33]),
        (-100, [-34, -33, -33]),
        (-1, [-1, 0, 0]),
    ],
)
def test_thirds_are_shared_by_remainder_then_in_order(total: int, parts: list[int]) -> None:
    """Worked out by hand: the first has the largest share by a millionth, the others the same."""
    thirds = tuple(Share(name, Decimal(share)) for name, share in zip("abc", THIRDS, strict=True))
    assert parts == allocated(total, thirds)


THIRDS = ("0.333334", "0.333333", "0.333333")


def test_a_stop_loss_worked_out_by_hand() -> None:
    """90 % of what is over a million yuan, of half a million at most; half a fen is rounded up."""
    stop_loss = StopLoss(1_000_000_00, 500_000_00, Decimal("0.90"), "reinsurer-x")
    expected = {
        -5: 0,
        1_000_000_00: 0,
        1_000_000_01: 1,  # 0.9 fen
        1_000_000_05: 5,  # 4.5 fen
        1_100_000_00: 90_000_00,
        1_500_000_00: 450_000_00,
        1_500_000_01: 450_000_00,
        9_000_000_00: 450_000_00,
    }
    assert expected == {total: ceded(total, stop_loss) for total in expected}
