"""Who pays what of a payee's line, against an oracle that knows only payers.md."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.payers import Payer, orders
from tests.oracle import treaties as oracle

PAYERS = [("fund", None), ("insurer-a", "t1"), ("insurer-a", "t2"), ("insurer-b", "t3")]
CHANGES = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(PAYERS)), max_size=12)


def instructed(changes: list[tuple[int, tuple[str, str | None]]]) -> list[list[tuple[str, int, str, str | None]]]:
    """The orders of each change, one after the other on one line."""
    found, paid_by, balance = [], "", 0
    for due, payer in changes:
        made, paid_by = orders(paid_by, balance, due, Payer(*payer))
        found.append([(order.kind.value, order.amount, order.payer.id, order.payer.treaty_id) for order in made])
        balance = due
    return found


@given(CHANGES)
def test_who_pays_is_what_the_oracle_says(changes: list[tuple[int, tuple[str, str | None]]]) -> None:
    """After any changes of what is due and of the treaty, each order names the payer that the oracle names."""
    told = oracle.orders([oracle.Change(due, *payer) for due, payer in changes])
    assert [tuple(order) for order in told] == [order for made in instructed(changes) for order in made]


@given(CHANGES)
def test_nobody_takes_back_more_than_it_had_paid(changes: list[tuple[int, tuple[str, str | None]]]) -> None:
    """At every moment, and over all payers exactly what is due is instructed."""
    net: Counter[tuple[str, str | None]] = Counter()
    for (due, _), made in zip(changes, instructed(changes), strict=True):
        for kind, amount, payer, treaty_id in made:
            net[payer, treaty_id] += amount if kind == "payment" else -amount
            assert net[payer, treaty_id] >= 0
        assert due == net.total()


@given(CHANGES)
def test_a_payment_is_one_order_by_whoever_pays_now(changes: list[tuple[int, tuple[str, str | None]]]) -> None:
    """And a recovery names each payer and treaty next to each other only once."""
    before = 0
    for (due, payer), made in zip(changes, instructed(changes), strict=True):
        if due > before:
            assert [("payment", due - before, *payer)] == made
        named = [order[2:] for order in made]
        assert all(one != other for one, other in pairwise(named))
        before = due
