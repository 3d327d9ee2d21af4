"""Worked examples of statements, computed by hand from payers.md, section 3, that pin their oracle; and its laws."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.length import times

from .builders import figures, shared
from .statements import Instruction, Line, Part, Report, Statement, borne, month_of, statement
from .treaties import Treaty, months

MARCH, APRIL, MAY = date(2024, 3, 1), date(2024, 4, 1), date(2024, 5, 1)
STOP_LOSS = {"attachment": "10.00", "limit": "5.00", "share": "0.90", "insurer": "x"}


def treaty(*shares: str, **stop_loss: str) -> Treaty:
    """The treaty `t1` of insurers `0`, `1`, ... with the given shares."""
    return {"treaty": {"id": "t1", **shared(*shares, **stop_loss)["treaty"]}}


def at(moment: str) -> datetime:
    """Noon in Shanghai on a day of 2024, or that moment of that day."""
    return datetime.fromisoformat(f"2024-{moment}+08:00" if "T" in moment else f"2024-{moment}T12:00+08:00")


def paid(name: str, amount: int, moment: str = "03-05", **more: Any) -> Instruction:
    """A payment under the treaty; below zero a recovery."""
    return Instruction(name, "t1", "payment" if amount > 0 else "recovery", abs(amount), at(moment), **more)


def told(name: str, status: str, recorded: str, reported: str = "") -> Report:
    return Report(name, status, at(recorded), at(reported or recorded))


def found(statements: list[Statement]) -> list[tuple[int, ...]]:
    """Of each month the sum before and after it, each insurer's share in the file's order, and the cession."""
    return [(s.before, s.after, *(part.share for part in s.parts.values()), s.cession) for s in statements]


def year_of(some: Treaty, nets: Sequence[int]) -> list[Statement]:
    """The months of 2024 with these nets, each one instruction, those of nothing without one."""
    given_ = [paid(f"P{m}", net, f"{m:02d}-15") for m, net in enumerate(nets, start=1) if net]
    return [statement(some, given_, [], date(2024, m, 1)) for m in range(1, len(nets) + 1)]


# Which lines ----------------------------------------------------------------------------------------------


def test_an_instruction_is_a_line_of_the_month_in_shanghai_in_which_it_was_recorded() -> None:
    """The last second of March in Shanghai is 15:59:59 in UTC; the fund's and another treaty's are no lines of it."""
    given_ = [
        Instruction("A", "t1", "payment", 100, datetime(2024, 2, 29, 16, tzinfo=UTC)),
        Instruction("B", None, "payment", 10_000, at("03-05")),
        Instruction("C", "t2", "payment", 20_000, at("03-05")),
        Instruction("D", "t1", "recovery", 30, datetime(2024, 3, 31, 15, 59, 59, 999_999, tzinfo=UTC)),
        Instruction("E", "t1", "payment", 7, datetime(2024, 3, 31, 16, tzinfo=UTC)),
    ]
    half = treaty("0.5", "0.5")
    march = [Line("A", 100, "instructed"), Line("D", -30, "instructed", "A")]
    assert Statement(march, [], 0, 70, 0, {"0": Part(35, 0), "1": Part(35, 0)}) == statement(half, given_, [], MARCH)
    april = [Line("E", 7, "instructed", "D")]  # 77: 38.5 and 38.5, the fen is the first one's
    assert Statement(april, [], 70, 7, 0, {"0": Part(4, 0), "1": Part(3, 0)}) == statement(half, given_, [], APRIL)
    assert Statement([], [], 77, 0, 0, {"0": Part(0, 0), "1": Part(0, 0)}) == statement(half, given_, [], MAY)
    assert Statement([], [], 0, 0, 0, {"0": Part(0, 0), "1": Part(0, 0)}) == statement(
        half, given_, [], date(2023, 12, 1)
    )


def test_any_day_of_a_month_names_it() -> None:
    """The whole month is told, not what came after that day."""
    given_ = [paid("A", 5, "03-01"), paid("B", 6, "03-31T23:59")]
    assert statement(treaty("1"), given_, [], MARCH) == statement(treaty("1"), given_, [], date(2024, 3, 17))
    assert month_of(datetime(2023, 12, 31, 16, tzinfo=UTC)) == date(2024, 1, 1)


# In which state -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reports", "march", "april"),
    [
        ([], "instructed", "instructed"),
        ([("paid", "03-31T23:59", "")], "paid", "paid"),
        ([("paid", "04-01T00:00", "03-20")], "instructed", "paid"),  # it is recorded that counts, and in April
        ([("paid", "03-10", ""), ("returned", "04-02", "")], "paid", "returned"),
        ([("failed", "03-10", ""), ("paid", "03-12", "")], "failed", "failed"),  # contradicts
        ([("failed", "03-10", ""), ("paid", "04-12", "03-09")], "failed", "paid"),  # but it was paid first
        ([("paid", "03-10", ""), ("failed", "04-01", "03-09")], "paid", "failed"),
        ([("paid", "03-10", "03-05"), ("returned", "03-09", "03-06")], "returned", "returned"),
        ([("returned", "03-10", "03-05"), ("paid", "03-11", "03-06")], "returned", "returned"),
        ([("returned", "03-10", "03-05"), ("paid", "04-11", "03-05")], "returned", "returned"),  # at once: paid first
        ([("failed", "03-10", "03-05"), ("paid", "04-11", "03-05")], "failed", "paid"),
        ([("paid", "03-10", ""), ("paid", "04-11", ""), ("failed", "04-12", "")], "paid", "paid"),
    ],
)
def test_a_line_has_the_state_at_the_end_of_the_month(
    reports: list[tuple[str, str, str]], march: str, april: str
) -> None:
    """What was recorded by then, in the order of what it says; another payout's reports do not touch it."""
    given_ = [paid("A", 100, "03-05"), paid("B", 100, "03-05")]
    listed = [told("A", *each) for each in reports]
    for told_in_order in permutations(listed):
        assert [march, "instructed"] == [
            line.state for line in statement(treaty("1"), given_, told_in_order, MARCH).lines
        ]
        later = [each._replace(recorded_at=at("04-05")) for each in given_]
        assert april == statement(treaty("1"), later, told_in_order, APRIL).lines[0].state


