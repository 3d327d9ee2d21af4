"""Pools, by hand: what each releases of what is due, moment by moment (groups.md, section 3).

The schemes `a`, `b` and `c` pay the whole copay of a stay with their letter as diagnosis, from the pool; so a claim of
50.00 for `a` is due 50.00. What a test lists are yuan, as a bill has them.
"""

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

import pytest

from .builders import (
    bill_of,
    contribution,
    contribution_voided,
    coverage_from,
    discharge_of,
    policy,
    pool,
    scheme,
    void_of,
)
from .payees import text
from .pool_facts import Line
from .pool_money import FREE, Money, free_money_used, left_of, pro_rata
from .pools import Close, State, replay

FULL = '[{ over = "0.00", rate = "1" }]'
OF_A_POOL = 'funded_by = "pool"\nbasis = "copay"'
SCHEMES = [scheme(letter, f'{OF_A_POOL}\ndiagnoses_any = ["{letter}"]', FULL) for letter in "abc"]
POLICY = policy(*SCHEMES)
COVERED = coverage_from(pool_id="V1")


def stay(claim: str, day: str, yuan: str, schemes: str = "a", *, version: int = 1) -> list[bytes]:
    """A stay of P1 with a bill of so much; the day is of 2024, unless it says another year."""
    day = day if len(day) > 5 else f"2024-{day}"
    return [discharge_of(claim, day, diagnoses=list(schemes)), bill_of(claim, yuan, version=version)]


def corrected(claim: str, yuan: str, version: int) -> bytes:
    return bill_of(claim, yuan, version=version)


def moments(*of: Iterable[bytes] | bytes, closes: Iterable[Close] = (), unserved: Iterable[int] = ()) -> list[State]:
    """The states after the given moments, checked for what holds in each of them whatever the case."""
    events = [[moment] if isinstance(moment, bytes) else list(moment) for moment in of]
    states = replay(events, [POLICY], closes, set(unserved))
    for state in states:
        for line, due in state.due.items():
            assert due == state.released.get(line, 0) + state.waiting.get(line, 0)
    return states


def yuan(amounts: Mapping[Line, int]) -> dict[str, str]:
    """By claim, of cases in which a claim has one line."""
    assert len({claim for claim, _ in amounts}) == len(amounts)
    return {claim: text(fen) for (claim, _), fen in sorted(amounts.items())}


def v1(state: State) -> str:
    """The balance of V1."""
    balance = state.balances["V1"]
    return f"-{text(-balance)}" if balance < 0 else text(balance)


# Owe ------------------------------------------------------------------------------------------------------------------


def test_a_pool_that_owes_releases_all_and_goes_below_zero() -> None:
    """100.00 in, 80.00 + 50.00 out: 100 - 130 = -30."""
    *_, last = moments(
        [pool("owe"), COVERED, contribution("G1", "100.00")], [*stay("E1", "03-01", "80"), *stay("E2", "03-02", "50")]
    )
    assert {"E1": "80.00", "E2": "50.00"} == yuan(last.released)
    assert ({}, {}) == (last.waiting, last.positions)
    assert v1(last) == "-30.00"


def test_a_pool_owes_unless_it_says_something_else() -> None:
    """A record without `on_shortage`."""
    silent = {name: value for name, value in json.loads(pool("owe")).items() if name != "on_shortage"}
    (state,) = moments([json.dumps(silent).encode(), COVERED, *stay("E1", "03-01", "80")])
    assert {"E1": "80.00"} == yuan(state.released)


def test_for_a_pool_that_nobody_recorded_all_wait() -> None:
    """Money is there, and nobody knows the rule; the record releases it, and has V1 pay: 100 - 80 = 20."""
    first, second = moments(
        [COVERED, contribution("G1", "100.00"), *stay("E1", "03-01", "80")],
        pool("queue"),
    )
    assert ({"E1": "80.00"}, {}) == (yuan(first.waiting), first.positions)
    assert {"E1": "80.00"} == yuan(second.released)
    assert ("100.00", "20.00") == (v1(first), v1(second))


# Queue ----------------------------------------------------------------------------------------------------------------


