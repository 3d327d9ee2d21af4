"""Trial balances and entries as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from acts.rebuild_books import Rebuilt
from cli.terminal.language import OutputLanguage, translator
from cli.terminal.listing import moment, print_table
from cli.terminal.output import out
from handlers.books.trial_balance import BalanceLine, TrialBalance
from handlers.words.book_sentences import account_title, in_listed_order, movement
from handlers.words.claim_sentences import yuan
from schemas.bilingual import Saying
from schemas.books import BookEntry, ClosedMonth
from schemas.dates import format_instant
from schemas.money import format_yuan
from schemas.months import format_month
from schemas.records import Posting

_BALANCE = (
    Saying("科目", "account"),
    Saying("名称", "name"),
    Saying("期初余额", "opening"),
    Saying("借方", "debit"),
    Saying("贷方", "credit"),
    Saying("期末余额", "closing"),
)
_JOURNAL = (
    Saying("事件", "event"),
    Saying("记账日", "booked on"),
    Saying("所属月份", "concerns"),
    Saying("摘要", "about"),
    Saying("单号", "reference"),
    Saying("科目", "account"),
    Saying("借方", "debit"),
    Saying("贷方", "credit"),
)


def show_balance(balance: TrialBalance, closed: ClosedMonth | None, language: OutputLanguage) -> None:
    """A trial balance as a table, with totals, and whether the month is closed."""
    say = translator(language, " ")
    out.print(say(_state(balance, closed)))
    rows = [
        (line.account, say(account_title(line.account)), *map(yuan, _amounts(line)))
        for line in sorted(balance.lines, key=lambda line: in_listed_order(line.account))
    ]
    opening, closing = sum(line.opening for line in balance.lines), sum(balance.closings.values())
    totals = ("", say(Saying("合计", "total")), *map(yuan, (opening, balance.debit, balance.credit, closing)))
    print_table([say(head) for head in _BALANCE], [*rows, totals], right=(2, 3, 4, 5))
    out.print(
        say(
            Saying(
                "余额为借方余额,负数是贷方余额;单位:元。",
                "Balances are debits less credits, in yuan; credits are negative.",
            )
        )
    )


def as_document(balance: TrialBalance, closed: ClosedMonth | None) -> dict[str, Any]:
    """A trial balance as JSON."""
    accounts = [
        {
            "account": line.account,
            **account_title(line.account)._asdict(),
            **dict(zip(("opening", "debit", "credit", "closing"), map(format_yuan, _amounts(line)), strict=True)),
        }
        for line in balance.lines
    ]
    totals = {"debit": format_yuan(balance.debit), "credit": format_yuan(balance.credit)}
    act = None if closed is None else {"at": format_instant(closed.closed_at), "operator": closed.operator}
    sha256 = None if closed is None else closed.sha256
    return {
        "month": format_month(balance.month),
        "closed": act,
        "trial_balance_sha256": sha256,
        "accounts": accounts,
        **totals,
    }


def show_journal(entries: Iterable[BookEntry], language: OutputLanguage) -> None:
    """Entries as a table, a line for each leg; the month that an entry concerns stands there if it is another one."""
    say = translator(language, " ")
    rows = []
    for entry in entries:
        concerns = "" if entry.concerns is None else format_month(entry.concerns)
        head = (str(entry.event_no), entry.booked_on.isoformat(), concerns, say(movement(entry)), entry.reference)
        for place, leg in enumerate(entry.legs):
            first = head if place == 0 else ("",) * len(head)
            sides = (yuan(leg.amount), "") if leg.amount > 0 else ("", yuan(-leg.amount))
            rows.append((*first, leg.account, *sides))
    print_table([say(head) for head in _JOURNAL], rows, right=(0, 6, 7))


def entry_document(entry: BookEntry) -> dict[str, Any]:
    """An entry as JSON."""
    return {
        "event_no": entry.event_no,
        "entry": entry.entry,
        "booked_on": entry.booked_on.isoformat(),
        "effective_on": entry.effective_on.isoformat(),
        "concerns": None if entry.concerns is None else format_month(entry.concerns),
        "about": movement(entry)._asdict(),
        "reference": entry.reference,
        "legs": [
            {
                "account": leg.account,
                "debit": format_yuan(max(leg.amount, 0)),
                "credit": format_yuan(max(-leg.amount, 0)),
            }
            for leg in entry.legs
        ],
    }


def leg_text(leg: Posting | None) -> str:
    """A posting in a line: event, entry and leg, account, yuan, days and reference; nothing for none."""
    if leg is None:
        return ""
    place = f"{leg.number}/{leg.entry}/{leg.leg}"
    return f"{place} {leg.account} {yuan(leg.amount)} {leg.booked_on} {leg.effective_on} {leg.reference}"


def rebuilt_document(found: Rebuilt) -> dict[str, Any]:
    """What a comparison with the events found, as JSON."""
    pair = {"expected": leg_text(found.expected) or None, "kept": leg_text(found.kept) or None}
    return {"same": found.good, "postings": found.same, "difference": None if found.good else pair}


def _amounts(line: BalanceLine) -> tuple[int, int, int, int]:
    return line.opening, line.debit, line.credit, line.closing


def _state(balance: TrialBalance, closed: ClosedMonth | None) -> Saying:
    name = format_month(balance.month)
    if closed is None:
        return Saying(f"{name} 科目余额表(未结账)", f"trial balance of {name}, open")
    at = moment(closed.closed_at)
    return Saying(
        f"{name} 科目余额表({at} 由 {closed.operator} 结账)",
        f"trial balance of {name}, closed by {closed.operator} at {at}",
    )
