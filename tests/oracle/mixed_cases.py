"""Random cases in which all that time.md adds meets: aids, incidents, grace, checks, shared invoices and watches."""

import re
from datetime import date
from random import Random

from .cases import Case
from .flag_cases import changed, with_checks
from .grace_cases import ended, with_grace
from .occasion_cases import random_occasion_case
from .watch_cases import watches_for

DATED = re.compile(r'"(?:discharged_on|occurred_on|decided_on)": "(\d{4}-\d{2}-\d{2})"')


def random_mixed_case(seed: int) -> tuple[Case, str]:
    """The case of a seed, and watches over it."""
    case = random_occasion_case(seed)
    rng = Random(f"mixed {seed}")
    days = sorted({date.fromisoformat(day) for line in case.lines for day in DATED.findall(line.decode())})
    schemes = sorted(set(re.findall(r'^id = "([a-g])"$', "\n".join(case.policy_texts), re.MULTILINE)))
    mixed = Case(
        seed,
        [with_checks(rng, with_grace(rng, text)) for text in case.policy_texts],
        [changed(ended(line, seed, days), seed, [*schemes, "z"]) for line in case.lines],
    )
    return mixed, watches_for(rng, mixed)