def test_nobody_is_overtaken_in_a_queue() -> None:
    """100 pays 80 of E1; 20 are no 50 for E2, and E3, who needs but 10, waits behind it. 35 more make 55, which pay E2
    and leave 5, no 10; 5 more pay E3, and leave nothing."""
    states = moments(
        [pool("queue"), COVERED, contribution("G1", "100.00")],
        [*stay("E1", "03-01", "80"), *stay("E2", "03-02", "50"), *stay("E3", "03-03", "10")],
        contribution("G2", "35.00"),
        contribution("G3", "5.00"),
    )
    assert {"E1": "80.00"} == yuan(states[1].released)
    assert {("E2", "a"): 1, ("E3", "a"): 2} == states[1].positions
    assert {"E3": "10.00"} == yuan(states[2].waiting)
    assert {("E3", "a"): 1} == states[2].positions
    assert {} == states[3].waiting
    assert ["100.00", "20.00", "5.00", "0.00"] == [v1(state) for state in states]


def test_a_queue_is_in_the_order_of_day_then_claim_then_the_policys_schemes() -> None:
    """Of one day E10 comes before E9, by code point. E9 is paid by two schemes: `b` is first in the policy `b`, `a`."""
    layers = policy(
        scheme("b", f"{OF_A_POOL}\nmeasured_on = 'billed'", '[{ over = "0.00", rate = "0.5" }]'),
        scheme("a", f"{OF_A_POOL}\nmeasured_on = 'remaining'", FULL),
    )
    facts = [pool("queue"), COVERED, *stay("E9", "03-02", "10"), *stay("E10", "03-02", "10"), *stay("E8", "03-03", "1")]
    (state,) = replay([facts], [layers])
    queue = [("E10", "b"), ("E10", "a"), ("E9", "b"), ("E9", "a"), ("E8", "b"), ("E8", "a")]
    assert {line: place for place, line in enumerate(queue, start=1)} == state.positions


def test_what_was_released_stays_when_somebody_earlier_appears() -> None:
    """E2 had 80 of 100. E1 is earlier, and needs 30: the 20 that are left are too few, so it waits, first. E3 of the
    same days, for 20, could be paid, and is not."""
    states = moments(
        [pool("queue"), COVERED, contribution("G1", "100.00"), *stay("E2", "03-02", "80")],
        stay("E1", "03-01", "30"),
        stay("E3", "03-03", "20"),
    )
    assert [{"E2": "80.00"}] * 3 == [yuan(state.released) for state in states]
    assert {("E1", "a"): 1, ("E3", "a"): 2} == states[-1].positions
    assert v1(states[-1]) == "20.00"


def test_a_due_that_falls_frees_money_for_the_queue() -> None:
    """E1 had all 100; its bill is corrected to 40: 60 come back and pay E2, 60. Voided, its 40 pay 40 of nobody: E3
    needs 50. A rise of E2 by 30 waits before E3, and takes 30 of the 40."""
    states = moments(
        [pool("queue"), COVERED, contribution("G1", "100.00"), *stay("E1", "03-01", "100")],
        [*stay("E2", "03-02", "60"), *stay("E3", "03-03", "50")],
        corrected("E1", "40", 2),
        void_of("E1", 3),
        corrected("E2", "90", 2),
    )
    assert [
        ({"E1": "100.00"}, {}),
        ({"E1": "100.00"}, {"E2": "60.00", "E3": "50.00"}),
        ({"E1": "40.00", "E2": "60.00"}, {"E3": "50.00"}),
        ({"E2": "60.00"}, {"E3": "50.00"}),
        ({"E2": "90.00"}, {"E3": "50.00"}),
    ] == [(yuan(state.released), yuan(state.waiting)) for state in states]
    assert ["0.00", "0.00", "0.00", "40.00", "10.00"] == [v1(state) for state in states]


def test_a_rise_waits_whole_beside_what_was_released() -> None:
    """E1 had 80 of 100 and is due 110: 30 wait, as 20 are too few, and no part of them is paid."""
    *_, last = moments(
        [pool("queue"), COVERED, contribution("G1", "100.00"), *stay("E1", "03-01", "80")], corrected("E1", "110", 2)
    )
    assert ({"E1": "80.00"}, {"E1": "30.00"}, "20.00") == (yuan(last.released), yuan(last.waiting), v1(last))


