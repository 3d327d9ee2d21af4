"""The benchmark itself works: everything once and small. Runs with HUZHU_BENCH=1, as it takes two minutes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.contestants import CONTESTANTS
from tests.bench.messages import ROOT

pytestmark = pytest.mark.skipif(os.environ.get("HUZHU_BENCH") != "1", reason="set HUZHU_BENCH=1 to run the benchmark")


def test_quick_benchmark_has_every_contestant_right_to_the_fen(tmp_path: Path) -> None:
    """Each part gives its figures, and each contestant that decides agrees with the oracle."""
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--results", str(results)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=900)
    figures = json.loads(results.read_text("utf-8"))["figures"]
    backlog = {each["subject"]: each["note"] for each in figures if each["measure"] == "settlements per second"}
    assert {part[0] for part in (each["part"] for each in figures)} == {"a", "b", "c", "d", "e"}
    for entry in CONTESTANTS:
        assert "every run right to the fen" in backlog[entry.name]
