"""Taking an alert, and closing it with what was done: audited acts of a named operator."""

from __future__ import annotations

from sqlalchemy import Connection

from acts.four_eyes import NotDone
from acts.ledger_act import ledger_act
from handlers.audit.operator_acts import alert_dealt_with
from handlers.words.alert_sentences import STATES
from handlers.words.masking import mask_text
from infra.clock import Clock
from infra.ledger import alert_rows
from infra.sharding import shard_of
from schemas.alert_records import LIVE, AlertAct, AlertRow
from schemas.bilingual import Saying
from schemas.outbound import AuditKind


class NoSuchAlert(NotDone):
    """No alert has this id."""


class NotLive(NotDone):
    """An alert that nobody has to look at any more: it was closed or withdrawn."""


def take(connection: Connection, alert_id: str, operator: str, shard_count: int, now: Clock) -> None:
    """An operator takes an alert; whoever had it before has it no longer. Raises NoSuchAlert and NotLive."""
    _deal(connection, AlertAct(AuditKind.ALERT_TAKEN.value, alert_id, operator, ""), shard_count, now)


def close(connection: Connection, alert_id: str, outcome: str, operator: str, shard_count: int, now: Clock) -> None:
    """An operator closes an alert, whoever took it; ``outcome`` says what was done.

    Raises NoSuchAlert and NotLive.
    """
    act = AlertAct(AuditKind.ALERT_CLOSED.value, alert_id, operator, mask_text(outcome))
    _deal(connection, act, shard_count, now)


def find(connection: Connection, alert_id: str) -> AlertRow:
    """An alert by its id. Raises NoSuchAlert."""
    found = alert_rows.named(connection, [alert_id]).get(alert_id)
    if found is None:
        raise NoSuchAlert(
            Saying(
                f"没有编号为 {alert_id} 的提醒,请用 `huzhu alerts list` 查看。",
                f"There is no alert {alert_id}: `huzhu alerts list` lists them.",
            )
        )
    return found


def _deal(connection: Connection, act: AlertAct, shard_count: int, now: Clock) -> None:
    """Under the lock of the shard of its person or pool: what facts change in it comes before or after."""
    name = act.alert_id
    about = find(connection, name)
    shard = shard_of(about.person_id or about.pool_id or "", shard_count)
    with ledger_act(connection, [shard], now) as journal:
        row = find(connection, name)
        if row.state not in LIVE:
            zh, en = STATES[row.state]
            raise NotLive(Saying(f"{name} {zh},不用再处理。", f"{name} is {en}: nothing is left to do."))
        alert_dealt_with(journal, shard, act)
