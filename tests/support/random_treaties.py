"""Random treaties, the sums that they pay month after month, and their files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from random import Random

from schemas.treaty.treaty_model import Share, StopLoss, Treaty, identified

MILLIONTHS = 1_000_000
SCHEMES = ("aid", "village", "third")


def treaties(count: int) -> Iterator[tuple[Random, Treaty]]:
    """So many random treaties, each with the chance that made it; some shares are equal, so that remainders tie."""
    for seed in range(count):
        random = Random(seed)
        yield random, treaty_of(random)


def treaty_of(random: Random) -> Treaty:
    """A treaty with up to twelve insurers, most with a stop-loss, some of which are reached by a few fen."""
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
    first = date(2024, 1, 1) + timedelta(days=random.randrange(60))
    end = None if random.random() < 0.2 else first + timedelta(days=random.randint(1, 30))
    schemes = tuple(random.sample(SCHEMES, random.randint(1, len(SCHEMES))))
    lead = random.choice(shares).insurer
    name = f"t{random.randrange(10**9)}"
    return identified(Treaty(name, "", "sample", first, end, schemes, lead, shares, stop_loss, ""))


def millionths(number: int) -> Decimal:
    return Decimal(number).scaleb(-6)


def sum_of(random: Random) -> int:
    """Fen: nothing, a few, or millions."""
    return random.choice((0, random.randint(0, 20), random.randint(0, 10**6), random.randint(0, 10**12)))


def signed(random: Random) -> int:
    """The same; a third of them below zero."""
    return random.choice((1, 1, -1)) * sum_of(random)


def sums_of(random: Random, treaty: Treaty) -> list[int]:
    """What a treaty paid in all, month after month: up, down, and to where its stop-loss begins and ends."""
    sums = list(accumulate((signed(random) for _ in range(random.randint(1, 15))), initial=0))
    if treaty.stop_loss is not None:
        edges = [treaty.stop_loss.attachment, treaty.stop_loss.attachment + treaty.stop_loss.limit]
        sums += [random.choice(edges) + random.randint(-3, 3) for _ in range(3)]
    return sums


def file_of(treaty: Treaty) -> str:
    """The treaty as a file that says it."""
    fields = treaty.fields
    shares, stop_loss = fields.pop("share"), fields.pop("stop_loss", None)
    text = "[treaty]\n" + _lines(fields)
    text += "".join("[[treaty.share]]\n" + _lines(share) for share in shares)
    return text + ("" if stop_loss is None else "[treaty.stop_loss]\n" + _lines(stop_loss))


def _lines(fields: dict[str, object]) -> str:
    """A line a field; days stand without quotes."""
    return "".join(
        f"{name} = {value if name.startswith('effective_') else json.dumps(value)}\n" for name, value in fields.items()
    )
