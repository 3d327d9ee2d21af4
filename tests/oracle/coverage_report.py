"""Counts, over many seeds, how often each status, reason and refusal code occurs in the random cases.

    python -m tests.oracle.coverage_report [SEEDS]

Exits 1 when one of them is rare, so that a comparison on these cases cannot pass by never meeting it.
"""

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from .calculator import adjudicate
from .cases import random_case

RARE = 0.002

STATUSES = ("voided", "incomplete", "after_death", "no_policy", "not_covered", "adjudicated")
REASONS = (
    "NOT_IN_SCOPE",
    "NO_COVERAGE",
    "WAITING_PERIOD",
    "NO_TIER",
    "FILED_LATE",
    "UNDER_THRESHOLD",
    "NOTHING_DUE",
    "NOTHING_LEFT",
    "CAP_REACHED",
    "BELOW_FLOOR",
    "paid",
)
CODES = (
    "MALFORMED_JSON",
    "SCHEMA_INVALID",
    "UNKNOWN_EVENT_TYPE",
    "UNSUPPORTED_CURRENCY",
    "TOO_LARGE",
    "NEGATIVE_AMOUNT",
    "AMOUNTS_DO_NOT_BALANCE",
    "DATES_OUT_OF_ORDER",
    "FUTURE_DATED",
    "VERSION_CONFLICT",
    "PERSON_MISMATCH",
)


def count(seeds: range) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """How often each status, reason (or "paid") and refusal code occurs."""
    statuses: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for seed in seeds:
        case = random_case(seed)
        claims, refusals = adjudicate(case.policy_texts, case.lines)
        codes.update(str(refusal["code"]) for refusal in refusals)
        for claim in claims:
            statuses[str(claim["status"])] += 1
            benefits = claim["benefits"]
            assert isinstance(benefits, list)
            if claim["status"] == "adjudicated":
                reasons.update(str(benefit.get("reason", "paid")) for benefit in benefits)
    return statuses, reasons, codes


def print_counts(title: str, expected: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    """Print a table and give back the names that are rare in it."""
    total = sum(counts.values())
    print(f"{title} ({total})")
    for name in expected:
        print(f"  {name:<24}{counts.get(name, 0):>8}{counts.get(name, 0) / max(total, 1):>9.2%}")
    return [name for name in expected if counts.get(name, 0) < RARE * total or counts.get(name, 0) == 0]


def main(arguments: Sequence[str]) -> int:
    """Print the three tables; 1 when something is rare."""
    seeds = range(int(arguments[0]) if arguments else 1000)
    started = time.perf_counter()
    statuses, reasons, codes = count(seeds)
    elapsed = time.perf_counter() - started
    rare = print_counts("statuses of claims", STATUSES, statuses)
    rare += print_counts("scheme results on adjudicated claims", REASONS, reasons)
    rare += print_counts("refusals", CODES, codes)
    print(f"{len(seeds)} cases in {elapsed:.1f} s; rare: {', '.join(rare) or 'none'}")
    return 1 if rare else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
