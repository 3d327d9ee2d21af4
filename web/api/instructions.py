"""`GET /v1/instructions`: the payout instructions of who pays them, page by page."""

from __future__ import annotations

import base64
import json

from pydantic import BaseModel, JsonValue
from sqlalchemy import Engine

from infra.ledger.instruction_pages import InstructionCursor, Which, instructions_after
from schemas.access.callers import ApiRole, Caller
from schemas.bilingual import Saying
from schemas.canonical import canonical_json
from web.api.permissions import cannot
from web.api.problems import problem


class InstructionPage(BaseModel):
    """Instructions as published, oldest first. Pass ``next`` as ``after`` to continue, even when ``more`` is false."""

    instructions: list[dict[str, JsonValue]]
    next: str
    more: bool


def page_of(engine: Engine, caller: Caller, after: str | None, limit: int, shard_count: int) -> InstructionPage:
    """The next page of what the caller pays: under treaties, or for the public fund and its schemes.

    Raises Problem for another role or an unreadable ``after``.
    """
    if caller.role not in (ApiRole.INSURER, ApiRole.LEAD):
        raise problem("FORBIDDEN", cannot(caller, Saying("读取支付指令", "read instructions")))
    position = InstructionCursor() if not after else _position(after, shard_count)
    with engine.connect() as connection:
        which = Which.OF_PAYERS if caller.role is ApiRole.LEAD else Which.OF_SCHEMES
        values, position, more = instructions_after(connection, which, caller.scope, position, shard_count, limit)
    return InstructionPage(instructions=[json.loads(value) for value in values], next=_token(position), more=more)


def _token(position: InstructionCursor) -> str:
    shards = [[shard, number] for shard, number in sorted(position.shards.items())]
    text = canonical_json([shards, position.event_no, position.rank, position.payout_id])
    return base64.urlsafe_b64encode(text).decode("ascii").rstrip("=")


def _position(token: str, shard_count: int) -> InstructionCursor:
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        shards, event_no, rank, payout_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        position = InstructionCursor(
            {_whole(shard): _whole(n) for shard, n in shards}, _whole(event_no), _whole(rank), payout_id
        )
        valid = isinstance(payout_id, str) and "\x00" not in payout_id and payout_id.isascii()
    except (ValueError, TypeError, RecursionError):
        valid = False
    if not valid or any(shard >= shard_count for shard in position.shards):
        hint = Saying("after 应为前一页的 `next`", "after must be the `next` of an earlier page")
        raise problem("REQUEST_INVALID", hint, pointers=("after",))
    return position


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
        raise ValueError("not a position")
    return value
