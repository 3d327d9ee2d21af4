"""Failed payouts in the console: listed with what is still due, why each failed, and ordered again by two people."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.support.owed_person import OwedPerson
from tests.support.replayed import recorded, replayed
from tests.web.desk import Desk, Visitor
from tests.web.words import words

REASON = "the family gave another account"


@pytest.fixture
def owed(desk: Desk) -> OwedPerson:
    """300.00 did not arrive."""
    made = OwedPerson(desk.engine)
    made.report(made.payouts[0], "failed", reason="account of Wang Xiaoming closed")
    desk.catch_up()
    return made


def address(owed: OwedPerson, at: int = 0) -> str:
    return f"/reissues/{owed.payouts[at]}"


def propose(visitor: Visitor, owed: OwedPerson, reason: str = REASON) -> httpx.Response:
    return visitor.post(f"{address(owed)}/propose", seen=address(owed), reason=reason)


def decide(visitor: Visitor, owed: OwedPerson, act: str, **fields: str) -> httpx.Response:
    """Presses a button on the payout's page, with what the page says."""
    page = visitor.get(address(owed)).text
    (where,) = re.findall(rf'action="(/reissue-proposals/\d+/{act})"', page)
    given = dict(re.findall(r'name="(expected)" value="([^"]+)"', page))
    return visitor.post(where, seen=address(owed), **{**given, **fields})


def test_a_failed_payout_is_found_with_the_reason(desk: Desk, owed: OwedPerson) -> None:
    """From the list, and from the claim; what the insurer wrote is covered, and an auditor only looks."""
    visitor = desk.visitor("auditor", "en")
    listed = visitor.get("/reissues").text
    assert re.search(r"E1 village_mutual_aid payment failed 2025-04-01 10:00:00 \d+ 300\.00", words(listed))
    assert f'href="{address(owed)}"' in listed
    assert f'href="{address(owed)}"' in visitor.get("/claims/E1").text
    page = visitor.get(address(owed)).text
    assert "Instructed (yuan) 300.00 To order again (yuan) 300.00" in words(page)
    assert "The insurer's reason" in words(page)
    assert "Xiaoming" not in page
    assert not re.search(r"\bP1\b", words(page))
    assert "/propose" not in page
    assert 403 == propose(visitor, owed).status_code
    assert 403 == desk.visitor("admin").get("/reissues").status_code
    assert 404 == visitor.get("/reissues/PO-none").status_code


def test_two_people_order_it_again(desk: Desk, owed: OwedPerson) -> None:
    """The second sees who proposed it and why; the new payout stands in its place, and the ledger replays."""
    one, other = desk.visitor("operator"), desk.visitor("finance", "en")
    assert 303 == propose(one, owed).status_code
    assert "/approve" not in one.get(address(owed)).text
    assert "waiting for approval" in words(other.get("/reissues").text)
    assert REASON in other.get(address(owed)).text
    done = decide(other, owed, "approve")
    assert (303, address(owed, -1)) == (done.status_code, done.headers["location"])
    assert [("payment", "300.00"), ("recovery", "300.00"), ("payment", "300.00")] == [each[:2] for each in owed.told()]
    assert "No payout needs to be ordered again" in other.get("/reissues").text
    assert f'href="{address(owed, -1)}"' in other.get(address(owed)).text
    assert "was already reissued" in words(other.get(address(owed)).text)
    (told,) = desk.audited("payout.reissued")
    assert f"{REASON} (proposed by operator, approved by finance)" == told["subject"]["reason"]
    desk.catch_up()
    assert recorded(desk.engine) == replayed(desk.engine)


def test_nobody_orders_alone_or_what_they_did_not_see(desk: Desk, owed: OwedPerson) -> None:
    """Not one's own proposal, another amount, without a reason, or twice: nothing is written."""
    one, other = desk.visitor("operator"), desk.visitor("finance")
    assert 422 == propose(one, owed, "no").status_code
    propose(one, owed)
    assert 409 == propose(other, owed).status_code
    number = desk.value("SELECT proposal_no FROM reissue_proposals")
    approve = f"/reissue-proposals/{number}/approve"
    assert 403 == one.post(approve, seen=address(owed), expected="30000.1.0").status_code
    assert 409 == decide(other, owed, "approve", expected="29999.1.0").status_code
    assert 403 == desk.visitor("auditor").post(approve, seen=address(owed), expected="30000.1.0").status_code
    assert 1 == len(owed.payouts)
    assert 303 == decide(other, owed, "approve").status_code
    assert 409 == other.post(approve, seen=address(owed), expected="30000.1.0").status_code
    assert 3 == len(owed.payouts)


def test_what_was_reported_meanwhile_has_to_be_seen_first(desk: Desk, owed: OwedPerson) -> None:
    """The amount is the same, but the money may have arrived: nothing is ordered, and the page says so."""
    one, other = desk.visitor("operator"), desk.visitor("finance")
    propose(one, owed)
    owed.report(owed.payouts[0], "paid", 2, reference="bank-2")
    owed.report(owed.payouts[0], "failed", 3)
    assert 409 == decide(other, owed, "approve", expected="30000.1.0").status_code
    assert 1 == len(owed.payouts)
    assert "钱可能已经到账" in words(other.get(address(owed)).text)
    assert 303 == decide(other, owed, "approve").status_code


def test_what_is_said_to_have_arrived_meanwhile_is_not_ordered_again(desk: Desk, owed: OwedPerson) -> None:
    """The page offers no approval any more, and says why; the proposal can be rejected, and one more made later."""
    one, other = desk.visitor("operator"), desk.visitor("finance")
    propose(one, owed)
    owed.report(owed.payouts[0], "paid", 2)
    page = other.get(address(owed)).text
    assert "/approve" not in page
    assert "报告互相矛盾" in words(page)
    number = desk.value("SELECT proposal_no FROM reissue_proposals")
    assert 422 == other.post(f"/reissue-proposals/{number}/approve", seen=address(owed), expected="0").status_code
    assert 422 == decide(other, owed, "reject", reason="no").status_code
    assert 303 == decide(other, owed, "reject", reason="it has arrived").status_code
    assert "it has arrived" not in words(other.get("/reissues").text)
    assert 422 == propose(one, owed).status_code
    assert 1 == len(owed.payouts)
