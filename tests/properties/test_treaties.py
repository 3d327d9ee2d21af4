"""Treaties (payers.md, sections 2 and 3) against an oracle that shares no code, and the laws of shares and cessions."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import floor
from random import Random

import pytest

from handlers.treaties.shares import allocated, ceded, month_parts
from schemas.treaty.treaty_conflicts import TreatiesConflict
from schemas.treaty.treaty_file import parse_treaty
from schemas.treaty.treaty_model import FUND, Share, StopLoss, Treaties
from tests.oracle import treaties as oracle
from tests.support.length import times
from tests.support.random_treaties import SCHEMES, file_of, signed, sum_of, sums_of, treaties, treaty_of

TREATIES = times(500, 20_000)
AGAINST_THE_ORACLE = times(300, 4_000)
SEVERAL = times(100, 2_000)

pytestmark = pytest.mark.long


def test_a_sum_is_shared_without_losing_or_making_a_fen() -> None:
    """Each insurer gets its share down to the fen, or one fen more; the parts add up to the sum."""
    for random, treaty in treaties(TREATIES):
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
    for random, treaty in treaties(TREATIES):
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
    for random, treaty in treaties(TREATIES):
        total = sum_of(random)
        assert allocated(-total, treaty.shares) == [-part for part in allocated(total, treaty.shares)]


def test_the_cession_is_the_share_of_what_lies_between_attachment_and_limit() -> None:
    """Rounded half up, never below zero, and never more than the share of the limit; without a stop-loss nothing."""
    for random, treaty in treaties(TREATIES):
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
    for random, treaty in treaties(TREATIES):
        for before, after in pairwise(sums_of(random, treaty)):
            parts, cession = month_parts(before, after, treaty)
            assert after - before == sum(parts) + cession, (treaty, before, after)


def test_months_add_up_to_what_they_are_together() -> None:
    """No drift: over any months, negative ones too, each insurer bears what one long month would have cost it."""
    opposite = 0
    for random, treaty in treaties(TREATIES):
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


def test_after_every_month_all_insurers_together_have_borne_the_net() -> None:
    """To the fen, at every prefix of any months; each insurer has borne its part of the net so far, and nobody more."""
    below = opposite = 0
    for random, treaty in treaties(TREATIES):
        sums = sums_of(random, treaty)
        borne, ceded_so_far = [0] * len(treaty.shares), 0
        for before, after in pairwise(sums):
            parts, cession = month_parts(before, after, treaty)
            borne = [so_far + part for so_far, part in zip(borne, parts, strict=True)]
            ceded_so_far += cession
            assert after - sums[0] == sum(borne) + ceded_so_far, (treaty, sums)
            assert (borne, ceded_so_far) == month_parts(sums[0], after, treaty), (treaty, sums)
            below += after < 0
            opposite += cession < 0
    assert min(below, opposite) > TREATIES // 10, "too few months below zero, or that take a cession back"


def test_there_and_back_costs_nobody_anything() -> None:
    """A month that takes back exactly what another one paid gives every insurer its part back."""
    for random, treaty in treaties(TREATIES):
        before, after = signed(random), signed(random)
        there, back = month_parts(before, after, treaty), month_parts(after, before, treaty)
        assert ([-part for part in there[0]], -there[1]) == back


def test_months_are_those_of_the_oracle() -> None:
    """A second calculation, by somebody who has not read this one, finds the same parts and cessions in the file."""
    for random, treaty in treaties(AGAINST_THE_ORACLE):
        sums = sums_of(random, treaty)
        found = oracle.months(tomllib.loads(file_of(treaty)), [after - before for before, after in pairwise(sums)])
        told = [(list(month.parts.values()), month.cession) for month in found]
        assert told == [month_parts(*each, treaty) for each in pairwise(sums)], (treaty, sums)


def test_a_file_is_read_as_the_treaty_that_it_says() -> None:
    """Written and read again it is the same treaty, under the same hash."""
    for _, treaty in treaties(SEVERAL):
        assert treaty == parse_treaty(file_of(treaty))


def test_who_covers_a_day_is_whom_the_oracle_finds() -> None:
    """Treaties are published one after the other: those that overlap are refused, of the others one covers a day."""
    refused = covered = 0
    for seed in range(SEVERAL):
        random = Random(seed)
        together, files = Treaties(), list[oracle.Treaty]()
        for _ in range(random.randint(1, 12)):
            treaty = treaty_of(random)
            file = tomllib.loads(file_of(treaty))
            if any(oracle.overlap(file, other) for other in files):
                refused += 1
                with pytest.raises(TreatiesConflict, match="both cover"):
                    together.joined(treaty)
                continue
            together = together.joined(treaty)
            files.append(file)
        for _ in range(20):
            scheme_id, day = random.choice(SCHEMES), date(2023, 12, 25) + timedelta(days=random.randrange(100))
            found = together.covering(scheme_id, day)
            told = (FUND, None) if found is None else (found.lead, found.id)
            assert told == oracle.payer_of(files, scheme_id, day)
            covered += found is not None
    assert min(refused, covered) > SEVERAL


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
