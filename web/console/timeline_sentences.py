"""The events of a claim in a few words each."""

from __future__ import annotations

from handlers.claims.read import recall
from handlers.words.advance_sentences import party_words
from handlers.words.claim_sentences import STATUS_NAMES, yuan
from handlers.words.coverage_sentences import ENDED_REASONS
from handlers.words.masking import mask_value
from handlers.words.payout_sentences import BOOK, STATES
from infra.ledger.timeline import Happened
from schemas.bilingual import Saying
from schemas.decisions import ClaimDecided
from schemas.facts import (
    AidDecided,
    AidVoided,
    CoverageRecorded,
    CoverageVoided,
    EncounterDischarged,
    Fact,
    IncidentRecorded,
    IncidentVoided,
    MembershipRecorded,
    MembershipVoided,
    PayoutReported,
    PersonDied,
    SettlementPosted,
    SettlementVoided,
)
from schemas.outbound import InstructionKind, PayoutInstructed
from schemas.records import PayoutState


def told_reason(report: PayoutReported, clear: bool) -> str | None:
    """Why the insurer says a payout did not arrive; covered unless ``clear``, as people write names into free text."""
    if not report.reason:
        return None
    return report.reason if clear else mask_value(report.reason)


def words_of(event: Happened, clear: bool) -> tuple[Saying, str]:
    """A sentence, and the id of what it is about. Without ``clear`` nothing in it identifies the person."""
    if event.kind == "decision":
        decision = ClaimDecided.model_validate_json(event.value)
        status = STATUS_NAMES[decision.status]
        total = yuan(decision.total_benefit)
        return Saying(
            f"第 {decision.revision} 次计算:{status.zh},补助 {total} 元",
            f"Decision {decision.revision}: {status.en}, benefit {total} yuan",
        ), event.subject_id
    if event.kind == "instruction":
        return _order_words(PayoutInstructed.model_validate_json(event.value)), event.subject_id
    return _fact_words(recall(event.value), clear), event.subject_id if event.kind != "person" else ""


def _order_words(order: PayoutInstructed) -> Saying:
    amount, scheme = yuan(order.amount), order.scheme_id
    if order.set_off_of is not None:
        return Saying(
            f"抵扣以前多付的款项({order.set_off_of}):{amount} 元({scheme}),没有资金往来",
            f"Kept back for an earlier recovery ({order.set_off_of}): {amount} yuan ({scheme}); no money moves",
        )
    if order.reversal_of is not None:
        return Saying(
            f"{BOOK.zh}:{amount} 元({scheme})", f"{BOOK.en[0].upper()}{BOOK.en[1:]}: {amount} yuan ({scheme})"
        )
    payment = order.kind is InstructionKind.PAYMENT
    verb = Saying("付", "pay") if payment else Saying("收回", "recover")
    what = Saying("重新下达", "Reissued") if order.reissue_of is not None else Saying("支付指令", "Instructed")
    to = party_words(order)
    return Saying(
        f"{what.zh}:{verb.zh} {amount} 元({scheme}){to.zh}", f"{what.en}: {verb.en} {amount} yuan ({scheme}){to.en}"
    )


def _fact_words(fact: Fact, clear: bool) -> Saying:
    version = "" if fact.line_version in (None, 1) else f" v{fact.line_version}"
    if isinstance(fact, EncounterDischarged):
        return Saying(f"出院记录{version}:{fact.discharged_on}", f"Discharge{version}: {fact.discharged_on}")
    if isinstance(fact, SettlementPosted):
        burden = yuan(fact.copay + fact.out_of_catalogue)
        final = Saying("(最后一张)", " (final)") if fact.final else Saying("", "")
        return Saying(
            f"结算单{version}{final.zh}:个人负担 {burden} 元",
            f"Bill{version}{final.en}: left to the person {burden} yuan",
        )
    if isinstance(fact, SettlementVoided):
        return Saying(f"结算单作废{version}", f"Bill voided{version}")
    if isinstance(fact, CoverageRecorded):
        details = f"{fact.programme} / {fact.category}, {fact.valid_from} – {fact.valid_to or ''}"
        zh, en = f"身份登记{version}:{details}", f"Coverage{version}: {details}"
        if fact.ended_reason is None:
            return Saying(zh, en)
        why = ENDED_REASONS[fact.ended_reason]
        return Saying(f"{zh},退出原因:{why.zh}", f"{en}, ended because of: {why.en}")
    if isinstance(fact, CoverageVoided):
        return Saying(f"身份登记作废{version}", f"Coverage voided{version}")
    if isinstance(fact, MembershipRecorded):
        days = f"{fact.valid_from} – {fact.valid_to or ''}"
        return Saying(f"户内登记{version}:{days}", f"Membership of a household{version}: {days}")
    if isinstance(fact, MembershipVoided):
        return Saying(f"户内登记作废{version}", f"Membership of a household voided{version}")
    if isinstance(fact, AidDecided):
        amount = yuan(fact.amount)
        return Saying(
            f"临时救助决定{version}:{fact.decided_on},{amount} 元({fact.level})",
            f"Aid decided{version}: {fact.decided_on}, {amount} yuan ({fact.level})",
        )
    if isinstance(fact, AidVoided):
        return Saying(f"临时救助作废{version}", f"Aid voided{version}")
    if isinstance(fact, IncidentRecorded):
        details = f"{fact.kind}, {fact.occurred_on}"
        return Saying(f"事故登记{version}:{details}", f"Incident{version}: {details}")
    if isinstance(fact, IncidentVoided):
        return Saying(f"事故登记作废{version}", f"Incident voided{version}")
    if isinstance(fact, PersonDied):
        return Saying(f"死亡登记{version}:{fact.died_on}", f"Death recorded{version}: {fact.died_on}")
    if isinstance(fact, PayoutReported):
        state, reason = STATES[PayoutState(fact.status)], told_reason(fact, clear)
        zh, en = f"保险公司报告:{state.zh}", f"The insurer reports: {state.en}"
        return Saying(zh, en) if reason is None else Saying(f"{zh},理由:{reason}", f"{en}, reason: {reason}")
    return Saying(fact.event_type, fact.event_type)
