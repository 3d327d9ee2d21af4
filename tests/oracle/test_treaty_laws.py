"""The laws of payers.md, sections 2 and 3, on the oracle of treaties itself."""

from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, groupby
from math import floor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.length import times

from .builders import figures, shared
from .treaties import FUND, Change, Order, Treaty, alloc, ceded, months, orders, paid_by

tried = settings(
    max_examples=times(200, 2000, "HUZHU_TEST_EXAMPLES"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@st.composite
def some_shares(draw: st.DrawFn) -> list[str]:
    """One to six shares over zero, as the file has them, of up to six decimals; equal ones are frequent."""
    count = draw(st.integers(1, 6))
    if 10**6 % count == 0 and draw(st.booleans()):
        return [str(Decimal(10**6 // count).scaleb(-6))] * count
    digits = draw(st.integers(1, 6))
    cuts = sorted(draw(st.sets(st.integers(1, 10**digits - 1), min_size=count - 1, max_size=count - 1)))
    pieces = [high - low for low, high in zip([0, *cuts], [*cuts, 10**digits], strict=True)]
    return [str(Decimal(piece).scaleb(-digits)) for piece in pieces]


def yuan(low: int, high: int) -> st.SearchStrategy[str]:
    """An amount of so many fen, as a file has it."""
    return st.integers(low, high).map(lambda amount: f"{amount // 100}.{amount % 100:02d}")


SHARES = some_shares()
RATES = st.sampled_from(("0.01", "0.1", "0.333", "0.5", "0.90", "0.999999", "1"))
STOP_LOSSES = st.fixed_dictionaries({"attachment": yuan(0, 300), "limit": yuan(1, 300), "share": RATES})
TREATIES = st.builds(lambda shares, ends: shared(*shares, **ends), SHARES, st.just({}) | STOP_LOSSES)
TOTALS = st.integers(-700, 700) | st.integers(-(10**14), 10**14)
NETS = st.lists(st.integers(-400, 400) | st.just(0) | st.integers(-(10**14), 10**14), max_size=12)
PAYERS = st.sampled_from(((FUND, None), ("insurer-a", "t1"), ("insurer-a", "t2"), ("insurer-c", "t3")))
CHANGES = st.lists(st.builds(lambda due, payer: Change(due, *payer), st.integers(0, 12), PAYERS), max_size=12)


@tried
@given(TOTALS, SHARES)
def test_alloc_is_what_its_words_say(total: int, shares: list[str]) -> None:
    """All fen are given away, nobody gets a whole fen more or less, and who got one has the larger remainder."""
    parts = alloc(total, shares)
    assert sum(parts) == total
    assert [-part for part in parts] == alloc(-total, shares)
    exact = [abs(total) * Fraction(share) for share in shares]
    extra = [abs(part) - floor(amount) for part, amount in zip(parts, exact, strict=True)]
    assert set(extra) <= {0, 1}
    ranks = [(floor(amount) - amount, place) for place, amount in enumerate(exact)]
    lucky = [rank for rank, one in zip(ranks, extra, strict=True) if one]
    others = [rank for rank, one in zip(ranks, extra, strict=True) if not one]
    assert not lucky or max(lucky) < min(others)
    assert all(remainder < 0 for remainder, _ in lucky), "who has no remainder gets no fen"


@tried
@given(st.integers(-50, 700), STOP_LOSSES)
def test_ceded_stays_within_its_cap(total: int, stop_loss: dict[str, str]) -> None:
    """Never under nothing nor over the cap, which is reached; a fen more cedes a fen more or none."""
    cap = floor(Fraction(stop_loss["share"]) * Fraction(stop_loss["limit"]) * 100 + Fraction(1, 2))
    assert 0 <= ceded(total, stop_loss) <= cap
    assert ceded(10**9, stop_loss) == cap
    assert ceded(total + 1, stop_loss) - ceded(total, stop_loss) in (0, 1)
    assert total > Fraction(stop_loss["attachment"]) * 100 or ceded(total, stop_loss) == 0


@tried
@given(TREATIES, NETS)
def test_parts_and_cession_are_the_months_net(some: Treaty, nets: list[int]) -> None:
    """To the fen; the cession is a piece of the net, of its sign, and so is what the insurers bear together."""
    for net, month in zip(nets, months(some, nets), strict=True):
        assert sum(month.parts.values()) + month.cession == net
        assert min(0, net) <= month.cession <= max(0, net)


@tried
@given(TREATIES, NETS)
def test_months_never_drift(some: Treaty, nets: list[int]) -> None:
    """After each month the sums are those of one month with the whole net, and nobody is two fen off the exact."""
    sums = accumulate(figures(months(some, nets)), _added)
    for net, so_far in zip(accumulate(nets), sums, strict=True):
        assert [so_far] == figures(months(some, [net]))
        *parts, cession = so_far
        for part, each in zip(parts, some["treaty"]["share"], strict=True):
            assert abs(part - Fraction(each["share"]) * (net - cession)) < 2


def _added(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


@tried
@given(CHANGES)
def test_orders_come_to_what_is_due(changes: list[Change]) -> None:
    """After every change; no payer has ever recovered more than it paid, and no amount is nothing."""
    for upto in range(len(changes) + 1):
        given_so_far = orders(changes[:upto])
        assert all(order.amount > 0 for order in given_so_far)
        assert all(amount > 0 for amount in paid_by(given_so_far).values())
        assert sum(paid_by(given_so_far).values()) == (changes[upto - 1].due if upto else 0)
    for upto in range(len(orders(changes)) + 1):
        assert all(amount > 0 for amount in paid_by(orders(changes)[:upto]).values())


@tried
@given(CHANGES)
def test_orders_are_those_of_a_pile_of_coins(changes: list[Change]) -> None:
    """Who lays fen on a pile one by one and takes them off the top sees the same payers in the same order."""
    pile: list[tuple[str, str | None]] = []
    expected: list[Order] = []
    for due, payer, treaty_id in changes:
        laid = [(payer, treaty_id)] * (due - len(pile))
        taken = pile[due:][::-1]
        pile = [*pile[:due], *laid]
        expected += [Order("payment", len(list(coins)), *who) for who, coins in groupby(laid)]
        expected += [Order("recovery", len(list(coins)), *who) for who, coins in groupby(taken)]
    assert expected == orders(changes)
