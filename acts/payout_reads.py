"""What a batch with reports of payouts, or a reissue, has to know of those payouts."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from handlers.claims.payout_reports import report_of
from handlers.claims.process import World
from handlers.claims.read import recall
from infra.ledger import reads
from schemas.facts import PayoutReported


def load_payouts(connection: Connection, world: World, payout_ids: Collection[str]) -> None:
    """Puts the instructions of some payouts, and their reports so far, into the world."""
    if not payout_ids:
        return
    world.instructed |= {row.payout_id: row for row in reads.instructions(connection, payout_ids)}
    for content_sha256, value in reads.payout_reports(connection, payout_ids):
        fact = recall(value)
        assert isinstance(fact, PayoutReported), "a report is kept under the kind of a payout"
        place = (fact.payout_id, fact.person_id)
        world.reports.setdefault(place, []).append(report_of(fact, content_sha256))
