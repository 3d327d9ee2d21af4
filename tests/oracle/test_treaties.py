"""Worked examples of treaties, computed by hand from payers.md, sections 2 and 3, that pin their oracle."""

import tomllib
from datetime import date

import pytest

from .builders import figures, shared
from .treaties import FUND, Change, Order, Treaty, alloc, ceded, months, orders, overlap, paid_by, payer_of

SAMPLE = """
[treaty]
id = "self-pay-2024"
title = "中低收入居民医疗自费支出责任保险(示例)"
status = "sample"
effective_from = 2024-01-01
effective_to = 2025-01-01
schemes = ["self_pay_assistance"]
lead = "insurer-a"
[[treaty.share]]
insurer = "insurer-a"
share = "0.60"
[[treaty.share]]
insurer = "insurer-b"
share = "0.40"
"""
STOP_LOSS = """
[treaty.stop_loss]
attachment = "1000000.00"
limit = "500000.00"
share = "0.90"
insurer = "reinsurer-x"
"""
WITHOUT, WITH = tomllib.loads(SAMPLE), tomllib.loads(SAMPLE + STOP_LOSS)
THIRDS = ("0.333333", "0.333333", "0.333334")
ASSISTANCE = "self_pay_assistance"


def treaty(name: str, start: str, end: str, *schemes: str, lead: str = "insurer-c") -> Treaty:
    """A treaty whose lead is not the first in the file."""
    days: dict[str, object] = {"effective_from": date.fromisoformat(start), "effective_to": date.fromisoformat(end)}
    share = [{"insurer": "insurer-z", "share": "0.5"}, {"insurer": lead, "share": "0.5"}]
    return {"treaty": {"id": name, **days, "schemes": list(schemes), "lead": lead, "share": share}}


# Who pays -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "scheme_id", "expected"),
    [
        ("2023-12-31", ASSISTANCE, (FUND, None)),
        ("2024-01-01", ASSISTANCE, ("insurer-a", "self-pay-2024")),
        ("2024-12-31", ASSISTANCE, ("insurer-a", "self-pay-2024")),
        ("2025-01-01", ASSISTANCE, ("insurer-c", "next")),
        ("2026-01-01", ASSISTANCE, (FUND, None)),
        ("2024-06-30", "mutual", ("insurer-d", "other")),
        ("2024-07-01", "mutual", (FUND, None)),
        ("2024-06-30", "unknown", (FUND, None)),
    ],
)
def test_the_lead_pays_within_the_treatys_days(day: str, scheme_id: str, expected: tuple[str, str | None]) -> None:
    """The first day is covered and the last is not; without a treaty for that scheme and day the fund pays."""
    published = [
        treaty("next", "2025-01-01", "2026-01-01", ASSISTANCE),
        WITH,
        treaty("other", "2024-01-01", "2024-07-01", "village", "mutual", lead="insurer-d"),
    ]
    assert expected == payer_of(published, scheme_id, date.fromisoformat(day))
    assert (FUND, None) == payer_of([], scheme_id, date.fromisoformat(day))


@pytest.mark.parametrize(
    ("start", "end", "schemes", "expected"),
    [
        ("2025-01-01", "2026-01-01", [ASSISTANCE], False),  # begins when the sample ends
        ("2024-12-31", "2026-01-01", [ASSISTANCE], True),  # its last day
        ("2023-01-01", "2024-01-01", [ASSISTANCE], False),
        ("2023-01-01", "2024-01-02", [ASSISTANCE], True),  # its first day
        ("2024-03-01", "2024-03-02", ["a", ASSISTANCE], True),  # inside it
        ("2020-01-01", "2030-01-01", [ASSISTANCE], True),  # around it
        ("2020-01-01", "2030-01-01", ["a", "b"], False),
    ],
)
def test_treaties_overlap_that_share_a_scheme_and_a_day(
    start: str, end: str, schemes: list[str], expected: bool
) -> None:
    """Whichever of the two is asked; a treaty overlaps itself."""
    other = treaty("x", start, end, *schemes)
    assert [expected, expected] == [overlap(WITH, other), overlap(other, WITH)]
    assert overlap(other, other)


