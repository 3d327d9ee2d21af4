"""What people read of a treaty: who bears what, of which schemes, from when to when, and what changed between two."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from handlers.words.claim_sentences import yuan
from handlers.words.policy_sentences import NOT_SET, in_force, percent
from schemas.bilingual import Saying
from schemas.policy.model import Term
from schemas.treaty.treaty_model import StopLoss, Treaty

STATUSES = {
    "sample": Saying("示例,不是正式协议", "a sample, not a treaty that was signed"),
    "enacted": Saying("正式协议", "enacted"),
}
LEAD = Saying("主承保", "lead")
CO_INSURER = Saying("共保", "co-insurer")
STOP_LOSS = Saying("超赔", "stop-loss")
_FIELDS = {
    "id": Saying("编号", "id"),
    "title": Saying("名称", "title"),
    "status": Saying("性质", "status"),
    "effective_from": Saying("生效日", "in force from"),
    "effective_to": Saying("失效日", "no longer in force from"),
    "schemes": Saying("保障层", "schemes"),
    "lead": Saying("主承保公司", "lead"),
    "order": Saying("份额的先后次序", "order of the shares"),
}


class TreatyChange(NamedTuple):
    """What differs between two treaties; each side is None where it is not set.

    ``field`` is as the file spells it, ``share.insurer-a`` is that insurer's share, and ``order`` that of the shares.
    """

    field: str
    before: object
    after: object


def share_percent(share: Decimal) -> str:
    """0.60 is ``60%``."""
    return percent(Fraction(share))


def treaty_days(treaty: Treaty) -> Saying:
    """The days that a treaty covers, by date of discharge."""
    return in_force(Term(treaty.effective_from, treaty.effective_to))


def treaty_rules(treaty: Treaty) -> list[tuple[Saying, Saying]]:
    """The head of a treaty: label and sentence."""
    schemes = ", ".join(treaty.schemes)
    return [
        (Saying("编号", "id"), Saying(treaty.id, treaty.id)),
        (Saying("适用", "In force"), treaty_days(treaty)),
        (_FIELDS["status"], STATUSES[treaty.status]),
        (_FIELDS["schemes"], Saying(schemes, schemes)),
        (
            Saying("付款", "Paid by"),
            Saying(
                f"主承保公司 {treaty.lead} 收到全部支付指令并支付,各家按份额分摊。",
                f"The lead {treaty.lead} receives and pays every instruction; the insurers share the cost.",
            ),
        ),
    ]


def stop_loss_words(stop_loss: StopLoss) -> Saying:
    """What the stop-loss bears, over the treaty's whole period."""
    over, limit, rate = yuan(stop_loss.attachment), yuan(stop_loss.limit), share_percent(stop_loss.share)
    return Saying(
        f"整个协议期内累计超过 {over} 元的部分,在 {limit} 元以内,由 {stop_loss.insurer} 承担 {rate}",
        f"{stop_loss.insurer} bears {rate} of what the whole period costs over {over} yuan, counting at most {limit} "
        "yuan of it",
    )


def treaty_changes(before: Treaty, after: Treaty) -> list[TreatyChange]:
    """Every field that differs; none when the two treaties have the same canonical form."""
    return [change for change in _compared(before, after) if change.before != change.after]


def _compared(before: Treaty, after: Treaty) -> Iterator[TreatyChange]:
    for name in ("id", "title", "status", "effective_from", "effective_to", "schemes", "lead"):
        yield TreatyChange(name, getattr(before, name) or None, getattr(after, name) or None)
    old, new = ({each.insurer: each.share for each in treaty.shares} for treaty in (before, after))
    for insurer in dict.fromkeys([*new, *old]):
        yield TreatyChange(f"share.{insurer}", old.get(insurer), new.get(insurer))
    both = old.keys() & new.keys()
    if [name for name in old if name in both] != [name for name in new if name in both]:
        yield TreatyChange("order", tuple(old), tuple(new))
    yield TreatyChange("stop_loss", before.stop_loss, after.stop_loss)


def change_name(change: TreatyChange) -> Saying:
    """What people call what changed."""
    if change.field == "stop_loss":
        return STOP_LOSS
    insurer = change.field.partition(".")[2]
    return Saying(f"{insurer} 的份额", f"share of {insurer}") if insurer else _FIELDS[change.field]


def changed_value(field: str, value: object) -> Saying:
    """One side of a change, as people write it."""
    if value is None:
        return NOT_SET
    if field == "status":
        return STATUSES[str(value)]
    if isinstance(value, StopLoss):
        return stop_loss_words(value)
    if isinstance(value, Decimal):
        return Saying(share_percent(value), share_percent(value))
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return Saying(text, text)
