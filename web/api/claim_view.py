"""A claim as the API shows it: state, published decision, explanation in one language, payouts."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pydantic import BaseModel, JsonValue
from sqlalchemy import Engine

from acts.published_policies import published_policy
from handlers.claims.account import Account
from handlers.claims.decidable import Claim, DecidableClaim
from handlers.claims.read import recall
from handlers.claims.recall import account_of
from handlers.words.advance_sentences import advance_sentence, unknown_advances
from handlers.words.checked_sentences import checked
from handlers.words.claim_sentences import status_sentence, why_nothing
from handlers.words.household_sentences import WAITS, WAITS_AGAIN
from handlers.words.pool_sentences import waiting_words
from infra.ledger import group_rows, inbox
from infra.ledger.claim_record import ClaimRecord, Undecided, claim_record
from schemas.access.callers import ApiRole, Caller
from schemas.bilingual import Saying
from schemas.decisions import ClaimDecided, ClaimDecision, to_json
from schemas.facts import EncounterDischarged, Kind, SettlementPosted, Subject
from schemas.ids import ClaimId
from schemas.money import Fen
from schemas.outbound import AlertCode
from schemas.policy.model import Policy
from schemas.pool_records import WaitingNow
from web.accept_language import Language, text_in
from web.api.permissions import cannot, may_see_claim
from web.api.problems import problem

RECEIVED = "received"
_RECEIVED = Saying(
    "数据已收到,正在等待计算。请稍后再查。",
    "The data has arrived and the claim will be decided shortly. Ask again in a moment.",
)


class SchemeExplained(BaseModel):
    """What one scheme pays for the claim and why, sentence by sentence."""

    scheme_id: str
    title: str
    benefit: Fen
    sentences: list[str]


class FacilityPayment(BaseModel):
    """What a facility is paid back for one scheme, of what it took off the bill."""

    scheme_id: str
    facility_id: str
    amount: Fen


class WaitingPayment(BaseModel):
    """What of a scheme's benefit waits for the money of a pool, and its place in the queue now, if there is one."""

    scheme_id: str
    pool_id: str
    amount: Fen
    position: int | None
    sentence: str


class ClaimView(BaseModel):
    """One claim. ``decision`` is the value published in claims.decisions, or null until there is one.

    ``alerts`` are the codes of what somebody should look at, and ``held`` says that nothing more is paid until two
    people have. ``facility_payments`` says what the facilities that advanced benefits are paid for the claim in all,
    and ``waiting`` what waits for the money of pools.
    """

    claim_id: str
    state: str
    language: str
    summary: str
    alerts: list[AlertCode]
    held: bool
    explanation: list[SchemeExplained]
    facility_payments: list[FacilityPayment]
    waiting: list[WaitingPayment]
    decision: dict[str, JsonValue] | None
    instructions: list[dict[str, JsonValue]]
    waiting_events: int


def view_claim(engine: Engine, claim_id: str, caller: Caller, language: Language) -> ClaimView:
    """The current state of a claim. Raises Problem: NOT_FOUND, or FORBIDDEN when it is not the caller's."""
    if caller.role is not ApiRole.HOSPITAL:
        raise problem("FORBIDDEN", cannot(caller, Saying("查询理赔", "read claims")))
    with engine.connect() as connection:
        waiting = inbox.not_taken_in(connection, claim_id)
        in_group = group_rows.waiting_about(connection, claim_id)
    record = claim_record(engine, claim_id)
    if record is None:
        if not waiting:
            raise problem("NOT_FOUND")
        facts = [recall(row.value) for row in waiting]
        _check(caller, (fact.facility_id for fact in facts if isinstance(fact, EncounterDischarged | SettlementPosted)))
        return _received(claim_id, _RECEIVED, len(waiting), language)
    if isinstance(record, Undecided):
        account = account_of(record.person_id, record.facts)
        _check(caller, _facilities(engine, account, account.claim(ClaimId(claim_id))))
        return _received(claim_id, WAITS, len(waiting) + in_group, language)
    decision = ClaimDecided.model_validate_json(record.decision)
    account = account_of(decision.person_id, record.facts)
    claim = account.claim(decision.claim_id)
    _check(caller, _facilities(engine, account, claim))
    policy = None if record.policy_text is None else published_policy(record.policy_text)
    return ClaimView(
        claim_id=claim_id,
        state=decision.status.value,
        language=language,
        summary=summary(claim, decision, language, record.group_waits),
        alerts=list(decision.alerts or ()),
        held=decision.held is not None,
        explanation=explained(decision, policy, language),
        facility_payments=facility_payments(decision),
        waiting=[_waiting(each, language) for each in record.waiting],
        decision=json.loads(record.decision),
        instructions=_instructions(record),
        waiting_events=len(waiting) + in_group,
    )


