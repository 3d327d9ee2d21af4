"""Trial balances and the accounts' names in Beancount, for whatever is posted."""

from __future__ import annotations

import re
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from handlers.books.beancount_text import account_of_beancount, beancount_account
from handlers.books.trial_balance import read_trial_balance, trial_balance_bytes, trial_balances
from handlers.words.book_sentences import account_title
from schemas import accounts
from schemas.books import MonthlySum
from tests.support.builders import unhurried

ids = st.text(
    st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("aZ0-_:F- "), min_size=1, max_size=12
)  # of senders; those of our own files are narrower
insurers = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True) | st.just("fund")
payees = st.one_of(st.just(accounts.PERSON), ids.map(accounts.payee_of))
names = st.one_of(
    insurers.map(accounts.cash),
    st.builds(accounts.payable, insurers, payees),
    st.builds(accounts.receivable, insurers, payees),
    st.builds(accounts.insurer, insurers, insurers),
    st.builds(accounts.borne, insurers, ids),
    ids.map(accounts.expense),
    ids.map(accounts.waived),
    ids.map(accounts.pool),
    ids.map(accounts.funded),
)
MONTHS = [date(2025, month, 1) for month in range(1, 7)]
amounts = st.integers(1, 10**15)
moves = st.lists(st.tuples(st.sampled_from(MONTHS), names, names, amounts), max_size=30)


def sums(moved: list[tuple[date, str, str, int]]) -> list[MonthlySum]:
    """What entries from one account to another come to in each month."""
    found: dict[tuple[str, date], list[int]] = {}
    for month, debit, credit, amount in moved:
        found.setdefault((debit, month), [0, 0])[0] += amount
        found.setdefault((credit, month), [0, 0])[1] += amount
    return [MonthlySum(*place, *both) for place, both in found.items()]


@given(moves)
@unhurried
def test_every_month_balances_and_opens_with_what_the_one_before_closed_with(
    moved: list[tuple[date, str, str, int]],
) -> None:
    """Debits are credits, balances sum to zero, no account is forgotten, and the end is what was moved in all."""
    balances = list(trial_balances(sums(moved), MONTHS[0], MONTHS[-1]))
    held: dict[str, int] = {}
    for balance in balances:
        assert balance.debit == balance.credit
        assert 0 == sum(balance.closings.values())
        assert held == {line.account: line.opening for line in balance.lines if line.account in held}
        assert all(line.opening == 0 for line in balance.lines if line.account not in held)
        held = balance.closings
    total: dict[str, int] = {}
    for _, debit, credit, amount in moved:
        total[debit] = total.get(debit, 0) + amount
        total[credit] = total.get(credit, 0) - amount
    assert total == held


@given(moves, st.sampled_from(MONTHS[1:]))
@unhurried
def test_a_balance_taken_from_a_closed_month_is_the_one_from_the_beginning(
    moved: list[tuple[date, str, str, int]], since: date
) -> None:
    """Byte for byte, also after the closed month was read back from its bytes, in whatever order the sums come."""
    whole = {each.month: each for each in trial_balances(sums(moved), MONTHS[0], MONTHS[-1])}
    closed = read_trial_balance(trial_balance_bytes(whole[MONTHS[MONTHS.index(since) - 1]]))
    later = [each for each in reversed(sums(moved)) if each.month >= since]
    for balance in trial_balances(later, since, MONTHS[-1], closed.closings):
        assert trial_balance_bytes(whole[balance.month]) == trial_balance_bytes(balance)


@given(names)
@unhurried
def test_an_account_is_read_back_from_its_name_in_beancount(name: str) -> None:
    """So no two accounts share a name; each is spelt in Beancount's alphabet, and has a title."""
    spelt = beancount_account(name)
    assert re.fullmatch(r"(Assets|Liabilities|Income|Expenses)(:[A-Z0-9][A-Za-z0-9-]*)+", spelt)
    assert name == account_of_beancount(spelt)
    assert all(account_title(name))
