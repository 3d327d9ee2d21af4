"""The sample policy's two schemes on plain dictionaries, as somebody writes them for one policy and one program.

What Faust's and quixstreams' peers share, and the model of the Java peer. Standard library only, as quixstreams has
an environment of its own. No validation, no refusals, no explanation, no audit: only what moves money. A state is
JSON: the newest version of each of a person's facts, and what was instructed so far.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

State = dict[str, Any]
Event = dict[str, Any]

VILLAGE, SELF_PAY = "village_mutual_aid", "self_pay_assistance"
VILLAGE_OVER, VILLAGE_CAP, SELF_PAY_YEAR_CAP = 200_000, 1_000_000, 10_000_000  # fen
SPECIFIC = {
    *("dibao", "tekun", "orphan", "severe_disability", "key_entitled_group", "dibao_edge"),
    *("special_hardship_worker", "serious_illness_hardship"),
}


def new_state() -> State:
    return {"discharges": {}, "bills": {}, "coverages": {}, "died": None, "paid": {}}


def decode(value: bytes) -> Event:
    """An event; an amount that is a JSON number is kept as its literal."""
    event: Event = json.loads(value, parse_float=str)
    return event


def take(state: State, event: Event) -> list[Event]:
    """Moves a person's state over one event, and returns the instructions that follow from it."""
    if not _apply(state, event):
        return []
    instructions = []
    for claim_id, dues in _dues(state).items():
        for scheme_id, due in dues.items():
            paid, revision = state["paid"].get(f"{claim_id}|{scheme_id}", (0, 0))
            if due != paid:
                state["paid"][f"{claim_id}|{scheme_id}"] = (due, revision + 1)
                instructions.append(
                    {
                        "event_type": "payout.instructed",
                        "payout_id": f"{claim_id}/{scheme_id}/{revision + 1}",
                        "claim_id": claim_id,
                        "person_id": event["person_id"],
                        "scheme_id": scheme_id,
                        "kind": "payment" if due > paid else "recovery",
                        "amount": str(Decimal(abs(due - paid)).scaleb(-2)),
                        "revision": revision + 1,
                    }
                )
    return instructions


def _apply(state: State, event: Event) -> bool:
    """Whether the event is newer than what was known."""
    kind, version = event["event_type"], event["version"]
    if kind == "encounter.discharged":
        days = (event["admitted_on"], event["discharged_on"])
        return _keep(state["discharges"], event["encounter_id"], [version, *days, event["care_type"] == "inpatient"])
    if kind == "settlement.posted":
        amounts = [_fen(event["copay"]), _fen(event["out_of_catalogue"])]
        return _bill(state, event, [version, True, event["final"], *amounts])
    if kind == "settlement.voided":
        return _bill(state, event, [version, False, False, 0, 0])
    if kind == "coverage.recorded":
        what = [event["programme"], event["category"], event["valid_from"], event.get("valid_to")]
        return _keep(state["coverages"], event["coverage_id"], [version, *what])
    if kind == "coverage.voided":
        return _keep(state["coverages"], event["coverage_id"], [version, None, None, None, None])
    if state["died"] is None or state["died"][0] < version:
        state["died"] = [version, event["died_on"]]
        return True
    return False


def _bill(state: State, event: Event, row: list[Any]) -> bool:
    return _keep(state["bills"].setdefault(event["encounter_id"], {}), event["settlement_id"], row)


def _keep(held: dict[str, list[Any]], name: str, row: list[Any]) -> bool:
    if name in held and held[name][0] >= row[0]:
        return False
    held[name] = row
    return True


def _dues(state: State) -> dict[str, dict[str, int]]:
    """What is due for every claim of the person, by scheme, in fen."""
    dues = {claim_id: {VILLAGE: 0, SELF_PAY: 0} for claim_id in state["bills"].keys() | state["discharges"].keys()}
    years: dict[str, list[int]] = {}
    died = state["died"][1] if state["died"] else None
    for claim_id, discharge in sorted(state["discharges"].items(), key=lambda item: (item[1][2], item[0])):
        _, admitted, discharged, inpatient = discharge
        live = [bill for bill in state["bills"].get(claim_id, {}).values() if bill[1]]
        if not any(bill[2] for bill in live) or (died is not None and admitted > died):
            continue
        categories = {
            (programme, category)
            for _, programme, category, since, until in state["coverages"].values()
            if programme is not None and since <= discharged and (until is None or discharged < until)
        }
        copay = sum(bill[3] for bill in live)
        if inpatient and (VILLAGE, "member") in categories and copay > VILLAGE_OVER:
            dues[claim_id][VILLAGE] = min(_percent(30, copay - VILLAGE_OVER), VILLAGE_CAP)
        rate = _rate({category for programme, category in categories if programme == SELF_PAY})
        if rate:
            outside = sum(bill[4] for bill in live)
            year = years.setdefault(discharged[:4], [0, 0])
            due = _percent(rate, year[0] + outside) - _percent(rate, year[0])
            due = min(due, outside, SELF_PAY_YEAR_CAP - year[1])
            year[0] += outside
            year[1] += due
            dues[claim_id][SELF_PAY] = due
    return dues


def _rate(categories: set[str]) -> int:
    if categories & SPECIFIC:
        return 80
    return 60 if "ordinary" in categories else 50 if "special" in categories else 0


def _percent(rate: int, fen: int) -> int:
    return (2 * rate * fen + 100) // 200  # half-up


def _fen(yuan: str | int) -> int:
    return int(Decimal(yuan).scaleb(2))
