"""What the hospital took off the bill, and who is paid what, in the words of command, console and API."""

from __future__ import annotations

from handlers.words.claim_sentences import yuan
from schemas.bilingual import Saying
from schemas.decisions import ClaimDecision
from schemas.outbound import InstructionKind, Payee, PayoutInstructed


def taken_off_for(decision: ClaimDecision, scheme_id: str) -> int:
    """What hospitals took off for one scheme, in fen."""
    return sum(each.amount for each in decision.advances or () if each.scheme_id == scheme_id)


def advance_sentence(decision: ClaimDecision, scheme_id: str) -> Saying | None:
    """For the family: what the hospital already took off for a scheme, and what is still paid out; None if nothing."""
    taken = taken_off_for(decision, scheme_id)
    if not taken:
        return None
    due = sum(benefit.benefit for benefit in decision.benefits if benefit.scheme_id == scheme_id)
    off = Saying(f"结算时医院已从账单里减掉 {yuan(taken)} 元", f"The hospital took {yuan(taken)} yuan off the bill")
    if taken > due:
        more = yuan(taken - due)
        return Saying(
            f"{off.zh},比这一项应补的多 {more} 元,由经办人员与医院核对;这一项不再另外发放。",
            f"{off.en}, {more} more than this scheme owes; the office checks that with the hospital. Nothing more is "
            "paid out.",
        )
    if taken == due:
        return Saying(f"{off.zh},这一项不再另外发放。", f"{off.en}, so nothing more is paid out for this scheme.")
    estate = any(each.scheme_id == scheme_id and each.payee is Payee.ESTATE for each in decision.payees or ())
    rest, to = yuan(due - taken), Saying("继承人", "the estate") if estate else Saying("您", "you")
    return Saying(f"{off.zh},其余 {rest} 元发给{to.zh}。", f"{off.en}; the other {rest} yuan are paid to {to.en}.")


def unknown_advances(decision: ClaimDecision) -> list[Saying]:
    """For the family: what the hospital took off for schemes that the claim's policy does not have.

    Where nothing is decided about benefits, what it took off in all.
    """
    known = {benefit.scheme_id for benefit in decision.benefits}
    if decision.advances and not known:
        off = yuan(sum(each.amount for each in decision.advances))
        return [
            Saying(
                f"结算时医院已从账单里减掉 {off} 元;目前没有算出应补的钱,由经办人员与医院核对。",
                f"The hospital took {off} yuan off the bill; so far nothing is owed for this claim, and the office "
                "checks that with the hospital.",
            )
        ]
    unknown = dict.fromkeys(each.scheme_id for each in decision.advances or () if each.scheme_id not in known)
    said = []
    for scheme_id in unknown:
        taken = yuan(taken_off_for(decision, scheme_id))
        said.append(
            Saying(
                f"医院以“{scheme_id}”的名义从账单里减掉 {taken} 元,但方案里没有这一项;由经办人员与医院核对。",
                f"The hospital took {taken} yuan off the bill for {scheme_id}, which the policy does not have; the "
                "office checks that with the hospital.",
            )
        )
    return said


def goes_to_estate(decision: ClaimDecision) -> bool:
    """Of a person who died: whether the estate is paid anything, and not only hospitals that advanced it."""
    if decision.payees is None:
        return decision.total_benefit > 0
    return any(each.payee is Payee.ESTATE for each in decision.payees)


def party_words(order: PayoutInstructed) -> Saying:
    """To whom a payout goes and which insurer pays it, in brackets; nothing for the person and the public fund."""
    payee, payer = _payee(order), _payer(order)
    return Saying(payee.zh + payer.zh, payee.en + payer.en)


def _payer(order: PayoutInstructed) -> Saying:
    if order.treaty_id is None:
        return Saying("", "")
    verb = "收回" if order.kind is InstructionKind.RECOVERY else "支付"
    return Saying(f"(由 {order.payer} {verb})", f" (by {order.payer})")


def _payee(order: PayoutInstructed) -> Saying:
    if order.payee is Payee.FACILITY and order.kind is InstructionKind.RECOVERY:
        return Saying(f"(从垫付的医院 {order.payee_id} 收回)", f" (from the hospital {order.payee_id})")
    if order.payee is Payee.FACILITY:
        return Saying(f"(付给垫付的医院 {order.payee_id})", f" (to the hospital {order.payee_id})")
    return Saying("(给继承人)", " (the estate)") if order.payee is Payee.ESTATE else Saying("", "")
