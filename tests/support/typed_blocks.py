"""The commands of a document, typed as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path


def blocks(document: Path, heading: str) -> list[str]:
    """The shell blocks of a section, in order: from its heading to the next one of the same level."""
    level = heading.partition(" ")[0]
    _, found, rest = document.read_text("utf-8").partition(f"\n{heading}\n")
    assert found, f"{document} has no section {heading!r}"
    section = re.split(rf"^{level} ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def typed(
    block: str, environment: Mapping[str, str], user: tuple[int, int] | None = None
) -> subprocess.CompletedProcess[str]:
    """A block in a shell that ends at the first command that fails; ``user`` runs it instead of this one."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUZHU_")}
    uid, gid = user or (None, None)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        env={**inherited, **environment},
        user=uid,
        group=gid,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