def test_money_that_is_voided_after_it_was_spent_is_made_up_first() -> None:
    """100 + 50 in, 120 out. Without the 100: 50 - 120 = -70. 69 more are not enough for E2, 1.00, to be paid; then one
    more covers the past, and one more E2."""
    states = moments(
        [pool("queue"), COVERED, contribution("G1", "100.00"), contribution("G2", "50.00")],
        stay("E1", "03-01", "120"),
        [contribution_voided("G1", 2), *stay("E2", "03-02", "1")],
        contribution("G3", "69.00"),
        contribution("G4", "1.00"),
        contribution("G5", "1.00"),
    )
    assert ["150.00", "30.00", "-70.00", "-1.00", "0.00", "0.00"] == [v1(state) for state in states]
    assert [1, 1, 1, 0] == [len(state.waiting) for state in states[2:]]


def test_the_newest_version_of_a_contribution_counts_in_whatever_order_they_come() -> None:
    """Version 2 says 60, then version 1 says 90, and is stale; version 3 voids it; version 4 brings 70."""
    states = moments(
        [pool("queue"), contribution("G1", "60.00", version=2)],
        contribution("G1", "90.00"),
        contribution_voided("G1", 3),
        contribution("G1", "70.00", version=4),
    )
    assert ["60.00", "60.00", "0.00", "70.00"] == [v1(state) for state in states]


def test_a_contribution_belongs_to_the_pool_that_had_it_first() -> None:
    """A version under another pool is refused."""
    *_, last = moments(
        [pool("queue"), pool("queue", "V2"), contribution("G1", "60.00")],
        contribution("G1", "90.00", pool_id="V2", version=2),
    )
    assert {"V1": 6000, "V2": 0} == last.balances


def test_a_rule_can_change() -> None:
    """Owing, the pool is at -30. Then it queues: E2 waits. Then it owes again: -30 - 10 = -40."""
    states = moments(
        [pool("owe"), COVERED, *stay("E1", "03-01", "30")],
        [pool("queue", version=2), *stay("E2", "03-02", "10")],
        pool("owe", version=3),
    )
    assert [{}, {"E2": "10.00"}, {}] == [yuan(state.waiting) for state in states]
    assert ["-30.00", "-30.00", "-40.00"] == [v1(state) for state in states]


def test_an_unserved_moment_recovers_and_releases_nothing() -> None:
    """E1 falls from 100 to 40 and rises to 70 before anybody looks: E1, first, gets its 30 of the 60 back; E2, 50, then
    finds 30."""
    states = moments(
        [pool("queue"), COVERED, contribution("G1", "100.00"), *stay("E1", "03-01", "100"), *stay("E2", "03-02", "50")],
        corrected("E1", "40", 2),
        corrected("E1", "70", 3),
        unserved=[1],
    )
    assert ["100.00", "40.00", "70.00"] == [yuan(state.released)["E1"] for state in states]
    assert ["0.00", "60.00", "30.00"] == [v1(state) for state in states]


# Restricted money -----------------------------------------------------------------------------------------------------


def test_restricted_money_is_used_first_and_for_its_schemes_alone() -> None:
    """50 free, 40 for `b`. E1 of `a`, 50, takes the free; E2 of `b`, 30, the restricted; E3 of `a`, 5, finds 10, which
    are for `b`, and waits; so does E4 of `b` behind it, though it could be paid."""
    *_, last = moments(
        [pool("queue"), COVERED, contribution("G1", "50.00"), contribution("G2", "40.00", "b")],
        [*stay("E1", "03-01", "50", "a"), *stay("E2", "03-02", "30", "b")],
        [*stay("E3", "03-03", "5", "a"), *stay("E4", "03-04", "5", "b")],
    )
    assert {"E1": "50.00", "E2": "30.00"} == yuan(last.released)
    assert {("E3", "a"): 1, ("E4", "b"): 2} == last.positions
    assert v1(last) == "10.00"


def test_a_due_may_be_paid_partly_from_restricted_money() -> None:
    """20 for `b` and 30 free pay 50 of `b`, and not 50.01."""
    for amount, waits in (("50.00", 0), ("50.01", 1)):
        facts = [contribution("G1", "30.00"), contribution("G2", "20.00", "b"), *stay("E1", "03-01", amount, "b")]
        (state,) = moments([pool("queue"), COVERED, *facts])
        assert waits == len(state.waiting)


