"""The program before, from the history of this repository: what an upgrade finds running."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.paths import REPOSITORY

COMMIT = "f7a3481e"
"""The last one of which an office can have processes running: there has been no release since. Its schema is 0025."""

SCHEMA = "0025"


class EarlierProgram(NamedTuple):
    """Its files; they need nothing that is not installed for this one."""

    folder: Path

    def environment(self) -> dict[str, str]:
        """With it Python finds the earlier program, wherever it is started."""
        return {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(self.folder)}

    def huzhu(self, *words: str | Path, **settings: object) -> subprocess.CompletedProcess[str]:
        """A command of it, which has to end well; settings are HUZHU_* variables."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HUZHU_")}
        known = {f"HUZHU_{name.upper()}": str(value) for name, value in settings.items()}
        argv = [sys.executable, "-m", "cli.main", *map(str, words)]
        environment = {**clean, **self.environment(), **known}
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def earlier_program(folder: Path, commit: str = COMMIT) -> EarlierProgram:
    """Takes it, or one still earlier, out of the history; skips the test in a copy that has none."""
    done = subprocess.run(["git", "-C", REPOSITORY, "archive", commit], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"the history here does not reach back to {commit}")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as files:
        files.extractall(folder, filter="data")
    return EarlierProgram(folder)
