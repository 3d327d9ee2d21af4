"""The `huzhu` command in a process of its own, and its output taken apart."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.builders import Json, encode
from tests.support.paths import REPOSITORY

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def huzhu(*words: str | Path, columns: int = 80, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as wide as a terminal of so many columns."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUZHU_")}
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, words)],
        cwd=REPOSITORY,
        env={**inherited, "COLUMNS": str(columns), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def squeezed(text: str) -> str:
    """The text without white space, so that it does not matter where a line was broken."""
    return "".join(text.split())


def rows(text: str) -> list[list[str]]:
    """The lines of the tables that begin with an amount, as cells."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    return [cells for cells in lines if re.fullmatch(r"[\d,]+\.\d\d", cells[0])]


def facts_file(folder: Path, events: Sequence[Json]) -> Path:
    file = folder / "facts.jsonl"
    file.write_bytes(b"".join(encode(event) + b"\n" for event in events))
    return file
