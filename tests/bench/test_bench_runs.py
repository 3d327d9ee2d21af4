"""The benchmark itself works: everything once and small. Runs with HUZHU_BENCH=1, as it takes minutes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import (
    backlog,
    busy_persons,
    console,
    core,
    growth,
    households,
    latency,
    ledger_size,
    pool_queue,
    replay,
    simulations,
    watching,
)
from tests.bench.contestants import CONTESTANTS, HUZHU_TWO, MAIN
from tests.bench.messages import ROOT

PARTS = {
    *(backlog.LONG, backlog.SHORT, ledger_size.PART, latency.PART, latency.BUSY, core.PART, replay.PART),
    *(growth.PART, simulations.PART, console.PART, busy_persons.PART, households.PART),
    *(pool_queue.PART, watching.PART),
}

pytestmark = pytest.mark.skipif(os.environ.get("HUZHU_BENCH") != "1", reason="set HUZHU_BENCH=1 to run the benchmark")


def test_quick_benchmark_has_every_contestant_right_to_the_fen(tmp_path: Path) -> None:
    """Each part gives its figures, and each contestant that decides agrees with the oracle."""
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--results", str(results)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=1800)
    figures = json.loads(results.read_text("utf-8"))["figures"]
    notes = {(each["part"], each["subject"]): each["note"] for each in figures if each["measure"] == backlog.RATE}
    assert {each["part"] for each in figures} == PARTS
    for entry in CONTESTANTS:
        for part in (backlog.LONG, backlog.SHORT):
            took_part = entry.name in MAIN if part == backlog.LONG else entry.name != HUZHU_TWO
            assert not took_part or "every run right to the fen" in notes[part, entry.name]
