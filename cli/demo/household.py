"""The demo's household: two members share one yearly cap, and the second one gets what the first one left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cli.demo.demo_events import event, stay
from cli.terminal.output import out
from handlers.words.claim_sentences import yuan
from schemas.decisions import StepKind
from schemas.money import parse_yuan

HOUSEHOLD, SCHEME = "demo-household", "household_aid"
FIRST, SECOND = "demo-member-1", "demo-member-2"
STAYS = {FIRST: ("2026-01-05", "2026-01-12", "9000.00"), SECOND: ("2026-01-14", "2026-01-20", "4200.00")}
"""When each was admitted and discharged, and the copay of the bill (yuan)."""


def home() -> list[bytes]:
    """Both belong to the household and are covered; the first one has been in hospital."""
    registered = [event for person_id in STAYS for event in _registered(person_id)]
    return [*registered, *stay(FIRST, *STAYS[FIRST])]


def second_stay() -> list[bytes]:
    """The other one is in hospital as well, in the same year."""
    return stay(SECOND, *STAYS[SECOND])


def show_household(decisions: Path) -> None:
    """Prints what each of the two gets, and the sentence that the second one reads."""
    newest: dict[str, dict[str, Any]] = {}
    with decisions.open("rb") as file:
        for decision in map(json.loads, file):
            if decision["person_id"] in STAYS:
                newest[decision["person_id"]] = decision
    paid = {person_id: yuan(parse_yuan(newest[person_id]["total_benefit"])) for person_id in STAYS}
    (step,) = (each for each in newest[SECOND]["explanation"] if each["step"] == StepKind.CAP_PER_HOUSEHOLD_YEAR)
    out.print(
        f"two of one household share its yearly cap: the first gets {paid[FIRST]}, the second {paid[SECOND]} yuan\n"
        f"一户两人共用全户年度上限:先住院的补 {paid[FIRST]} 元,后住院的补 {paid[SECOND]} 元"
    )
    out.print(f"  {step['zh']}\n  {step['en']}")


def _registered(person_id: str) -> list[bytes]:
    since = {"version": 1, "valid_from": "2026-01-01"}
    covered = {"coverage_id": f"C-{person_id}", "programme": SCHEME, "category": "member"}
    member = {"membership_id": f"M-{person_id}", "household_id": HOUSEHOLD, "unit": "household"}
    return [
        event("membership.recorded", "2026-01-02", person_id=person_id, **since, **member),
        event("coverage.recorded", "2026-01-02", person_id=person_id, **since, **covered),
    ]