def test_a_reversal_is_a_book_entry_and_counts() -> None:
    """A failed payment of 100, taken off and ordered again: 100 - 100 + 100; what is said of a reversal is nothing."""
    given_ = [paid("A", 100), paid("R", -100, reversal_of="A"), paid("B", 100)]
    reports = [told("A", "failed", "03-06"), told("R", "paid", "03-07"), told("B", "paid", "03-08")]
    march = statement(treaty("1"), given_, reports, MARCH)
    assert [Line("A", 100, "failed"), Line("R", -100, "book", "A"), Line("B", 100, "paid", "R")] == march.lines
    assert 100 == march.net


def test_what_is_reported_later_is_told_in_its_own_month_and_is_in_no_sum() -> None:
    """Only if the state is another one than when the month began: paid in April; nothing new in May; back in June."""
    given_ = [paid("A", 100), paid("B", 50), paid("C", 7, "04-02")]
    reports = [told("B", "paid", "03-06"), told("A", "paid", "04-03"), told("C", "paid", "04-03")]
    reports += [told("A", "paid", "05-03", "04-01"), told("A", "failed", "05-04"), told("A", "returned", "06-05")]
    found_ = [statement(treaty("1"), given_, reports, date(2024, month, 1)) for month in (3, 4, 5, 6)]
    assert [[], [Line("A", 100, "paid")], [], [Line("A", 100, "returned")]] == [s.later for s in found_]
    assert [150, 7, 0, 0] == [s.net for s in found_]
    assert [157, 157] == [s.after for s in found_[2:]]


