"""Law 3 from outside: what was instructed is what is due, to the fen, in the topic, the ledger and the calculator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from json import loads
from typing import Any

from tests.faults.evidence import Evidence
from tests.faults.pools import Held
from tests.support.household_caps import over_the_caps

DECIDED = ("claim_id", "person_id", "status", "policy_id", "personal_burden", "total_benefit", "patient_pays")
BENEFIT = ("scheme_id", "tier", "basis", "measured", "benefit", "reason")
NOTHING = Held(0, 0, None)


def claims_are_right(evidence: Evidence) -> Iterator[str]:
    """The last decision of each claim, in the topic and in the ledger, is the calculator's."""
    expected = {str(claim["claim_id"]): claim for claim in evidence.due}
    topic: dict[str, dict[str, Any]] = {}
    for message in evidence.topics["claims.decisions"]:
        decision = loads(message.value or b"")
        if decision["claim_id"] not in topic or topic[decision["claim_id"]]["revision"] < decision["revision"]:
            topic[decision["claim_id"]] = decision
    ledger = {claim: (status, burden, benefit) for claim, _, status, burden, benefit in evidence.books.claims}
    for claim_id in expected.keys() ^ ledger.keys():
        yield f"claim {claim_id} is in {'the calculator' if claim_id in expected else 'the ledger'} only"
    for claim_id in expected.keys() ^ topic.keys():
        yield f"claim {claim_id} is in {'the calculator' if claim_id in expected else 'the topic'} only"
    for claim_id in expected.keys() & ledger.keys() & topic.keys():
        claim, decision = expected[claim_id], topic[claim_id]
        row = (claim["status"], fen(claim["personal_burden"]), fen(claim["total_benefit"]))
        if ledger[claim_id] != row:
            yield f"claim {claim_id}: the ledger says {ledger[claim_id]}, the calculator {row}"
        if _picture(decision) != _picture(claim):
            yield f"claim {claim_id}: the topic says {_picture(decision)}, the calculator {_picture(claim)}"


def sums_are_right(evidence: Evidence) -> Iterator[str]:
    """For each claim and scheme: the topic's net sum = the ledger's = released = what is owed less what waits."""
    topic: Counter[tuple[str, str]] = Counter()
    for message in evidence.topics["payouts.instructions"]:
        order = loads(message.value or b"")
        sign = {"payment": 1, "recovery": -1}[order["kind"]]
        topic[order["claim_id"], order["scheme_id"]] += sign * fen(order["amount"])
    ledger: Counter[tuple[str, str]] = Counter()
    for row in evidence.books.instructions:
        ledger[row.claim_id, row.scheme_id] += row.amount if row.kind == "payment" else -row.amount
    owed = {
        (str(claim["claim_id"]), benefit["scheme_id"]): fen(benefit["benefit"])
        for claim in evidence.due
        for benefit in _benefits(claim)
    }
    held = evidence.books.benefits
    for pair in sorted(topic.keys() | ledger.keys() | owed.keys() | held.keys()):
        of_it = held.get(pair, NOTHING)
        sums = (topic[pair], ledger[pair], of_it.released, owed.get(pair, 0) - of_it.waiting)
        if len(set(sums)) > 1:
            yield f"{pair}: fen in the topic, instructed, released, owed less what waits: {sums}"


def payees_have_their_parts(evidence: Evidence) -> Iterator[str]:
    """For each claim, scheme and payee: the topic's net sum = the ledger's = its part of what does not wait."""
    topic: Counter[tuple[str, str, str]] = Counter()
    for message in evidence.topics["payouts.instructions"]:
        order = loads(message.value or b"")
        sign = {"payment": 1, "recovery": -1}[order["kind"]]
        topic[order["claim_id"], order["scheme_id"], order.get("payee_id", "")] += sign * fen(order["amount"])
    ledger: Counter[tuple[str, str, str]] = Counter()
    for row in evidence.books.instructions:
        signed = row.amount if row.kind == "payment" else -row.amount
        ledger[row.claim_id, row.scheme_id, row.payee_id] += signed
    for line in sorted(topic.keys() | ledger.keys() | evidence.owed.keys()):
        sums = (topic[line], ledger[line], evidence.owed.get(line, 0))
        if len(set(sums)) > 1:
            yield f"{line}: fen in the topic, instructed, owed: {sums}"


def nobody_waits(evidence: Evidence) -> Iterator[str]:
    """No claim waits for those of others with whom its person shares a household, and no pool for its step."""
    if evidence.books.undecided:
        yield f"{evidence.books.undecided} rows of work for group steps are left"
    if evidence.books.unserved:
        yield f"{evidence.books.unserved} rows of work for steps of pools are left"


def caps_of_households_hold(evidence: Evidence) -> Iterator[str]:
    """No household has more from a scheme in a year than its cap, by the unit to which each claim was counted."""
    yield from over_the_caps(evidence.books.paid, evidence.books.policies)


def fen(yuan: object) -> int:
    """A sum of the wire, exactly."""
    amount = Decimal(str(yuan)) * 100
    if amount != int(amount):
        raise ValueError(f"{yuan} is no whole number of fen")
    return int(amount)


def _picture(claim: dict[str, Any]) -> dict[str, Any]:
    benefits = [{name: benefit.get(name) for name in BENEFIT} for benefit in _benefits(claim)]
    return {name: claim[name] for name in DECIDED} | {"benefits": benefits}


def _benefits(claim: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = claim["benefits"]
    return found
