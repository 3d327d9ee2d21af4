"""The law of alerts (time.md, section 1): which ones are live depends only on facts and acts, never on their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.alert_records import LIVE, AlertChange, AlertState, AlertSubject, changed
from tests.properties.household_strategies import GroupLedger, towns
from tests.properties.pool_ledger import PoolLedger, pool_lives
from tests.properties.strategies import History, Ledger, deliveries, tried, with_advances
from tests.properties.told_alerts import live
from tests.support.builders import POLICY, RECORDED_AT, bill, coverage, discharge, report

OPEN, WITHDRAWN = AlertState.OPEN, AlertState.WITHDRAWN
TAKEN, CLOSED = AlertState.ACKNOWLEDGED, AlertState.RESOLVED
SUBJECT = AlertSubject("AFTER_DEATH", "E1", "P1", None, None, None, b"{}")


@tried
@given(with_advances(towns()), st.data())
def test_the_live_alerts_depend_on_the_facts_alone(history: History, data: st.DataObject) -> None:
    """Deaths, households, advances, in any order: the same alerts say the same; one after death wherever a claim is."""
    first, second = GroupLedger(*history.policies), GroupLedger(*history.policies, one_batch=False)
    first.take(*history.facts)
    second.take(*data.draw(deliveries(history.facts)))
    assert live(first) == live(second)
    dead = {name for name, decision in first.decisions().items() if decision["status"] == "after_death"}
    assert dead == {each["claim_id"] for each in live(first).values() if each["code"] == "AFTER_DEATH"}


@tried
@given(pool_lives(), st.data())
def test_alerts_about_claims_without_a_pool_depend_on_the_facts_alone(history: History, data: st.DataObject) -> None:
    """Whatever was paid meanwhile."""
    first, second = PoolLedger(*history.policies), PoolLedger(*history.policies)
    first.take(*history.facts)
    second.take(*data.draw(deliveries(history.facts)))
    assert live(first) == live(second)


def test_alerts_about_reports_do_not_depend_on_which_came_first() -> None:
    """The payout or its reports: contradictions are looked at, and a report whose payout is there is no mystery."""
    owed = [coverage(), discharge(), bill()]
    ledger = Ledger(POLICY)
    ledger.take(*owed)
    (order,) = ledger.instructions
    for reports in (
        [report(order.payout_id)],
        [report(order.payout_id), report(order.payout_id, reference="another")],
        [report("PO-nobody")],
    ):
        found = []
        for facts in ([*owed, *reports], [*reports, *owed]):
            ledger = Ledger(POLICY)
            ledger.take(*facts)
            found.append({each["code"] for each in live(ledger).values()})
        assert found[0] == found[1]


@tried
@given(st.lists(st.sampled_from((OPEN, OPEN, WITHDRAWN, WITHDRAWN, TAKEN, CLOSED)), min_size=1, max_size=9))
def test_an_alert_stands_as_the_last_that_was_told_and_done(steps: Sequence[AlertState]) -> None:
    """Told again it is whose it was; closed or withdrawn and raised again it is nobody's; what is gone is withdrawn."""
    row, known = None, list[AlertState]()
    for at, to in enumerate(steps):
        if to in (TAKEN, CLOSED) and (row is None or row.state not in LIVE):
            continue  # nobody can
        told = (
            AlertSubject("AFTER_DEATH", "E1", "P1", None, None, None, b"%d" % at) if to in (OPEN, WITHDRAWN) else None
        )
        moment = RECORDED_AT + timedelta(seconds=at)
        row = changed(
            row, AlertChange("AT-1", at, to, moment, told, "" if told else f"op{at}", "done" * (to is CLOSED))
        )
        known.append(to)
        ends = [place for place, each in enumerate(known) if each in (WITHDRAWN, CLOSED)]
        since = known[ends[-1] + 1 :] if ends else known
        expected = TAKEN if TAKEN in since else OPEN if since else known[-1]
        assert expected == row.state
        assert (row.taken_by is not None) or row.state is not TAKEN
        if since and since != known:
            assert row.raised_at > RECORDED_AT
