"""Closing a day on a shard: each once, in order, none left out, and never ahead of today in Shanghai.

Nothing is due on a day yet. What will be finds here the one place where a shard's day ends.
"""

from __future__ import annotations

from datetime import date, timedelta

from handlers.claims.admit import Disposition
from handlers.claims.future_dates import event_after_intake
from handlers.claims.process import TAKEN, Processor, place_of
from handlers.days.read_day import Read
from schemas.bilingual import Saying
from schemas.closed_days import ClosedDay, ClosedDays, DayClosed
from schemas.dates import shanghai_date
from schemas.records import Delivery
from schemas.refusals import Refusal, RefusalCode, refuse

ONE_DAY = timedelta(days=1)


def take_message(processor: Processor, delivery: Delivery, found: Read) -> None:
    """Processes one message that `read_message` has read."""
    if isinstance(found, DayClosed):
        _take_day(processor, delivery, found)
    else:
        processor.take(delivery, found)


def admit_day(day: date, closed: ClosedDays | None, today: date) -> Disposition | Refusal:
    """What becomes of a day that is to be closed after ``closed``, when it is ``today`` in Shanghai.

    A day that is closed already is a duplicate, whoever sends it: a day says nothing but itself. The first one may be
    any day that has come.
    """
    if day > today:
        hint = Saying(f"账本接收时上海是 {today}", f"it was {today} in Shanghai when the ledger took it in")
        return refuse(RefusalCode.DAY_AHEAD, hint, ("/day",))
    if closed is None:
        return Disposition.ACCEPTED
    if day < closed.first:
        hint = Saying(f"首个日终是 {closed.first}", f"{closed.first} was the first day that was closed")
        return refuse(RefusalCode.DAY_OUT_OF_ORDER, hint, ("/day",))
    if day <= closed.last:
        return Disposition.DUPLICATE
    following = closed.last + ONE_DAY
    if day > following:
        hint = Saying(f"下一个应为 {following}", f"{following} is the next one")
        return refuse(RefusalCode.DAY_OUT_OF_ORDER, hint, ("/day",))
    return Disposition.ACCEPTED


def _take_day(processor: Processor, delivery: Delivery, event: DayClosed) -> None:
    shard, journal, known = delivery.partition, processor.journal, processor.world.closed_days
    closed = known.get(shard)
    today = shanghai_date(processor.recorded_at)
    admitted = event_after_intake(event, processor.recorded_at) or admit_day(event.day, closed, today)
    if isinstance(admitted, Refusal):
        processor.refused(delivery, admitted)
        return
    number = journal.event(delivery, shard, admitted)
    subject = {"event_type": event.event_type, "event_id": event.event_id, "kind": "day", "id": str(event.day)}
    journal.audit(shard, number, TAKEN[admitted], event.source, place_of(delivery) | subject, delivery.value)
    if admitted is Disposition.ACCEPTED:
        known[shard] = ClosedDays(event.day if closed is None else closed.first, event.day)
        processor.outcome.closed_days.append(ClosedDay(shard, event.day, number))
