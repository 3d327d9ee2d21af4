"""Random cases of alerts and held claims: those of cases.py with shared invoices, longer stays, advances and checks."""

import json
import tomllib
from datetime import date, timedelta
from random import Random
from typing import Any

from .cases import Case, random_case, random_household_case, random_household_years, random_person_years
from .payees import fen

INVOICES = ("A1", "A2", "a1", "A1 ", "0A1", "发票1", "A3", "A4", "A5", "A6")


def random_flag_case(seed: int) -> Case:
    """The case of a seed; every second is noisy."""
    kinds = (random_person_years, random_household_case, random_household_years, random_case)
    case = kinds[seed % len(kinds)](seed)
    rng = Random(f"flags {seed}")
    schemes = sorted({scheme["id"] for text in case.policy_texts for scheme in tomllib.loads(text)["scheme"]})
    return Case(
        seed,
        [with_checks(rng, text) for text in case.policy_texts],
        [changed(line, seed, [*schemes, "z"]) for line in case.lines],
    )


def with_checks(rng: Random, text: str) -> str:
    """The policy, most often with checks, of which it may name one alone."""
    names = rng.choice(((), ("duplicate_invoice",), ("overlapping_stays",), ("duplicate_invoice", "overlapping_stays")))
    table = "".join(f'{name} = "{rng.choice(("off", "alert", "hold", "hold"))}"\n' for name in names)
    return text.replace("[[scheme]]", f"[checks]\n{table}\n[[scheme]]", 1) if names else text


def changed(line: bytes, seed: int, schemes: list[str]) -> bytes:
    """A bill or a discharge with something added that follows from its id and version; another line as it is."""
    try:
        event: Any = json.loads(line)
        kind = event.get("event_type")
        rng = Random(f"{seed} {event.get('encounter_id')} {event.get('settlement_id')} {event.get('version')}")
        if kind == "settlement.posted":
            add_to_bill(rng, event, schemes)
        elif kind == "encounter.discharged":
            lengthen(rng, event)
        else:
            return line
    except (ValueError, ArithmeticError, AttributeError, KeyError, AssertionError, TypeError, RecursionError):
        return line  # it is wrong already
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")


def add_to_bill(rng: Random, event: dict[str, Any], schemes: list[str]) -> None:
    """An invoice number that others may have, and what the hospital took off, at most the burden."""
    if rng.random() < 0.3:
        event["invoice_no"] = rng.choice(INVOICES)
    left = fen(event["copay"]) + fen(event["out_of_catalogue"])
    listed = []
    for scheme_id in rng.sample(schemes, min(len(schemes), rng.choice((0, 0, 0, 1, 2)))):
        amount = min(left, rng.choice((1, 100, left, left // 2, left // 3 + 1)))
        if amount > 0:
            left -= amount
            listed.append({"scheme_id": scheme_id, "amount": f"{amount // 100}.{amount % 100:02d}"})
    if listed:
        event["advances"] = listed


def lengthen(rng: Random, event: dict[str, Any]) -> None:
    """Admitted earlier, so that the stay may reach into another."""
    if rng.random() < 0.25:
        admitted_on = date.fromisoformat(event["admitted_on"]) - timedelta(days=rng.choice((1, 2, 30, 60, 185)))
        event["admitted_on"] = admitted_on.isoformat()