def test_what_a_line_corrects() -> None:
    """What it takes off, is kept back for or orders again, else the line before it of its claim, scheme and payee."""
    one, other = ("E1", "s", ""), ("E1", "s", "H1")
    given_ = [
        paid("A", 100, of=one),
        paid("B", 50, of=other),
        paid("X", 10, of=one)._replace(treaty_id="t2"),
        paid("C", 30, of=one),
        paid("D", -100, of=one, reversal_of="A"),
        paid("E", 100, of=one, reissue_of="A"),
        paid("F", 5, of=other, reversal_of="Z", set_off_of="Z"),
        paid("G", 5, of=("E2", "s", ""), reversal_of="Z", set_off_of="Z"),
        paid("H", -60, "04-05", of=one),
    ]
    lines = [line for month in (MARCH, APRIL) for line in statement(treaty("1"), given_, [], month).lines]
    assert {"A": None, "B": None, "C": "A", "D": "A", "E": "A", "F": "Z", "G": "Z", "H": "E"} == {
        line.payout_id: line.corrects for line in lines
    }
    assert ["D", "F", "G"] == [line.payout_id for line in lines if line.state == "book"]


# Who bears it ---------------------------------------------------------------------------------------------


def test_a_month_below_zero() -> None:
    """1001: 600.6, 400.4 -> 601, 400. -999: 599.4, 399.6 -> -599, -400. 1: 0.6, 0.4 -> 1, 0."""
    expected = [(0, 1001, 601, 400, 0), (1001, -999, -1200, -800, 0), (-999, 1, 600, 400, 0), (1, 1, 0, 0, 0)]
    assert expected == found(year_of(treaty("0.60", "0.40"), [1001, -2000, 1000, 0]))


def test_a_stop_loss_is_passed_and_passed_back() -> None:
    """At 10.00 it begins and at 15.00 it has borne all that it will, 4.50.

    Sum  | 0's and 1's share | ceded             | of which 0's and 1's | kept
    1300 |   780   520       | 300 * 0.9 = 270   | 162 108              |   618 412
     900 |   540   360       |   0               |                      |   540 360
    2900 |  1740  1160       | 500 * 0.9 = 450   | 270 180              |  1470 980
    1004 | 602.4 401.6: 602 402 | 3.6: 4          | 2.4 1.6: 2 2         |   600 400
    """
    months_of = year_of(treaty("0.60", "0.40", **STOP_LOSS), [1300, -400, 2000, -1896])
    assert [
        (0, 1300, 618, 412, 0, 270),
        (1300, 900, -78, -52, 0, -270),
        (900, 2900, 930, 620, 0, 450),
        (2900, 1004, -870, -580, 0, -446),
    ] == found(months_of)
    assert [Part(0, 270), Part(0, -270), Part(0, 450), Part(0, -446)] == [each.parts["x"] for each in months_of]


def test_a_reinsurer_may_have_a_share_too() -> None:
    """Insurer 1 has one statement with its share and with the cession; nobody else is told of one."""
    both = treaty("0.60", "0.40", **{**STOP_LOSS, "insurer": "1"})
    assert [
        {"0": Part(618, 0), "1": Part(412, 270)},
        {"0": Part(-78, 0), "1": Part(-52, -270)},
    ] == [each.parts for each in year_of(both, [1300, -400])]
    lead = treaty("0.60", "0.40", **{**STOP_LOSS, "insurer": "0"})
    assert {"0": Part(618, 270), "1": Part(412, 0)} == year_of(lead, [1300])[0].parts


