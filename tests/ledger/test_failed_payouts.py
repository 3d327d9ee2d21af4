"""Which failed payouts are listed to be ordered again: exactly those that can be, with what would be ordered."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from sqlalchemy import Engine

from acts.reissue_payout import check_reissue
from handlers.claims.payout_reports import NotReissuable
from infra.ledger import failed_payouts
from schemas.records import Manner
from tests.ledger.held_stays import POLICY_THAT_HOLDS, stay
from tests.support.builders import SHARDS, bill, report
from tests.support.debtor import Debtor
from tests.support.length import times
from tests.support.owed_person import OwedPerson
from tests.support.village import Village

STEPS = times(15, 60)


def listed(ledger: Engine) -> dict[str, int]:
    with ledger.connect() as connection:
        count, rows = failed_payouts.page(connection, 1_000)
    assert count == len(rows)
    assert sorted(rows, key=lambda row: (row.failed_at, row.payout_id)) == rows
    return {row.payout_id: row.amount for row in rows}


def reissuable(ledger: Engine, payouts: list[str]) -> dict[str, int]:
    """What can be ordered again, asked one by one."""
    found = {}
    with ledger.connect() as connection:
        for payout in payouts:
            with suppress(NotReissuable):
                found[payout] = check_reissue(connection, payout, SHARDS)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_what_is_listed_can_be_ordered_again_and_nothing_else(ledger: Engine, seed: int) -> None:
    """Whatever is reported, corrected and reissued, in whatever order."""
    owed, chance, seen = OwedPerson(ledger), random.Random(seed), 0
    version = 1
    for day in range(STEPS):
        payout = chance.choice(owed.payouts)
        kind = chance.choice(("failed", "failed", "returned", "paid", "correct", "reissue"))
        if kind == "correct":
            version += 1
            owed.correct(chance.choice((1500, 2500, 3000, 4000)), version)
        elif kind == "reissue":
            with suppress(NotReissuable):
                owed.reissue(payout)
        else:
            owed.report(payout, kind, 1 + day % 28, reference=f"bank-{day}")
        expected = reissuable(ledger, owed.payouts)
        seen += len(expected)
        assert expected == listed(ledger)
    assert seen


def test_a_recovery_that_was_settled_is_not_listed(ledger: Engine) -> None:
    """It failed, so it could be ordered again, until it is waived."""
    debtor = Debtor(ledger)
    debtor.report(debtor.payouts[0], "paid")
    debtor.report(debtor.recovery, "failed")
    assert {debtor.recovery: 15_000} == listed(ledger) == reissuable(ledger, debtor.payouts)
    debtor.settle(Manner.WAIVED)
    assert {} == listed(ledger) == reissuable(ledger, debtor.payouts)


def test_a_payment_of_a_claim_that_is_held_is_not_listed(ledger: Engine) -> None:
    """It is on the list of held claims instead."""
    village = Village(ledger, POLICY_THAT_HOLDS)
    village.take(*stay("P1", invoice_no="NO.1"))
    (payout,) = village.payouts("E-P1")
    village.take(report(payout, person_id="P1", status="failed"))
    assert {payout: 30_000} == listed(ledger)
    village.take(*stay("P2", invoice_no="NO.1"))
    assert {} == listed(ledger) == reissuable(ledger, [payout])
    village.take(bill("S-E-P2", "E-P2", person_id="P2", invoice_no="NO.2", version=2))
    assert {payout: 30_000} == listed(ledger)