def test_restricted_money_that_comes_later_frees_what_its_schemes_had_of_the_free() -> None:
    """`b` had 40 of 40 free. 40 for `b` alone: now the free 40 pay `a`."""
    states = moments(
        [pool("queue"), COVERED, contribution("G1", "40.00"), *stay("E1", "03-01", "40", "b")],
        stay("E2", "03-02", "40", "a"),
        contribution("G2", "40.00", "b"),
    )
    assert [0, 1, 0] == [len(state.waiting) for state in states]


def test_overlapping_restrictions_pay_where_a_greedy_choice_would_not() -> None:
    """10 for `a` or `b`, 10 for `a` or `c`; nothing is free. `a` needs 10: were it the first sum, `b` would find none,
    were it the second, `c`. Each of them can be paid after `a`; both cannot, as 30 > 20."""
    sums = [contribution("G1", "10.00", "a", "b"), contribution("G2", "10.00", "c", "a")]
    for other in "bc":
        (state,) = moments(
            [pool("queue"), COVERED, *sums, *stay("E1", "03-01", "10", "a"), *stay("E2", "03-02", "10", other)]
        )
        assert {} == state.waiting
    (state,) = moments(
        [pool("queue"), COVERED, *sums, *stay("E1", "03-01", "10"), *stay("E2", "03-02", "10", "b")],
        stay("E3", "03-03", "10", "c"),
    )[1:]
    assert {"E3": "10.00"} == yuan(state.waiting)


def test_free_money_that_is_missing_stops_a_queue_although_restricted_money_is_there() -> None:
    """The free 60 that paid `a` are voided. 100 for `b` came: 100 - 60 = 40 in all, and yet `b`, 10, waits, as the 60
    are not covered."""
    *_, last = moments(
        [pool("queue"), COVERED, contribution("G1", "60.00"), *stay("E1", "03-01", "60", "a")],
        [contribution_voided("G1", 2), contribution("G2", "100.00", "b"), *stay("E2", "03-02", "10", "b")],
    )
    assert ({"E2": "10.00"}, "40.00") == (yuan(last.waiting), v1(last))


def ways_to_pay(received: Money, spent: dict[str, int]) -> Iterator[int]:
    """The free money used in every way to pay what was spent from restricted sums, fen by fen; by trial alone."""
    uses = [(only, scheme_id) for only in received if only != FREE for scheme_id in sorted(only) if scheme_id in spent]
    for parts in product(*(range(min(received[only], spent[scheme_id]) + 1) for only, scheme_id in uses)):
        way = list(zip(uses, parts, strict=True))
        within = all(
            sum(part for (only, _), part in way if only == each) <= amount for each, amount in received.items()
        )
        paid = {each: sum(part for (_, scheme_id), part in way if scheme_id == each) for each in spent}
        if within and all(paid[scheme_id] <= spent[scheme_id] for scheme_id in spent):
            yield sum(spent.values()) - sum(paid.values())


def test_the_condition_on_sets_of_schemes_finds_what_trying_all_ways_finds() -> None:
    """Sums of a few fen for one, two or three of three schemes, and what was spent for them."""
    rng = random.Random("restricted")
    shapes = [frozenset(letters) for letters in ("a", "b", "ab", "bc", "ac", "abc")]
    free_was_needed = 0
    for _ in range(300):
        received = {only: rng.randint(1, 3) for only in rng.sample(shapes, rng.choice((0, 1, 2, 2, 3)))}
        received[FREE] = rng.randint(0, 3)
        spent = {scheme_id: rng.randint(1, 4) for scheme_id in rng.sample("abc", rng.choice((1, 2, 3)))}
        least = min(ways_to_pay(received, spent))
        assert least == free_money_used(received, spent), (received, spent)
        free_was_needed += 0 < least < sum(spent.values())
    assert free_was_needed > 50


# Pro rata -------------------------------------------------------------------------------------------------------------


