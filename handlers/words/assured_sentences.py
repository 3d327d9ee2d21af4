"""How a sum assured or an aid came about, as people say it: amounts are yuan."""

from __future__ import annotations

from handlers.words.claim_sentences import yuan
from schemas.bilingual import Saying
from schemas.facts import AidDecided, IncidentRecorded
from schemas.policy.model import Tier


def occasion_words(incident: IncidentRecorded | None, aid: AidDecided | None) -> Saying | None:
    """What happened, or which aid was decided; None of a stay, and of what was voided."""
    if aid is not None:
        amount = yuan(aid.amount)
        emergency = Saying("急诊救助", "Emergency aid") if aid.emergency else Saying("临时救助", "Temporary aid")
        return Saying(
            f"{emergency.zh}:{aid.decided_on} 决定给予 {amount} 元,“{aid.level}”一级。",
            f'{emergency.en} of {amount} yuan was decided on {aid.decided_on}, of level "{aid.level}".',
        )
    if incident is None:
        return None
    zh, en = [f"{incident.occurred_on} 的事故,登记为“{incident.kind}”"], [f"{incident.kind} on {incident.occurred_on}"]
    if incident.degree is not None:
        zh.append(f"等级“{incident.degree}”")
        en.append(f'degree "{incident.degree}"')
    if incident.days is not None:
        zh.append(f"{incident.days} 天")
        en.append(f"{incident.days} days")
    if incident.verified_loss is not None:
        zh.append(f"核定损失 {yuan(incident.verified_loss)} 元")
        en.append(f"verified loss {yuan(incident.verified_loss)} yuan")
    return Saying(",".join(zh) + "。", f"Incident: {', '.join(en)}.")


def fixed_said(amount: int) -> Saying:
    """A sum that does not depend on anything (fen)."""
    return Saying(f"这一项是定额,每次 {yuan(amount)} 元。", f"This scheme pays a fixed sum: {yuan(amount)} yuan.")


def degree_said(degree: str, amount: int) -> Saying:
    """A sum for the degree of an incident (fen)."""
    return Saying(
        f"认定的等级是“{degree}”,按这一等级发 {yuan(amount)} 元。",
        f'The degree was found to be "{degree}", for which {yuan(amount)} yuan are paid.',
    )


def days_said(tier: Tier, days: int, counted_before: int, days_paid: int, amount: int) -> Saying:
    """A sum for each of some days: how many there were, and why some of them do not count (fen)."""
    zh, en = f"一共 {days} 天", "There was 1 day" if days == 1 else f"There were {days} days"
    if tier.from_day > 1:
        zh += f",从第 {tier.from_day} 天起算"
        en += f", which count from day {tier.from_day} on"
    if counted_before:
        zh += f",其中有 {counted_before} 天已在以前的理赔中算过"
        en += f"; {counted_before} of them had counted before"
    if tier.days_max is not None:
        zh += f",最多算 {tier.days_max} 天"
        en += f"; at most {tier.days_max} count"
    per_day = yuan(tier.per_day or 0)
    return Saying(
        f"{zh}:{days_paid} 天,每天 {per_day} 元,是 {yuan(amount)} 元。",
        f"{en}: {days_paid} {'day' if days_paid == 1 else 'days'} at {per_day} yuan each: {yuan(amount)} yuan.",
    )


def aid_said(level: str, limit: int, decided: int) -> Saying:
    """An aid, which its level limits (fen)."""
    if decided <= limit:
        return Saying(
            f"决定给予临时救助 {yuan(decided)} 元,没有超过“{level}”一级的标准 {yuan(limit)} 元。",
            f'Aid of {yuan(decided)} yuan was decided, within the {yuan(limit)} yuan of level "{level}".',
        )
    return Saying(
        f"决定给予临时救助 {yuan(decided)} 元,“{level}”一级最多 {yuan(limit)} 元,所以是 {yuan(limit)} 元。",
        f'Aid of {yuan(decided)} yuan was decided; level "{level}" allows at most {yuan(limit)} yuan, so it is that.',
    )
