"""The ratios that are aimed at, each run against the same run of the other, with the aim where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tests.bench import backlog, growth, latency
from tests.bench import contestants as who
from tests.bench.figures import Figure, Ratio, ratio

P99_MS_MAX = {50: 50.0, 200: 100.0}
"""From post to instruction, by settlements per second, with the API busy at the same time."""

FLAT = 1 / 1.2
"""Within 20 %: an event at 16x costs at most 1.2 times an event at 1x."""

PEERS = (who.FAUST, who.QUIX, who.QUIX_ONCE, who.STREAMS, who.FLOOR, who.FLOOR_ONCE, backlog.POSTGRES)
AIMS = {who.FAUST: 1.7, who.QUIX_ONCE: 1.0, who.STREAMS: 1.0}
"""For one worker over the long backlog."""

Known = Mapping[tuple[str, str, str], Figure]


def ratios(figures: Iterable[Figure]) -> list[Ratio]:
    """Every ratio whose two figures are there, above 1 where Huzhu is better; what is missed comes first."""
    known = {(each.part, each.subject, each.measure): each for each in figures}
    found = [each for each in _ratios(known) if each is not None]
    return sorted(found, key=lambda each: each.verdict != "missed")


def _ratios(known: Known) -> Iterator[Ratio | None]:
    for part in (backlog.LONG, backlog.SHORT):
        for ours in (who.HUZHU, who.HUZHU_TWO):
            aims = AIMS if (part, ours) == (backlog.LONG, who.HUZHU) else {}
            for name in PEERS:
                yield _compared(known, part, f"{ours} / {name}", (ours, name, backlog.RATE), aims.get(name))
        yield _compared(known, part, "two workers / one worker", (who.HUZHU_TWO, who.HUZHU, backlog.RATE), None)
    for rate, most in P99_MS_MAX.items():
        p99 = known.get((latency.BUSY, latency.at(rate), latency.P99))
        if p99:
            found = tuple(most / each for each in p99.values)
            yield Ratio(latency.BUSY, f"{most:.0f} ms / p99 at {rate}/s", found, 1.0)
    for of, measure in (("persons in the ledger", growth.LEDGER), ("facts", growth.FILE)):
        for step in growth.STEPS[1:]:
            subjects = (f"{step}x {of}", f"1x {of}", measure)
            yield _compared(known, growth.PART, f"1x {of} / {step}x, {measure}", subjects, FLAT)


def _compared(known: Known, part: str, what: str, subjects: tuple[str, str, str], aim: float | None) -> Ratio | None:
    """``subjects``: ours, theirs, and what was measured of both."""
    ours, theirs, measure = subjects
    mine, other = known.get((part, ours, measure)), known.get((part, theirs, measure))
    return ratio(part, what, mine, other, aim) if mine and other else None
