"""Names of databases that no other process of the run takes."""

from __future__ import annotations

import os
from itertools import count

TEMPLATE = "huzhu_template"
"""An empty migrated database on the run's PostgreSQL, to copy."""

_numbers = count(1)


def fresh_name(of_what: str) -> str:
    """A name for a database; xdist's processes share one server."""
    return f"huzhu_{of_what}_{os.getpid()}_{next(_numbers)}"
