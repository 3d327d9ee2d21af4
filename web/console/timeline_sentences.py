"""The events of a claim in a few words each, without anything that identifies the person."""

from __future__ import annotations

from handlers.claims.read import recall
from handlers.words.claim_sentences import STATUS_NAMES, yuan
from infra.ledger.timeline import Happened
from schemas.bilingual import Saying
from schemas.decisions import ClaimDecided
from schemas.facts import (
    CoverageRecorded,
    CoverageVoided,
    EncounterDischarged,
    Fact,
    PayoutReported,
    PayoutStatus,
    PersonDied,
    SettlementPosted,
    SettlementVoided,
)
from schemas.outbound import InstructionKind, PayoutInstructed

REPORTED = {
    PayoutStatus.PAID: Saying("保险公司报告:已到账", "The insurer reports: paid"),
    PayoutStatus.FAILED: Saying("保险公司报告:付款失败", "The insurer reports: failed"),
    PayoutStatus.RETURNED: Saying("保险公司报告:被退回", "The insurer reports: returned"),
}


def words_of(event: Happened) -> tuple[Saying, str]:
    """A sentence, and the id of what it is about."""
    if event.kind == "decision":
        decision = ClaimDecided.model_validate_json(event.value)
        status = STATUS_NAMES[decision.status]
        total = yuan(decision.total_benefit)
        return Saying(
            f"第 {decision.revision} 次计算:{status.zh},补助 {total} 元",
            f"Decision {decision.revision}: {status.en}, benefit {total} yuan",
        ), event.subject_id
    if event.kind == "instruction":
        instruction = PayoutInstructed.model_validate_json(event.value)
        verb = (
            Saying("支付指令:付", "Instructed: pay")
            if instruction.kind is InstructionKind.PAYMENT
            else Saying("支付指令:收回", "Instructed: recover")
        )
        amount = yuan(instruction.amount)
        return Saying(
            f"{verb.zh} {amount} 元({instruction.scheme_id})", f"{verb.en} {amount} yuan ({instruction.scheme_id})"
        ), instruction.payout_id
    return _fact_words(recall(event.value)), f"{event.subject_id}" if event.kind != "person" else ""


def _fact_words(fact: Fact) -> Saying:
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
        return Saying(f"身份登记{version}:{details}", f"Coverage{version}: {details}")
    if isinstance(fact, CoverageVoided):
        return Saying(f"身份登记作废{version}", f"Coverage voided{version}")
    if isinstance(fact, PersonDied):
        return Saying(f"死亡登记{version}:{fact.died_on}", f"Death recorded{version}: {fact.died_on}")
    if isinstance(fact, PayoutReported):
        return REPORTED[fact.status]
    return Saying(fact.event_type, fact.event_type)
