"""Part j: `huzhu watch` over a file of facts beside `huzhu adjudicate` over the same: a city takes no longer.

python -m tests.bench watches --runs 1
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import replay
from tests.bench.figures import Figure
from tests.bench.machine import load
from tests.bench.messages import POLICY, ROOT

PART = "j. watches"
ADJUDICATE, PERSONS, HOUSEHOLDS = "huzhu adjudicate", "huzhu watch by person", "huzhu watch by household"
PACKED = "from packed facts, "
SAMPLE = ROOT / "infra" / "samples" / "watches-sample.toml"


def measure(facts: int, runs: int, say: Callable[[str], None]) -> list[Figure]:
    """All of them in turn, ``runs`` times, from lines in order of arrival and from the same facts packed."""
    with replay.files(facts) as (orders, facts), tempfile.TemporaryDirectory(prefix="huzhu-bench-") as folder:
        lines, packed, persons = orders[replay.ARRIVAL], Path(folder, "facts.parquet"), Path(folder, "persons.toml")
        persons.write_text(SAMPLE.read_text("utf-8").replace('unit = "household"', 'unit = "person"'), "utf-8")
        replay.run_command("facts", "pack", str(lines), str(packed))
        calls: dict[str, tuple[object, ...]] = {}
        for before, file in (("", lines), (PACKED, packed)):
            calls[before + ADJUDICATE] = ("adjudicate", "--policy", POLICY, file)
            calls[before + PERSONS] = ("watch", "--policy", POLICY, "--watches", persons, file)
            calls[before + HOUSEHOLDS] = ("watch", "--policy", POLICY, "--watches", SAMPLE, file)
        taken: dict[str, list[replay.Taken]] = {name: [] for name in calls}
        loads: dict[str, list[float]] = {name: [] for name in calls}
        for run in range(runs):
            for name, words in calls.items():
                one = replay.run_command(*map(str, words))
                taken[name].append(one)
                loads[name].append(load())
                say(f"{facts} facts, {name}, run {run + 1}: {one.seconds:.1f} s, {one.cpu:.1f} s of processor time")
    return [
        figure for name, found in taken.items() for figure in replay.figures_of(PART, name, found, loads[name], facts)
    ]
