"""What became of a statement, in the words of the command and the console."""

from __future__ import annotations

from schemas.bilingual import Saying
from schemas.facts import AnswerVerdict, StatementAnswered

OPEN = Saying("未答复", "open")
ANSWERS = {
    AnswerVerdict.CONFIRMED: Saying("已确认", "confirmed"),
    AnswerVerdict.DISPUTED: Saying("有异议", "disputed"),
}
UNMATCHED = Saying("没有发给这家保险公司的这份对账单", "this insurer has no such statement")
REPLACED = Saying("已有更新的答复", "there is a newer answer")


def answer_words(answer: StatementAnswered | None) -> Saying:
    """How a statement stands, by the newest answer to it."""
    return OPEN if answer is None else ANSWERS[answer.verdict]
