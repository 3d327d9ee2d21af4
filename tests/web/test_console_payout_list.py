"""The list of payouts that the digest keeps: what is in it, and what it adds up to."""

from __future__ import annotations

import pytest

from infra.ledger import digest
from schemas.records import Manner
from tests.support.builders import POLICY, bill, coverage, coverage_void, discharge, report
from tests.support.debtor import Debtor
from tests.support.owed_person import OwedPerson
from tests.web.desk import Desk
from tests.web.town import post, publish_text

BY_TIER = """
    SELECT scheme_id, tier, day, kind, state, sum(payouts) AS payouts, sum(amount) AS amount FROM digest_payout_list
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""
SUMMED = """
    SELECT scheme_id, tier, day, kind, state, payouts, amount FROM digest_money WHERE amount <> 0 ORDER BY 1, 2, 3, 4, 5
"""
LISTED = """
    SELECT payout_id, claim_id, scheme_id, kind, state, payer, payee_id, sum(amount) AS amount
    FROM digest_payout_list GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1
"""
ORDERED = """
    SELECT i.payout_id, claim_id, scheme_id, kind, CASE WHEN coalesce(reversal_of, set_off_of) IS NOT NULL THEN 'book'
        ELSE coalesce(s.state, 'instructed') END AS state, payer, payee_id, amount
    FROM instructions i LEFT JOIN payout_states s ON s.payout_id = i.payout_id AND s.person_id = i.person_id ORDER BY 1
"""


def check(desk: Desk) -> None:
    """Each instruction is listed with the state that it has, in the tiers of the digest's sums."""
    assert desk.rows(ORDERED) == desk.rows(LISTED)
    assert desk.rows(SUMMED) == desk.rows(BY_TIER)


def test_a_towns_payouts(town: Desk) -> None:
    """Each with claim, scheme, kind, state, payer, payee and amount, and in the tiers whose money it moves."""
    assert town.value("SELECT count(DISTINCT state) FROM digest_payout_list") > 3
    check(town)


@pytest.mark.parametrize("chunk", [1, 5000])
def test_the_pieces_do_not_matter_to_the_list_of_payouts(desk: Desk, chunk: int) -> None:
    """One entry at a time or all at once: reports, a return, reissues, and a recovery that falls into two tiers."""
    publish_text(desk.engine, POLICY)
    for events in ([coverage("C1", "ordinary"), coverage("C2")], [discharge(), bill(copay=3000)]):
        post(desk.engine, events)
    for event in (coverage("C1", "dibao", version=2), bill(copay=7000, version=2)):
        post(desk.engine, [event])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    payouts = [row.payout_id for row in desk.rows("SELECT payout_id FROM instructions ORDER BY payout_id")]
    post(desk.engine, [report(payout_id, status="failed") for payout_id in payouts[:2]])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    post(desk.engine, [report(payouts[0], status="paid", reported_at="2026-02-01T10:00:00+08:00")])
    for event in (bill(copay=2500, version=3), coverage("C1", "nobody", version=3), coverage_void("C2")):
        post(desk.engine, [event])
    digest.bring_forward(desk.engine, desk.now(), chunk)
    check(desk)
    assert desk.value("SELECT count(*) - count(DISTINCT payout_id) FROM digest_payout_list") > 0, "none in two tiers"


def test_the_list_of_payouts_has_reissues_and_set_offs(desk: Desk) -> None:
    """What takes a payout off the books, and what is kept back, are book entries there too."""
    owed = OwedPerson(desk.engine)
    owed.report(owed.payouts[0], "failed")
    owed.reissue(owed.payouts[0])
    desk.catch_up()
    check(desk)
    assert desk.value("SELECT count(*) FROM digest_payout_list WHERE state = 'book'") == 1


def test_a_set_off_is_listed_as_a_book_entry(desk: Desk) -> None:
    """It moves no money."""
    debtor = Debtor(desk.engine)
    debtor.settle(Manner.SET_OFF)
    debtor.stay(5)
    desk.catch_up()
    check(desk)
    assert desk.value("SELECT count(*) FROM digest_payout_list WHERE state = 'book'") > 0