F, A, C = (FUND, None), ("insurer-a", "t1"), ("insurer-c", "t3")
NEXT_YEAR = ("insurer-a", "t2")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(0, *F), (0, *A)], [], id="nothing is due"),
        pytest.param([(100, *A), (100, *F)], [("payment", 100, *A)], id="the treaty changes and the due does not"),
        pytest.param(
            # 100 -> 150 is +50 by a; 150 -> 30 is -120: a's 50, then 70 of the fund's 100, which leaves 30
            [(100, *F), (150, *A), (30, *A)],
            [("payment", 100, *F), ("payment", 50, *A), ("recovery", 50, *A), ("recovery", 70, *F)],
            id="the latest payer first",
        ),
        pytest.param(
            # 150 -> 100 is exactly a's 50: the fund has no instruction of nothing
            [(100, *F), (150, *A), (100, *C)],
            [("payment", 100, *F), ("payment", 50, *A), ("recovery", 50, *A)],
            id="one payment to the fen",
        ),
        pytest.param(
            [(100, *F), (150, *F), (30, *A)],
            [("payment", 100, *F), ("payment", 50, *F), ("recovery", 120, *F)],
            id="two payments of one payer are one",
        ),
        pytest.param(
            # one insurer under two treaties is two: 150 -> 40 is -110: 50 of t2, 60 of t1
            [(100, *A), (150, *NEXT_YEAR), (40, *F)],
            [("payment", 100, *A), ("payment", 50, *NEXT_YEAR), ("recovery", 50, *NEXT_YEAR), ("recovery", 60, *A)],
            id="two treaties of one payer are two",
        ),
        pytest.param(
            # 180 -> 30 is -150: 30 of the fund's second payment, a's 50, then 70 of the fund's first
            [(100, *F), (150, *A), (180, *F), (30, *A)],
            [
                ("payment", 100, *F),
                ("payment", 50, *A),
                ("payment", 30, *F),
                ("recovery", 30, *F),
                ("recovery", 50, *A),
                ("recovery", 70, *F),
            ],
            id="payments with another between them are two",
        ),
        pytest.param(
            # a's 50 are back, so the fund's 100 and 20 are neighbours: 120 -> 10 is -110 in one
            [(100, *F), (150, *A), (100, *A), (120, *F), (10, *F)],
            [
                ("payment", 100, *F),
                ("payment", 50, *A),
                ("recovery", 50, *A),
                ("payment", 20, *F),
                ("recovery", 110, *F),
            ],
            id="what was recovered separates nothing",
        ),
        pytest.param(
            # 150 -> 120 leaves a 20; c adds 10; 130 -> 0 is c's 10, a's 20 and the fund's 100; then it begins anew
            [(100, *F), (150, *A), (120, *C), (130, *C), (0, *C), (7, *C), (6, *F)],
            [
                ("payment", 100, *F),
                ("payment", 50, *A),
                ("recovery", 30, *A),
                ("payment", 10, *C),
                ("recovery", 10, *C),
                ("recovery", 20, *A),
                ("recovery", 100, *F),
                ("payment", 7, *C),
                ("recovery", 1, *C),
            ],
            id="what is left of a payment",
        ),
    ],
)
def test_a_recovery_names_the_payer_that_had_paid(changes: list[Change], expected: list[Order]) -> None:
    """More is paid by who is in force, less is taken back from the latest payment on, whoever is in force."""
    assert expected == orders(changes)


def test_nets_are_the_same_however_recoveries_are_split() -> None:
    """The fund paid 100 + 30 and has 30 + 70 back: 30; a paid 50 and has 50 back: left out."""
    assert {F: 30} == paid_by(orders([(100, *F), (150, *A), (180, *F), (30, *A)]))
    assert {F: 30} == paid_by([("payment", 130, *F), ("payment", 50, *A), ("recovery", 50, *A), ("recovery", 100, *F)])


