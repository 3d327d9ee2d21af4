"""What monitors are told of the ledger beside its health: money that is kept back, alerts by code, ages of checkpoints.

A few small queries over partial indexes, for they are asked every few seconds.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select

from infra.ledger import alert_lists, audit_log
from infra.ledger.ledger_health import tables_now
from infra.ledger.pool_rows import QUEUED, WAITING
from infra.ledger.tables import benefits, claims
from schemas.bilingual import Saying
from schemas.health import OF_LATE, MonitoredLedger, ShardAudit, Tables


def monitored_ledger(engine: Engine) -> MonitoredLedger | Saying:
    """What the ledger holds now; a sentence where its tables cannot be read. Raises DBAPIError."""
    with engine.connect() as connection:
        now = connection.execute(select(func.clock_timestamp())).scalar_one()
        tables = tables_now(connection, OF_LATE)
        if not isinstance(tables, Tables):
            return tables
        return MonitoredLedger(
            now,
            tables,
            *_held(connection),
            _waiting(connection),
            alert_lists.live_by_code(connection),
            [_audit(end) for end in audit_log.shard_ends(connection)],
        )


def _held(connection: Connection) -> tuple[int, int]:
    """How many claims are held, and what of them is not paid meanwhile, in fen."""
    kept = func.coalesce(func.sum(benefits.c.benefit - benefits.c.released), 0)
    both = claims.outerjoin(benefits, benefits.c.claim_id == claims.c.claim_id)
    row = connection.execute(
        select(func.count(claims.c.claim_id.distinct()), kept).select_from(both).where(claims.c.held)
    )
    count, fen = row.one()
    return count, int(fen)


def _waiting(connection: Connection) -> int:
    """What the queues of all pools are to serve, in fen."""
    open_fen = func.coalesce(func.sum(WAITING - benefits.c.left_by_close), 0)
    return int(connection.scalar(select(open_fen).where(QUEUED)) or 0)


def _audit(end: audit_log.ShardEnd) -> ShardAudit:
    newest = end.newest
    return ShardAudit(end.shard, end.audit_seq - (newest.size if newest else 0), newest.made_at if newest else None)
