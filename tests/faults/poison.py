"""Claims (300 in the long form) whose decisive event is refused at first, each with the event that puts it right.

Every person is covered and was discharged; the last event that the claim waits for comes spoiled, in one of the ways
that the contract names. Put right, each claim is owed 600.00 yuan: 60 % of 1,000.00 outside the catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from infra.population import spoiling
from infra.population.wire import Event
from tests.faults.events import Posting, address
from tests.support.length import times

CLAIMS = times(30, 300)
DUE_FEN = 60_000
CODES = (
    "MALFORMED_JSON",
    "TOMBSTONE",
    "SCHEMA_INVALID",
    "UNKNOWN_EVENT_TYPE",
    "UNSUPPORTED_CURRENCY",
    "TOO_LARGE",
    "KEY_MISMATCH",
    "NEGATIVE_AMOUNT",
    "AMOUNTS_DO_NOT_BALANCE",
    "DATES_OUT_OF_ORDER",
    "FUTURE_DATED",
    "VERSION_CONFLICT",
    "PERSON_MISMATCH",
)
"""The codes in turn; a tombstone (a message without a value) is refused as MALFORMED_JSON."""


class Case(NamedTuple):
    """A claim: what is accepted before, the message that is refused, why, and the event that puts it right."""

    claim_id: str
    before: tuple[Posting, ...]
    refused: Posting
    code: str
    corrected: bytes


def cases(seed: int) -> Iterator[Case]:
    """All cases; the same seed gives the same bytes."""
    rng = Random(f"{seed}:poison")
    for number in range(CLAIMS):
        yield _case(rng, number, CODES[number % len(CODES)])


def _case(rng: Random, number: int, code: str) -> Case:
    person_id, claim_id = f"P-poison-{number}", f"E-poison-{number}"
    coverage = _event(
        "coverage.recorded", number, coverage_id=f"C-poison-{number}", person_id=person_id,
        programme="self_pay_assistance", category="ordinary", valid_from="2024-01-01",
    )  # fmt: skip
    discharge = _event(
        "encounter.discharged", number, encounter_id=claim_id, person_id=person_id, facility_id="F-1",
        facility_level="city", care_type="inpatient", admitted_on="2025-03-01", discharged_on="2025-03-10",
        diagnoses=["I63"],
    )  # fmt: skip
    bill = _event(
        "settlement.posted", number, settlement_id=f"S-poison-{number}", encounter_id=claim_id, person_id=person_id,
        facility_id="F-1", settled_at="2025-03-10T10:00:00+08:00", final=True, currency="CNY", total_charge="5000.00",
        basic_insurance_paid="3000.00", serious_illness_paid="0.00", medical_assistance_paid="0.00",
        other_fund_paid="0.00", copay="1000.00", out_of_catalogue="1000.00",
    )  # fmt: skip
    if code == "DATES_OUT_OF_ORDER":  # a bill's dates cannot be out of order
        before, good = (coverage, bill), discharge
    else:
        before, good = (coverage, discharge), bill
    if code == "VERSION_CONFLICT":
        cheaper = {**bill, "total_charge": "4900.00", "out_of_catalogue": "900.00"}
        return Case(claim_id, tuple(map(_post, (*before, cheaper))), _post(bill), code, _line({**bill, "version": 2}))
    refused = _spoiled(rng, code, dict(good), number)
    said = "MALFORMED_JSON" if code == "TOMBSTONE" else code
    return Case(claim_id, tuple(map(_post, before)), refused, said, _line(good))


def _spoiled(rng: Random, code: str, event: Event, number: int) -> Posting:
    good = _post(event)
    match code:
        case "TOMBSTONE":
            return good._replace(value=None)
        case "KEY_MISMATCH":
            return good._replace(key=b"P-somebody-else")
        case "TOO_LARGE":
            return good._replace(value=spoiling.too_large(event))
        case "PERSON_MISMATCH":
            return _post({**event, "person_id": f"P-stranger-{number}"})
    recipe = {
        "MALFORMED_JSON": spoiling.malformed,
        "SCHEMA_INVALID": spoiling.out_of_schema,
        "UNKNOWN_EVENT_TYPE": spoiling.unknown_type,
        "UNSUPPORTED_CURRENCY": spoiling.foreign_currency,
        "NEGATIVE_AMOUNT": spoiling.negative_amount,
        "AMOUNTS_DO_NOT_BALANCE": spoiling.unbalanced,
        "DATES_OUT_OF_ORDER": spoiling.dates_out_of_order,
        "FUTURE_DATED": spoiling.future_dated,
    }[code]
    value = recipe(rng, event)
    assert value is not None, code
    return address(value)


def _event(event_type: str, number: int, **fields: str | int | bool | list[str]) -> Event:
    return {
        "event_type": event_type,
        "event_id": f"ev-poison-{event_type}-{number}",
        "occurred_at": "2025-03-11T09:00:00+08:00",
        "source": "poison",
        "version": 1,
        **fields,
    }


def _post(event: Event) -> Posting:
    return address(_line(event))


def _line(event: Event) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()
