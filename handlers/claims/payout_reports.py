"""What became of a payout: the insurers' reports, folded into one state; and what an operator may reissue.

The state depends only on the set of accepted reports (law 1): they are read in order of ``reported_at``, then of
status, then of content, in whatever order they arrive. A report counts only under the instruction's own person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from handlers.words.payout_sentences import STATES
from schemas.bilingual import Saying
from schemas.facts import PayoutReported, PayoutStatus
from schemas.ids import PayoutId, PersonId
from schemas.outbound import AlertCode, InstructionKind
from schemas.records import InstructionRow, PayoutState, PayoutStateRow

LEGAL: dict[PayoutStatus | None, tuple[PayoutStatus, ...]] = {
    None: (PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.RETURNED),
    PayoutStatus.PAID: (PayoutStatus.RETURNED,),  # the money bounced
    PayoutStatus.FAILED: (),  # only an operator can reissue it (claims.md, section 6)
    PayoutStatus.RETURNED: (),
}
"""From each state (None: instructed) the ones that may follow."""

_RANK = {status: rank for rank, status in enumerate(PayoutStatus)}
NOT_THERE = (PayoutStatus.FAILED, PayoutStatus.RETURNED)


class Verdict(StrEnum):
    """What a report did to the state of its payout, all reports taken together."""

    APPLIED = "applied"
    REPEATED = "repeated"
    CONTRADICTS = "contradicts"


class PayoutReport(NamedTuple):
    """One accepted report, as far as it matters for the state."""

    status: PayoutStatus
    reported_at: datetime
    reference: str
    content_sha256: str

    @property
    def order(self) -> tuple[datetime, int, str]:
        return (self.reported_at, _RANK[self.status], self.content_sha256)


def verdicts(reports: Iterable[PayoutReport]) -> list[tuple[PayoutReport, Verdict]]:
    """Each report in order with what it did.

    The same status again is a repetition, but two paid reports with different references may be two transfers: a
    contradiction. A report that contradicts leaves the state as it was.
    """
    judged: list[tuple[PayoutReport, Verdict]] = []
    last: PayoutReport | None = None
    for report in sorted(reports, key=lambda report: report.order):
        if report.status in LEGAL[last.status if last else None]:
            last = report
            judged.append((report, Verdict.APPLIED))
        elif last is not None and report.status is last.status and not _paid_again(last, report):
            judged.append((report, Verdict.REPEATED))
        else:
            judged.append((report, Verdict.CONTRADICTS))
    return judged


def _paid_again(before: PayoutReport, report: PayoutReport) -> bool:
    return report.status is PayoutStatus.PAID and report.reference != before.reference


def state_of(payout_id: PayoutId, person_id: PersonId, reports: Iterable[PayoutReport]) -> PayoutStateRow:
    """The row of a payout that has at least one report."""
    judged = verdicts(reports)
    deciding = [report for report, verdict in judged if verdict is Verdict.APPLIED][-1]
    newest, _ = judged[-1]
    return PayoutStateRow(
        payout_id=payout_id,
        person_id=person_id,
        state=deciding.status,
        last_status=newest.status,
        reported_at=deciding.reported_at,
        reference=deciding.reference,
        decided_by=deciding.content_sha256,
        reports=len(judged),
        contradictions=sum(verdict is Verdict.CONTRADICTS for _, verdict in judged),
    )


def state_told(payout_id: PayoutId, person_id: PersonId, reports: Sequence[PayoutReport], *, book: bool) -> PayoutState:
    """The state that a payout has by these reports; ``book``: no money moves by it."""
    if book:
        return PayoutState.BOOK
    return PayoutState(state_of(payout_id, person_id, reports).state) if reports else PayoutState.INSTRUCTED


def transfers(reports: Sequence[PayoutReport]) -> int:
    """How often the money of a payout arrived if every report is true.

    Each reference that was reported as paid is a transfer of its own; each that was returned undid one.
    """
    arrived = {report.reference for report in reports if report.status is PayoutStatus.PAID}
    undone = {report.reference for report in reports if report.status is PayoutStatus.RETURNED}
    return max(0, len(arrived) - len(undone))


def report_of(fact: PayoutReported, content_sha256: str) -> PayoutReport:
    return PayoutReport(fact.status, fact.reported_at, fact.reference, content_sha256)


class Effect(NamedTuple):
    """What one more report does: the payout's row, its part of the audit entry, and the alert it raises, if any."""

    row: PayoutStateRow
    told: dict[str, str]
    alert: AlertCode | None


def effect_of(
    fact: PayoutReported,
    content_sha256: str,
    reports: list[PayoutReport],
    instruction: InstructionRow | None,
    settled: bool = False,
) -> Effect:
    """Appends an accepted report to ``reports``. ``instruction`` is None unless it is the person's own.

    Whatever is reported about one by which no money moves contradicts it; so does ``paid`` about a recovery that was
    ``settled`` otherwise, set off or waived.
    """
    place = (fact.payout_id, fact.person_id)
    before = state_of(*place, reports) if reports else None
    report = report_of(fact, content_sha256)
    reports.append(report)
    row = state_of(*place, reports)
    told = {
        "verdict": str(dict(verdicts(reports))[report]),
        "state_before": before.state if before else "instructed",
        "state": row.state,
        "matched": "no" if instruction is None else "yes",
    }
    more = row.contradictions > (before.contradictions if before else 0)
    if instruction is None:
        return Effect(row, told, AlertCode.REPORT_UNMATCHED)
    contradicts = more or not instruction.moves_money or (settled and fact.status is PayoutStatus.PAID)
    return Effect(row, told, AlertCode.REPORT_CONTRADICTS if contradicts else None)


