"""The names under which a pool counts its money: free, or restricted to some schemes (groups.md, section 3)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from schemas.canonical import canonical_json

FREE = ""
"""The restriction of free money."""


def restriction(schemes: Iterable[str]) -> str:
    """The name of a restriction: the same for the same schemes, in whatever order; `FREE` for none."""
    names = sorted(set(schemes))
    return canonical_json(names).decode() if names else FREE


def schemes_of(name: str) -> frozenset[str]:
    """The schemes of a restriction; none if it is `FREE`."""
    return frozenset(json.loads(name)) if name else frozenset()
