"""The oracle of advances: who gets what of each benefit, worked out a second time from payers.md, section 1, alone.

It takes the accepted events of any persons as JSON objects, their versions in any order, and a decision as
`huzhu adjudicate` prints it. It shares no code with the program it checks. Money is whole fen inside, text outside.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .calculator import instant_of

Json = Mapping[str, Any]

WITH_A_POLICY = ("adjudicated", "not_covered")


def payees(events: Iterable[Json], decision: Json) -> list[dict[str, str]]:
    """The decision's `payees`: for each scheme in its order the facilities that are paid back, then person or estate.

    A facility is listed once for a scheme, where it is first paid; nobody is listed with nothing.
    """
    events = list(events)
    rest_goes_to = "estate" if has_died(events, decision["person_id"]) else "person"
    lines = []
    for scheme_id, due in dues(decision).items():
        left = due
        facilities: dict[str, int] = {}
        for facility_id, advance in advanced_for(scheme_id, events, decision["claim_id"]):
            part = min(advance, left)
            left -= part
            facilities[facility_id] = facilities.get(facility_id, 0) + part
        for facility_id, amount in facilities.items():
            if amount > 0:
                payee = {"payee": "facility", "payee_id": facility_id}
                lines.append({"scheme_id": scheme_id, **payee, "amount": text(amount)})
        if left > 0:
            lines.append({"scheme_id": scheme_id, "payee": rest_goes_to, "amount": text(left)})
    return lines


def owed_to(events: Iterable[Json], decisions: Iterable[Json]) -> dict[tuple[str, str, str], int]:
    """The fen of each (claim, scheme, payee), a facility's id or empty for person and estate; nobody with nothing."""
    of_person: dict[str, list[Json]] = {}
    for event in events:
        if "person_id" in event:  # and is no insurer's or pool's
            of_person.setdefault(event["person_id"], []).append(event)
    return {
        (decision["claim_id"], line["scheme_id"], line.get("payee_id", "")): fen(line["amount"])
        for decision in decisions
        for line in payees(of_person.get(decision["person_id"], ()), decision)
    }


def advances(events: Iterable[Json], claim_id: str) -> list[dict[str, str]]:
    """Every advance of the claim's live settlements, in their order and, within one, as it lists them."""
    return [
        {
            "scheme_id": advance["scheme_id"],
            "facility_id": settlement["facility_id"],
            "amount": text(fen(advance["amount"])),
        }
        for settlement in live_settlements(events, claim_id)
        for advance in advances_in(settlement)
    ]


def alerts(events: Iterable[Json], decision: Json) -> dict[str, tuple[str, str]]:
    """By scheme id the alert and its amount: what was advanced over what is due, or all that was for no scheme of ours.

    The schemes of the decision come first, in its order; then the unknown ones, in the order of their advances.
    """
    if decision["status"] not in WITH_A_POLICY:
        return {}
    advanced: dict[str, int] = {}
    for advance in advances(events, decision["claim_id"]):
        advanced[advance["scheme_id"]] = advanced.get(advance["scheme_id"], 0) + fen(advance["amount"])
    due = dues(decision)
    raised = {}
    for scheme_id in due:
        too_much = advanced.get(scheme_id, 0) - due[scheme_id]
        if too_much > 0:
            raised[scheme_id] = ("ADVANCE_EXCEEDS_DUE", text(too_much))
    for scheme_id, amount in advanced.items():
        if scheme_id not in due:
            raised[scheme_id] = ("ADVANCE_UNKNOWN_SCHEME", text(amount))
    return raised


def refusal(event: Json) -> str | None:
    """The code with which a bill is refused for its advances, or None. Every other rule is taken to hold."""
    if event["event_type"] != "settlement.posted":
        return None
    schemes = [advance["scheme_id"] for advance in advances_in(event)]
    amounts = [fen(advance["amount"]) for advance in advances_in(event)]
    burden = fen(event["copay"]) + fen(event["out_of_catalogue"])
    each_once = len(set(schemes)) == len(schemes)
    if each_once and all(amount > 0 for amount in amounts) and sum(amounts) <= burden:
        return None
    return "ADVANCES_EXCEED_BURDEN"


def live_settlements(events: Iterable[Json], claim_id: str) -> list[Json]:
    """The newest versions of the claim's settlements that are not voided, in the order in which they are paid back."""
    newest: dict[str, Json] = {}
    for event in events:
        if event["event_type"] not in ("settlement.posted", "settlement.voided"):
            continue
        known = newest.get(event["settlement_id"])
        if known is None or event["version"] > known["version"]:
            newest[event["settlement_id"]] = event

    def place(settlement: Json) -> tuple[Fraction, str]:
        return instant_of(settlement["settled_at"]), settlement["settlement_id"]

    live = [settlement for settlement in newest.values() if settlement["event_type"] == "settlement.posted"]
    return sorted((settlement for settlement in live if settlement["encounter_id"] == claim_id), key=place)


def advances_in(settlement: Json) -> list[Json]:
    """What one bill says was taken off; a bill may say nothing."""
    return list(settlement.get("advances") or ())


def advanced_for(scheme_id: str, events: Iterable[Json], claim_id: str) -> list[tuple[str, int]]:
    """The facilities that advanced for a scheme of a claim, with the fen, in the order in which they are paid back."""
    return [
        (advance["facility_id"], fen(advance["amount"]))
        for advance in advances(events, claim_id)
        if advance["scheme_id"] == scheme_id
    ]


def has_died(events: Iterable[Json], person_id: str) -> bool:
    return any(event["event_type"] == "person.died" and event["person_id"] == person_id for event in events)


def dues(decision: Json) -> dict[str, int]:
    """By scheme id the fen that are due, in the decision's order; nothing when it lists no benefits."""
    return {benefit["scheme_id"]: fen(benefit["benefit"]) for benefit in decision["benefits"]}


def fen(yuan: object) -> int:
    """Whole fen of an amount as JSON has it: a string, or a number (a float is taken as it is written)."""
    amount = Decimal(str(yuan)) * 100
    assert amount == int(amount), yuan
    return int(amount)


def text(amount: int) -> str:
    """Fen as yuan with exactly two decimals."""
    assert amount >= 0, amount
    return f"{amount // 100}.{amount % 100:02d}"
