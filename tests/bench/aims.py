"""The ratios that are aimed at, each run against the same run of the other, with the aim where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.bench import backlog, growth, latency
from tests.bench import contestants as who
from tests.bench.figures import Figure, Ratio, ratio

P99_MS_MAX = 100.0
FLAT = 1 / 1.2
"""Within 20 %: an event at 16x costs at most 1.2 times an event at 1x."""

AGAINST = (
    (who.FAUST, 5.0),
    (who.QUIX, 1.0),
    (who.QUIX_ONCE, None),
    (who.STREAMS, 1.0),
    (who.FLOOR, None),
    (who.FLOOR_ONCE, None),
    (backlog.POSTGRES, 0.5),
)


def ratios(figures: Iterable[Figure]) -> list[Ratio]:
    """Every ratio whose two figures are there, above 1 where Huzhu is better."""
    known = {(each.part, each.subject, each.measure): each for each in figures}
    return [each for each in _ratios(known) if each is not None]


def _ratios(known: dict[tuple[str, str, str], Figure]) -> Iterator[Ratio | None]:
    for ours, aims in ((who.HUZHU, True), (who.HUZHU_TWO, False)):
        mine = known.get((backlog.PART, ours, backlog.RATE))
        for name, aim in AGAINST:
            other = known.get((backlog.PART, name, backlog.RATE))
            if mine and other:
                yield ratio(backlog.PART, f"{ours} / {name}", mine, other, aim if aims else None)
    one, two = (known.get((backlog.PART, name, backlog.RATE)) for name in (who.HUZHU, who.HUZHU_TWO))
    if one and two:
        yield ratio(backlog.PART, "two workers / one worker", two, one, None)
    p99 = known.get((latency.PART, who.HUZHU, latency.P99))
    if p99:
        yield Ratio(latency.PART, f"{P99_MS_MAX:.0f} ms / p99", tuple(P99_MS_MAX / each for each in p99.values), 1.0)
    for of, measure in (("persons in the ledger", growth.LEDGER), ("facts", growth.FILE)):
        base = known.get((growth.PART, f"1x {of}", measure))
        for step in growth.STEPS[1:]:
            grown = known.get((growth.PART, f"{step}x {of}", measure))
            if base and grown:
                yield ratio(growth.PART, f"1x {of} / {step}x, {measure}", grown, base, FLAT)
