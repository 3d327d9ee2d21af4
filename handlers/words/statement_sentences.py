"""What stands on a statement, in the words of the command and the console."""

from __future__ import annotations

from handlers.words.claim_sentences import yuan
from schemas.bilingual import Saying
from schemas.bordereau import LineEntry, StatementIssued
from schemas.months import format_month

ENTRIES = {
    LineEntry.INSTRUCTION: Saying("指令", "instruction"),
    LineEntry.REPORT: Saying("状态变化", "change of state"),
}


def statement_facts(statement: StatementIssued) -> list[tuple[Saying, Saying]]:
    """What is the same on the statements of all insurers: names and values."""
    count = statement.lines - statement.reports
    return [
        (Saying("协议", "Treaty"), _same(statement.treaty_id)),
        (
            Saying("月份", "Month"),
            Saying(
                f"{format_month(statement.month)},第 {statement.number} 期",
                f"{format_month(statement.month)}, number {statement.number}",
            ),
        ),
        (
            Saying("明细", "Lines"),
            Saying(
                f"{count} 笔指令,{statement.reports} 笔状态变化(不计入合计)",
                f"{count} instructions, {statement.reports} changes of state, which no sum counts",
            ),
        ),
        (Saying("本月净额", "Net of the month"), _same(yuan(statement.net))),
        (Saying("此前累计", "Total before"), _same(yuan(statement.cum_before))),
        (Saying("累计", "Total"), _same(yuan(statement.cum))),
        (Saying("分出", "Cession"), _same(yuan(statement.cession))),
    ]


def _same(text: str) -> Saying:
    return Saying(text, text)
