"""Beancount's own verdict on a file of ours; the program is run, never imported (docs/dependencies.md)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BEAN_CHECK = Path(sys.executable).with_name("bean-check")


def bean_check(file: Path) -> tuple[int, str]:
    """The exit status of ``bean-check``, and all that it said."""
    told = subprocess.run([BEAN_CHECK, "--no-cache", file], capture_output=True, text=True, timeout=120, check=False)
    return told.returncode, told.stdout + told.stderr