def _received(claim_id: str, said: Saying, waiting_events: int, language: Language) -> ClaimView:
    """A claim before its first decision."""
    return ClaimView(
        claim_id=claim_id,
        state=RECEIVED,
        language=language,
        summary=text_in(said, language),
        alerts=[],
        held=False,
        explanation=[],
        facility_payments=[],
        waiting=[],
        decision=None,
        instructions=[],
        waiting_events=waiting_events,
    )


def summary(claim: DecidableClaim, decision: ClaimDecision, language: Language, group_waits: bool = False) -> str:
    """What the state means for the person, and what to do next."""
    said = [WAITS_AGAIN] if group_waits else []
    said += [status_sentence(decision, claim.discharge is not None, claim.filed_at is not None)]
    sentences = [text_in(each, language) for each in [*said, *checked(decision), *unknown_advances(decision)]]
    return ("" if language == "zh" else " ").join(sentences)


def explained(decision: ClaimDecision, policy: Policy | None, language: Language) -> list[SchemeExplained]:
    """Each scheme's steps in sentences, or why it pays nothing."""
    schemes = {scheme.id: scheme for scheme in policy.schemes} if policy else {}
    explanation = []
    for benefit in decision.benefits:
        scheme = schemes.get(benefit.scheme_id)
        lines = [line for line in decision.explanation if line.scheme_id == benefit.scheme_id]
        sentences = [line.zh if language == "zh" else line.en for line in lines]
        if benefit.reason is not None:
            sentences.append(text_in(why_nothing(benefit.reason, scheme, benefit.measured), language))
        taken_off = advance_sentence(decision, benefit.scheme_id)
        if taken_off is not None:
            sentences.append(text_in(taken_off, language))
        title = scheme.title if scheme and scheme.title else benefit.scheme_id
        explanation.append(
            SchemeExplained(scheme_id=benefit.scheme_id, title=title, benefit=benefit.benefit, sentences=sentences)
        )
    return explanation


def facility_payments(decision: ClaimDecision) -> list[FacilityPayment]:
    """The decision's payees that are facilities."""
    return [
        FacilityPayment(scheme_id=each.scheme_id, facility_id=each.payee_id, amount=each.amount)
        for each in decision.payees or ()
        if each.payee_id is not None
    ]


def _waiting(each: WaitingNow, language: Language) -> WaitingPayment:
    return WaitingPayment(
        scheme_id=each.scheme_id,
        pool_id=each.pool_id,
        amount=each.amount,
        position=each.position,
        sentence=text_in(waiting_words(each), language),
    )


def decision_document(decision: ClaimDecision) -> dict[str, JsonValue]:
    return to_json(decision)  # type: ignore[return-value]


def _check(caller: Caller, facilities: Iterable[str]) -> None:
    if not may_see_claim(facilities, caller):
        raise problem("FORBIDDEN", Saying("这件理赔属于其他机构", "that claim belongs to another facility"))


def _facilities(engine: Engine, account: Account, claim: Claim) -> set[str]:
    """The facility of the discharge or, before there is one, of all settlements, voided ones included."""
    if claim.discharge is not None:
        return {claim.discharge.facility_id}
    settlements = [Subject(Kind.SETTLEMENT, name) for name in account.settlements.get(claim.claim_id, {})]
    with engine.connect() as connection:
        versions = [recall(value) for value in inbox.values_about(connection, settlements)]
    return {version.facility_id for version in versions if isinstance(version, SettlementPosted)}


def _instructions(record: ClaimRecord) -> list[dict[str, JsonValue]]:
    documents = []
    for instruction in record.instructions:
        document = json.loads(instruction.value)
        document["report"] = None if instruction.report is None else json.loads(instruction.report)
        documents.append(document)
    return documents
