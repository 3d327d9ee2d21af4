"""`huzhu recoveries list | set-off | waive`: what people and hospitals have to give back, and who need not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from acts.reissue_payout import NoSuchPayout
from acts.settle_recovery import check, settle
from cli.payouts.payouts_command import reading, require_payer, require_scheme
from cli.terminal.confirm import confirm_act
from cli.terminal.connect import ledger, read_settings
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json, print_table
from cli.terminal.operators import Operator, Reason, acting, signed_in
from cli.terminal.output import fail, out
from handlers.claims.recoveries import NotSettleable
from handlers.words.claim_sentences import yuan
from handlers.words.payout_sentences import settled_words, state_words
from infra.clock import utc_now
from infra.ledger import payout_states
from schemas.access.console_rights import Right
from schemas.bilingual import Saying
from schemas.dates import format_instant, shanghai_date
from schemas.money import format_yuan
from schemas.records import InstructionRow, Manner, PayoutRecord

app = typer.Typer(no_args_is_help=True, help="Money to be given back: list it, set it off (抵扣), or waive it (核销).")

Payout = Annotated[str, typer.Argument(help="The recovery's payout id.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: needed where nobody can answer.")]


@app.command("list", epilog="Example: huzhu recoveries list --open --language en")
def list_recoveries(
    payer: Annotated[str | None, typer.Option(help="Only what this insurer, or `fund`, gets back.")] = None,
    scheme: Annotated[str | None, typer.Option(help="Only recoveries of this scheme.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only what is still to be collected or set off.")] = False,
    language: LanguageOption = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """List recoveries in the order they were instructed, with their age in days, and how they were settled."""
    today = shanghai_date(utc_now())
    with reading(ledger(read_settings())) as connection:
        require_payer(connection, payer)
        require_scheme(connection, scheme)
        found = payout_states.recoveries(connection, payer=payer, scheme_id=scheme, open_only=open_only)
    if as_json:
        print_json({"recoveries": [_plain(each, today) for each in found]})
        return
    say = translator(language, " ")
    heads = (
        Saying("支付编号", "payout"),
        Saying("理赔", "claim"),
        Saying("保障层", "scheme"),
        Saying("应退还方", "from"),
        Saying("付款方", "payer"),
        Saying("金额(元)", "yuan"),
        Saying("状态", "state"),
        Saying("天数", "days"),
        Saying("待抵扣(元)", "left"),
    )
    print_table(
        [say(head) for head in heads],
        [
            (
                each.payout_id,
                each.claim_id,
                each.scheme_id,
                each.payee_id or say(Saying("个人", "person")),
                each.payer,
                yuan(each.amount),
                say(state_words(each)),
                str(_age(each, today)),
                "" if each.left is None else yuan(each.left),
            )
            for each in found
        ],
        right=(5, 7, 8),
    )
    out.print(say(Saying(f"共 {len(found)} 笔", f"{len(found)} in all")))


@app.command(
    "set-off", epilog='Example: huzhu recoveries set-off PO-0b8a1c --operator li.na --reason "agreed by phone"'
)
def set_off(
    payout: Payout,
    operator: Operator,
    reason: Reason,
    yes: Yes = False,
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Set a recovery off against the person's next payments by the same payer: they get so much less.

    Exit status 2, with the reason, if it was collected, reissued, or settled before, or is to be given back by a
    hospital; 1 if the question was answered with no.
    """
    _settle(payout, Manner.SET_OFF, operator, reason, yes, language)


@app.command(epilog='Example: huzhu recoveries waive PO-0b8a1c --operator li.na --reason "died without an estate"')
def waive(
    payout: Payout,
    operator: Operator,
    reason: Reason,
    yes: Yes = False,
    language: LanguageOption = OutputLanguage.BOTH,
) -> None:
    """Waive a recovery: nobody gives the money back, and the books show the loss.

    Exit status 2, with the reason, if it was collected, reissued, or settled before; 1 if the question was answered
    with no.
    """
    _settle(payout, Manner.WAIVED, operator, reason, yes, language)


def _settle(payout: str, manner: Manner, operator: str, reason: str, yes: bool, language: OutputLanguage) -> None:
    operator = signed_in(operator, Right.CLEAR, reason=reason)
    say = translator(language)
    with _settling() as (connection, shards):
        row = check(connection, payout, manner, shards)
    why = _consequence(row, manner)
    question = Saying(f"{why.zh}确定吗?", f"{why.en} Do it?")
    confirm_act(yes, question, Saying("什么也没有做", "Nothing was done"), why, language)
    with _settling() as (connection, shards):
        done = settle(connection, payout, manner, operator, reason, shards, utc_now)
    now = settled_words(done.manner, done.left)
    out.print(
        say(Saying(f"{payout} {now.zh}:{yuan(done.amount)} 元。", f"{payout}: {now.en}, {yuan(done.amount)} yuan."))
    )
    out.print(
        say(
            Saying(
                f"请告知 {row.payer}:不要再收回这笔款项。",
                f"Tell {row.payer} not to collect it any more: no message says so.",
            )
        )
    )


@contextmanager
def _settling() -> Iterator[tuple[Connection, int]]:
    with acting() as (connection, shards):
        try:
            yield connection, shards
        except NoSuchPayout as error:
            fail(f"没有支付 {error}\nthere is no payout {error}: `huzhu recoveries list` lists recoveries")
        except NotSettleable as error:
            fail(str(error))


def _consequence(row: InstructionRow, manner: Manner) -> Saying:
    amount = yuan(row.amount)
    if manner is Manner.WAIVED:
        return Saying(
            f"核销 {amount} 元以后不能撤销:不再收回,计入损失。",
            f"Waiving {amount} yuan cannot be undone: nobody gives them back, and the books show the loss.",
        )
    return Saying(
        f"办理抵扣以后不能撤销:{row.payer} 以后付给本人的补助先扣满 {amount} 元。",
        f"A set-off cannot be undone: {row.payer} keeps {amount} yuan back from what it pays this person next.",
    )


def _plain(each: PayoutRecord, today: date) -> dict[str, Any]:
    return {
        "payout_id": each.payout_id,
        "claim_id": each.claim_id,
        "scheme_id": each.scheme_id,
        "payee": "facility" if each.payee_id else "person",
        "payee_id": each.payee_id or None,
        "payer": each.payer,
        "treaty_id": each.treaty_id,
        "amount": format_yuan(each.amount),
        "instructed_at": format_instant(each.instructed_at),
        "state": each.state,
        "age_days": _age(each, today),
        "reissued_as": each.reissued_as,
        "manner": each.manner,
        "left": None if each.left is None else format_yuan(each.left),
    }


def _age(each: PayoutRecord, today: date) -> int:
    return (today - shanghai_date(each.instructed_at)).days
