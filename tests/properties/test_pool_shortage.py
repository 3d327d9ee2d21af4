"""Whom a pool pays when its money is short (groups.md, section 3): the laws of its three rules."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.restrictions import FREE, restriction
from handlers.pools.pool_money import PoolMoney
from handlers.pools.pool_step import Pool, within_reach
from handlers.pools.shortage import pro_rata, releases, shares_of_a_year
from schemas.facts import OnShortage
from schemas.ids import ClaimId, PersonId
from schemas.pool_records import WaitingBenefit
from tests.properties.pool_ledger import free_needed

SCHEMES = ("a", "b", "c")
CLAIMS = ("E1", "E10", "E2", "e3", "E4", "赵")
AMOUNTS = st.sampled_from((0, 1, 1, 2, 3, 5, 10, 30))
RECEIVED = st.dictionaries(
    st.sampled_from([restriction(names) for names in ((), (), ("a",), ("b",), ("a", "b"), ("b", "c"))]),
    AMOUNTS,
    max_size=4,
)
DUES = st.lists(st.integers(0, 20), max_size=8)


@st.composite
def queues(draw: st.DrawFn) -> list[WaitingBenefit]:
    """Benefits that wait, in canonical order; the close of a year may have left some of one."""
    places = draw(st.lists(st.tuples(st.sampled_from(CLAIMS), st.sampled_from(SCHEMES)), max_size=6, unique=True))
    waiting = []
    for claim_id, scheme_id in places:
        open_, left = draw(AMOUNTS), draw(st.sampled_from((0, 0, 5)))
        day = date(2024, 3, 1)
        waiting.append(WaitingBenefit(ClaimId(claim_id), scheme_id, PersonId("P1"), day, open_ + left, open_, 0))
    return waiting


def place_of(each: WaitingBenefit) -> tuple[str, str]:
    return each.claim_id, each.scheme_id


@given(RECEIVED, queues())
def test_a_queue_pays_each_whole_and_nobody_is_overtaken(received: dict[str, int], queue: list[WaitingBenefit]) -> None:
    """It pays its first ones, and the money does not cover the next."""
    served = [each for each in queue if each.open]
    paid = releases(OnShortage.QUEUE, PoolMoney(dict(received)), queue)
    assert [(*place_of(each), each.open) for each in served[: len(paid)]] == [(*each,) for each in paid]
    released = dict.fromkeys(SCHEMES, 0)
    for each in paid:
        released[each.scheme_id] += each.amount
    assert free_needed(received, released) <= received.get(FREE, 0)
    if len(paid) < len(served):
        following = served[len(paid)]
        released[following.scheme_id] += following.open
        assert free_needed(received, released) > received.get(FREE, 0)


@given(RECEIVED, queues())
def test_who_owes_pays_everybody(received: dict[str, int], queue: list[WaitingBenefit]) -> None:
    paid = releases(OnShortage.OWE, PoolMoney(received), queue)
    assert [(*place_of(each), each.open) for each in queue if each.open] == [(*each,) for each in paid]


@given(RECEIVED, queues(), st.sampled_from((None, OnShortage.PRO_RATA)))
def test_nothing_is_released_before_the_close_nor_by_a_pool_that_nobody_recorded(
    received: dict[str, int], queue: list[WaitingBenefit], on_shortage: OnShortage | None
) -> None:
    assert [] == releases(on_shortage, PoolMoney(received), queue)


@given(DUES, st.integers(0, 200))
def test_parts_are_within_a_fen_of_the_exact_part_and_come_to_what_there_is(dues: list[int], available: int) -> None:
    parts = pro_rata(dues, available)
    assert sum(parts) == min(available, sum(dues))
    for due, part in zip(dues, parts, strict=True):
        exact = Fraction(due) if available >= sum(dues) else Fraction(due * available, sum(dues))
        assert abs(part - exact) < 1
        assert 0 <= part <= due


@given(DUES, st.integers(0, 200))
def test_a_fen_that_is_left_over_goes_to_the_largest_remainder(dues: list[int], available: int) -> None:
    """Of the same remainder the first gets it."""
    parts = pro_rata(dues, available)
    if available >= sum(dues):
        return
    exact = [Fraction(due * available, sum(dues)) for due in dues]
    ranks = [(-(each - floor(each)), place) for place, each in enumerate(exact)]
    luckier = [rank for rank, part, each in zip(ranks, parts, exact, strict=True) if part > floor(each)]
    others = [rank for rank, part, each in zip(ranks, parts, exact, strict=True) if part == floor(each)]
    assert not luckier or not others or max(luckier) < min(others)


@given(RECEIVED, queues(), st.data())
def test_the_order_in_which_dues_are_given_changes_no_share(
    received: dict[str, int], queue: list[WaitingBenefit], data: st.DataObject
) -> None:
    """Claims of the same remainder get the fen by their ids, not by who was there first."""
    shares = shares_of_a_year(PoolMoney(received), queue)
    assert sorted(shares) == sorted(shares_of_a_year(PoolMoney(received), data.draw(st.permutations(queue))))


def test_a_fen_that_two_claims_could_have_goes_to_the_smaller_id_and_not_to_who_was_there_first() -> None:
    day = date(2024, 3, 1)
    queue = [WaitingBenefit(ClaimId(claim), "a", PersonId("P1"), day, 1, 1, 0) for claim in ("E2", "E1")]
    assert [("E1", "a", 1)] == [(*each,) for each in shares_of_a_year(PoolMoney({FREE: 1}), queue)]


@given(RECEIVED, queues())
def test_a_close_uses_restricted_money_for_its_schemes_only(
    received: dict[str, int], queue: list[WaitingBenefit]
) -> None:
    """Nobody gets more than is due, and no free money is kept back if somebody does not get it all."""
    shares = {(each.claim_id, each.scheme_id): each.amount for each in shares_of_a_year(PoolMoney(received), queue)}
    released = dict.fromkeys(SCHEMES, 0)
    for (_, scheme_id), amount in shares.items():
        released[scheme_id] += amount
    assert free_needed(received, released) <= received.get(FREE, 0)
    assert all(0 <= shares.get(place_of(each), 0) <= each.open for each in queue)
    if any(shares.get(place_of(each), 0) < each.open for each in queue):
        assert sum(released.values()) >= received.get(FREE, 0)


@given(st.integers(0, 30), st.integers(0, 30), st.sets(st.sampled_from(SCHEMES), min_size=1), queues())
def test_a_close_uses_restricted_money_first(
    restricted: int, free: int, only: set[str], queue: list[WaitingBenefit]
) -> None:
    """So free money is left for those whom the restricted sum may not pay."""
    shares = shares_of_a_year(PoolMoney({FREE: free, restriction(only): restricted}), queue)
    by_restricted = min(restricted, sum(each.open for each in queue if each.scheme_id in only))
    rest = sum(each.open for each in queue) - by_restricted
    assert sum(each.amount for each in shares) == by_restricted + min(free, rest)


@given(RECEIVED, queues(), st.sets(st.sampled_from(CLAIMS)))
def test_who_is_out_of_reach_holds_up_a_queue_and_no_other_pool(
    received: dict[str, int], queue: list[WaitingBenefit], within: set[str]
) -> None:
    """A step that does not hold somebody's shard pays nobody behind them; those who owe do not wait for them."""
    for rule in (OnShortage.QUEUE, OnShortage.OWE):
        found = Pool("V1", rule, PoolMoney(received), queue, [], 0, frozenset())
        reached, out = within_reach(found, lambda each: each.claim_id in within)
        assert [each for each in queue if each.claim_id not in within] == out
        ahead = [each for each in queue if each.claim_id in within]
        if rule is OnShortage.QUEUE and out:
            ahead = queue[: queue.index(out[0])]
        assert ahead == reached
