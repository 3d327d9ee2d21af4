"""Comparing an insurer's statement with the ledger: every difference, by kind."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.dates import shanghai_date
from schemas.ids import PayoutId
from schemas.money import format_yuan
from schemas.outbound import InstructionKind
from schemas.records import PayoutRecord, PayoutState
from schemas.statement import Difference, DifferenceKind, Scope, Statement, StatementLine


def in_scope(payout: PayoutRecord, scope: Scope) -> bool:
    """Whether a statement of this scope should hold a payout: instructed within its days, and moving money."""
    if scope.issued is not None:
        return payout.payout_id in scope.issued.ordered
    day = shanghai_date(payout.instructed_at)
    return (
        payout.state is not PayoutState.BOOK
        and scope.scheme_id in (None, payout.scheme_id)
        and scope.payer in (None, payout.payer)
        and (scope.since is None or scope.since <= day)
        and (scope.until is None or day < scope.until)
    )


def differences(statement: Statement, payouts: Iterable[PayoutRecord], scope: Scope) -> list[Difference]:
    """Every difference: those of the statement's lines in their order, then the payouts that it lacks.

    ``payouts`` holds all payouts of the ledger, not only those in scope: a line about another month's payout is
    compared too, and only a payout that the ledger does not know at all counts as missing there. A payout whose line
    cannot be read is not missing as well. Of an issued statement the states are those at the end of its month.
    """
    by_id = {payout.payout_id: payout for payout in payouts}
    results = [
        Difference(DifferenceKind.UNREADABLE_LINE, line.number, line.payout_id, zh=line.why.zh, en=line.why.en)
        for line in statement.unreadable
    ]
    unread = {line.payout_id for line in statement.unreadable}
    first: dict[PayoutId, StatementLine] = {}
    for line in statement.lines:
        payout = by_id.get(line.payout_id)
        if line.payout_id in first:
            before = first[line.payout_id].number
            twice = _of(DifferenceKind.DUPLICATE_IN_STATEMENT, payout, line)
            results.append(twice._replace(zh=f"第 {before} 行已有同一笔", en=f"is already in line {before}"))
            continue
        first[line.payout_id] = line
        if payout is None:
            results.append(_of(DifferenceKind.MISSING_IN_LEDGER, None, line))
            continue
        if scope.payer not in (None, payout.payer):
            other = _of(DifferenceKind.OTHER_PAYER, payout, line)
            results.append(other._replace(zh=f"应由 {payout.payer} 支付", en=f"is paid by {payout.payer}"))
        if scope.issued is not None:
            state = scope.issued.ordered.get(payout.payout_id, scope.issued.others.get(payout.payout_id))
            if state is None:
                other = _of(DifferenceKind.OTHER_STATEMENT, payout, line)
                results.append(other._replace(zh="不在这份对账单内", en="is no line of this statement"))
            payout = payout._replace(state=state or payout.state)
        if not _same_amount(line, payout):
            results.append(_of(DifferenceKind.AMOUNT_DIFFERS, payout, line))
        if line.state not in (None, payout.state):
            results.append(_of(DifferenceKind.STATE_DIFFERS, payout, line))
    results.sort(key=lambda result: result.line or 0)
    for payout in by_id.values():
        if payout.payout_id not in first and payout.payout_id not in unread and in_scope(payout, scope):
            results.append(_of(DifferenceKind.MISSING_IN_STATEMENT, payout, None))
    return results


def signed(payout: PayoutRecord) -> int:
    """Fen, negative where money is to be taken back."""
    return payout.amount if payout.kind == InstructionKind.PAYMENT else -payout.amount


def _same_amount(line: StatementLine, payout: PayoutRecord) -> bool:
    """A statement that does not distinguish recoveries from payments is compared without the sign."""
    return line.amount == (signed(payout) if line.signed else payout.amount)


def _of(kind: DifferenceKind, payout: PayoutRecord | None, line: StatementLine | None) -> Difference:
    """A difference that shows amount and state on each side, as far as they are known."""
    named = line if line is not None else payout
    return Difference(
        kind,
        None if line is None else line.number,
        None if named is None else named.payout_id,
        None if payout is None else payout.claim_id,
        None if payout is None else payout.scheme_id,
        None if payout is None else format_yuan(signed(payout)),
        None if line is None else format_yuan(line.amount),
        None if payout is None else payout.state,
        None if line is None else line.state,
    )
