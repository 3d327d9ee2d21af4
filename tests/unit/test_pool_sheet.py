"""What of a pool's money is told to everybody, and how long a balance lasts."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from acts.pool_account import cover, months_of
from handlers.pools.public_cells import cells_by_kind, cells_by_month, merged, whole
from schemas.pool_records import ContributionRow


def given(name: str, kind: str, amount: int, heads: int | None = None, day: str = "2024-01-02") -> ContributionRow:
    return ContributionRow(name, "V1", kind, amount, date.fromisoformat(day), heads, None, [], "bank", amount == 0)


def told(paid: list[tuple[str, str, int]]) -> list[tuple[tuple[str, ...], int, int]]:
    return [(each.labels, each.amount, each.people) for each in merged(cells_by_month(paid))]


def test_a_month_of_few_persons_stands_with_the_next_one() -> None:
    """Persons of several months count once; at the end it stands with the month before."""
    crowd = [("2024-03", name, 100) for name in ("P1", "P2", "P3")]
    assert [(("2024-03",), 300, 3)] == told(crowd)
    assert [(("2024-01", "2024-03"), 350, 3)] == told([("2024-01", "P1", 50), *crowd])
    assert [(("2024-03", "2024-05"), 420, 4)] == told([*crowd, ("2024-05", "P9", 120)])
    assert [(("2024-03",), 300, 3), (("2024-04", "2024-05"), 250, 3)] == told(
        [*crowd, ("2024-04", "P1", 100), ("2024-04", "P2", 100), ("2024-05", "P9", 50)]
    )


def test_who_gave_all_back_is_nobody() -> None:
    """Two who kept it are few, though three were paid."""
    paid = [("2024-01", name, 100) for name in ("P1", "P2", "P3")]
    (cell,) = merged(cells_by_month([*paid, ("2024-02", "P3", -100)]))
    assert (200, 2, True) == (cell.amount, cell.people, cell.few)


def test_few_donors_stand_with_the_villagers() -> None:
    """As many as the contributions are for; those who are no persons need no company, and a voided one is nothing."""
    few, many = given("G1", "donation", 500), given("G2", "villager", 900, 30)
    fund, gone = given("G3", "government", 100), given("G4", "lottery", 0)
    cells = merged(cells_by_kind([fund, many, few, gone]))
    assert [(("donation", "villager"), 1400), (("government",), 100)] == [(each.labels, each.amount) for each in cells]
    assert not whole(cells).few
    assert whole(cells_by_kind([few])).few


def test_a_balance_lasts_as_long_as_a_mean_month_says() -> None:
    """600 fen in twelve months are 50 a month; what owes lasts no month, and without payments nobody knows."""
    assert Fraction(24) == cover(1200, 600)
    assert 0 == cover(-5, 600)
    assert [None, None] == [cover(1200, 0), cover(1200, -1)]


def test_no_month_is_left_out_between_the_first_and_the_last() -> None:
    """Each begins with what the one before ended with."""
    months = months_of([given("G1", "villager", 900)], {date(2024, 3, 1): 1000, date(2024, 4, 1): -50})
    assert [(1, 900, 0, 900), (2, 0, 0, 900), (3, 0, 1000, -100), (4, 0, -50, -50)] == [
        (each.month.month, each.received, each.released, each.balance) for each in months
    ]
    assert [] == months_of([given("G1", "villager", 0)], {})
