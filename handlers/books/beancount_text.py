"""The books as a file for Beancount: accounts, transactions and balance assertions, with no person in it.

An account's name is spelt in Beancount's alphabet: the letters and digits of an id stay, anything else is a hyphen
and two hexadecimal digits for each of its UTF-8 bytes. So two accounts never get one name, and a name can be read back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from handlers.books.trial_balance import TrialBalance
from schemas.accounts import PERSON, AccountKind, facility_of, read_account
from schemas.bilingual import Saying
from schemas.books import About, BookEntry
from schemas.money import format_yuan
from schemas.months import format_month, next_month

_ROOTS = {
    AccountKind.CASH: "Assets:Cash",
    AccountKind.RECEIVABLE: "Assets:Receivable",
    AccountKind.INSURER: "Assets:Insurer",
    AccountKind.PAYABLE: "Liabilities:Payable",
    AccountKind.POOL: "Liabilities:Pool",
    AccountKind.FUNDED: "Income:Funded",
    AccountKind.BORNE: "Income:Borne",
    AccountKind.EXPENSE: "Expenses:Benefit",
    AccountKind.WAIVED: "Expenses:Waived",
}
_REFERENCES = {About.PAYOUT: "payout_id", About.STATEMENT: "statement_id", About.CONTRIBUTION: "contribution_id"}
_KEPT = re.compile(rb"[A-Za-z0-9]")
_ESCAPED = re.compile("-([0-9A-F]{2})")
_AS_IT_IS, _FACILITY, _PERSON = "Id--", "Facility--", "Person"
"""A double hyphen stands nowhere else: after a hyphen come two digits."""


def beancount_account(name: str) -> str:
    """The account's name in Beancount. Raises ValueError for what is no account of ours."""
    account = read_account(name)
    parts = [_component(each) for each in (account.payer, account.insurer) if each]
    if account.payee:
        facility = facility_of(account.payee)
        parts.append(_PERSON if facility is None else _FACILITY + _spelt(facility))
    parts += [_component(account.of)] if account.of else []
    return ":".join([_ROOTS[account.kind], *parts])


def account_of_beancount(text: str) -> str:
    """Our name of an account that `beancount_account` has spelt."""
    kind, root = next((kind, root) for kind, root in _ROOTS.items() if text.startswith(f"{root}:"))
    return ":".join([kind, *map(_read, text.removeprefix(f"{root}:").split(":"))])


def heading(until: date) -> str:
    """The beginning of the file: what it is, and its currency."""
    return (
        f'; Huzhu: the books up to {format_month(until)}. Made by "huzhu books export"; check with bean-check.\n'
        'option "title" "互助 Huzhu"\n'
        'option "operating_currency" "CNY"\n\n'
    )


def opened(names: Iterable[str], day: date, title: Callable[[str], Saying]) -> Iterator[str]:
    """A directive for each account, open from ``day`` on; ``title`` says what people call it."""
    for name in names:
        said = title(name)
        yield (
            f"{day} open {beancount_account(name)} CNY\n"
            f"  account: {_quoted(name)}\n  title_zh: {_quoted(said.zh)}\n  title_en: {_quoted(said.en)}\n"
        )


def transaction(entry: BookEntry, about: Saying) -> str:
    """An entry, dated as it was booked. Its reference is a payout's, a statement's or a contribution's."""
    lines = [
        f"\n{entry.booked_on} * {_quoted(f'{about.zh} {about.en}')}",
        f"  event_no: {entry.event_no}",
        f"  {_REFERENCES[entry.about]}: {_quoted(entry.reference)}",
        f"  audit_hash: {_quoted(entry.audit_hash)}",
        f"  effective_on: {entry.effective_on}",
        *([] if entry.concerns is None else [f"  concerns: {_quoted(format_month(entry.concerns))}"]),
        *(f"  {beancount_account(leg.account)}  {format_yuan(leg.amount)} CNY" for leg in entry.legs),
    ]
    return "\n".join(lines) + "\n"


def assertions(balance: TrialBalance) -> Iterator[str]:
    """What each account closes a month with, to the fen: Beancount checks it as the next month begins."""
    yield "\n"
    for line in balance.lines:
        name = beancount_account(line.account)
        yield f"{next_month(balance.month)} balance {name}  {format_yuan(line.closing)} ~ 0.00 CNY\n"


def _component(text: str) -> str:
    """An id as a part of a name, which begins with a capital or a digit: a small first letter becomes a capital.

    One that begins otherwise, with a capital of its own for instance, is put after `_AS_IT_IS`.
    """
    first = text[0]
    if "a" <= first <= "z" or "0" <= first <= "9":
        return first.upper() + _spelt(text[1:])
    return _AS_IT_IS + _spelt(text)


def _read(part: str) -> str:
    if part == _PERSON:
        return PERSON
    if part.startswith(_FACILITY):
        return f"facility:{_unspelt(part.removeprefix(_FACILITY))}"
    if part.startswith(_AS_IT_IS):
        return _unspelt(part.removeprefix(_AS_IT_IS))
    return part[0].lower() + _unspelt(part[1:])


def _spelt(text: str) -> str:
    signs = (bytes([each]) for each in text.encode("utf-8", "surrogatepass"))
    return "".join(each.decode() if _KEPT.match(each) else f"-{each.hex().upper()}" for each in signs)


def _unspelt(text: str) -> str:
    coded = b"".join(
        bytes.fromhex(part) if place % 2 else part.encode() for place, part in enumerate(_ESCAPED.split(text))
    )
    return coded.decode("utf-8", "surrogatepass")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
