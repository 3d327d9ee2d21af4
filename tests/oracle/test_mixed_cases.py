"""The random cases in which all that time.md adds meets: they are usable, and each part of it changes something."""

from collections import Counter

from .alerts import flagged
from .mixed_cases import random_mixed_case
from .watches import crossings


def test_mixed_cases_meet_all_parts() -> None:
    """Grace decides on incidents too, aids have alerts, claims are held, and watches find somebody."""
    met: Counter[str] = Counter()
    for seed in range(100):
        case, watches = random_mixed_case(seed)
        claims, refusals = flagged(case.policy_texts, case.lines)
        met["refusals"] += len(refusals)
        graceless = ["\n".join(line for line in text.split("\n") if "grace_" not in line) for text in case.policy_texts]
        others, _ = flagged(graceless, case.lines)
        for claim, other in zip(claims, others, strict=True):
            kind = str(claim["claim_id"]).split(":")[0] if ":" in str(claim["claim_id"]) else "stay"
            met[f"{kind} by grace"] += claim != other
            met[f"{kind} flagged"] += "alerts" in claim
            met["held"] += "held" in claim
        met["crossings"] += len(crossings(watches, case.policy_texts, case.lines)[0])
    wanted = (
        "stay by grace",
        "incident by grace",
        "stay flagged",
        "incident flagged",
        "aid flagged",
        "held",
        "crossings",
    )
    assert {} == {name: met[name] for name in wanted if met[name] < 5}
