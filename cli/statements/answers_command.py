"""`huzhu statements answers`: what insurers said of their statements, those included that match none."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from acts.answered_statements import GivenAnswer, given_answers
from cli.payouts.payouts_command import reading
from cli.terminal.connect import ledger, read_settings
from cli.terminal.language import LanguageOption, OutputLanguage, translator
from cli.terminal.listing import JsonOption, print_json, print_table
from cli.terminal.output import fail, out
from handlers.words.answer_sentences import ANSWERS, OPEN, REPLACED, UNMATCHED
from handlers.words.masking import mask_text
from infra.ledger.statement_answers import insurers_of
from schemas.bilingual import Saying
from schemas.dates import format_instant
from schemas.ids import StatementId
from schemas.months import format_month

EXAMPLE = "Example: huzhu statements answers --language en"

HEADS = (
    Saying("对账单", "statement"),
    Saying("承保协议", "treaty"),
    Saying("月份", "month"),
    Saying("保险公司", "insurer"),
    Saying("版本", "version"),
    Saying("答复", "answer"),
    Saying("说明", "note"),
)


def answers(
    statement: Annotated[str | None, typer.Argument(help="Only this statement: every version of its answer.")] = None,
    language: LanguageOption = OutputLanguage.ZH,
    as_json: JsonOption = False,
) -> None:
    """List what insurers answered to their statements, the newest version of each; also what answers no statement."""
    say = translator(language, " ")
    with reading(ledger(read_settings())) as connection:
        given = given_answers(connection, statement)
        known = statement is not None and bool(insurers_of(connection, [StatementId(statement)]))
    if statement is not None and not given and not known:
        fail(
            f"没有对账单 {statement},也没有对它的答复;`huzhu statements list` 列出全部。\n"
            f"There is no statement {statement} and no answer to it; `huzhu statements list` lists them all."
        )
    shown = given if statement is not None else [each for each in given if not each.replaced]
    if as_json:
        print_json({"answers": [_plain(each) for each in shown]})
        return
    if known and not any(each.matched for each in given):
        out.print(f"{statement}: {say(OPEN)}")
    if not given:
        if statement is None:
            out.print(say(Saying("还没有答复", "nobody has answered yet")))
        return
    rows = []
    for each in shown:
        kept, fact = each.kept, each.fact
        month = "" if kept.month is None else format_month(kept.month)
        place = (kept.statement_id, kept.treaty_id or "", month, kept.insurer, str(kept.version))
        rows.append((*place, say(ANSWERS[fact.verdict]), say(_note(each))))
    print_table([say(head) for head in HEADS], rows, right=(4,))
    for each in shown:
        for reason in _reasons(each):
            out.print(say(reason), markup=False, soft_wrap=True)


def _plain(answer: GivenAnswer) -> dict[str, Any]:
    kept, fact = answer.kept, answer.fact
    return {
        "statement_id": kept.statement_id,
        "treaty_id": kept.treaty_id,
        "month": None if kept.month is None else format_month(kept.month),
        "insurer": kept.insurer,
        "version": kept.version,
        "verdict": str(fact.verdict),
        "lines": list(fact.lines),
        "reasons": [mask_text(reason) for reason in fact.reasons],
        "recorded_at": format_instant(kept.recorded_at),
        "matched": answer.matched,
        "replaced": answer.replaced,
    }


def _note(answer: GivenAnswer) -> Saying:
    """What is special about an answer."""
    parts = [UNMATCHED] * (not answer.matched) + [REPLACED] * answer.replaced
    return Saying(";".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def _reasons(answer: GivenAnswer) -> list[Saying]:
    """The reasons of a dispute, each behind what it is about. What could be a person's number is covered."""
    fact, name = answer.fact, f"{answer.kept.statement_id} v{answer.kept.version}"
    reasons = [mask_text(reason) for reason in fact.reasons]
    if not fact.lines:
        return [Saying(f"{name}:{reason}", f"{name}: {reason}") for reason in reasons]
    return [
        Saying(f"{name} 第 {line} 行:{reason}", f"{name} line {line}: {reason}")
        for line, reason in zip(fact.lines, reasons, strict=True)
    ]
