"""The oracle of watches: whose bills of some months together went over a step (time.md, section 4).

For each claim the whole window is summed again. It shares no code with the program it checks.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from .alerts import DECIDED, take
from .calculator import ZERO, Claim, adjudicate, claims_of, holds, yuan_text
from .grace import months_after

Unit = tuple[str, str]


@dataclass(frozen=True)
class Watched:
    """A claim that counts, with what was printed of it."""

    claim: Claim
    patient_pays: Fraction

    @property
    def order(self) -> tuple[date, str]:
        return self.claim.discharged_on, self.claim.id

    def amount(self, measure: str) -> Fraction:
        return {
            "copay": self.claim.copay,
            "out_of_catalogue": self.claim.out_of_catalogue,
            "personal_burden": self.claim.copay + self.claim.out_of_catalogue,
            "patient_pays": self.patient_pays,
        }[measure]

    def unit(self, kind: str) -> Unit:
        """Whom a watch counts the claim with: its household on the day of discharge, or the person alone."""
        return self.claim.unit if kind == "household" else ("person", self.claim.person_id)


def crossings(
    watches_text: str, policy_texts: list[str], lines: list[bytes]
) -> tuple[list[dict[str, str]], list[dict[str, object]]]:
    """What `huzhu watch` prints, and the refusals as `adjudicate` gives them."""
    claims, refusals = watched(policy_texts, lines)
    document = tomllib.loads(watches_text)
    head = document["watches"]
    found = []
    for watch in sorted(document["watch"], key=lambda watch: str(watch["id"])):
        for claim in sorted(claims, key=lambda each: each.claim.id):
            if is_in_force(head, claim.claim.discharged_on) and may_cross(watch, claim.claim):
                found += crossed(watch, claim, claims)
    return found, refusals


def watched(policy_texts: list[str], lines: list[bytes]) -> tuple[list[Watched], list[dict[str, object]]]:
    """The stays that are adjudicated or not covered."""
    printed, refusals = adjudicate(policy_texts, lines)
    by_id = {str(each["claim_id"]): each for each in printed if each["status"] in DECIDED}
    claims = [claim for claim in claims_of(take(lines)[0]) if claim.id in by_id and claim.trigger == "stay"]
    return [Watched(claim, Fraction(str(by_id[claim.id]["patient_pays"]))) for claim in claims], refusals


def is_in_force(head: dict[str, Any], day: date) -> bool:
    starts, ends = head.get("effective_from"), head.get("effective_to")
    return (starts is None or starts <= day) and (ends is None or day < ends)


def may_cross(watch: dict[str, Any], claim: Claim) -> bool:
    """Whether the person has a coverage, of any programme, of one of the watch's categories on the day of discharge."""
    return "categories" not in watch or any(
        coverage.text("category") in watch["categories"]
        for coverage in claim.coverages
        if not coverage.is_void and holds(coverage, claim.discharged_on)
    )


def crossed(watch: dict[str, Any], claim: Watched, claims: Sequence[Watched]) -> list[dict[str, str]]:
    """The steps that a claim crosses, the smallest first."""
    unit = claim.unit(watch["unit"])
    of_unit = [other for other in claims if other.unit(watch["unit"]) == unit]
    earlier = [other for other in of_unit if other.order < claim.order]
    before = sum_at(watch, max(earlier, key=lambda each: each.order), of_unit) if earlier else ZERO
    now = sum_at(watch, claim, of_unit)
    return [
        {
            "watch": str(watch["id"]),
            "claim_id": claim.claim.id,
            "person_id": claim.claim.person_id,
            "unit": unit[1],
            "step": yuan_text(step),
            "sum": yuan_text(now),
        }
        for step in sorted(Fraction(step) for step in watch["steps"])
        if before <= step < now
    ]


def sum_at(watch: dict[str, Any], claim: Watched, of_unit: Sequence[Watched]) -> Fraction:
    """The unit's amounts after the day that lies the window before the claim's, up to the claim in canonical order."""
    start = months_after(claim.claim.discharged_on, -watch["window_months"])
    return sum(
        (
            other.amount(watch["measure"])
            for other in of_unit
            if other.order <= claim.order and other.claim.discharged_on.timetuple()[:3] > start
        ),
        ZERO,
    )
