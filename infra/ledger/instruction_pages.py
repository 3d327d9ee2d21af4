"""Payout instructions page by page, for an insurer who polls instead of reading the topic.

Events are numbered under a shard's lock, so within a shard they become visible in order; across shards they might
not. So a reader's position is one number per shard, and nothing that is committed late is skipped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Integer,
    Text,
    and_,
    any_,
    bindparam,
    case,
    func,
    or_,
    select,
    tuple_,
)

from infra.ledger.tables import claims, instructions
from schemas.treaty.treaty_model import FUND


@dataclass(frozen=True, slots=True)
class InstructionCursor:
    """What a reader has received: the last event number of each shard, and the place in the very last event.

    Within an event recoveries come before payments, then by payout id.
    """

    shards: Mapping[int, int] = field(default_factory=dict)
    event_no: int = 0
    rank: int = 0
    payout_id: str = ""


class Which(Enum):
    """Whose instructions: what the public fund pays of some schemes, or what some insurers pay under treaties."""

    OF_SCHEMES = "schemes"
    OF_PAYERS = "payers"


def instructions_after(
    connection: Connection,
    which: Which,
    ids: Collection[str],
    position: InstructionCursor,
    shard_count: int,
    limit: int,
) -> tuple[list[bytes], InstructionCursor, bool]:
    """The next of somebody's instructions as published, the position after them, and whether there are more now.

    ``ids`` are those of the schemes, or of the payers.
    """
    numbers = list(range(shard_count))
    reached = [position.shards.get(shard, 0) for shard in numbers]
    had = (
        func.unnest(
            bindparam("shards", numbers, type_=ARRAY(Integer)), bindparam("reached", reached, type_=ARRAY(BigInteger))
        )
        .table_valued("shard", "reached")
        .render_derived()
    )
    rank = case((instructions.c.kind == "recovery", 0), else_=1)
    rest_of_event = and_(
        instructions.c.event_no == position.event_no,
        had.c.reached == position.event_no,
        tuple_(rank, instructions.c.payout_id) > tuple_(position.rank, position.payout_id),
    )
    named = any_(bindparam("ids", sorted(ids), type_=ARRAY(Text)))
    if which is Which.OF_SCHEMES:
        own = and_(instructions.c.scheme_id == named, instructions.c.payer == FUND)
    else:
        own = and_(instructions.c.payer == named, instructions.c.payer != FUND)
    rows = connection.execute(
        select(
            instructions.c.event_no, claims.c.shard, rank.label("rank"), instructions.c.payout_id, instructions.c.value
        )
        .join(claims, claims.c.claim_id == instructions.c.claim_id)
        .join(had, had.c.shard == claims.c.shard)
        .where(
            own,
            instructions.c.event_no >= min(reached),
            or_(instructions.c.event_no > had.c.reached, rest_of_event),
        )
        .order_by(instructions.c.event_no, rank, instructions.c.payout_id)
        .limit(limit + 1)
    ).all()
    page = rows[:limit]
    if not page:
        return [], position, False
    last = page[-1]
    shards = dict(position.shards) | {row.shard: row.event_no for row in page}
    after = InstructionCursor(shards, last.event_no, last.rank, last.payout_id)
    return [bytes(row.value) for row in page], after, len(rows) > limit
