"""Which of a person's claims an event reaches."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from handlers.claims.account import Account
from schemas.ids import PersonId
from schemas.policy import model
from tests.support.builders import POLICY, Json, bill, coverage, discharge, policies, reading, void

PUBLISHED = policies(POLICY)
STAYS: list[Json] = [
    discharge(f"E{number}", f"2024-03-{number}", admitted_on=f"2024-03-{number - 1:02d}") for number in range(10, 15)
]
"""Each is admitted on the day on which the one before is discharged: none shares a night with another."""
HELD: list[Json] = [
    *STAYS,
    discharge("E20", "2023-12-31", admitted_on="2023-12-01"),
    bill("S10", "E10"),
    bill("S11", "E11"),
    bill("S12-interim", "E12", final=False),
    bill("S12", "E12"),
    bill("S13", "E13"),
    void("S13", "E13"),
    bill("S14", "E14", final=False),
    bill("S15", "E15"),
    bill("S20", "E20"),
]
"""In 2024, E10, E11 and E12 are decided, E13 is voided, E14 (no final bill) and E15 (no stay) are incomplete."""


def reached(event: Json) -> set[str]:
    """The claims that have to be decided after an event."""
    account = Account(PersonId("P1"))
    for each in HELD:
        account.apply(reading(each).fact)
    fact = reading(event).fact
    before = account.claims_affected_by(fact, PUBLISHED)
    account.apply(fact)
    return {*before, *account.claims_affected_by(fact, PUBLISHED)}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (bill("S10", "E10", 1, version=2), {"E10", "E11", "E12"}),
        (void("S11", "E11"), {"E10", "E11", "E12"}),
        (void("S12", "E12"), {"E10", "E11", "E12"}),
        (discharge("E11", "2023-11-30", version=2, admitted_on="2023-11-01"), {"E10", "E11", "E12", "E20"}),
        (bill("S14-final", "E14"), {"E10", "E11", "E12", "E14"}),
        (discharge("E15", "2024-03-20", admitted_on="2024-03-14"), {"E10", "E11", "E12", "E15"}),
        (discharge("E14", "2024-04-01", version=2, admitted_on="2024-03-14"), {"E14"}),
        (bill("S14-more", "E14", final=False), {"E14"}),
        (bill("S13", "E13", version=3), {"E10", "E11", "E12", "E13"}),
        (discharge("E30", "2024-03-08"), {"E30"}),
        (bill("S30", "E30"), {"E30"}),
        (coverage(), {"E10", "E11", "E12", "E13", "E14", "E15", "E20"}),
    ],
)
def test_an_event_reaches_what_shares_a_year_with_its_claim(event: Json, expected: set[str]) -> None:
    """Voided and incomplete claims share nothing: their own events reach them, and what reaches all."""
    assert expected == reached(event)


def test_an_event_reaches_what_may_be_the_same_claim() -> None:
    """Before and after: a stay that leaves another's nights, and a bill with its invoice, reach that claim's year."""
    account = Account(PersonId("P1"))
    for each in (
        discharge("E1", "2022-03-05", admitted_on="2022-03-01"),
        bill("S1", "E1"),
        discharge("E2", "2024-03-05"),
        bill("S2", "E2"),
    ):
        account.apply(reading(each).fact)
    told = []
    for event in (
        discharge("E2", "2024-03-05", version=2, admitted_on="2022-03-01"),
        discharge("E2", "2024-03-05", version=3),
        bill("S2", "E2", version=2, invoice_no="INV-1"),
        bill("S1", "E1", version=2, invoice_no="INV-1"),
        void("S1", "E1", version=3),
    ):
        fact = reading(event).fact
        before = account.claims_affected_by(fact, PUBLISHED)
        account.apply(fact)
        told.append((len(before), len(account.claims_affected_by(fact, PUBLISHED))))
    assert [(1, 2), (2, 1), (1, 1), (1, 2), (2, 1)] == told


def test_as_many_days_are_remembered_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many days are asked for, each has its policy and its policy year."""
    monkeypatch.setattr(model, "DAYS_MAX", 10)
    published = policies(POLICY.replace('year_starts = "01-01"', 'year_starts = "07-01"'))
    (policy,) = published.releases
    for _ in range(2):
        for number in range(800):
            day = date(2019, 6, 1) + timedelta(days=number)
            in_force = day >= date(2020, 1, 1)
            assert published.on(day) is (policy if in_force else None)
            assert published.year(day) == (policy.year_of(day) if in_force else None)
            assert len(published._by_day) <= 10
