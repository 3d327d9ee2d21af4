"""Two lengths of one test: short in `make test`, long in `make prove` (docs/testing.md)."""

from __future__ import annotations

import os

LONG = os.environ.get("HUZHU_TEST_LONG") == "1"


def times(short: int, long: int, setting: str = "") -> int:
    """How often: ``long`` where HUZHU_TEST_LONG is 1, unless the variable ``setting`` has a number."""
    return int(os.environ.get(setting) or (long if LONG else short))