# Who bears it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "shares", "expected"),
    [
        (0, ("0.60", "0.40"), [0, 0]),
        (1, ("0.60", "0.40"), [1, 0]),  # 0.6, 0.4
        (2, ("0.60", "0.40"), [1, 1]),  # 1.2, 0.8
        (3, ("0.60", "0.40"), [2, 1]),  # 1.8, 1.2
        (-1, ("0.60", "0.40"), [-1, 0]),
        (-2, ("0.60", "0.40"), [-1, -1]),
        (7, ("1",), [7]),
        (1, ("0.5", "0.5"), [1, 0]),  # a tie: the first in the file
        (-1, ("0.5", "0.5"), [-1, 0]),
        (1, ("0.25",) * 4, [1, 0, 0, 0]),
        (6, ("0.25",) * 4, [2, 2, 1, 1]),  # 1.5 each, two left
        (1, ("0.2", "0.4", "0.4"), [0, 1, 0]),  # 0.2, 0.4, 0.4: the first of those that tie
        (2, ("0.2", "0.4", "0.4"), [0, 1, 1]),  # 0.4, 0.8, 0.8
        (3, ("0.2", "0.4", "0.4"), [1, 1, 1]),  # 0.6, 1.2, 1.2
        (4, ("0.2", "0.4", "0.4"), [1, 2, 1]),  # 0.8, 1.6, 1.6: two left
        (1, THIRDS, [0, 0, 1]),  # .333333, .333333, .333334
        (2, THIRDS, [1, 0, 1]),  # .666666, .666666, .666668
        (3, THIRDS, [1, 1, 1]),  # .999999, .999999, 1.000002
        (100, THIRDS, [33, 33, 34]),  # 33.3333, 33.3333, 33.3334
        (500_000, THIRDS, [166_667, 166_666, 166_667]),  # 166,666.5 twice and 166,667: a tie
        (-500_000, THIRDS, [-166_667, -166_666, -166_667]),
        (1_000_000, THIRDS, [333_333, 333_333, 333_334]),
        (10**17 + 1, ("0.60", "0.40"), [6 * 10**16 + 1, 4 * 10**16]),  # beyond what a float holds
    ],
)
def test_fen_left_over_go_by_largest_remainder(total: int, shares: tuple[str, ...], expected: list[int]) -> None:
    """Ties go in the file's order; a negative sum is shared as its opposite."""
    assert expected == alloc(total, shares)


@pytest.mark.parametrize(
    ("total", "attachment", "limit", "share", "expected"),
    [
        (-1, "1000000.00", "500000.00", "0.90", 0),
        (100_000_000, "1000000.00", "500000.00", "0.90", 0),
        (100_000_001, "1000000.00", "500000.00", "0.90", 1),  # 0.9
        (100_000_005, "1000000.00", "500000.00", "0.90", 5),  # 4.5
        (100_000_006, "1000000.00", "500000.00", "0.90", 5),  # 5.4
        (149_999_999, "1000000.00", "500000.00", "0.90", 44_999_999),  # 49,999,999 * 0.9 = 44,999,999.1
        (150_000_000, "1000000.00", "500000.00", "0.90", 45_000_000),
        (999_999_999, "1000000.00", "500000.00", "0.90", 45_000_000),
        (1001, "10.00", "5.00", "0.5", 1),  # 0.5
        (1003, "10.00", "5.00", "0.5", 2),  # 1.5
        (1005, "10.00", "5.00", "0.5", 3),  # 2.5: up, not to the even one
        (1004, "0.00", "10.05", "0.1", 100),  # 100.4
        (1005, "0.00", "10.05", "0.1", 101),  # 100.5
        (9999, "0.00", "10.05", "0.1", 101),  # the same: that is the cap
        (-1, "0.00", "10.05", "0.1", 0),
    ],
)
def test_what_lies_over_the_attachment_is_ceded(
    total: int, attachment: str, limit: str, share: str, expected: int
) -> None:
    """Up to the limit, by the share, half a fen up."""
    assert expected == ceded(total, {"attachment": attachment, "limit": limit, "share": share, "insurer": "x"})
    assert ceded(total, None) == 0


