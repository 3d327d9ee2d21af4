"""Short policies, treaties and facts for worked examples, and what the oracle makes of them."""

import json
from collections.abc import Mapping
from decimal import Decimal

from .calculator import adjudicate
from .treaties import Month, Treaty

SECTION_5 = (
    "village_mutual_aid",
    'basis = "copay"\nthreshold = "2000.00"\ncap_per_stay = "10000.00"',
    '[{ over = "2000.00", rate = "0.30" }]',
)


def scheme(scheme_id: str, settings: str, brackets: str, tiers: str = "") -> str:
    """A scheme of the programme `aid` with one tier for `member`; settings given twice are an error."""
    defaults = {"basis": "personal_burden", "measured_on": "billed", "accumulates": "stay"}
    missing = [f'{name} = "{value}"' for name, value in defaults.items() if f"{name} =" not in settings]
    one_tier = f'[[scheme.tier]]\nname = "member"\ncategories = ["member"]\nbrackets = {brackets}\n'
    lines = ["[[scheme]]", f'id = "{scheme_id}"', 'title = "t"', 'programme = "aid"', *missing, settings]
    return "\n".join([*lines, tiers or one_tier])


def policy(
    *schemes: str,
    start: str = "2010-01-01",
    end: str = "",
    year_starts: str = "01-01",
    name: str = "p",
    succeeds: str = "",
) -> str:
    to = f"effective_to = {end}\n" if end else ""
    to += f'succeeds = "{succeeds}"\n' if succeeds else ""
    head = f'[policy]\nid = "{name}"\ntitle = "t"\nstatus = "sample"\neffective_from = {start}\n{to}'
    return head + f'year_starts = "{year_starts}"\n\n' + "\n".join(schemes)


def fact(event_type: str, **fields: object) -> bytes:
    body = {"event_type": event_type, "event_id": "e", "occurred_at": "2030-01-01T00:00:00Z", "source": "s"}
    return json.dumps({**body, "person_id": "P1", "version": 1, **fields}).encode()


def discharge_of(encounter: str, discharged_on: str, admitted_on: str = "", **fields: object) -> bytes:
    stay = {"admitted_on": admitted_on or discharged_on, "discharged_on": discharged_on}
    place = {
        "facility_id": "H1",
        "facility_level": "town",
        "care_type": "inpatient",
        "diagnoses": ["I10.x05"],
    }
    return fact("encounter.discharged", encounter_id=encounter, **{**stay, **place, **fields})


def bill_of(encounter: str, copay: str, out_of_catalogue: str = "0.00", **fields: object) -> bytes:
    """A final settlement, S-<encounter>, that the patient pays alone."""
    total = str(Decimal(copay) + Decimal(out_of_catalogue))
    nobody = dict.fromkeys(
        ("basic_insurance_paid", "serious_illness_paid", "medical_assistance_paid", "other_fund_paid"), "0.00"
    )
    amounts = {"total_charge": total, **nobody, "copay": copay, "out_of_catalogue": out_of_catalogue}
    ids = {"settlement_id": f"S-{encounter}", "encounter_id": encounter, "facility_id": "H1"}
    when = {"settled_at": "2020-01-01T12:00:00+08:00", "final": True, "currency": "CNY"}
    return fact("settlement.posted", **{**ids, **when, **amounts, **fields})


def coverage_from(valid_from: str = "2000-01-01", category: str = "member", **fields: object) -> bytes:
    record = {"coverage_id": "C1", "programme": "aid", "category": category, "valid_from": valid_from}
    return fact("coverage.recorded", **{**record, **fields})


def member(person_id: str, household_id: str = "HH1", valid_from: str = "2000-01-01", **fields: object) -> bytes:
    """The membership M-<person>, by which the person's claims count with the household's."""
    record = {"membership_id": f"M-{person_id}", "household_id": household_id, "unit": "household"}
    return fact("membership.recorded", person_id=person_id, **{**record, "valid_from": valid_from, **fields})


def pool_fact(event_type: str, pool_id: str = "V1", **fields: object) -> bytes:
    """A fact that belongs to a pool, and to no person."""
    body = json.loads(fact(event_type, pool_id=pool_id, **fields))
    del body["person_id"]
    return json.dumps(body).encode()


def pool(on_shortage: str, pool_id: str = "V1", **fields: object) -> bytes:
    record = {"title": "t", "on_shortage": on_shortage, "opened_on": "2000-01-01"}
    return pool_fact("pool.recorded", pool_id, **{**record, **fields})


def contribution(name: str, amount: str, *only: str, pool_id: str = "V1", **fields: object) -> bytes:
    """Money for a pool; with scheme ids, for those alone."""
    record = {"contribution_id": name, "kind": "donation", "amount": amount, "received_on": "2020-01-01"}
    restriction = {"restricted_to": list(only)} if only else {}
    return pool_fact("contribution.received", pool_id, **{**record, "reference": "r", **restriction, **fields})


def contribution_voided(name: str, version: int, pool_id: str = "V1") -> bytes:
    return pool_fact("contribution.voided", pool_id, contribution_id=name, version=version, reason="r")


def void_of(encounter: str, version: int) -> bytes:
    return fact(
        "settlement.voided",
        settlement_id=f"S-{encounter}",
        encounter_id=encounter,
        version=version,
        reason="r",
    )


def stay_of(encounter: str, discharged_on: str, copay: str, out_of_catalogue: str = "0.00") -> list[bytes]:
    return [discharge_of(encounter, discharged_on), bill_of(encounter, copay, out_of_catalogue)]


def decide(policies: list[str] | str, *facts: bytes) -> dict[str, dict[str, object]]:
    """The claims by id; no fact may be refused."""
    claims, refusals = adjudicate([policies] if isinstance(policies, str) else policies, list(facts))
    assert refusals == []
    return {str(claim["claim_id"]): claim for claim in claims}


def results(claim: Mapping[str, object]) -> list[tuple[object, object, object]]:
    """For each scheme of a claim what it measured, its benefit and its reason."""
    benefits = claim["benefits"]
    assert isinstance(benefits, list)
    return [(benefit["measured"], benefit["benefit"], benefit.get("reason")) for benefit in benefits]


def codes(*facts: bytes) -> list[object]:
    return [refusal["code"] for refusal in adjudicate([policy(scheme(*SECTION_5))], list(facts))[1]]


def shared(*shares: str, **stop_loss: str) -> Treaty:
    """A treaty of insurers `0`, `1`, ... with the given shares."""
    share = [{"insurer": str(place), "share": share} for place, share in enumerate(shares)]
    return {"treaty": {"share": share, "stop_loss": stop_loss} if stop_loss else {"share": share}}


def figures(found: list[Month]) -> list[tuple[int, ...]]:
    """For each month the parts in the file's order, then the cession."""
    return [(*month.parts.values(), month.cession) for month in found]
