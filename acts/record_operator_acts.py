"""Writing down what named people did: signed in, exported, made a user, proposed a correction."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from acts.ledger_act import ledger_act
from handlers.audit.operator_acts import AUDIT_SHARD, data_exported, done_in_console
from infra.clock import Clock
from schemas.access.console_rights import ConsoleAct
from schemas.records import Export


def record_operator_acts(connection: Connection, now: Clock, acts: Iterable[ConsoleAct | Export]) -> None:
    """Chains acts into the audit log, in the transaction of what they change."""
    with ledger_act(connection, [AUDIT_SHARD], now) as journal:
        for act in acts:
            if isinstance(act, Export):
                data_exported(journal, act)
            else:
                done_in_console(journal, act)