def test_the_sample_treaty_over_six_months() -> None:
    """It reaches the attachment in the second month and the limit in the third, and falls below nothing in the fifth.

    Sum so far  | a's and b's share of it  | ceded so far                                  | of which a's and b's
     60,000,001 | 36,000,001  24,000,000   |          0                                    |
    110,000,001 | 66,000,001  44,000,000   |  9,000,001: 10,000,001 * 0.9 = 9,000,000.9    |  5,400,001   3,600,000
    170,000,001 | 102,000,001 68,000,000   | 45,000,000: the limit of 50,000,000 * 0.9     | 27,000,000  18,000,000
     90,000,001 | 54,000,001  36,000,000   |          0                                    |
             -1 | -1          0            |          0                                    |
             -1 | the same                 |                                               |
    (x.6 and y.4 each time: the fen that is left is a's.)
    """
    nets = [60_000_001, 50_000_000, 60_000_000, -80_000_000, -90_000_002, 0]
    assert [
        (36_000_001, 24_000_000, 0),
        (24_599_999, 16_400_000, 9_000_001),  # 30,000,000 - 5,400,001; 20,000,000 - 3,600,000
        (14_400_001, 9_600_000, 35_999_999),  # 36,000,000 - 21,599,999; 24,000,000 - 14,400,000
        (-21_000_000, -14_000_000, -45_000_000),  # -48,000,000 + 27,000,000; -32,000,000 + 18,000,000
        (-54_000_002, -36_000_000, 0),
        (0, 0, 0),
    ] == figures(months(WITH, nets))
    assert {"insurer-a": 36_000_001, "insurer-b": 24_000_000} == months(WITH, nets)[0].parts
    assert [
        (36_000_001, 24_000_000, 0),
        (30_000_000, 20_000_000, 0),
        (36_000_000, 24_000_000, 0),
        (-48_000_000, -32_000_000, 0),
        (-54_000_002, -36_000_000, 0),
        (0, 0, 0),
    ] == figures(months(WITHOUT, nets))


def test_a_negative_sum_cedes_nothing_and_is_caught_up() -> None:
    """-1,000,000.00, then 2,200,000.00: 1,200,000.00 in all, of which 200,000.00 * 0.9 = 180,000.00 are ceded.

    a: 720,000 - 108,000 + 600,000 = 1,212,000; b: 480,000 - 72,000 + 400,000 = 808,000.
    """
    expected = [(-60_000_000, -40_000_000, 0), (121_200_000, 80_800_000, 18_000_000)]
    assert expected == figures(months(WITH, [-100_000_000, 220_000_000]))
    # in single fen: -alloc(1) = -1, 0; -alloc(2) = -1, -1; alloc(1) = 1, 0
    assert [(-1, 0, 0), (0, -1, 0), (2, 1, 0)] == figures(months(WITH, [-1, -1, 3]))


def test_thirds_do_not_drift() -> None:
    """By fen: 0 0 1, 1 0 1, 1 1 1, and back to nothing; by hundreds: 33 33 34, 67 66 67, 100 100 100."""
    single = [(0, 0, 1, 0), (1, 0, 0, 0), (0, 1, 0, 0), (-1, -1, -1, 0)]
    assert single == figures(months(shared(*THIRDS), [1, 1, 1, -3]))
    hundreds = [(33, 33, 34, 0), (34, 33, 33, 0), (33, 34, 33, 0)]
    assert hundreds == figures(months(shared(*THIRDS), [100, 100, 100]))


def test_a_part_may_have_the_other_sign_than_the_month() -> None:
    """Largest remainders are not monotone: more to share may give one insurer less.

    10: 4.3 4.3 1.4, one left: 4 4 2. 11: 4.73 4.73 1.54, two left: 5 5 1.
    """
    there_and_back = [(4, 4, 2, 0), (1, 1, -1, 0), (-1, -1, 1, 0)]
    assert there_and_back == figures(months(shared("0.43", "0.43", "0.14"), [10, 1, -1]))


def test_a_cession_may_turn_the_sign_of_a_part() -> None:
    """Sum 1: 1 0, nothing ceded. Sum 2: 1 1, and 1 is ceded, which is a's: 0 1, so that a's month is -1 and b's 1."""
    whole = shared("0.60", "0.40", attachment="0.01", limit="1.00", share="1")
    assert [(1, 0, 0), (-1, 1, 1), (1, -1, -1)] == figures(months(whole, [1, 1, -1]))