def states_of(
    line: Iterable[InstructionRow], reports: dict[tuple[PayoutId, PersonId], list[PayoutReport]]
) -> dict[tuple[PayoutId, PersonId], PayoutStateRow]:
    """The rows of those instructions that have reports."""
    places = [(row.payout_id, row.person_id) for row in line]
    return {place: state_of(*place, reports[place]) for place in places if reports.get(place)}


class NotReissuable(Exception):
    """A payout that cannot be reissued; the message, and ``why``, say why, in Chinese and English."""

    def __init__(self, why: Saying) -> None:
        super().__init__(f"{why.zh}\n{why.en}")
        self.why = why


def amount_to_reissue(
    row: InstructionRow,
    line: Iterable[InstructionRow],
    states: dict[tuple[PayoutId, PersonId], PayoutStateRow],
    settled: Collection[PayoutId] = (),
) -> int:
    """How many fen of a failed or returned payout to reissue. Raises NotReissuable.

    ``line`` holds all instructions of the same claim, scheme and payee; ``settled`` the recoveries among them that were
    set off or waived. No more goes out than this payer owes today, even if a later instruction took a part back, or
    another one failed too. What another payer could not take back is its own to order again.
    """
    name, line = row.payout_id, list(line)
    again = next((other.payout_id for other in line if other.reissue_of == name), None)
    if row.reversal_of is not None:
        raise NotReissuable(
            Saying(f"{name} 是账面冲销,没有资金往来,不能重新下达。", f"{name} is a book reversal: it moves no money.")
        )
    if row.set_off_of is not None:
        raise NotReissuable(
            Saying(
                f"{name} 已抵扣以前多付的款项,没有资金往来,不能重新下达。",
                f"{name} was kept back for an earlier recovery: it moves no money.",
            )
        )
    if name in settled:
        raise NotReissuable(
            Saying(f"{name} 已抵扣或核销,不再收回。", f"{name} was set off or waived: nobody collects it any more.")
        )
    if again is not None:
        raise NotReissuable(
            Saying(
                f"{name} 已经重新下达过,新指令是 {again};如新指令也失败,请对新指令重新下达。",
                f"{name} was already reissued as {again}. If that one fails too, reissue it instead.",
            ),
        )
    state = states.get((name, row.person_id))
    if state is None or state.state not in NOT_THERE:
        now = STATES[PayoutState.INSTRUCTED if state is None else PayoutState(state.state)]
        raise NotReissuable(
            Saying(
                f"{name} 的状态是“{now.zh}”,只有失败或被退回的支付才能重新下达。",
                f"{name} is {now.en}; only a failed or returned payout can be reissued.",
            ),
        )
    if state.last_status not in NOT_THERE:
        raise NotReissuable(
            Saying(
                f"{name} 的报告互相矛盾:最后一份报告说已到账。请先与保险公司核实,由其补报 failed 或 returned。",
                f"The reports of {name} contradict each other: the last one says paid. Clarify this with the insurer "
                "first, who then reports failed or returned.",
            ),
        )
    missing = missing_of(row, line, states, settled)
    amount = min(row.amount, missing if row.kind == InstructionKind.PAYMENT else -missing)
    if amount <= 0:
        raise NotReissuable(
            Saying(
                f"{name} 不必重新下达:该理赔在这一保障层已无差额。",
                f"{name} need not be reissued: nothing is missing for this claim and scheme.",
            ),
        )
    return amount


def missing_of(
    row: InstructionRow,
    line: Iterable[InstructionRow],
    states: dict[tuple[PayoutId, PersonId], PayoutStateRow],
    settled: Collection[PayoutId],
) -> int:
    """What the payer of a payout has paid by the books, less the money of its own that moved or may still move (fen).

    Money moves by instructions that did not fail, without book reversals. What was set off or waived counts as moved,
    whatever is reported about it: on both sides of a set-off.
    """
    own = [other for other in line if (other.payer, other.treaty_id) == (row.payer, row.treaty_id)]
    moving = [other for other in own if other.reversal_of is None]
    moved = [each for each in moving if each.set_off_of or each.payout_id in settled or may_move(each, states)]
    return sum(map(_signed, own)) - sum(map(_signed, moved))


def may_move(row: InstructionRow, states: dict[tuple[PayoutId, PersonId], PayoutStateRow]) -> bool:
    """Whether the money of a payout has arrived or is under way."""
    state = states.get((row.payout_id, row.person_id))
    return state is None or state.state not in NOT_THERE


def _signed(row: InstructionRow) -> int:
    return row.amount if row.kind == InstructionKind.PAYMENT else -row.amount
