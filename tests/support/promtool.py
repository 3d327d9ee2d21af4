"""Prometheus's own checker of alerting rules: the system's, or else unpacked from Debian's package, not installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.paths import REPOSITORY

UNPACKED = REPOSITORY / ".cache" / "promtool"


def promtool() -> str | None:
    """The program; None where there is none and none can be fetched."""
    own = UNPACKED / "usr" / "bin" / "promtool"
    found = shutil.which("promtool") or (str(own) if own.exists() else None)
    if found is None and shutil.which("apt-get") and shutil.which("dpkg"):
        UNPACKED.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", "prometheus"], cwd=UNPACKED, capture_output=True, check=False)
        for package in UNPACKED.glob("prometheus_*.deb"):
            subprocess.run(["dpkg", "-x", package.name, "."], cwd=UNPACKED, capture_output=True, check=False)
    return found or (str(own) if own.exists() else None)


def checked(*words: str | Path) -> str:
    """What promtool says against some files; empty where nothing is wrong."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr
