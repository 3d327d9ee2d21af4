"""Dates that lie in the future: FUTURE_DATED (claims.md, section 3).

Two rules with one code. A business date may lie up to one day after the event's own ``occurred_at``; ``occurred_at``
may lie up to one day after the moment at which the ledger takes the event in, which is given: no clock is read here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.bilingual import Saying
from schemas.closed_days import DayClosed
from schemas.dates import shanghai_date
from schemas.facts import EncounterDischarged, Fact, PersonDied, SettlementPosted
from schemas.refusals import Refusal, RefusalCode, refuse

ONE_DAY = timedelta(days=1)


def date_after_event(fact: Fact) -> Refusal | None:
    """The refusal of an event that tells of a day or an instant more than one day after its ``occurred_at``."""
    if type(fact) is SettlementPosted:
        field, ahead = "settled_at", fact.settled_at - fact.occurred_at
    elif type(fact) is EncounterDischarged:
        field, ahead = "discharged_on", fact.discharged_on - shanghai_date(fact.occurred_at)
    elif type(fact) is PersonDied:
        field, ahead = "died_on", fact.died_on - shanghai_date(fact.occurred_at)
    else:
        return None
    return too_far_ahead(field, ahead, Saying("本报文的 occurred_at", "occurred_at"))


def event_after_intake(fact: Fact | DayClosed, moment: datetime) -> Refusal | None:
    """The refusal of an event that says it occurred more than one day after ``moment``, when the ledger takes it in."""
    return too_far_ahead("occurred_at", fact.occurred_at - moment, Saying("账本接收的时间", "the moment of intake"))


def too_far_ahead(field: str, ahead: timedelta, of: Saying) -> Refusal | None:
    """The refusal of a field that lies ``ahead`` of something, if that is more than a day."""
    if ahead <= ONE_DAY:
        return None
    gap = _in_words(ahead)
    detail = Saying(f"{field} 比{of.zh}晚 {gap.zh}", f"{field} is {gap.en} after {of.en}")
    return refuse(RefusalCode.FUTURE_DATED, detail, (f"/{field}",))


def _in_words(gap: timedelta) -> Saying:
    """A span of at least a second in its two largest units; parts of a second count as one."""
    seconds = -(-gap // timedelta(seconds=1))
    parts = []
    for size, zh, en in ((86_400, "天", "day"), (3_600, "小时", "hour"), (60, "分钟", "minute"), (1, "秒", "second")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append((f"{count} {zh}", f"{count} {en}{'s' if count > 1 else ''}"))
    return Saying(" ".join(zh for zh, _ in parts[:2]), " ".join(en for _, en in parts[:2]))
