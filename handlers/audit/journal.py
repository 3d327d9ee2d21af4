"""What a batch adds to the ledger: events, audit entries and messages, each numbered in its shard, and postings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from handlers.audit import chain
from handlers.books.entries import Entry
from schemas.alert_records import AlertChange, AlertState, AlertSubject
from schemas.canonical import canonical_json, sha256_hex
from schemas.dates import format_instant, shanghai_date
from schemas.outbound import AlertRaised, AlertWithdrawn, AuditKind
from schemas.records import Delivery, EventRow, OutboxRow, Outcome, Posting, ShardState
from schemas.topics import ALERTS, AUDIT

ACTOR = "huzhu"
"""Who does what no sender and no operator does."""


@dataclass(slots=True)
class Journal:
    """Collects an outcome and moves the shards' sequences forward.

    ``recorded_at`` is when the ledger records it; it becomes ``occurred_at`` of what goes out, here as messages write
    it. ``written`` counts the events of this journal that have been written; later ones continue from there.
    ``traceparent`` is that of the event that is processed now: it goes along with what is sent, and into nothing else.
    """

    shards: dict[int, ShardState]
    recorded_at: datetime
    outcome: Outcome = field(default_factory=Outcome)
    written: int = 0
    traceparent: str | None = None
    occurred_at: str = field(init=False)
    booked_on: date = field(init=False)
    _posted: tuple[int, int] = (-1, 0)

    def __post_init__(self) -> None:
        self.occurred_at = format_instant(self.recorded_at)
        self.booked_on = shanghai_date(self.recorded_at)

    def event(self, delivery: Delivery, shard: int, disposition: str) -> int:
        """Numbers an event within the journal."""
        number = self.written + len(self.outcome.events)
        self.traceparent = delivery.traceparent
        self.outcome.events.append(EventRow(number, shard, *delivery[:5], self.recorded_at, disposition))
        return number

    def act(self, shard: int, operator: str, value: bytes, disposition: str) -> int:
        """Numbers an act of an operator among the events; it has no offset, as it came from no topic."""
        number = self.written + len(self.outcome.events)
        self.traceparent = None
        self.outcome.events.append(
            EventRow(number, shard, "operator", shard, None, operator.encode(), value, self.recorded_at, disposition)
        )
        return number

    def step(self, shard: int, value: bytes, traceparent: str | None = None) -> int:
        """Numbers what the ledger does by itself among the events, with the bytes that say on what it was done."""
        number = self.written + len(self.outcome.events)
        self.traceparent = traceparent
        self.outcome.events.append(
            EventRow(number, shard, "ledger", shard, None, None, value, self.recorded_at, "group")
        )
        return number

    def audit(
        self, shard: int, number: int, kind: AuditKind, actor: str, subject: dict[str, str], content: bytes | None
    ) -> None:
        """Chains an entry about event ``number``, and sends it."""
        digest = sha256_hex(content or b"")
        entry = chain.append(self.shards[shard], number, kind, actor, subject, digest, self.occurred_at)
        self.outcome.audit.append(entry)
        self.send(shard, AUDIT.name, None, entry.value)

    def post(self, number: int, entry: Entry, effective_on: date, reference: str) -> None:
        """Books an entry because of event ``number``."""
        of, count = self._posted
        count = count + 1 if of == number else 1
        self._posted = (number, count)
        rest = (effective_on, self.booked_on, reference)
        self.outcome.postings += (
            Posting(number, count, 1, entry.debit, entry.amount, *rest),
            Posting(number, count, 2, entry.credit, -entry.amount, *rest),
        )

    def alert(self, shard: int, number: int, alert: AlertRaised | AlertWithdrawn, area: str | None = None) -> None:
        """Raises or withdraws an alert because of event ``number``: keeps it, chains an entry about it, and sends it.

        ``shard`` is that of its person or pool, ``area`` that of the person's coverages. An ``alert_id`` has to be set.
        """
        raised = isinstance(alert, AlertRaised)
        assert alert.alert_id is not None, alert
        always = {"claim_id": None, "payout_id": None}
        value = canonical_json(always | alert.model_dump(mode="json", exclude_none=True))
        person_id = alert.person_id if alert.pool_id is None else None
        subject = AlertSubject(alert.code, alert.claim_id, person_id, alert.payout_id, alert.pool_id, area, value)
        to = AlertState.OPEN if raised else AlertState.WITHDRAWN
        self.outcome.alerts.append(AlertChange(alert.alert_id, number, to, self.recorded_at, subject))
        kind = AuditKind.ALERT_RAISED if raised else AuditKind.ALERT_WITHDRAWN
        about = {"alert_id": alert.alert_id, "code": str(alert.code)}
        about |= {} if alert.claim_id is None else {"claim_id": alert.claim_id}
        self.audit(shard, number, kind, ACTOR, about, value)
        self.send(shard, ALERTS.name, alert.person_id.encode(), value)

    def send(self, shard: int, topic: str, key: bytes | None, value: bytes) -> None:
        """Puts a message into the shard's outbox."""
        state = self.shards[shard]
        state.outbox_seq += 1
        self.outcome.outbox.append(OutboxRow(shard, state.outbox_seq, topic, key, value, self.traceparent))
