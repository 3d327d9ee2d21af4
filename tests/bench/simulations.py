"""Part e: `huzhu simulate` under two policies, from facts line by line and from the same facts packed once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import replay
from tests.bench.figures import Figure
from tests.bench.machine import load
from tests.bench.messages import POLICY

PART = "e. simulate"
LINES, PACKING, PACKED = "from facts line by line", "packing them", "from packed facts"


def measure(facts: int, runs: int, say: Callable[[str], None]) -> list[Figure]:
    """All three in turn, ``runs`` times; the draft changes two rates of the sample."""
    with replay.files(facts) as (orders, facts), tempfile.TemporaryDirectory(prefix="huzhu-bench-") as folder:
        lines, packed, draft = orders[replay.ARRIVAL], Path(folder, "facts.parquet"), Path(folder, "draft.toml")
        text = POLICY.read_text("utf-8")
        draft.write_text(text.replace('"0.60"', '"0.45"').replace('rate = "0.30"', 'rate = "0.55"'), "utf-8")
        calls = {
            LINES: ("simulate", "--policy", draft, "--baseline", POLICY, "--facts", lines),
            PACKING: ("facts", "pack", lines, packed),
            PACKED: ("simulate", "--policy", draft, "--baseline", POLICY, "--facts", packed),
        }
        taken: dict[str, list[replay.Taken]] = {name: [] for name in calls}
        loads: dict[str, list[float]] = {name: [] for name in calls}
        for run in range(runs):
            for name, words in calls.items():
                one = replay.run_command(*map(str, words))
                taken[name].append(one)
                loads[name].append(load())
                say(f"{facts} facts {name}, run {run + 1}: {one.seconds:.1f} s, {one.cpu:.1f} s of processor time")
    return [
        figure for name, found in taken.items() for figure in replay.figures_of(PART, name, found, loads[name], facts)
    ]
