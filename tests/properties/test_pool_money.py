"""What a pool's money covers (groups.md, section 3), against a count of all sets of schemes."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.restrictions import FREE, restriction, schemes_of
from handlers.pools.pool_money import PoolMoney
from schemas.pool_records import PoolSide
from tests.properties.pool_ledger import free_needed

SCHEMES = ("a", "b", "c", "d")
RESTRICTIONS = [restriction(some) for size in range(4) for some in combinations(SCHEMES, size)]
AMOUNTS = st.sampled_from((0, 1, 5, 5, 10))
RECEIVED = st.dictionaries(st.sampled_from(RESTRICTIONS), AMOUNTS, max_size=6)
RELEASED = st.fixed_dictionaries(dict.fromkeys(SCHEMES, AMOUNTS))


@given(RECEIVED, RELEASED, st.sampled_from(SCHEMES), st.sampled_from((1, 5)))
def test_money_covers_what_some_division_of_it_pays(
    received: dict[str, int], released: dict[str, int], scheme_id: str, amount: int
) -> None:
    """Also where money that several schemes may use has to be kept for another one."""
    more = {**released, scheme_id: released.get(scheme_id, 0) + amount}
    covered = free_needed(received, more) <= received.get(FREE, 0)
    assert covered == PoolMoney(received, released).covers(scheme_id, amount)


def test_money_makes_way_for_money_that_can_pay_nothing_else() -> None:
    """What could pay a or b pays b, as what could pay a or c finds nothing but a to pay."""
    money = PoolMoney({restriction("ab"): 5, restriction("ac"): 5}, {"a": 5, "b": 5})
    assert {FREE: 0, restriction("ab"): 0, restriction("ac"): 0} == money.left()
    assert PoolMoney(money.received, {"a": 5}).covers("b", 5)


@given(RECEIVED, RELEASED)
def test_free_money_is_used_last(received: dict[str, int], released: dict[str, int]) -> None:
    """What is left of it is the most that can be left."""
    left = PoolMoney(received, released).left()
    assert left[FREE] == received.get(FREE, 0) - free_needed(received, released)


@given(RECEIVED, RELEASED)
def test_restricted_money_pays_only_its_schemes(received: dict[str, int], released: dict[str, int]) -> None:
    """What is left of each sum is some of it, all of them come to the balance, and what was used could be used so."""
    money = PoolMoney(received, released)
    left = money.left()
    assert sum(left.values()) == money.balance
    used = {name: received[name] - amount for name, amount in left.items() if name != FREE}
    assert all(0 <= amount <= received[name] for name, amount in used.items())
    assert free_needed(used, released) == sum(released.values()) - sum(used.values())


@given(RECEIVED, RELEASED, st.data())
def test_the_order_in_which_money_came_and_went_says_nothing(
    received: dict[str, int], released: dict[str, int], data: st.DataObject
) -> None:
    """Nor do the pieces in which it came."""
    pieces = [(PoolSide.RECEIVED, key, amount) for key, amount in received.items()]
    pieces += [(PoolSide.RELEASED, key, amount) for key, amount in released.items()]
    pieces += [(side, key, sign) for side, key, _ in pieces for sign in (1, -1)]
    moved = PoolMoney()
    for piece in data.draw(st.permutations(pieces)):
        moved.add(*piece)
    assert PoolMoney(received, released).left() == moved.left()


@given(st.lists(st.sampled_from(SCHEMES)))
def test_a_restriction_is_called_after_its_set_of_schemes(names: list[str]) -> None:
    """Whatever their order, and however often one is named."""
    assert schemes_of(restriction(names)) == frozenset(names)
    assert restriction(names) == restriction([*reversed(names), *names])


@given(RECEIVED, RELEASED)
def test_of_restricted_sums_that_for_the_fewest_schemes_is_used_first(
    received: dict[str, int], released: dict[str, int]
) -> None:
    """Each pays all that the sums before it leave to pay, those of as many schemes by name."""
    left, before, paid = PoolMoney(received, released).left(), dict[str, int](), 0
    for name in sorted(left.keys() - {FREE}, key=lambda name: (len(schemes_of(name)), sorted(schemes_of(name)))):
        before[name] = received[name]
        together = sum(released.values()) - free_needed(before, released)
        assert received[name] - left[name] == together - paid
        paid = together