def test_what_is_left_over_goes_by_largest_remainder_then_claim() -> None:
    """100 fen for 70 + 70 + 70 and 6 due, 216: 32.41 each and 2.78; down 32, 32, 32 and 2 make 98. The two fen left go
    to .78 and, of three equal ones, to E1."""
    asked = {("E3", 0): 70, ("E2", 0): 70, ("E1", 0): 70, ("E4", 0): 6}
    assert {("E1", 0): 33, ("E2", 0): 32, ("E3", 0): 32, ("E4", 0): 3} == pro_rata(100, asked)
    assert asked == pro_rata(216, asked) == pro_rata(1000, asked)
    assert dict.fromkeys(asked, 0) == pro_rata(0, asked)


def test_all_wait_until_the_year_is_closed() -> None:
    """10.00 for 8.00, 8.00 and 4.00, 20.00 in all: half of each. The claim of 2025 waits on; the half that is left does
    not see the next closing: of 10.00 more the 6.00 of 2025 are all that is paid."""
    states = moments(
        [pool("pro_rata"), COVERED, contribution("G1", "10.00")],
        [*stay("E1", "03-01", "8"), *stay("E2", "12-31", "8"), *stay("E3", "01-01", "4")],
        stay("E4", "2025-01-01", "6"),
        [],
        contribution("G2", "10.00"),
        [],
        closes=[Close(3, "V1", 2024), Close(5, "V1", 2025)],
    )
    assert [0, 0, 0, 3, 3, 4] == [len(state.released) for state in states]
    assert {"E1": "4.00", "E2": "4.00", "E3": "2.00"} == yuan(states[3].released)
    assert {"E1": "4.00", "E2": "4.00", "E3": "2.00", "E4": "6.00"} == yuan(states[3].waiting)
    assert {"E1": "4.00", "E2": "4.00", "E3": "2.00", "E4": "6.00"} == yuan(states[5].released)
    assert {"E1": "4.00", "E2": "4.00", "E3": "2.00"} == yuan(states[5].waiting)
    assert ["10.00", "10.00", "10.00", "0.00", "10.00", "4.00"] == [v1(state) for state in states]
    assert {("V1", "E1", "a"): 400, ("V1", "E2", "a"): 400, ("V1", "E3", "a"): 200} == states[5].left


def test_the_order_of_facts_before_a_closing_changes_nothing() -> None:
    """Law 1, for what a closing releases."""
    facts = [pool("pro_rata"), COVERED, contribution("G1", "1.00"), contribution("G2", "0.33", "b")]
    for number, (amount, letter) in enumerate((("0.70", "a"), ("0.70", "b"), ("0.71", "ab"), ("0.05", "a"))):
        facts += stay(f"E{number}", "03-01", amount, letter)
    (expected,) = moments(facts, closes=[Close(0, "V1", 2024)])
    assert expected.balances == {"V1": 0}
    rng = random.Random("order")
    for _ in range(5):
        rng.shuffle(facts)
        assert expected == moments(*facts, closes=[Close(len(facts) - 1, "V1", 2024)])[-1]


def test_what_became_due_after_its_year_was_closed_is_served_by_the_next_closing() -> None:
    """2024: 5.00 of 10.00 for E1, and 5.00 are left for good. Then E1 rises to 12.00, and E2 of 2024 comes with 2.00;
    both wait. The closing of 2025 has 6.00 for 2.00 + 2.00 + 8.00 of E3 of 2025: half of each. E1 has 6.00 of 12.00."""
    states = moments(
        [pool("pro_rata"), COVERED, contribution("G1", "5.00"), *stay("E1", "03-01", "10")],
        [corrected("E1", "12", 2), *stay("E2", "03-01", "2")],
        [contribution("G2", "6.00"), *stay("E3", "2025-03-01", "8")],
        closes=[Close(0, "V1", 2024), Close(2, "V1", 2025)],
    )
    assert [{"E1": "5.00"}, {"E1": "5.00"}] == [yuan(state.released) for state in states[:2]]
    assert {"E1": "6.00", "E2": "1.00", "E3": "4.00"} == yuan(states[2].released)
    assert {"E1": "6.00", "E2": "1.00", "E3": "4.00"} == yuan(states[2].waiting)
    assert states[2].left[("V1", "E1", "a")] == 600


