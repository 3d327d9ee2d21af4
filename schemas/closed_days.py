"""A day is closed: how time comes to the ledger (time.md, section 3). No decision looks at a clock."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from schemas.dates import BusinessDate, Instant
from schemas.facts import Identifier


class DayClosed(BaseModel):
    """A day is closed on the shard in whose partition the message stands: what is due on it is due now.

    It is no fact and belongs to nobody, so it has no key. Whoever sends it is the event's ``source``.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_type: Literal["day.closed"]
    event_id: Identifier
    occurred_at: Instant
    source: Identifier
    day: BusinessDate


class ClosedDay(NamedTuple):
    """A day that event ``number`` closed on a shard."""

    shard: int
    day: date
    number: int


class ClosedDays(NamedTuple):
    """The days that are closed on a shard: all from ``first`` to ``last``, none left out."""

    first: date
    last: date
