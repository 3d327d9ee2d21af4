"""What passes between the pools' steps and the ledger: money, contributions, queues, and what a step or a close does.

Amounts are fen.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from schemas.ids import ClaimId, PersonId


class PoolSide(StrEnum):
    """What of a pool's money an amount changes: what it received, or what it has released for claims."""

    RECEIVED = "received"
    RELEASED = "released"


class PoolWork(NamedTuple):
    """What event ``number`` changed in the money of a pool, in fen; 0 where somebody waits for it, or its rule changed.

    ``key`` is the scheme of what was released, else the restriction of what was received
    (handlers/claims/restrictions.py). ``shard`` is that of the pool, which looks at its queue because of this row.
    """

    number: int
    pool_id: str
    shard: int
    side: PoolSide
    key: str
    amount: int


class PoolRow(NamedTuple):
    """A pool as its newest version says. ``on_shortage`` is an `OnShortage`."""

    pool_id: str
    shard: int
    title: str
    area: str | None
    on_shortage: str
    opened_on: date


class ContributionRow(NamedTuple):
    """A contribution as its newest version says, in fen; 0 once it is voided.

    ``restricted_to`` are the only schemes that it may pay for; none if it is free.
    """

    contribution_id: str
    pool_id: str
    kind: str
    amount: int
    received_on: date
    heads: int | None
    payer: str | None
    restricted_to: list[str]
    reference: str
    voided: bool


class WaitingBenefit(NamedTuple):
    """A benefit that a pool has not released whole: ``waiting`` fen, of which the last decision said ``told``.

    ``open`` are the fen that the queue is to serve: without those that the close of a year left unpaid.
    """

    claim_id: ClaimId
    scheme_id: str
    person_id: PersonId
    discharged_on: date
    waiting: int
    open: int
    told: int


class WaitingNow(NamedTuple):
    """A benefit that waits for a pool's money: ``amount`` fen, of which the close of a year left ``left`` unpaid.

    ``position`` is its place in the queue, None where the pool has none or does not serve it any more. ``on_shortage``
    is the pool's rule, None if nobody recorded it.
    """

    claim_id: str
    scheme_id: str
    pool_id: str
    discharged_on: date
    amount: int
    left: int
    on_shortage: str | None
    position: int | None


class PoolStep(NamedTuple):
    """What the step of a pool does: each as claim, scheme and fen that are ``released``, or that are ``told`` to wait.

    What is told has its place in the queue, or None where there is none. Alerts are ``raised`` with their fen.
    """

    pool_id: str
    released: list[tuple[str, str, int]]
    told: list[tuple[str, str, int, int | None]]
    raised: list[tuple[str, int]]
    withdrawn: list[str]


class PoolYear(NamedTuple):
    """An operator's act of closing a pool's year: what is released, left unpaid and told, as in a `PoolStep`.

    What is ``left`` is all that waits of a benefit then.
    """

    pool_id: str
    year: int
    operator: str
    reason: str
    released: list[tuple[str, str, int]]
    left: list[tuple[str, str, int]]
    told: list[tuple[str, str, int, int | None]]


class PoolYearRow(NamedTuple):
    """A closed year of a pool: what was ``available`` and due, and what was released of it to so many claims (fen)."""

    pool_id: str
    year: int
    available: int
    due: int
    released: int
    claims: int
    operator: str
    reason: str
    closed_at: datetime
    event_no: int
