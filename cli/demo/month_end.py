"""The end of the demo's month: insurers' statements, the books closed, and who owes whom what."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import NamedTuple

from rich.table import Table
from sqlalchemy import Engine

from acts.book_balances import balance_of
from acts.close_month import close_month
from acts.issue_statements import issue_statements
from cli.terminal.output import out
from handlers.books.trial_balance import TrialBalance
from handlers.words.book_sentences import KINDS_OF_ACCOUNTS, account_title, payee_name, payer_name
from handlers.words.claim_sentences import yuan
from infra.ledger import treaty_rows
from schemas.accounts import AccountKind, BookAccount, facility_of, read_account
from schemas.bilingual import Saying
from schemas.bordereau import StatementIssued
from schemas.months import format_month, month_end, next_month

BY = "demo"
OWED = (AccountKind.PAYABLE, AccountKind.RECEIVABLE, AccountKind.INSURER)


class MonthEnd(NamedTuple):
    """What the end of a month left: the statements, the books of the closed month, and of the one that follows.

    What other insurers owe the lead is booked when the statements are issued, and so in the month that follows.
    """

    statements: list[StatementIssued]
    closed: TrialBalance
    following: TrialBalance


def end_month(engine: Engine, month: date, shards: int) -> MonthEnd:
    """Issues the statements of a month and closes it, as if it were the first moment of the next one."""

    def then() -> datetime:
        return month_end(month)

    with engine.connect() as connection:
        treaties = sorted(treaty_rows.ids(connection))
    statements = []
    for treaty_id in treaties:
        with engine.begin() as connection:
            statements += issue_statements(connection, treaty_id, month, BY, shards, then)
    with engine.begin() as connection:
        closed = close_month(connection, month, BY, shards, then).balance
        return MonthEnd(statements, closed, balance_of(connection, next_month(month)))


def show_month_end(ended: MonthEnd) -> None:
    """Prints what each insurer bears of its treaty, the trial balance, and who owes whom."""
    month, following = (format_month(each.month) for each in (ended.closed, ended.following))
    out.print(
        f"The insurers report, and the demo ends the month {month}: its ledger is in {following} from here on.\n"
        f"保险公司报告支付结果后,演示提前月结 {month},此后账本的时间为 {following}。"
    )
    if ended.statements:
        _statements(ended.statements)
    _trial_balance(ended.closed)
    _owed(ended.following)


def _statements(statements: list[StatementIssued]) -> None:
    table = Table(title="Statements to the insurers 对账单")
    for name in ("treaty 协议", "insurer 保险公司"):
        table.add_column(name, overflow="fold")
    for name in ("payouts 笔数", "net 净额", "bears 承担"):
        table.add_column(name, justify="right")
    for each in statements:
        bears = yuan(each.part + each.part_of_cession)
        table.add_row(each.treaty_id, each.insurer, f"{each.lines - each.reports:,}", yuan(each.net), bears)
    out.print(table)


def _trial_balance(balance: TrialBalance) -> None:
    """The hospitals of a payer in one line, and all pools: `huzhu books balance` has them one by one."""
    table = Table(title=f"Trial balance of {format_month(balance.month)}, closed 科目余额表(已结账)", show_footer=True)
    table.add_column("account 科目", footer="total 合计", overflow="fold")
    for name, total in (("debit 借方", balance.debit), ("credit 贷方", balance.credit), ("balance 余额", 0)):
        table.add_column(name, justify="right", footer=yuan(total))
    debits, credits = Counter[Saying](), Counter[Saying]()
    for line in balance.lines:
        title = _title(line.account)
        debits[title] += line.debit
        credits[title] += line.credit
    for title in debits:
        debit, credit = debits[title], credits[title]
        table.add_row(f"{title.en} {title.zh}", yuan(debit), yuan(credit), yuan(debit - credit))
    out.print(table)


def _owed(balance: TrialBalance) -> None:
    table = Table(title="Who owes whom 谁欠谁")
    for name in ("who 欠款方", "whom 收款方", "what 事项"):
        table.add_column(name, overflow="fold")
    table.add_column("yuan 金额(元)", justify="right")
    for account, owed in balance.closings.items():
        found = read_account(account)
        if found.kind in OWED and owed:
            kind = KINDS_OF_ACCOUNTS[found.kind]
            table.add_row(*map(_both, _sides(found)), _both(kind), yuan(abs(owed)))
    out.print(table)


def _sides(account: BookAccount) -> tuple[Saying, Saying]:
    """Who owes, and to whom."""
    payer = payer_name(account.payer)
    if account.kind is AccountKind.INSURER:
        return Saying(account.insurer, account.insurer), payer
    payee = payee_name(account.payee)
    return (payer, payee) if account.kind is AccountKind.PAYABLE else (payee, payer)


def _title(name: str) -> Saying:
    account = read_account(name)
    if account.kind is AccountKind.POOL:
        kind = KINDS_OF_ACCOUNTS[account.kind]
        return Saying(f"{kind.zh}—各资金池", f"{kind.en}s, all")
    if not account.payee or facility_of(account.payee) is None:
        return account_title(name)
    kind, payer = KINDS_OF_ACCOUNTS[account.kind], payer_name(account.payer)
    return Saying(f"{kind.zh}—{payer.zh}与各医院", f"{kind.en}: {payer.en}, hospitals")


def _both(said: Saying) -> str:
    return said.en if said.en == said.zh else f"{said.en} {said.zh}"
