"""Statements as tables: what the month was, who bears what of it, and how its payouts stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cli.terminal.language import OutputLanguage, translator
from cli.terminal.listing import print_table
from cli.terminal.output import out
from cli.terminal.rules_table import rules_table
from handlers.words.answer_sentences import answer_words
from handlers.words.claim_sentences import yuan
from handlers.words.payout_sentences import STATES
from handlers.words.statement_sentences import statement_facts
from schemas.bilingual import Saying
from schemas.bordereau import StatementIssued
from schemas.facts import StatementAnswered
from schemas.ids import StatementId
from schemas.months import format_month

_INSURER = Saying("保险公司", "insurer")
_PART = Saying("按份额承担", "by share")
_CESSION = Saying("超赔承担", "of the cession")
_LINES = Saying("笔数", "payouts")
_NET = Saying("净额", "net")


def show_month(statement: StatementIssued, language: OutputLanguage) -> None:
    """What all insurers of a treaty read of a month, and what each of them bears."""
    say = translator(language, " ")
    out.print(rules_table(statement_facts(statement), language))
    heads = [say(each) for each in (_INSURER, _PART, _CESSION)]
    parts = [(each.insurer, yuan(each.part), yuan(each.cession)) for each in statement.parts]
    print_table(heads, parts, right=(1, 2))


def show(statement: StatementIssued, answer: StatementAnswered | None, language: OutputLanguage) -> None:
    """One statement, and the newest answer to it."""
    say = translator(language, " ")
    out.print(f"{statement.statement_id} {statement.insurer}")
    show_month(statement, language)
    total = yuan(statement.part + statement.part_of_cession)
    bears = Saying(f"{statement.insurer} 本月承担 {total} 元", f"{statement.insurer} bears {total} yuan of the month")
    out.print(say(bears))
    answered = answer_words(answer)
    out.print(say(Saying(f"答复:{answered.zh}", f"answer: {answered.en}")))
    heads = [say(each) for each in (Saying("保障层", "scheme"), _LINES, _NET)]
    print_table(heads, [(e.scheme_id, str(e.lines), yuan(e.net)) for e in statement.by_scheme], right=(1, 2))
    heads = [say(each) for each in (Saying("月末状态", "state at the end"), _LINES, _NET)]
    print_table(heads, [(say(STATES[e.state]), str(e.lines), yuan(e.net)) for e in statement.by_state], right=(1, 2))
    out.print(f"SHA-256 {statement.lines_sha256}")
    root = Saying(f"审计日志根散列 {statement.audit_root}", f"audit root {statement.audit_root}")
    out.print(say(root))


def listed(
    statements: Sequence[StatementIssued], answers: Mapping[StatementId, StatementAnswered], language: OutputLanguage
) -> None:
    """Statements line by line, with how each was answered."""
    say = translator(language, " ")
    heads = (
        Saying("对账单", "statement"),
        Saying("协议", "treaty"),
        Saying("月份", "month"),
        Saying("期号", "number"),
        _INSURER,
        Saying("明细", "lines"),
        Saying("本月净额", "net of the month"),
        Saying("承担", "bears"),
        Saying("答复", "answer"),
    )
    rows = [
        (
            each.statement_id,
            each.treaty_id,
            format_month(each.month),
            str(each.number),
            each.insurer,
            str(each.lines),
            yuan(each.net),
            yuan(each.part + each.part_of_cession),
            say(answer_words(answers.get(StatementId(each.statement_id)))),
        )
        for each in statements
    ]
    print_table([say(head) for head in heads], rows, right=(3, 5, 6, 7))
