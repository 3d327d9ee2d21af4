"""One claim: the bill, each scheme step by step, the payouts, and its history in the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import quote

from markupsafe import Markup
from starlette.responses import Response

from acts.published_policies import policies_of, published_policy
from acts.record_operator_acts import record_operator_acts
from handlers.claims.read import recall
from handlers.claims.recall import account_of
from handlers.words.advance_sentences import advance_sentence, goes_to_estate, party_words, unknown_advances
from handlers.words.assured_sentences import occasion_words
from handlers.words.checked_sentences import checked
from handlers.words.claim_sentences import CARE_TYPES, FACILITY_LEVELS, status_sentence, why_nothing, yuan
from handlers.words.household_sentences import MEMBERSHIPS_OVERLAP, WAITS, WAITS_AGAIN
from handlers.words.masking import mask_text
from handlers.words.payout_sentences import Clearing, result
from handlers.words.policy_sentences import in_force
from handlers.words.pool_sentences import WAITING, waiting_words
from infra.ledger import alert_lists, people_directory
from infra.ledger.alert_lists import AlertFilter
from infra.ledger.claim_record import ClaimRecord, Undecided, claim_record
from infra.ledger.people_directory import PersonDetails
from schemas.access.console_rights import ConsoleAct, Right
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.decisions import BenefitLine, ClaimDecided, ExplanationLine, StepKind
from schemas.facts import PayoutReported, SettlementPosted
from schemas.ids import trigger_of
from schemas.money import parse_yuan
from schemas.outbound import AuditKind, InstructionKind, PayoutInstructed
from schemas.policy.model import Scheme
from schemas.policy.policy_values import decimal_text
from schemas.records import PayoutState
from web.console import charts
from web.console.alerts_page import OF_ONE_MAX, shown
from web.console.claim_history import history
from web.console.log_watch import Watch
from web.console.proof_pages import address as proof_address
from web.console.timeline_sentences import told_reason
from web.console.visit import PageRefused, Visit, not_found

STEP_NAMES = {
    StepKind.ROUNDING: Saying("四舍五入", "rounding"),
    StepKind.FIXED: Saying("定额", "fixed sum"),
    StepKind.BY_DEGREE: Saying("按等级定额", "sum by degree"),
    StepKind.PER_DAY: Saying("按天定额", "sum per day"),
    StepKind.LEVEL: Saying("救助标准", "level of aid"),
    StepKind.LIMIT_REMAINING: Saying("不超过剩余个人负担", "no more than what is left"),
    StepKind.CAP_PER_STAY: Saying("每次上限", "cap per stay"),
    StepKind.CAP_PER_YEAR: Saying("年度上限", "cap per year"),
    StepKind.CAP_PER_HOUSEHOLD_YEAR: Saying("全户年度上限", "household's cap per year"),
    StepKind.FLOOR_PER_STAY: Saying("不足最低发放额", "below the floor"),
}
BILL = (
    ("total_charge", Saying("总费用", "Total charge"), 0),
    ("basic_insurance_paid", Saying("基本医疗保险已付", "paid by basic medical insurance"), 1),
    ("serious_illness_paid", Saying("大病保险已付", "paid by serious illness insurance"), 1),
    ("medical_assistance_paid", Saying("医疗救助已付", "paid by medical assistance"), 1),
    ("other_fund_paid", Saying("其他基金已付", "paid by other funds"), 1),
    ("copay", Saying("个人自付(目录内)", "copay (inside the catalogue)"), 1),
    ("out_of_catalogue", Saying("个人自费(目录外)", "outside the catalogue"), 1),
)


@dataclass(frozen=True, slots=True)
class SchemeShown:
    """One scheme of the decision as shown on the page."""

    benefit: BenefitLine
    title: str
    sentences: list[tuple[Saying, int]]
    why_nothing: Saying | None
    taken_off: Saying | None


@dataclass(frozen=True, slots=True)
class PayoutShown:
    """One payout, the report that decides its state, and the reason that the insurer gave there."""

    order: PayoutInstructed
    report: PayoutReported | None
    reason: str | None
    doubtful: bool
    reissued: bool
    clearing: Clearing

    @property
    def signed(self) -> int:
        """In fen; negative for a recovery and for a book entry that reverses a payment."""
        return self.order.amount if self.order.kind is InstructionKind.PAYMENT else -self.order.amount

    @property
    def payee(self) -> Saying:
        return party_words(self.order)

    @property
    def state(self) -> PayoutState:
        if self.order.reversal_of is not None:  # so it is for what is kept back
            return PayoutState.BOOK
        return PayoutState.INSTRUCTED if self.report is None else PayoutState(self.report.status)

    @property
    def result(self) -> Saying:
        status = None if self.report is None else self.report.status
        return result(self.order, status, self.reissued, doubtful=False, clearing=self.clearing)


def show(watch: Watch, visit: Visit) -> Response:
    visit.require(Right.CLAIMS)
    return _page(visit, watch, None)


def unmask(watch: Watch, visit: Visit) -> Response:
    """The same page with the person's data unmasked, once. The audit log records who looked, at whom, and why."""
    visit.require(Right.UNMASK)
    return _page(visit, watch, visit.reason())


