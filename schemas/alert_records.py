"""Alerts as state: what becomes of one when it is raised, withdrawn, taken or closed (time.md, section 1)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class AlertState(StrEnum):
    """How an alert stands: nobody has it, somebody took it, somebody closed it, or the facts no longer support it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class AlertSubject(NamedTuple):
    """What an alert is about, and the bytes that told it last; ``person_id`` is None for one about a pool.

    ``area`` is that of the person's coverages when it was told, None where none names one; a pool has its own.
    """

    code: str
    claim_id: str | None
    person_id: str | None
    payout_id: str | None
    pool_id: str | None
    area: str | None
    value: bytes


class AlertChange(NamedTuple):
    """An alert goes to a state in event ``number``: told with its ``subject``, or by an operator's act.

    ``by`` is the operator and ``outcome`` what was done; both are empty where the alert was told.
    """

    alert_id: str
    number: int
    to: AlertState
    at: datetime
    subject: AlertSubject | None
    by: str = ""
    outcome: str = ""


class AlertRow(NamedTuple):
    """An alert as it stands.

    ``raised_at`` is when event ``raised_no`` raised it last while it was neither open nor taken. ``changed_no`` is the
    event that changed it last. ``closed_by`` and ``outcome`` are those of the last closing, also when the alert is open
    again. ``value`` is None for one that a release before 1.1 raised.
    """

    alert_id: str
    code: str
    claim_id: str | None
    person_id: str | None
    payout_id: str | None
    pool_id: str | None
    area: str | None
    value: bytes | None
    state: AlertState
    raised_no: int
    raised_at: datetime
    changed_no: int
    taken_by: str | None = None
    closed_by: str | None = None
    outcome: str | None = None


class AlertAct(NamedTuple):
    """An operator's act about an alert: `alert.taken`, or `alert.closed` with the ``outcome``: what was done."""

    event_type: str
    alert_id: str
    by: str
    outcome: str


LIVE = (AlertState.OPEN, AlertState.ACKNOWLEDGED)
"""The states of alerts that somebody has to look at."""


def changed(before: AlertRow | None, change: AlertChange) -> AlertRow:
    """The alert after a change, whose ``number`` is the ledger's.

    An alert that is told again while somebody has it stays theirs. What was closed or withdrawn is open again when it
    is raised again, whoever had it, and what was closed is withdrawn when the facts no longer support it.
    """
    if change.subject is not None:
        row = _told(before, change, change.subject)
    else:
        assert before is not None, change.alert_id
        row = before
    row = row._replace(changed_no=change.number)
    if change.to is AlertState.OPEN:
        if before is not None and before.state in LIVE:
            return row
        return row._replace(state=change.to, raised_no=change.number, raised_at=change.at, taken_by=None)
    if change.to is AlertState.ACKNOWLEDGED:
        return row._replace(state=change.to, taken_by=change.by)
    if change.to is AlertState.RESOLVED:
        return row._replace(state=change.to, closed_by=change.by, outcome=change.outcome)
    return row._replace(state=change.to)


def _told(before: AlertRow | None, change: AlertChange, subject: AlertSubject) -> AlertRow:
    if before is not None:
        return before._replace(claim_id=subject.claim_id, area=subject.area, value=subject.value)
    return AlertRow(change.alert_id, *subject, change.to, change.number, change.at, change.number)
