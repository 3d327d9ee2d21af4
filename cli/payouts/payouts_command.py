"""`huzhu payouts list | show | reissue`: what became of the money, and ordering again what did not arrive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from acts.reissue_payout import NoSuchPayout, reissue_payout
from cli.servers.operate import ledger, settings
from cli.terminal.language import Language, said_in
from cli.terminal.output import fail, out
from handlers.claims.payout_reports import NotReissuable, Verdict, report_of, verdicts
from handlers.claims.read import recall
from handlers.words.claim_sentences import yuan
from infra.clock import utc_now
from infra.ledger import payout_states as books
from infra.ledger import reads
from infra.ledger.schema import LedgerMismatch, bound_shards
from schemas.bilingual import Saying
from schemas.dates import format_instant
from schemas.facts import PayoutReported
from schemas.records import PayoutRecord, PayoutState
from stream.deadline import INFRASTRUCTURE_GONE

app = typer.Typer(no_args_is_help=True, help="See what became of payouts, and order again what did not arrive.")

STATES = {
    PayoutState.INSTRUCTED: Saying("已发指令", "instructed"),
    PayoutState.PAID: Saying("已支付", "paid"),
    PayoutState.FAILED: Saying("失败", "failed"),
    PayoutState.RETURNED: Saying("退回", "returned"),
    PayoutState.BOOK: Saying("账面冲销", "book entry"),
}
KINDS = {"payment": Saying("发放", "payment"), "recovery": Saying("收回", "recovery")}
VERDICTS = {
    Verdict.APPLIED: Saying("采用", "applied"),
    Verdict.REPEATED: Saying("重复", "repeated"),
    Verdict.CONTRADICTS: Saying("矛盾", "contradicts"),
}
Spoken = Annotated[Language, typer.Option(help="zh, en, or both, Chinese first.")]


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One moment of the ledger; trouble with it ends the command."""
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            yield connection
    except DBAPIError as error:
        fail(f"the ledger cannot be read: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()


@app.command("list", epilog="Example: huzhu payouts list --state failed --language en")
def list_payouts(
    state: Annotated[PayoutState | None, typer.Option(help="Only payouts in this state.")] = None,
    claim: Annotated[str | None, typer.Option(help="Only payouts of this claim.")] = None,
    scheme: Annotated[str | None, typer.Option(help="Only payouts of this scheme.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many; the counts are always of all.")] = 50,
    language: Spoken = Language.ZH,
) -> None:
    """List payouts in the order in which they were instructed, and below them the reports that match no payout."""
    with reading(ledger(settings())) as connection:
        counts = books.count_by_state(connection)
        found = books.payouts(connection, state=state, claim_id=claim, scheme_id=scheme, limit=limit)
        strays = [] if state or claim or scheme else books.unmatched(connection, limit=limit)
    say = said_in(language, " ")
    heads = ("支付编号 payout", "理赔 claim", "保障层 scheme", "类型 kind", "金额(元) yuan", "状态 state", "备注 note")
    table = Table(*(say(Saying(*head.rsplit(" ", 1))) for head in heads))
    table.columns[4].justify = "right"
    table.columns[0].overflow = "fold"
    for each in found:
        table.add_row(
            each.payout_id,
            each.claim_id,
            each.scheme_id,
            say(KINDS[each.kind]),
            yuan(each.amount),
            say(STATES[each.state]),
            say(_note(each)),
        )
    out.print(table)
    by_state = ", ".join(f"{say(STATES[each])} {counts[each]}" for each in PayoutState if each in counts) or "0"
    out.print(say(Saying(f"显示 {len(found)} 笔;各状态共计:", f"{len(found)} shown; all by state:")), by_state)
    for stray in strays:
        out.print(say(_stray(stray)))


def _note(payout: PayoutRecord) -> Saying:
    parts = []
    if payout.contradictions:
        parts.append(Saying("报告互相矛盾", "reports contradict"))
    for said, name in (
        (Saying("重发为", "reissued as"), payout.reissued_as),
        (Saying("重发自", "reissue of"), payout.reissue_of),
        (Saying("冲销", "takes off the books"), payout.reversal_of),
    ):
        if name is not None:
            parts.append(Saying(f"{said.zh} {name}", f"{said.en} {name}"))
    return Saying(";".join(each.zh for each in parts), "; ".join(each.en for each in parts))


def _stray(stray: books.Unmatched) -> Saying:
    why = Saying("账本中没有这笔支付", "there is no such payout")
    if stray.known:
        why = Saying("报告中的人不是这笔支付的领款人", "the person in the report is not the one whose payout it is")
    return Saying(
        f"未匹配的报告:{stray.payout_id},{stray.state},流水号 {stray.reference};{why.zh}。",
        f"Unmatched report: {stray.payout_id}, {stray.state}, reference {stray.reference}: {why.en}.",
    )


@app.command(epilog="Example: huzhu payouts show PO-0b8a1c --language both")
def show(payout: Annotated[str, typer.Argument(help="The payout's id.")], language: Spoken = Language.ZH) -> None:
    """Show one payout: what was ordered, every report with what it did, and what was ordered in its place."""
    say = said_in(language, " ")
    with reading(ledger(settings())) as connection:
        found = books.payouts(connection, payout_id=payout)
        owner = books.person_of(connection, payout)
        values = reads.payout_reports(connection, [payout], owner)
        strays = books.unmatched(connection, payout_id=payout)
    if not found and not strays:
        fail(
            say(
                Saying(
                    f"没有支付 {payout},也没有关于它的报告;`huzhu payouts list` 列出全部。",
                    f"There is no payout {payout} and no report of one; `huzhu payouts list` names them.",
                )
            )
        )
    for each in found:
        ordered = format_instant(each.instructed_at)
        out.print(
            f"{each.payout_id}\n"
            + say(
                Saying(
                    f"理赔 {each.claim_id},保障层 {each.scheme_id},第 {each.revision} 次指令:{KINDS[each.kind].zh} "
                    f"{yuan(each.amount)} 元,{ordered}",
                    f"claim {each.claim_id}, scheme {each.scheme_id}, instruction {each.revision}: "
                    f"{KINDS[each.kind].en} of {yuan(each.amount)} yuan, {ordered}",
                )
            )
        )
        note = _note(each)
        out.print(say(Saying(f"状态:{STATES[each.state].zh} {note.zh}", f"state: {STATES[each.state].en} {note.en}")))
    facts = [(mark, recall(value)) for mark, value in values]
    reports = [
        report_of(fact, mark) for mark, fact in facts if isinstance(fact, PayoutReported) and fact.person_id == owner
    ]
    for report, verdict in verdicts(reports):
        place = f"{format_instant(report.reported_at)} {report.status} {report.reference}"
        out.print(f"  {place}: {say(VERDICTS[verdict])}")
    for stray in strays:
        out.print(say(_stray(stray)))


@app.command(epilog='Example: huzhu payouts reissue PO-0b8a1c --operator li.na --reason "account was closed, now open"')
def reissue(
    payout: Annotated[str, typer.Argument(help="The payout that failed or was returned.")],
    operator: Annotated[str, typer.Option(help="Who orders it; stands in the audit log.")],
    reason: Annotated[str, typer.Option(help="Why; stands in the audit log.")],
) -> None:
    """Order a failed or returned payout again, under a new id, in the name of an operator.

    Twice is harmless: the second time says which payout was ordered in its place. Exit status 2 when it may not be.
    """
    if not operator.strip() or not reason.strip():
        fail("--operator 和 --reason 不能为空\n--operator and --reason say who and why: neither may be empty")
    engine = ledger(settings())
    try:
        shards = bound_shards(engine)
        with engine.begin() as connection:
            again = reissue_payout(connection, payout, operator, reason, shards, utc_now)
    except NoSuchPayout:
        fail(f"没有支付 {payout}\nthere is no payout {payout}: `huzhu payouts list` names them")
    except (NotReissuable, LedgerMismatch) as error:
        fail(str(error))
    except DBAPIError as error:
        fail(f"nothing was ordered: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()
    out.print(f"已重发 {yuan(again.amount)} 元,新的支付编号 {again.payout_id}", soft_wrap=True)
    out.print(f"{yuan(again.amount)} yuan are ordered again, as {again.payout_id}", soft_wrap=True)
