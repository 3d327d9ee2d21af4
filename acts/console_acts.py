"""What people do and look at in the console, written into the audit log.

An act (a user made, an export, a proposal) is chained in its own transaction, with what it changes. A look at personal
data is first noted in a table, before the page is shown, and chained by a thread of the console a moment later: else
each page would wait for the worker that holds the shard.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Engine, delete, select

from handlers.claims.process import Processor, World
from infra.clock import Clock
from infra.ledger import reads
from infra.ledger.console_tables import console_views
from infra.ledger.write import record
from infra.sharding import shard_of
from schemas.access.console_rights import ConsoleAct
from schemas.outbound import AuditKind
from schemas.policy.model import Policies
from schemas.records import Export

AUDIT_SHARD = 0
VIEWS_AT_ONCE = 500


def write_down(connection: Connection, moment: datetime, acts: Iterable[ConsoleAct | Export]) -> None:
    """Chains acts in the caller's transaction."""
    shards = reads.lock_shards(connection, [AUDIT_SHARD], {})
    processor = Processor(World(Policies(), partial(shard_of, shard_count=1), shards), moment)
    for act in acts:
        if isinstance(act, Export):
            processor.exported(act)
        else:
            processor.done_in_console(act)
    record(connection, processor.outcome, shards)


def note_view(connection: Connection, kind: AuditKind, user: str, subject: dict[str, str], moment: datetime) -> None:
    """Notes that somebody looks at personal data. Commit before the page is shown."""
    connection.execute(
        console_views.insert().values(kind=kind.value, user_name=user, subject=subject, viewed_at=moment)
    )


def chain_views(engine: Engine, now: Clock) -> int:
    """Moves what was noted into the audit log; returns how much that was."""
    with engine.begin() as connection:
        rows = connection.execute(
            select(console_views)
            .order_by(console_views.c.view_no)
            .limit(VIEWS_AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        if not rows:
            return 0
        acts = [
            ConsoleAct(row.kind, row.user_name, row.subject | {"viewed_at": row.viewed_at.isoformat()}) for row in rows
        ]
        write_down(connection, now(), acts)
        connection.execute(delete(console_views).where(console_views.c.view_no.in_([row.view_no for row in rows])))
        return len(rows)