def test_months_of_one_fen() -> None:
    """Halves tie: the first has the odd fen. Half of what lies over 0.01 is ceded, half a fen up.

    Sum | shared | ceded     | of which | kept
    1   | 1 0    | 0         | 0 0      | 1 0
    2   | 1 1    | 0.5: 1    | 1 0      | 0 1
    3   | 2 1    | 1         | 1 0      | 1 1
    4   | 2 2    | 1.5: 2    | 1 1      | 1 1
    3, 2, 1, 0 | as above; -1 | -1 0    | 0
    """
    halves = {"attachment": "0.01", "limit": "1.00", "share": "0.5", "insurer": "x"}
    nets = [1, 1, 1, 1, -1, -1, -1, -1, -1]
    assert [(1, 0), (0, 1), (1, 0), (0, 1), (0, -1), (-1, 0), (0, -1), (-1, 0), (-1, 0)] == [
        each[2:4] for each in found(year_of(treaty("0.5", "0.5"), nets))
    ]
    ceding = found(year_of(treaty("0.5", "0.5", **halves), nets))
    up = [(1, 0, 0), (-1, 1, 1), (1, 0, 0), (0, 0, 1)]
    down = [(0, 0, -1), (-1, 0, 0), (1, -1, -1), (-1, 0, 0), (-1, 0, 0)]
    assert up + down == [(*each[2:4], each[5]) for each in ceding]
    assert sum(sum(each[2:4]) + each[5] for each in ceding) == -1


def test_fen_left_over_go_in_the_files_order_where_remainders_tie() -> None:
    """Of 3: 0.6, 1.2, 1.2, one left, the first's. Of 4: 0.8, 1.6, 1.6, two left, the first's and the second's."""
    expected = [(0, 3, 1, 1, 1, 0), (3, 4, 0, 1, 0, 0), (4, 3, 0, -1, 0, 0), (3, -3, -2, -2, -2, 0)]
    assert expected == found(year_of(treaty("0.2", "0.4", "0.4"), [3, 1, -1, -6]))


# Laws -----------------------------------------------------------------------------------------------------

tried = settings(max_examples=times(200, 2000, "HUZHU_TEST_EXAMPLES"), deadline=None)
SHARES = st.sampled_from((("1",), ("0.5", "0.5"), ("0.60", "0.40"), ("0.333333", "0.333333", "0.333334")))
REINSURERS = st.sampled_from(("0", "x"))
RATES = st.sampled_from(("0.5", "0.90", "0.333", "1"))
STOP_LOSSES = st.fixed_dictionaries(
    {"attachment": st.sampled_from(("0.00", "0.05", "1.00")), "limit": st.sampled_from(("0.01", "0.30", "2.00"))}
    | {"share": RATES, "insurer": REINSURERS}
)
TREATIES = st.builds(lambda shares, ends: treaty(*shares, **ends), SHARES, st.just({}) | STOP_LOSSES)
NETS = st.lists(st.integers(-300, 300), max_size=12)


@tried
@given(TREATIES, NETS)
def test_at_every_prefix_all_insurers_together_bear_the_net(some: Treaty, nets: list[int]) -> None:
    """Shares and cessions of all months till then are what was instructed; each insurer's are its part of that sum."""
    borne_so_far: dict[str, Part] = {}
    for month, net in zip(year_of(some, nets), nets, strict=True):
        assert sum(part.share + part.cession for part in month.parts.values()) == net
        for name, part in month.parts.items():
            so_far = borne_so_far.get(name, Part(0, 0))
            borne_so_far[name] = Part(so_far.share + part.share, so_far.cession + part.cession)
        assert borne_so_far == borne(some, month.after)
        assert sum(sum(part) for part in borne_so_far.values()) == month.after


@tried
@given(TREATIES, NETS)
def test_parts_are_those_of_the_oracle_of_treaties(some: Treaty, nets: list[int]) -> None:
    """Which is given the nets alone."""
    count = len(some["treaty"]["share"])
    told_ = [(*(p.share for p in list(s.parts.values())[:count]), s.cession) for s in year_of(some, nets)]
    assert figures(months(some, nets)) == told_
