"""Policies of which one succeeds the other: the same people, other rates."""

from __future__ import annotations

from tests.support.builders import VILLAGE, YEARLY, policy_text


def successor(name: str, start: str, of: str, end: str | None = None, *schemes: str) -> str:
    """A policy file that succeeds another; without schemes, the village pays half instead of 30 %."""
    given = schemes or (VILLAGE.replace('"0.30"', '"0.50"'), YEARLY)
    return policy_text(name, start, end, *given).replace("year_starts", f'succeeds = "{of}"\nyear_starts', 1)
