"""Laws of the oracle of aids, incidents and sums assured, on random cases."""

import random
from collections import Counter
from fractions import Fraction

from .builders import results
from .calculator import Ledger, RefusalError, adjudicate, read_event
from .occasion_cases import random_occasion_case

CASES = 120


def accepted(lines: list[bytes]) -> list[bytes]:
    ledger, kept = Ledger(), []
    for line in lines:
        try:
            if ledger.consider(read_event(line)) == "accepted":
                kept.append(line)
        except RefusalError:
            continue
    return kept


def test_the_order_and_repetition_of_accepted_facts_change_nothing() -> None:
    for seed in range(CASES):
        case = random_occasion_case(seed)
        facts = accepted(case.lines)
        expected, _ = adjudicate(case.policy_texts, case.lines)
        shuffled = facts + facts[::3]
        random.Random(seed).shuffle(shuffled)
        assert (expected, []) == adjudicate(case.policy_texts, shuffled), f"seed {seed}"


def test_the_patient_pays_what_brackets_leave_of_the_burden() -> None:
    """Never less than nothing; sums assured may add up to more than the burden."""
    more = 0
    for seed in range(CASES):
        case = random_occasion_case(seed)
        for claim in adjudicate(case.policy_texts, case.lines)[0]:
            total, burden, pays = (
                Fraction(str(claim[name])) for name in ("total_benefit", "personal_burden", "patient_pays")
            )
            assert total == sum(Fraction(str(benefit)) for _, benefit, _ in results(claim)), f"seed {seed}"
            assert 0 <= pays <= burden, f"seed {seed}"
            assert total >= burden - pays, f"seed {seed}"
            more += total > burden
    assert more > 10


def test_random_cases_meet_every_status_reason_and_code() -> None:
    """Of each occasion that may have it: a comparison cannot pass by never meeting it."""
    met: Counter[str] = Counter()
    for seed in range(300):
        case = random_occasion_case(seed)
        claims, refusals = adjudicate(case.policy_texts, case.lines)
        met.update(str(refusal["code"]) for refusal in refusals)
        for claim in claims:
            kind = str(claim["claim_id"]).split(":")[0] if ":" in str(claim["claim_id"]) else "stay"
            met[f"{kind} {claim['status']}"] += 1
            met.update(f"{kind} {reason or 'paid'}" for _, _, reason in results(claim))
    statuses = {kind: {"voided", "after_death", "no_policy", "adjudicated"} for kind in ("stay", "incident", "aid")}
    statuses["stay"] |= {"not_covered"}
    statuses["incident"] |= {"not_covered"}
    limits = {"NOT_IN_SCOPE", "CAP_REACHED", "paid"}
    reasons = {
        "stay": limits | {"NO_TIER", "WAITING_PERIOD", "NOTHING_DUE", "NOTHING_LEFT", "ALREADY_PAID", "BELOW_FLOOR"},
        "incident": limits | {"NO_TIER", "WAITING_PERIOD", "NOTHING_DUE", "ALREADY_PAID", "BELOW_FLOOR"},
        "aid": limits,
    }
    wanted = {f"{kind} {word}" for table in (statuses, reasons) for kind, words in table.items() for word in words}
    wanted |= {"SCHEMA_INVALID", "NEGATIVE_AMOUNT", "VERSION_CONFLICT", "PERSON_MISMATCH"}
    assert {} == {name: met[name] for name in wanted if met[name] == 0}