def _page(visit: Visit, watch: Watch, reason: str | None) -> Response:
    claim_id = visit.path_values["claim_id"]
    record = claim_record(visit.engine, claim_id)
    if record is None:
        raise not_found()
    if isinstance(record, Undecided):
        raise PageRefused(404, WAITS.zh, WAITS.en)
    decision = ClaimDecided.model_validate_json(record.decision)
    with visit.engine.begin() as connection:
        token = visit.token(decision.person_id)
        if reason is None:
            visit.note_view(connection, "claim", claim_id=claim_id, person=token)
        else:
            subject = {"page": "claim", "claim_id": claim_id, "person": token, "reason": mask_text(reason)}
            act = ConsoleAct(AuditKind.PERSONAL_UNMASKED.value, visit.user, subject)
            record_operator_acts(connection, visit.now, [act])
        person = people_directory.find(connection, visit.keys, decision.person_id)
        _, alerts = alert_lists.page(connection, AlertFilter(claim_id=claim_id, gone=True), OF_ONE_MAX)
        timeline = history(connection, watch, claim_id, decision.person_id, reason is not None)
    account = account_of(decision.person_id, record.facts)
    claim = account.claim(decision.claim_id)
    policy = None if record.policy_text is None else published_policy(record.policy_text)
    schemes = {scheme.id: scheme for scheme in policy.schemes} if policy else {}
    discharged, filed = claim.discharge is not None, claim.filed_at is not None
    return visit.page(
        "claim.html",
        claim=claim,
        decision=decision,
        policy=policy,
        in_force=None if policy is None else in_force(policies_of(record.policy_texts).term(policy)),
        status_sentence=status_sentence(decision, discharged, filed),
        household=None if record.household_id is None else visit.household_token(record.household_id),
        checked=checked(decision),
        overlapping=MEMBERSHIPS_OVERLAP if record.overlapping else None,
        waits=WAITS_AGAIN if record.group_waits else None,
        occasion=occasion_words(claim.incident, claim.aid),
        of_stay=trigger_of(claim.claim_id) == "stay",
        bill=_bill(claim.live),
        bills=sorted(claim.live, key=lambda bill: bill.settled_at),
        schemes=[_scheme(benefit, schemes, decision) for benefit in decision.benefits],
        unknown_advances=unknown_advances(decision),
        proofs=proof_address(claim_id),
        chart=_chart(visit, decision, schemes),
        payouts=_payouts(record, reason is not None),
        waiting=[(each, waiting_words(each), quote(each.pool_id, safe="")) for each in record.waiting],
        waiting_state=WAITING,
        titles={name: scheme.title or name for name, scheme in schemes.items()},
        person=person or PersonDetails(decision.person_id, "", "", ""),
        person_token=token,
        unmasked=reason is not None,
        to_estate=account.death is not None and goes_to_estate(decision),
        care_types=CARE_TYPES,
        levels=FACILITY_LEVELS,
        timeline=timeline,
        alerts=shown(alerts, shanghai_date(visit.now())),
    )


def _bill(live: Iterable[SettlementPosted]) -> list[tuple[Saying, int, int]]:
    bills = list(live)
    return [(label, sum(getattr(bill, name) for bill in bills), indent) for name, label, indent in BILL]


def _scheme(benefit: BenefitLine, schemes: dict[str, Scheme], decision: ClaimDecided) -> SchemeShown:
    scheme = schemes.get(benefit.scheme_id)
    running, sentences = 0, []
    for step in decision.explanation:
        if step.scheme_id == benefit.scheme_id:
            running += step.amount
            sentences.append((Saying(step.zh, step.en), running))
    nothing = None if benefit.reason is None else why_nothing(benefit.reason, scheme, benefit.measured)
    title = scheme.title if scheme and scheme.title else benefit.scheme_id
    return SchemeShown(benefit, title, sentences, nothing, advance_sentence(decision, benefit.scheme_id))


def _chart(visit: Visit, decision: ClaimDecided, schemes: dict[str, Scheme]) -> Markup | None:
    """The steps of each scheme up to its benefit, as a waterfall."""
    steps: list[tuple[str, int, int, str]] = []
    for benefit in decision.benefits:
        running = 0
        lines = [line for line in decision.explanation if line.scheme_id == benefit.scheme_id]
        if not lines:
            continue
        for line in lines:
            steps.append(
                (_step_name(visit, line), running, running + line.amount, "add" if line.amount > 0 else "take")
            )
            running += line.amount
        scheme = schemes.get(benefit.scheme_id)
        title = scheme.title if scheme and scheme.title else benefit.scheme_id
        steps.append((f"= {title}", 0, running, "sum"))
    if not steps:
        return None
    return charts.waterfall(visit.text, steps)


def _step_name(visit: Visit, line: ExplanationLine) -> str:
    if line.step is StepKind.BRACKET:
        start, end = parse_yuan(line.inputs["from"]), parse_yuan(line.inputs["to"])
        return f"{yuan(end - start)} × {_percent(line.inputs['rate'])}"
    return visit.text(STEP_NAMES[line.step])


def _percent(rate: str) -> str:
    return decimal_text(Fraction(rate) * 100) + "%"


def _payouts(record: ClaimRecord, clear: bool) -> list[PayoutShown]:
    payouts = []
    for row in record.instructions:
        order = PayoutInstructed.model_validate_json(row.value)
        report = None if row.report is None else recall(row.report)
        assert report is None or isinstance(report, PayoutReported)
        reason = None if report is None else told_reason(report, clear)
        clearing = Clearing(row.manner, row.left, row.kept_for)
        payouts.append(
            PayoutShown(order, report, reason, row.contradictions > 0, row.reissued_as is not None, clearing)
        )
    return payouts
