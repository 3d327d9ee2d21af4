"""The one place that reads the wall clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the time now, with its offset: `utc_now` in a program, a clock of their own in tests."""


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)
