"""One claim on a page: what the hospital billed, what each scheme pays and why, what is left, the payouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.terminal.language import OutputLanguage, translator
from cli.terminal.prose import Prose
from handlers.claims.decidable import Claim
from handlers.words.advance_sentences import advance_sentence, goes_to_estate, party_words, unknown_advances
from handlers.words.assured_sentences import occasion_words
from handlers.words.checked_sentences import checked
from handlers.words.claim_sentences import CARE_TYPES, FACILITY_LEVELS, status_sentence, why_nothing, yuan
from handlers.words.household_sentences import WAITS_AGAIN
from handlers.words.national_sentences import origin_sentence
from handlers.words.payout_sentences import UNCLEARED, Clearing, result
from handlers.words.policy_sentences import in_force
from handlers.words.pool_sentences import waiting_words
from schemas.bilingual import Saying
from schemas.dates import shanghai_date
from schemas.decisions import BenefitLine, ClaimDecision, ExplanationLine
from schemas.facts import PayoutReported, SettlementPosted
from schemas.ids import trigger_of
from schemas.outbound import InstructionKind, PayoutInstructed
from schemas.policy.model import Policy, Scheme, Term
from schemas.pool_records import WaitingNow

PAID_BY_INSURANCE = {
    "basic_insurance_paid": Saying("基本医疗保险", "basic medical insurance"),
    "serious_illness_paid": Saying("大病保险", "serious illness insurance"),
    "medical_assistance_paid": Saying("医疗救助", "medical assistance"),
    "other_fund_paid": Saying("其他基金", "other funds"),
}
LEFT_TO_THE_PERSON = {
    "copay": Saying("医保目录内(个人自付)", "inside the insurance catalogue (copay)"),
    "out_of_catalogue": Saying("医保目录外(个人自费)", "outside the insurance catalogue"),
}


@dataclass(frozen=True, slots=True)
class Payout:
    """One instruction, and the insurer's report that decides its state."""

    instruction: PayoutInstructed
    report: PayoutReported | None
    doubtful: bool = False
    reissued_as: str | None = None
    clearing: Clearing = UNCLEARED

    @property
    def result(self) -> Saying:
        """What happened to it, in words."""
        status = None if self.report is None else self.report.status
        return result(self.instruction, status, self.reissued_as is not None, self.doubtful, self.clearing)


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """Everything on the page; ``term`` is when its policy is in force.

    ``payouts`` is None when the claim comes from files, which know of none. ``group_waits``: the claim waits to be
    decided again with its household. ``waiting`` are its benefits that wait for the money of pools.
    """

    claim: Claim
    deceased: bool
    decision: ClaimDecision
    policy: Policy | None
    term: Term | None
    payouts: list[Payout] | None
    group_waits: bool = False
    waiting: Sequence[WaitingNow] = ()


def show(page: ClaimPage, language: OutputLanguage, console: Console) -> None:
    """Prints the page."""
    say = translator(language)
    claim, decision = page.claim, page.decision
    console.print(Text(f"{translator(language, ' ')(Saying('理赔', 'Claim'))} {claim.claim_id}", style="bold"))
    if claim.discharge is not None:
        console.print(Prose(say(_stay(page))))
    occasion = occasion_words(claim.incident, claim.aid)
    if occasion is not None:
        console.print(Prose(say(occasion)))
    if page.group_waits:
        console.print(Prose(say(WAITS_AGAIN)))
    console.print(Prose(say(_status(page))))
    for sentence in checked(decision):
        console.print(Prose(say(sentence)))
    if trigger_of(claim.claim_id) == "stay":
        _heading(_bills_heading(claim), language, console)
        console.print(_bills(claim, language))
    for bill in claim.live:
        if bill.national is not None:
            console.print(Prose(say(origin_sentence(bill.settlement_id, bill.national))))
    schemes = {scheme.id: scheme for scheme in page.policy.schemes} if page.policy else {}
    if decision.benefits:
        _heading(Saying("补助是怎么算的", "How the assistance is calculated"), language, console)
    for number, benefit in enumerate(decision.benefits, start=1):
        steps = [line for line in decision.explanation if line.scheme_id == benefit.scheme_id]
        taken_off = advance_sentence(decision, benefit.scheme_id)
        _benefit(number, benefit, schemes.get(benefit.scheme_id), steps, taken_off, language, console)
    for sentence in unknown_advances(decision):
        console.print(Prose(say(sentence)))
    _heading(Saying("结果", "Result"), language, console)
    console.print(_result(decision, language))
    if page.policy is not None and page.term is not None:
        console.print(Prose(say(_basis(page.policy, page.term))))
    if page.deceased and goes_to_estate(decision):
        heirs = Saying("本人已登记去世,补助付给继承人。", "The person is recorded as deceased; the estate is paid.")
        console.print(Prose(say(heirs)))
    if page.payouts is not None:
        _payouts(page, page.payouts, schemes, language, console)