def test_a_due_that_fell_and_rose_again_gets_back_what_it_had_at_the_next_closing() -> None:
    """E1 had 6.00 of 10.00, 4.00 are left. At 5.00 it returns 1.00. At 10.00 again 5.00 wait, of which 4.00 are left:
    the next closing gives 1.00, of the 1.00 that there is."""
    states = moments(
        [pool("pro_rata"), COVERED, contribution("G1", "6.00"), *stay("E1", "03-01", "10")],
        corrected("E1", "5", 2),
        corrected("E1", "10", 3),
        [],
        closes=[Close(0, "V1", 2024), Close(3, "V1", 2025)],
    )
    assert ["6.00", "5.00", "5.00", "6.00"] == [yuan(state.released)["E1"] for state in states]


def test_a_year_is_the_policys() -> None:
    """With years from July on, June 2025 is closed with 2024, and July 2025 is not."""
    july = policy(*SCHEMES, year_starts="07-01")
    facts = [pool("pro_rata"), COVERED, contribution("G1", "100.00")]
    facts += [*stay("E1", "2025-06-30", "1"), *stay("E2", "2025-07-01", "1")]
    (state,) = replay([facts], [july], [Close(0, "V1", 2024)])
    assert {("E1", "a"): 100} == state.released


def test_a_closing_gives_restricted_sums_first_the_narrowest_before_the_wider() -> None:
    """Due: `a` 10.00, `b` 10.00, `c` 10.00. 4.00 for `a`, 8.00 for `a` or `b`, 6.00 free. `a` gets its 4.00. Of the
    8.00, for 6.00 of `a` and 10.00 of `b`, half: 3.00 and 5.00. The 6.00, for 3.00, 5.00 and 10.00: a third of each,
    1.00, 1.66 and 3.33, and one fen to the greater remainder, .67 of `b`."""
    (state,) = moments(
        [
            *(pool("pro_rata"), COVERED, contribution("G1", "6.00")),
            *(contribution("G2", "8.00", "b", "a"), contribution("G3", "4.00", "a")),
            *(*stay("E1", "03-01", "10", "a"), *stay("E2", "03-02", "10", "b"), *stay("E3", "03-03", "10", "c")),
        ],
        closes=[Close(0, "V1", 2024)],
    )
    assert {"E1": "8.00", "E2": "6.67", "E3": "3.33"} == yuan(state.released)
    assert v1(state) == "0.00"


def test_what_is_left_of_a_restricted_sum_follows_from_what_was_spent() -> None:
    """15 were spent for `a`. 10 for `a` paid all they could, 10, and 10 for `a` or `b` the rest, 5."""
    received = {frozenset("a"): 10, frozenset("ab"): 10, FREE: 7}
    assert left_of(frozenset("a"), received, {"a": 15}) == 0
    assert left_of(frozenset("ab"), received, {"a": 15}) == 5
    assert left_of(frozenset("ab"), received, {"a": 15, "b": 9}) == 0  # and 4 of `b` were free
    assert left_of(frozenset("ab"), received, {"c": 7}) == 10


def test_a_closing_pays_nothing_while_money_is_missing() -> None:
    """The 6.00 that paid `a` in 2024 are voided: 3.00 for `b` pay nobody in 2025, and the due is left."""
    states = moments(
        [pool("pro_rata"), COVERED, contribution("G1", "6.00"), *stay("E1", "03-01", "6", "a")],
        [contribution_voided("G1", 2), contribution("G2", "3.00", "b"), *stay("E2", "2025-03-01", "3", "b")],
        closes=[Close(0, "V1", 2024), Close(1, "V1", 2025)],
    )
    assert ({"E2": "3.00"}, "-3.00") == (yuan(states[1].waiting), v1(states[1]))
    assert {("V1", "E2", "b"): 300} == states[1].left


