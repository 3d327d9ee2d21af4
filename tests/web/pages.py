"""The console's pages, for tests that look at all of them."""

from __future__ import annotations

from schemas.access.console_rights import Right
from tests.support.household import HOUSEHOLD_ID
from tests.web.desk import Desk


def paths(desk: Desk) -> dict[str, tuple[Right, str]]:
    """Every kind of page, with something on it."""
    claim = desk.rows("SELECT claim_id, person_id FROM claims ORDER BY total_benefit DESC, claim_id LIMIT 1")[0]
    sha256 = desk.value("SELECT sha256 FROM policies LIMIT 1")
    refused = desk.value("SELECT event_no FROM refusals WHERE code <> 'MALFORMED_JSON' LIMIT 1")
    month = desk.value("SELECT to_char(min(booked_on), 'YYYY-MM') FROM postings")
    recovery = desk.value("SELECT payout_id FROM instructions WHERE kind = 'recovery' AND reversal_of IS NULL LIMIT 1")
    failed = desk.value("SELECT payout_id FROM payout_states WHERE last_status = 'failed' ORDER BY payout_id LIMIT 1")
    alert = desk.value("SELECT alert_id FROM alerts ORDER BY alert_id LIMIT 1")
    aid = desk.value("SELECT proposal_no FROM aid_proposals LIMIT 1")
    return {
        "overview": (Right.OVERVIEW, "/"),
        "work": (Right.WORK, "/work"),
        "search": (Right.CLAIMS, "/search"),
        "found": (Right.CLAIMS, f"/search/{desk.keys.token(claim.person_id, 'query')}"),
        "claims": (Right.CLAIMS, "/claims?status=adjudicated&sort=largest"),
        "payouts": (Right.CLAIMS, "/payouts?kind=payment&sort=largest"),
        "claim": (Right.CLAIMS, f"/claims/{claim.claim_id}"),
        "proofs": (Right.CLAIMS, f"/proofs/{claim.claim_id}"),
        "person": (Right.CLAIMS, f"/persons/{desk.keys.token(claim.person_id, 'person')}"),
        "household": (Right.CLAIMS, f"/households/{desk.keys.token(HOUSEHOLD_ID, 'household')}"),
        "refused": (Right.REFUSED, "/refused"),
        "refused-event": (Right.REFUSED, f"/refused/{refused}"),
        "alerts": (Right.CLAIMS, "/alerts"),
        "alert": (Right.CLAIMS, f"/alerts/{alert}"),
        "aids": (Right.CLAIMS, "/aids"),
        "aid": (Right.CLAIMS, f"/aids/{aid}"),
        "aid-form": (Right.AID, f"/persons/{desk.keys.token(claim.person_id, 'person')}/aid"),
        "contradictions": (Right.CLAIMS, "/contradictions"),
        "books": (Right.BOOKS, "/books"),
        "account": (Right.BOOKS, f"/books/journal?account=payable:fund:person&month={month}"),
        "clearing": (Right.BOOKS, "/clearing"),
        "payables": (Right.BOOKS, "/payables"),
        "payable-lines": (Right.BOOKS, "/payables/payouts?kind=payment&payer=fund&payee=person"),
        "statements": (Right.BOOKS, "/statements"),
        "recoveries": (Right.BOOKS, "/recoveries"),
        "recovery": (Right.BOOKS, f"/recoveries/{recovery}"),
        "reissues": (Right.BOOKS, "/reissues"),
        "reissue": (Right.BOOKS, f"/reissues/{failed}"),
        "holds": (Right.BOOKS, "/holds"),
        "pools": (Right.BOOKS, "/pools"),
        "pool": (Right.BOOKS, "/pools/V1"),
        "policies": (Right.POLICIES, "/policies"),
        "policy": (Right.POLICIES, f"/policies/{sha256}"),
        "difference": (Right.POLICIES, f"/policies/difference?from={sha256}&to={sha256}"),
        "exports": (Right.EXPORT, "/exports"),
        "users": (Right.USERS, "/users"),
        "second-factor": (Right.OVERVIEW, "/second-factor"),
        "not-there": (Right.OVERVIEW, "/nowhere"),
    }