def _heading(heading: Saying, language: OutputLanguage, console: Console) -> None:
    console.print()
    console.rule(Text(translator(language, " ")(heading), style="bold"), align="left")


def _stay(page: ClaimPage) -> Saying:
    discharge = page.claim.discharge
    assert discharge is not None
    care, level = CARE_TYPES[discharge.care_type], FACILITY_LEVELS[discharge.facility_level]
    return Saying(
        f"{_day(discharge.admitted_on)}入院,{_day(discharge.discharged_on)}出院;{level.zh},{care.zh}。",
        f"Admitted on {discharge.admitted_on}, discharged on {discharge.discharged_on}; {level.en}, {care.en}.",
    )


def _status(page: ClaimPage) -> Saying:
    claim = page.claim
    return status_sentence(page.decision, claim.discharge is not None, claim.filed_at is not None)


def _bills_heading(claim: Claim) -> Saying:
    live, voided = len(claim.live), claim.settlements - len(claim.live)
    zh, en = f"医院的账单({live} 张结算单", f"The hospital's bills ({live}"
    if voided:
        zh, en = f"{zh},另有 {voided} 张已作废", f"{en}, and {voided} voided"
    return Saying(zh + ")", en + ")")


def _bills(claim: Claim, language: OutputLanguage) -> Table:
    table = _amounts()

    def row(name: Saying, amount: int, indent: int = 0) -> None:
        label = translator(language, " ")
        table.add_row(" " * indent + label(name), f"{yuan(amount)} {label(_UNIT)}")

    row(Saying("总费用", "Total charge"), _sum(claim.live, "total_charge"))
    for name, payer in PAID_BY_INSURANCE.items():
        row(Saying(f"{payer.zh}已付", f"paid by {payer.en}"), _sum(claim.live, name), 2)
    row(Saying("要您自己付", "Left for you to pay"), claim.copay + claim.out_of_catalogue)
    for name, label in LEFT_TO_THE_PERSON.items():
        row(label, _sum(claim.live, name), 2)
    return table


def _benefit(
    number: int,
    benefit: BenefitLine,
    scheme: Scheme | None,
    steps: list[ExplanationLine],
    taken_off: Saying | None,
    language: OutputLanguage,
    console: Console,
) -> None:
    say, label = translator(language), translator(language, " ")
    name = scheme.title if scheme and scheme.title else benefit.scheme_id
    tier = "" if benefit.tier is None else f"  ({label(Saying('档次', 'tier'))} {benefit.tier})"
    console.print(Text(f"{number}. {name}{tier}", style="bold"))
    running = 0
    for step in steps:
        running += step.amount
        so_far = f"{yuan(running)}"
        sentence = Saying(f"{step.zh}(到这一步:{so_far} 元)", f"{step.en} (So far: {so_far} yuan.)")
        console.print(Padding(Prose(say(sentence)), (0, 0, 0, 3), expand=False))
    if benefit.reason is not None:
        console.print(
            Padding(Prose(say(why_nothing(benefit.reason, scheme, benefit.measured))), (0, 0, 0, 3), expand=False)
        )
    paid = Saying(f"这一项补助 {yuan(benefit.benefit)} 元。", f"This scheme pays {yuan(benefit.benefit)} yuan.")
    console.print(Padding(Prose(say(paid), "bold"), (0, 0, 0, 3), expand=False))
    if taken_off is not None:
        console.print(Padding(Prose(say(taken_off)), (0, 0, 0, 3), expand=False))


