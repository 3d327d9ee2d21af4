"""The reference insurer of docs/examples as a process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.paths import EXAMPLES


class Insurer:
    """The example as a process, and its own books; ``prefix`` is that of the installation that it pays for."""

    def __init__(self, bootstrap: str, folder: Path, *schemes: str, prefix: str = "") -> None:
        self._environment = {**os.environ, "HUZHU_PREFIX": prefix}
        self._arguments = [
            sys.executable,
            str(EXAMPLES / "insurer.py"),
            bootstrap,
            str(folder / "insurer.sqlite"),
            *schemes,
        ]
        self._store = folder / "insurer.sqlite"
        self._log = folder / "insurer.log"

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The process, which is killed with -9 at the end, whatever it is doing."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(self._arguments, env=self._environment, stdout=log, stderr=log)
            try:
                yield process
            finally:
                process.kill()
                process.wait(30)

    def payments(self) -> list[tuple[str, str, str, int]]:
        """Every line of its books: payout, kind, amount, whether reported."""
        if not self._store.exists():
            return []
        with sqlite3.connect(self._store, timeout=30) as book:
            if not book.execute("SELECT 1 FROM sqlite_master WHERE name = 'payments'").fetchone():
                return []
            return book.execute("SELECT payout_id, kind, amount, reported FROM payments").fetchall()

    def paid(self) -> int:
        return len(self.payments())

    def reported(self) -> int:
        return sum(done for *_, done in self.payments())

    def has_reported(self, payouts: set[str]) -> bool:
        return payouts == {name for name, *_, done in self.payments() if done}

    def log(self) -> str:
        return self._log.read_text("utf-8")[-4000:]