# Whose pool it is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coverages", "expected"),
    [
        ([("C1", "2000-01-01", "V1"), ("C2", "2001-01-01", "V2")], "V2"),
        ([("C1", "2001-01-01", "V1"), ("C2", "2000-01-01", "V2")], "V1"),
        ([("C1", "2000-01-01", "V1"), ("C2", "2000-01-01", "V2")], "V2"),
        ([("C9", "2000-01-01", "V1"), ("C10", "2000-01-01", "V2")], "V1"),
        ([("C1", "2000-01-01", "V1"), ("C2", "2001-01-01", None)], None),
    ],
)
def test_the_pool_is_that_of_the_coverage_that_began_last(
    coverages: list[tuple[str, str, str | None]], expected: str | None
) -> None:
    """Of one day the greatest id by code point; a coverage that names no pool gives none, whatever others name."""
    facts = [coverage_from(start, coverage_id=name, pool_id=pool_id) for name, start, pool_id in coverages]
    (state,) = moments([*facts, pool("queue"), pool("queue", "V2"), *stay("E1", "03-01", "10")])
    assert {("E1", "a"): expected} == state.pools


def test_only_a_coverage_that_gave_the_tier_gives_the_pool() -> None:
    """The later coverages are of another category, not old enough, not of the day, and of another programme."""
    waits = policy(scheme("a", f"{OF_A_POOL}\nwaiting_days = 30", FULL))
    others = [
        coverage_from("2010-01-01", "guest", coverage_id="C2", pool_id="V2"),
        coverage_from("2024-02-20", coverage_id="C3", pool_id="V3"),
        coverage_from("2010-01-01", coverage_id="C4", pool_id="V4", valid_to="2024-03-01"),
        coverage_from("2010-01-01", coverage_id="C5", pool_id="V5", programme="other"),
    ]
    (state,) = replay([[COVERED, *others, *stay("E1", "03-01", "10")]], [waits])
    assert {("E1", "a"): "V1"} == state.pools


def test_without_a_pool_all_is_paid_at_once() -> None:
    """A scheme of no pool, and a coverage that names none."""
    layers = policy(scheme("a", 'basis = "copay"', FULL), scheme("b", 'funded_by = "pool"', FULL))
    plain = bill_of("E1", "10", "5")
    (state,) = replay([[coverage_from(), pool("queue"), discharge_of("E1", "2024-03-01"), plain]], [layers])
    assert {("E1", "a"): 1000, ("E1", "b"): 500} == state.due == state.released
    assert {("E1", "b"): None} == state.pools
    assert {"V1": 0} == state.balances


def test_a_corrected_coverage_moves_what_waits_and_not_what_was_paid() -> None:
    """V1 paid 60 of E1; E2, 50, waits for V1, which has 40. The coverage names V2, which has 70: it pays E2. E1 rises
    to 75: 15 from V2. It falls to 50: 15 back to V2, which paid last, and 10 to V1."""
    states = moments(
        [pool("queue"), pool("queue", "V2"), contribution("G1", "100.00"), contribution("G2", "70.00", pool_id="V2")],
        [COVERED, *stay("E1", "03-01", "60"), *stay("E2", "03-02", "50")],
        coverage_from(pool_id="V2", version=2),
        corrected("E1", "75", 2),
        corrected("E1", "50", 3),
    )
    assert [(10000, 7000), (4000, 7000), (4000, 2000), (4000, 500), (5000, 2000)] == [
        (state.balances["V1"], state.balances["V2"]) for state in states
    ]
    assert {("E1", "a", "V1"): 6000, ("E1", "a", "V2"): 1500, ("E2", "a", "V2"): 5000} == states[3].paid
    assert {("E1", "a", "V1"): 5000, ("E2", "a", "V2"): 5000} == states[4].paid
    assert [0, 1, 0, 0, 0] == [len(state.waiting) for state in states]


def test_a_voided_coverage_gives_all_back_to_the_pool_that_paid() -> None:
    """Not covered any more: nothing is due, and V1 has its 100 again; E2 of another person gets them."""
    other = coverage_from(coverage_id="C2", person_id="P2", pool_id="V1")
    theirs = [discharge_of("E2", "2024-03-02", person_id="P2", diagnoses=["a"]), bill_of("E2", "90", person_id="P2")]
    void = json.loads(COVERED) | {"event_type": "coverage.voided", "version": 2, "reason": "r"}
    states = moments(
        [pool("queue"), contribution("G1", "100.00"), COVERED, other, *stay("E1", "03-01", "100"), *theirs],
        json.dumps(void).encode(),
    )
    assert [{"E1": "100.00"}, {"E2": "90.00"}] == [yuan(state.released) for state in states]
    assert ["0.00", "10.00"] == [v1(state) for state in states]
