"""The messages of a statement as they go out: of one month with a payment, a recovery and a report."""

from __future__ import annotations

import json
from datetime import date

from handlers.audit.journal import Journal
from handlers.treaties import statements
from handlers.treaties.statements import MonthLines
from schemas.bordereau import AuditedShard, LineEntry, StatedPayout
from schemas.ids import ClaimId, PayoutId, PersonId
from schemas.records import OutboxRow, PayoutState, ShardState
from schemas.treaty.treaty_file import parse_treaty
from tests.support.builders import RECORDED_AT
from tests.support.treaties import VILLAGE, shared_text

MONTH = date(2025, 2, 1)
AUDIT = [AuditedShard(shard=shard, size=shard * 3, root=f"{shard:02}" * 32) for shard in range(2)]


def stated_payout(number: int, kind: str = "payment", amount: int = 30_000, before: str | None = None) -> StatedPayout:
    """A payout of the village, instructed on 1 March 2025."""
    value = json.dumps({"payee": "person", "tier": "member"}).encode()
    name, claim = PayoutId(f"PO-{number}"), ClaimId(f"E{number}")
    links = (None, None, before)
    day = date(2024, 3, 10)
    return StatedPayout(name, claim, VILLAGE, kind, amount, PersonId("P1"), *links, value, day, RECORDED_AT)


def statement_messages(count: int = 3) -> list[OutboxRow]:
    """What goes out when a month of ``count`` lines is issued, of which the last one is a report."""
    treaty, lines = parse_treaty(shared_text()), MonthLines()
    for number in range(1, count):
        kind = "recovery" if number % 2 == 0 else "payment"
        before = f"PO-{number - 1}" if number % 2 == 0 else None
        payout = stated_payout(number, kind, 30_000 + number, before)
        lines.add(LineEntry.INSTRUCTION, payout, PayoutState.INSTRUCTED)
    lines.add(LineEntry.REPORT, stated_payout(900_000), PayoutState.PAID)
    lines.end()
    journal = Journal({shard: ShardState(shard) for shard in range(2)}, RECORDED_AT)
    made = statements.statements_of(treaty, MONTH, 2, 40_000, lines, AUDIT, journal.occurred_at)
    shards = {each: place % 2 for place, each in enumerate(treaty.insurers)}
    statements.issue(journal, treaty, made, lines, "li.na", shards)
    return [row for row in journal.outcome.outbox if row.topic == "insurance.statements"]
