"""The oracle of what a claim is flagged with: its alerts, and whether its payments are held (time.md, section 2)."""

import json
import tomllib
from collections.abc import Mapping, Sequence

from .calculator import Claim, Event, Ledger, RefusalError, adjudicate, claims_of, read_event, read_policies
from .payees import Json
from .payees import alerts as alerts_of_advances

DECIDED = ("adjudicated", "not_covered")


def flagged(policy_texts: list[str], lines: list[bytes]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """What `adjudicate` gives, each claim with `alerts` and `held` where they apply."""
    claims, refusals = adjudicate(policy_texts, lines)
    flags = flags_of(claims, policy_texts, lines)
    return [claim | flags[str(claim["claim_id"])] for claim in claims], refusals


def flags_of(decisions: Sequence[Json], policy_texts: list[str], lines: list[bytes]) -> dict[str, dict[str, object]]:
    """By claim id its `alerts`, sorted, and `held`; a member that does not apply is left out."""
    ledger, accepted = take(lines)
    claims = claims_of(ledger)
    printed = {str(decision["claim_id"]): decision for decision in decisions}
    flags: dict[str, dict[str, object]] = {}
    for claim in claims:
        codes, held = set(alerts_of(claim, printed[claim.id], accepted)), False
        for code, check in CHECKS.items():
            follows = what_follows(claim, check, policy_texts)
            if follows != "off" and DOUBLES[code](claim, claims):
                codes.add(code)
                held = held or follows == "hold"
        flags[claim.id] = {}
        if codes:
            flags[claim.id]["alerts"] = sorted(codes)
        if held:
            flags[claim.id]["held"] = True
    return flags


def take(lines: Sequence[bytes]) -> tuple[Ledger, list[Json]]:
    """The accepted facts, and the same as plain JSON."""
    ledger, accepted = Ledger(), []
    for line in lines:
        try:
            if line.strip() and ledger.consider(read_event(line)) == "accepted":
                accepted.append(json.loads(line))
        except RefusalError:
            continue
    return ledger, accepted


def alerts_of(claim: Claim, decision: Mapping[str, object], accepted: Sequence[Json]) -> set[str]:
    """The alerts that no policy turns off."""
    if decision["status"] == "after_death":
        return {"AFTER_DEATH"}
    if decision["status"] not in DECIDED:
        return set()
    codes = {code for code, _ in alerts_of_advances(accepted, decision).values()}
    return codes | ({"MEMBERSHIPS_OVERLAP"} if len(claim.memberships_held) > 1 else set())


# A claim twice ------------------------------------------------------------------------------------------------------

CHECKS = {"DUPLICATE_INVOICE": "duplicate_invoice", "OVERLAPPING_STAYS": "overlapping_stays"}


def what_follows(claim: Claim, check: str, policy_texts: Sequence[str]) -> str:
    """`off`, `alert` or `hold`, as the policy in force on the claim's own day says."""
    if claim.discharge is None:  # without a day, or an aid or incident, which is no stay and has no invoice
        return "alert"
    for policy, text in zip(read_policies(policy_texts), policy_texts, strict=True):
        if policy.in_force(claim.discharged_on):
            return str(tomllib.loads(text).get("checks", {}).get(check, "alert"))
    return "alert"


def shares_an_invoice(claim: Claim, claims: Sequence[Claim]) -> bool:
    """Whether a live bill of another claim, of whatever person and facility, has the number of one of its own."""
    return any(invoices(claim) & invoices(other) for other in claims if other.id != claim.id)


def invoices(claim: Claim) -> set[str]:
    """The invoice numbers of the claim's live bills; an empty one is none."""
    return {bill.text("invoice_no") for bill in claim.live if bill.has("invoice_no")} - {""}


def overlaps_a_stay(claim: Claim, claims: Sequence[Claim]) -> bool:
    """Whether the person was in hospital twice in one night; a day case and a transfer share none."""
    return any(
        stay(claim) is not None
        and stay(other) is not None
        and other.id != claim.id
        and other.person_id == claim.person_id
        and max(claim.admitted_on, other.admitted_on) < min(claim.discharged_on, other.discharged_on)
        for other in claims
    )


def stay(claim: Claim) -> Event | None:
    """The discharge of an inpatient, unless all bills of the claim are voided."""
    if claim.discharge is None or claim.discharge.text("care_type") != "inpatient":
        return None
    return None if claim.settlements and not claim.live else claim.discharge


DOUBLES = {"DUPLICATE_INVOICE": shares_an_invoice, "OVERLAPPING_STAYS": overlaps_a_stay}
