"""Random cases of grace: those of cases.py, in which coverages end, for many a reason, and most schemes have grace."""

import json
import re
from datetime import date, timedelta
from random import Random

from .cases import Case, random_case, random_household_years, random_person_years

REASONS = ("income", "assets", "employment", "moved", "death", "fraud", "request")
NO_REASONS = ("Income", "illness", "", 7)
MONTHS = (1, 1, 2, 2, 3, 6, 6, 12, 13, 24)


def random_grace_case(seed: int) -> Case:
    """The case of a seed; every third is noisy."""
    kinds = (random_person_years, random_household_years, random_case)
    case = kinds[seed % len(kinds)](seed)
    rng = Random(f"grace {seed}")
    ends = [
        date.fromisoformat(day) for line in case.lines for day in DISCHARGED.findall(line.decode("utf-8", "ignore"))
    ]
    return Case(
        seed,
        [with_grace(rng, text) for text in case.policy_texts],
        [ended(line, seed, sorted(set(ends))) for line in case.lines],
    )


DISCHARGED = re.compile(r'"discharged_on"\s*:\s*"([0-9]{4}-(?:0[1-9]|1[0-2])-(?:[01][0-9]|2[0-8]))"')


def with_grace(rng: Random, text: str) -> str:
    """The policy with grace in most of its schemes."""
    lines = []
    for line in text.split("\n"):
        lines.append(line)
        if line.startswith("programme = ") and rng.random() < 0.7:
            lines.append(f"grace_months = {rng.choice(MONTHS)}")
            if rng.random() < 0.4:
                listed = rng.sample(REASONS, rng.choice((1, 2, 3, 5, 7)))
                lines.append(f"grace_reasons = {json.dumps(listed)}")
    return "\n".join(lines)


def ended(line: bytes, seed: int, days: list[date]) -> bytes:
    """A coverage, most often ended some months before a discharge, or a day beside that; another line as it is.

    What becomes of a coverage follows from its id and version, so that it said twice is still said twice.
    """
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(event, dict) or event.get("event_type") != "coverage.recorded":
        return line
    rng = Random(f"{seed} {event.get('coverage_id')} {event.get('version')}")
    if days and rng.random() < 0.6:
        months = rng.choice(MONTHS)
        day = rng.choice(days)
        year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
        valid_to = date(year, month + 1, min(day.day, 28)) + timedelta(days=rng.choice((-1, 0, 0, 1, 1, 2, 3)))
        if str(event.get("valid_from")) < valid_to.isoformat():
            event["valid_to"] = valid_to.isoformat()
    if rng.random() < 0.7:
        event["ended_reason"] = rng.choice(REASONS if rng.random() < 0.97 else NO_REASONS)
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")
