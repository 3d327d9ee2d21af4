"""`huzhu payouts list | show`: see what happened to payouts; `reissue_command` reissues those that did not arrive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from acts.published_policies import published_policies
from cli.payouts import reissue_command
from cli.terminal.connect import ledger, read_settings
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, plain, print_json, print_table
from cli.terminal.output import fail, out
from handlers.claims.payout_reports import report_of, verdicts
from handlers.claims.read import recall
from handlers.words.claim_sentences import yuan
from handlers.words.masking import mask_text
from handlers.words.payout_sentences import KINDS, STATES, VERDICTS, state_words
from infra.ledger import payout_states, reads, treaty_rows
from schemas.bilingual import Saying
from schemas.dates import format_instant
from schemas.facts import PayoutReported
from schemas.money import format_yuan
from schemas.outbound import InstructionKind
from schemas.records import PayoutRecord, PayoutState
from schemas.treaty.treaty_model import FUND
from stream.deadline import INFRASTRUCTURE_GONE

app = typer.Typer(no_args_is_help=True, help="See what happened to payouts, and reissue those that did not arrive.")

app.command(epilog='Example: huzhu payouts reissue PO-0b8a1c --operator li.na --reason "account was closed, now open"')(
    reissue_command.reissue
)
app.command("proposals", epilog="Example: huzhu payouts proposals --json")(reissue_command.list_proposals)
app.command(epilog="Example: huzhu payouts approve 3 --operator wang.wei")(reissue_command.approve)
app.command(epilog='Example: huzhu payouts reject 3 --operator wang.wei --reason "the insurer pays it after all"')(
    reissue_command.reject
)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A consistent view of the ledger; ends the command if it cannot be read."""
    try:
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            yield connection
    except DBAPIError as error:
        fail(f"the ledger cannot be read: {str(error.orig).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()


def require_scheme(connection: Connection, scheme: str | None) -> None:
    """Ends the command if no published policy has the scheme: a list without a line would look like an answer."""
    known = sorted({each.id for policy in published_policies(connection).releases for each in policy.schemes})
    if scheme is not None and scheme not in known:
        names = ", ".join(known) or "-"
        fail(f"没有保障层 {scheme},已发布的有:{names}\nno published policy has a scheme {scheme}; there are: {names}")


def require_payer(connection: Connection, payer: str | None) -> None:
    """Ends the command if nobody of that id has ever paid by a treaty, and it is not the public fund."""
    known = [FUND, *treaty_rows.leads(connection)]
    if payer is not None and payer not in known:
        names = ", ".join(known)
        fail(f"没有付款方 {payer},现有:{names}\nnobody pays as {payer}; there are: {names}")


@app.command("list", epilog="Example: huzhu payouts list --state failed --language en")
def list_payouts(
    state: Annotated[PayoutState | None, typer.Option(help="Only payouts in this state.")] = None,
    claim: Annotated[str | None, typer.Option(help="Only payouts of this claim.")] = None,
    scheme: Annotated[str | None, typer.Option(help="Only payouts of this scheme.")] = None,
    payer: Annotated[str | None, typer.Option(help="Only payouts of this insurer, or of `fund`.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many; the counts always cover all.")] = 50,
    language: LanguageOption = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """List payouts in the order they were instructed, followed by reports that match no payout."""
    with reading(ledger(read_settings())) as connection:
        require_scheme(connection, scheme)
        require_payer(connection, payer)
        counts = payout_states.count_by_state(connection)
        payouts = payout_states.payouts(
            connection, state=state, claim_id=claim, scheme_id=scheme, payer=payer, limit=limit
        )
        strays = [] if state or claim or scheme or payer else payout_states.unmatched(connection, limit=limit)
    if as_json:
        by_state = {str(name): counts[name] for name in PayoutState if name in counts}
        listed = [_plain(payout) for payout in payouts]
        print_json({"payouts": listed, "by_state": by_state, "unmatched": [plain(each._asdict()) for each in strays]})
        return
    say = translator(language, " ")
    heads = ("支付编号 payout", "理赔 claim", "保障层 scheme", "类型 kind", "金额(元) yuan", "状态 state", "备注 note")
    print_table(
        [say(Saying(*head.rsplit(" ", 1))) for head in heads],
        [
            (
                payout.payout_id,
                payout.claim_id,
                payout.scheme_id,
                say(KINDS[InstructionKind(payout.kind)]),
                yuan(payout.amount),
                say(state_words(payout)),
                say(_note(payout)),
            )
            for payout in payouts
        ],
        right=(4,),
    )
    by_state_said = ", ".join(f"{say(STATES[name])} {counts[name]}" for name in PayoutState if name in counts) or "0"
    shown = Saying(f"显示 {len(payouts)} 笔;各状态共计:", f"{len(payouts)} shown; all by state:")
    out.print(say(shown), by_state_said)
    for stray in strays:
        out.print(say(_stray(stray)))


def _plain(payout: PayoutRecord) -> dict[str, Any]:
    left = None if payout.left is None else format_yuan(payout.left)
    amounts = {"amount": format_yuan(payout.amount), "left": left}
    return plain(payout._asdict()) | amounts | {"payee_id": payout.payee_id or None}


def _note(payout: PayoutRecord) -> Saying:
    parts = []
    if payout.payee_id and payout.kind == InstructionKind.RECOVERY:
        parts.append(Saying(f"从医院 {payout.payee_id} 收回", f"from the hospital {payout.payee_id}"))
    elif payout.payee_id:
        parts.append(Saying(f"付给垫付的医院 {payout.payee_id}", f"to the hospital {payout.payee_id}"))
    if payout.treaty_id is not None:
        verb = "收回" if payout.kind == InstructionKind.RECOVERY else "支付"
        parts.append(Saying(f"由 {payout.payer} {verb}", f"by {payout.payer}"))
    if payout.contradictions:
        parts.append(Saying("报告互相矛盾", "reports contradict"))
    for relation, payout_id in (
        (Saying("新指令", "reissued as"), payout.reissued_as),
        (Saying("原指令", "reissue of"), payout.reissue_of),
        (Saying("冲销", "reverses"), payout.reversal_of),
        (Saying("为收回指令扣下", "kept back for"), payout.set_off_of),
    ):
        if payout_id is not None:
            parts.append(Saying(f"{relation.zh} {payout_id}", f"{relation.en} {payout_id}"))
    return Saying(";".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def _stray(stray: payout_states.Unmatched) -> Saying:
    why = Saying("账本中没有这笔支付", "no such payout in the ledger")
    if stray.known:
        why = Saying("报告中的人不是这件理赔的本人", "the person in the report is not the person of this claim")
    return Saying(
        f"未匹配的报告:{stray.payout_id},{stray.state},流水号 {stray.reference};{why.zh}。",
        f"Unmatched report: {stray.payout_id}, {stray.state}, reference {stray.reference}: {why.en}.",
    )


@app.command(epilog="Example: huzhu payouts show PO-0b8a1c --language both")
def show(
    payout: Annotated[str, typer.Argument(help="The payout's id.")],
    language: LanguageOption = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """Show one payout: the instruction, every report and its effect, and the payout that replaced it."""
    say = translator(language, " ")
    with reading(ledger(read_settings())) as connection:
        payouts = payout_states.payouts(connection, payout_id=payout)
        owner = payout_states.person_of(connection, payout)
        values = reads.payout_reports(connection, [payout], owner)
        strays = payout_states.unmatched(connection, payout_id=payout)
    if not payouts and not strays:
        fail(
            say(
                Saying(
                    f"没有支付 {payout},也没有关于它的报告;`huzhu payouts list` 列出全部。",
                    f"There is no payout {payout} and no report about it; `huzhu payouts list` lists them all.",
                )
            )
        )
    facts = [(mark, recall(value)) for mark, value in values]
    told = {mark: fact for mark, fact in facts if isinstance(fact, PayoutReported) and fact.person_id == owner}
    judged = list(verdicts(report_of(fact, mark) for mark, fact in told.items()))
    if as_json:
        reports = [
            {
                "reported_at": format_instant(report.reported_at),
                "status": report.status,
                "reference": report.reference,
                "reason": mask_text(told[report.content_sha256].reason or "") or None,
                "effect": verdict,
            }
            for report, verdict in judged
        ]
        unmatched = [plain(each._asdict()) for each in strays]
        print_json({"payouts": [_plain(each) for each in payouts], "reports": reports, "unmatched": unmatched})
        return
    for record in payouts:
        instructed_at, kind = format_instant(record.instructed_at), KINDS[InstructionKind(record.kind)]
        out.print(
            f"{record.payout_id}\n"
            + say(
                Saying(
                    f"理赔 {record.claim_id},保障层 {record.scheme_id},第 {record.revision} 次指令:"
                    f"{kind.zh} {yuan(record.amount)} 元,{instructed_at}",
                    f"claim {record.claim_id}, scheme {record.scheme_id}, instruction {record.revision}: "
                    f"{kind.en} of {yuan(record.amount)} yuan, {instructed_at}",
                )
            )
        )
        state, note = state_words(record), _note(record)
        out.print(say(Saying(f"状态:{state.zh} {note.zh}", f"state: {state.en} {note.en}")))
    for report, verdict in judged:
        place = f"{format_instant(report.reported_at)} {report.status} {report.reference}"
        out.print(f"  {place}: {say(VERDICTS[verdict])}", markup=False)
        reason = told[report.content_sha256].reason
        if reason:
            masked = mask_text(reason)
            out.print("    " + say(Saying(f"保险公司的理由:{masked}", f"the insurer's reason: {masked}")), markup=False)
    for stray in strays:
        out.print(say(_stray(stray)))