def _result(decision: ClaimDecision, language: OutputLanguage) -> Table:
    table = _amounts()
    rows = [
        (Saying("账单上要您自己付", "Left for you to pay, before assistance"), decision.personal_burden),
        (Saying("各项补助合计", "Paid by all schemes together"), decision.total_benefit),
        (Saying("最后您自己付", "You pay"), decision.patient_pays),
    ]
    if decision.advances:
        off = sum(each.amount for each in decision.advances)
        rows.append((Saying("结算时医院已减掉", "Already taken off by the hospital"), off))
    say = translator(language, " ")
    for name, amount in rows:
        table.add_row(say(name), f"{yuan(amount)} {say(_UNIT)}")
    return table


def _basis(policy: Policy, term: Term) -> Saying:
    days, title = in_force(term), policy.title or policy.id
    sample = Saying("这是示例方案。", " It is a sample.") if policy.status == "sample" else Saying("", "")
    return Saying(
        f"依据:《{title}》,编号 {policy.id},适用于 {days.zh};校验码(SHA-256 前 12 位){policy.sha256[:12]}。{sample.zh}",
        f"Under the policy {title}, {policy.id}, for {days.en}; SHA-256 begins {policy.sha256[:12]}.{sample.en}",
    )


def _payouts(
    page: ClaimPage, payouts: list[Payout], schemes: dict[str, Scheme], language: OutputLanguage, console: Console
) -> None:
    say = translator(language)
    _heading(Saying("发放情况", "Payouts"), language, console)
    if not payouts and not page.waiting:
        console.print(Prose(say(Saying("还没有发放。", "No payouts yet."))))
    for payout in payouts:
        order = payout.instruction
        name = _title(schemes, order.scheme_id)
        kind = Saying("发放", "pay") if order.kind is InstructionKind.PAYMENT else Saying("收回", "recover")
        if order.set_off_of is not None:
            kind = Saying("抵扣", "set off")
        to = party_words(order)
        told = payout.result
        ordered_on = shanghai_date(order.occurred_at)
        sentence = Saying(
            f"{_day(ordered_on)}:{name},{kind.zh} {yuan(order.amount)} 元{to.zh},{told.zh}。",
            f"{ordered_on}: {name}, {kind.en} {yuan(order.amount)} yuan{to.en}, {told.en}.",
        )
        console.print(Prose(say(sentence)))
        console.print(Padding(Text(order.payout_id, style="dim", overflow="fold"), (0, 0, 0, 3), expand=False))
    for each in page.waiting:
        name, why = _title(schemes, each.scheme_id), waiting_words(each)
        amount = Saying(f"{name},{yuan(each.amount)} 元:{why.zh}", f"{name}, {yuan(each.amount)} yuan: {why.en}")
        console.print(Prose(say(amount)))


def _title(schemes: dict[str, Scheme], scheme_id: str) -> str:
    scheme = schemes.get(scheme_id)
    return scheme.title if scheme and scheme.title else scheme_id


_UNIT = Saying("元", "yuan")


def _amounts() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    return table


def _sum(bills: tuple[SettlementPosted, ...], name: str) -> int:
    return sum(getattr(bill, name) for bill in bills)


def _day(day: date) -> str:
    return f"{day.year} 年 {day.month} 月 {day.day} 日"
