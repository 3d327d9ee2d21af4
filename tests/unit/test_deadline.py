"""A peer that never answers ends the process, so that whoever watches over it can start it again."""

from __future__ import annotations

import subprocess
import sys

from stream.deadline import INFRASTRUCTURE_GONE

HANG = "import time\nfrom stream.retry import Retry\nRetry(3, 0.1, seconds_max={seconds})(lambda: time.sleep({sleep}))"


def run(seconds: float, sleep: float) -> subprocess.CompletedProcess[str]:
    code = HANG.format(seconds=seconds, sleep=sleep)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_a_try_without_an_answer_ends_the_process() -> None:
    ended = run(seconds=0.2, sleep=600)
    assert ended.returncode == INFRASTRUCTURE_GONE
    assert "no answer" in ended.stderr


def test_a_try_that_is_answered_in_time_ends_nothing() -> None:
    assert run(seconds=60, sleep=0).returncode == 0
