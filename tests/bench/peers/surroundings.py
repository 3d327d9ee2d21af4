"""What the benchmark tells a peer, through the environment. Standard library only."""

from __future__ import annotations

import os
import time
from functools import cache
from pathlib import Path

INBOUND = ("hospital.discharges", "hospital.expenses", "registry.coverages", "registry.persons")
BOOTSTRAP = os.environ.get("BENCH_BOOTSTRAP", "")
APP = os.environ.get("BENCH_APP", "")
"""Consumer group, application id and transactional id of this run."""
OUT = os.environ.get("BENCH_OUT", "")
"""Topic for the instructions, as many partitions as the inbound ones."""
STATE_FOLDER = os.environ.get("BENCH_STATE", "")
PARTITIONS = int(os.environ.get("BENCH_PARTITIONS", "4"))
EXACTLY_ONCE = os.environ.get("BENCH_EXACTLY_ONCE") == "1"


@cache
def begin() -> None:
    """Called with every message: notes when the first was taken, so that no peer's start is counted as work."""
    Path(f"{STATE_FOLDER}.begun").write_text(str(time.time()), "utf-8")
