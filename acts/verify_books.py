"""Whether the books still are what the ledger's instructions, reports, contributions and closings make them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from acts.book_balances import all_balances
from handlers.audit.log_check import Fault, LogFinding
from handlers.books.trial_balance import trial_balance_bytes
from infra.ledger import book_checks, book_rows
from schemas.bilingual import Saying
from schemas.months import format_month


def verify_books(connection: Connection) -> list[LogFinding]:
    """What is wrong with the books; meaningful if events and instructions are as they were recorded."""
    return [LogFinding(None, None, Fault.BOOKS_DISAGREE, saying) for saying in _doubts(connection)]


def _doubts(connection: Connection) -> Iterator[Saying]:
    if entries := book_checks.wrong_entries(connection):
        names = ", ".join(f"{event_no}/{entry}" for event_no, entry in entries)
        yield Saying(
            f"分录借贷不平,或记账日不是事件入账的那一天(事件/分录):{names}",
            f"entries do not balance, or are not booked on the day of their event (event/entry): {names}",
        )
    if booked := book_checks.booked_wrongly(connection):
        names = ", ".join(booked)
        yield Saying(
            f"账上的分录与指令和报告或资金池收款不符:{names}",
            f"the postings are not those of the contribution, or of the instruction and its reports: {names}",
        )
    if pools := book_checks.pools_counted_wrongly(connection):
        names = ", ".join(pools)
        yield Saying(
            f"资金池的余额不等于收款减支付加收回:{names}",
            f"the balance of the pool is not what it received less what it paid and did not recover: {names}",
        )
    closed = book_rows.closed_months(connection)
    balances = {each.month: each for each in all_balances(connection, max(closed))} if closed else {}
    for month, kept in closed.items():
        if month not in balances or trial_balance_bytes(balances[month]) != kept.trial_balance:
            name = format_month(month)
            yield Saying(
                f"{name} 的科目余额表与结账时不同", f"the trial balance of {name} is not the one at its closing"
            )
            return
