"""The events of the people whom the demo adds to its population."""

from __future__ import annotations

from schemas.canonical import canonical_json

PAID_BY_OTHERS = ("basic_insurance_paid", "serious_illness_paid", "medical_assistance_paid", "other_fund_paid")


def stay(person_id: str, admitted_on: str, discharged_on: str, copay: str, **more: str) -> list[bytes]:
    """A stay in hospital, and its bill with ``more`` fields: the copay (yuan) is all that it charges."""
    where = {"encounter_id": f"E-{person_id}", "version": 1, "facility_id": "H-demo"}
    days = {"admitted_on": admitted_on, "discharged_on": discharged_on}
    kind = {"facility_level": "county", "care_type": "inpatient", "diagnoses": ["J18.9"]}
    amounts = {**dict.fromkeys(PAID_BY_OTHERS, "0.00"), "copay": copay, "out_of_catalogue": "0.00"}
    bill = {"settlement_id": f"S-{person_id}", "settled_at": f"{discharged_on}T10:00:00+08:00", "final": True}
    whose = {**where, "person_id": person_id}
    return [
        event("encounter.discharged", discharged_on, **whose, **days, **kind),
        event(
            "settlement.posted", discharged_on, **whose, **bill, **amounts, total_charge=copay, currency="CNY", **more
        ),
    ]


def event(event_type: str, day: str, **fields: object) -> bytes:
    """An event that was sent at noon of a day."""
    about = fields.get("contribution_id") or fields.get("person_id") or fields.get("pool_id")
    stamp = {"event_id": f"{event_type}-{about}", "occurred_at": f"{day}T12:00:00+08:00", "source": "demo"}
    return canonical_json({"event_type": event_type, **stamp, **fields})
