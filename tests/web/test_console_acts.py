"""What is done in the console is part of the audit log like everything else."""

from __future__ import annotations

from acts.verify_audit_log import Trust, verify_ledger
from tests.support.builders import bill, coverage, discharge, encode
from tests.support.replayed import recorded, replayed
from tests.web.desk import SIGNER, Desk
from tests.web.town import post, publish_two


def test_acts_replay_and_verify(desk: Desk) -> None:
    """Sign-ins, looks, unmasking, exports and four eyes: the ledger replays byte for byte (law 7) and verifies."""
    publish_two(desk.engine)
    post(desk.engine, [coverage(), discharge(), bill()])
    wrong = {**bill("S2", "E2"), "total_charge": "1.00"}
    post(desk.engine, [encode(wrong)])
    desk.catch_up()
    operator, other, finance = (desk.visitor(name) for name in ("operator", "operator2", "finance"))
    finance.get("/claims/E1")
    finance.post("/unmask/claims/E1", reason="a call of the family")
    finance.search("P1")
    finance.post("/exports", seen="/exports", what="payouts", format="csv")
    number = desk.value("SELECT event_no FROM refusals")
    operator.post(f"/refused/{number}/propose", reason="as it was, please")
    other.post(f"/proposals/{desk.value('SELECT proposal_no FROM replay_proposals')}/approve")
    desk.catch_up()
    kinds = {row.kind for row in desk.rows("SELECT kind FROM audit_entries")}
    assert {"user.signed_in", "personal.viewed", "personal.unmasked", "data.exported", "replay.proposed"} <= kinds
    assert {"event.replayed", "user.created"} <= kinds
    assert 0 == desk.value("SELECT count(*) FROM console_views")
    expected, actual = recorded(desk.engine), replayed(desk.engine)
    assert expected == actual
    desk.sign_checkpoints()
    assert [] == verify_ledger(desk.engine, Trust([SIGNER.verifier]), lambda _: None).findings


def test_a_look_is_noted_before_it_is_shown(desk: Desk) -> None:
    """Also while no thread chains it: the note waits in the ledger, and nothing is lost or chained twice."""
    post(desk.engine, [discharge()])
    visitor = desk.visitor("auditor")
    for _ in range(3):
        visitor.get("/claims/E1")
    assert 3 == desk.value("SELECT count(*) FROM console_views")
    assert [] == desk.audited("personal.viewed")
    desk.catch_up()
    desk.catch_up()
    assert 3 == len(desk.audited("personal.viewed"))
