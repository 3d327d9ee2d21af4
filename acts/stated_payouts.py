"""The payouts on an issued statement, in the states that they had when its month ended."""

from __future__ import annotations

from sqlalchemy import Connection

from acts.four_eyes import Unusable
from acts.issued_statements import differs, issued_statement, lines_again
from handlers.treaties.statements import MonthLines
from schemas.bilingual import Saying
from schemas.bordereau import LineEntry
from schemas.ids import PayoutId
from schemas.records import PayoutState
from schemas.statement import Issued


class StatementChanged(Unusable):
    """The ledger no longer gives the lines that were issued."""


def stated_payouts(connection: Connection, statement_id: str) -> Issued:
    """What an insurer's own list is compared with. Raises NoSuchStatement and StatementChanged."""
    statement = issued_statement(connection, statement_id)
    ordered: dict[PayoutId, PayoutState] = {}
    others: dict[PayoutId, PayoutState] = {}
    lines = MonthLines(kept=False)
    for line in lines_again(connection, statement, lines):
        moves = line.entry is LineEntry.INSTRUCTION and line.state is not PayoutState.BOOK
        (ordered if moves else others)[line.payout.payout_id] = line.state
    if differs(statement, lines):
        raise StatementChanged(
            Saying(
                f"账本今天得出的明细与 {statement_id} 签发时的不同:账本被改动过,请运行 `huzhu audit verify`。",
                f"The ledger gives other lines today than those of {statement_id}: it was changed; "
                "run `huzhu audit verify`.",
            )
        )
    return Issued(ordered, others)
