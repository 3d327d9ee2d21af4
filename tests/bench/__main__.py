"""`python -m tests.bench`: Huzhu measured side by side with its peers. docs/performance.md says what it means."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import (
    backlog,
    busy_persons,
    console,
    core,
    growth,
    households,
    latency,
    machine,
    pool_queue,
    replay,
    report,
    simulations,
    watching,
)
from tests.bench import contestants as who
from tests.bench.figures import Figure
from tests.bench.messages import ROOT
from tests.bench.stage import Stage, stage

PARTS = (
    "backlog",
    "short",
    "latency",
    "core",
    "busy",
    "households",
    "pools",
    "replay",
    "growth",
    "simulate",
    "console",
    "watches",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. ``main_runs`` are those of the long backlog, ``runs`` those of most of the rest."""

    main_runs: int
    runs: int
    persons: int
    short_persons: int
    light_seconds: float
    claims: int
    busy_claims: int
    household: int
    pool: int
    facts: int
    growth_persons: int
    growth_facts: int
    console_claims: int
    watched_facts: int


def full(scale: float) -> Size:
    return Size(
        main_runs=5,
        runs=3,
        persons=int(12_000 * scale),
        short_persons=int(2400 * scale),
        light_seconds=max(2.0, 5.0 * scale),
        claims=3000,
        busy_claims=5000,
        household=1000,
        pool=100_000,
        facts=int(300_000 * scale),
        growth_persons=int(750 * scale),
        growth_facts=int(10_000 * scale),
        console_claims=int(1_000_000 * scale),
        watched_facts=int(5_000_000 * scale),
    )


QUICK = Size(1, 1, 400, 200, 2.0, 600, 30, 8, 100, 2000, 40, 300, 2000, 2000)


def main() -> int:
    options = _options()
    size = QUICK if options.quick else full(float(os.environ.get("HUZHU_BENCH_SCALE", "1")))
    entries = who.chosen(options.only)
    measured = {part: _part(part, size, options.runs, entries) for part in options.part}
    about, figures = machine.describe(), []
    about["measured"] = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC" + (", quick" if options.quick else "")
    for part, measure in measured.items():
        _say(f"-- {part}")
        figures += measure(about)
        if figures:
            report.write(figures, about, options.results, options.page)
    sys.stdout.write(report.tables(figures, about))
    return 0


def _part(part: str, size: Size, given: int, entries: list[who.Contestant]) -> Callable[[dict[str, str]], list[Figure]]:
    """What measures a part, ``given`` times if that is not 0."""
    runs = given or size.runs

    def measure(about: dict[str, str]) -> list[Figure]:
        if part == "core":
            return core.measure(size.claims, runs)
        if part == "replay":
            return replay.measure(size.facts, runs, _say)
        if part == "simulate":
            return simulations.measure(size.facts, runs, _say)
        if part == "watches":
            return watching.measure(size.watched_facts, runs, _say)
        if part == "console":
            return console.measure(size.console_claims, _say)
        with stage() as made:
            about.update(machine.describe(made.postgres))
            return _on_servers(made)

    def _on_servers(made: Stage) -> list[Figure]:
        if part == "backlog":
            main = [each for each in entries if each.name in who.MAIN]
            return backlog.measure(backlog.LONG, made, main, size.persons, given or size.main_runs, _say)
        if part == "short":
            others = [each for each in entries if each.name != who.HUZHU_TWO]
            return backlog.measure(backlog.SHORT, made, others, size.short_persons, runs, _say, floor=True)
        if part == "busy":
            return busy_persons.measure(made, size.busy_claims, given or 1, _say)  # each is a median by itself
        if part == "households":
            return households.measure(made, size.household, given or 1, _say)  # each is a median by itself
        if part == "pools":
            return pool_queue.measure(made, size.pool, given or 1, _say)
        (huzhu,) = who.chosen([who.HUZHU])
        if part == "latency":
            alone = latency.measure(made, [e for e in entries if e.decides], size.light_seconds, given or 1, _say)
            return alone + latency.measure_busy(made, huzhu, size.light_seconds, runs, _say)
        filled = growth.measure_ledger(made, huzhu, size.growth_persons, runs, _say)
        return filled + growth.measure_file(size.growth_facts, runs, _say)

    return measure


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("part", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without one")
    parser.add_argument("--quick", action="store_true", help="everything once, small: does it work?")
    parser.add_argument(
        "--runs", type=int, default=0, help="runs of each figure (5 of the long backlog, 3 of the rest)"
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="contestants whose name holds a word")
    parser.add_argument("--results", type=Path, default=None, help="JSON file (docs/performance.json)")
    options = parser.parse_args()
    options.page = None
    if options.results is None and options.quick:
        options.results = Path(tempfile.mkdtemp(prefix="huzhu-bench-"), "quick.json")
    elif options.results is None:
        options.results, options.page = ROOT / "docs" / "performance.json", ROOT / "docs" / "performance.md"
    options.part = options.part or list(PARTS)
    unknown = set(options.part) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return options


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} [{machine.load():.1f}] {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
