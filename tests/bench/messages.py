"""The messages of the benchmarks, and what they must lead to: the oracle's benefits, to the fen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from infra.population import generate
from schemas.topics import FUNDS, address
from tests.oracle import calculator

ROOT = Path(__file__).resolve().parents[2]
POLICY = ROOT / "infra" / "samples" / "wuxi-sample.toml"

Benefits = dict[tuple[str, str], int]
"""Fen by claim and scheme; zero is left out."""


def backlog(persons: int, seed: int = 11) -> list[bytes]:
    """A population's events in order of arrival, with half again as many bills as people and nothing to refuse.

    Corrections, voids, deaths and repeats are in it: every contestant must get them right. What funds send of pools is
    not: no contestant knows it, and no policy here is paid by pools. Nor are incidents and aid: none pays for them.
    """
    city = generate(seed, persons, settlements=persons * 3 // 2, bad_share=0.0, occasions=False)
    return [line for line in city if address(line)[0] != FUNDS.name]


def settlements_in(messages: Iterable[bytes]) -> int:
    return sum(b'"settlement.' in message for message in messages)


def expected(messages: list[bytes]) -> Benefits:
    """What the oracle, which shares no code with the product or the peers, says is owed in the end."""
    claims, refused = calculator.adjudicate([POLICY.read_text("utf-8")], messages)
    assert not refused, f"the messages of a benchmark are all good, but {len(refused)} were refused"
    benefits: Benefits = {}
    for claim in claims:
        lines = claim["benefits"]
        assert isinstance(lines, list)
        for line in lines:
            fen = int(Decimal(line["benefit"]).scaleb(2))
            if fen:
                benefits[str(claim["claim_id"]), line["scheme_id"]] = fen
    return benefits


def light_load(run: str, count: int) -> tuple[list[bytes], list[bytes]]:
    """Coverages and discharges to know beforehand, and then ``count`` bills of which each leads to one instruction.

    Claim ids are ``<run>-0``, ``<run>-1``...; each is of a person of its own.
    """
    before, bills = [], []
    for number in range(count):
        person, claim = f"P-{run}-{number}", f"{run}-{number}"
        before.append(_coverage(person))
        before.append(_discharge(person, claim))
        bills.append(_bill(person, claim))
    return before, bills


def year_of(person: str, claims: int) -> list[bytes]:
    """One person's year: both coverages, and ``claims`` stays with one bill each."""
    events = [_coverage(person), _coverage(person, "village_mutual_aid", "member")]
    for number in range(claims):
        events += [_discharge(person, f"{person}-{number}", 1 + number % 28), _bill(person, f"{person}-{number}")]
    return events


def later_stay(person: str, number: int) -> tuple[bytes, bytes]:
    """A discharge after all those of `year_of`, and its bill."""
    claim = f"{person}-{number}"
    return _discharge(person, claim, 31), _bill(person, claim)


def corrected_bill(person: str, version: int) -> bytes:
    """A version of the bill of the first claim of `year_of`; from the second one on it says something else."""
    return _bill(person, f"{person}-0", version)


def membership_of(person: str, household: str) -> bytes:
    """The person belongs to a household from long ago on."""
    what = {"membership_id": f"M-{person}", "version": 1, "person_id": person, "household_id": household}
    return _event("membership.recorded", f"m-{person}", what | {"unit": "household", "valid_from": "2020-01-01"})


def _coverage(person: str, programme: str = "self_pay_assistance", category: str = "ordinary") -> bytes:
    what = {"coverage_id": f"C-{programme}-{person}", "version": 1, "person_id": person, "programme": programme}
    return _event(
        "coverage.recorded", f"{programme}-{person}", what | {"category": category, "valid_from": "2024-01-01"}
    )


def _discharge(person: str, claim: str, day: int = 5) -> bytes:
    what = {"encounter_id": claim, "version": 1, "person_id": person, "facility_id": "H-1", "facility_level": "city"}
    when = {"care_type": "inpatient", "admitted_on": f"2024-03-{day:02d}", "discharged_on": f"2024-03-{day:02d}"}
    return _event("encounter.discharged", f"d-{claim}", what | when | {"diagnoses": ["E11.9"]})


def _bill(person: str, claim: str, version: int = 1) -> bytes:
    what = {"settlement_id": f"S-{claim}", "version": version, "encounter_id": claim, "person_id": person}
    where = {"facility_id": "H-1", "settled_at": "2024-05-01T09:00:00+08:00", "final": True, "currency": "CNY"}
    others = {"serious_illness_paid": "0.00", "medical_assistance_paid": "0.00", "other_fund_paid": "0.00"}
    copay = 2600 + 10 * (version - 1)
    mine = {"copay": f"{copay}.00", "out_of_catalogue": "400.00"}
    amounts = {"total_charge": f"{copay + 6400}.00", "basic_insurance_paid": "6000.00"} | others | mine
    name = f"s-{claim}" if version == 1 else f"s-{claim}-{version}"
    return _event("settlement.posted", name, what | where | amounts)


def _event(event_type: str, event_id: str, fields: Mapping[str, object]) -> bytes:
    four = {"event_type": event_type, "event_id": event_id, "occurred_at": "2024-05-02T10:00:00+08:00", "source": "b"}
    return json.dumps({**four, **fields}, ensure_ascii=False, separators=(",", ":")).encode()
