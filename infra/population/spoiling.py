"""Ways to spoil a valid event, one per refusal code. Each breaks one rule and no other.

Every function is given a copy that it can change, and returns None if that event cannot be spoiled that way.
"""

from datetime import date
from decimal import Decimal
from random import Random

from infra.population.wire import Event, encode, iso_day, yuan

PAID_PARTS = (
    "basic_insurance_paid",
    "serious_illness_paid",
    "medical_assistance_paid",
    "other_fund_paid",
    "copay",
    "out_of_catalogue",
)
AMOUNTS = ("total_charge", *PAID_PARTS)
MAX_BYTES = 1024 * 1024

_UNKNOWN_TYPES = ("settlement.refunded", "encounter.admitted", "settlement.Posted", "prescription.filled")
_OF_PERSONS = (
    *("settlement.posted", "encounter.discharged", "coverage.recorded", "membership.recorded"),
    *("incident.recorded", "aid.decided"),
)
_OF_DATES = {
    "encounter.discharged": "discharged_on",
    "person.died": "died_on",
    "settlement.posted": "settled_at",
}


def malformed(rng: Random, event: Event) -> bytes:
    """Bytes that are not JSON: cut off, with extra text at the end, in single quotes, or not UTF-8."""
    line = encode(event)
    kind = rng.randrange(4)
    if kind == 0:
        return line[: len(line) - rng.randint(1, 40)]
    if kind == 1:
        return line + b"}"
    if kind == 2:
        return line.replace(b'"', b"'")
    return line[:-1] + b',"remark":"' + "退费".encode("gbk") + b'"}'


def out_of_schema(rng: Random, event: Event) -> bytes:
    """An event with a missing field, a field of the wrong type, or an invalid value."""
    kind = rng.randrange(6)
    if kind == 0:
        event["version"] = rng.choice((0, -1, 1.5, "one"))
    elif kind == 1:
        del event["source"]
    elif kind == 2 and "facility_level" in event:
        event["facility_level"] = "province"
    elif kind == 3 and "copay" in event:
        event["copay"] = f"{event['copay']}".split(".")[0] + ".123"
    elif kind == 4 and "valid_from" in event:
        event["valid_from"] = str(event["valid_from"])[:4] + "-02-30"
    else:
        event["occurred_at"] = str(event["occurred_at"])[:19]
    return encode(event)


def unknown_type(rng: Random, event: Event) -> bytes:
    """An event of a type that is not in the contract."""
    return encode({**event, "event_type": rng.choice(_UNKNOWN_TYPES)})


def foreign_currency(rng: Random, event: Event) -> bytes | None:
    """A bill in another currency."""
    if event["event_type"] != "settlement.posted":
        return None
    return encode({**event, "currency": rng.choice(("USD", "HKD", "JPY", "EUR"))})


def negative_amount(rng: Random, event: Event) -> bytes | None:
    """A bill with a negative part that still balances, a refund sent as a negative bill, money or aid of nothing."""
    if event["event_type"] == "incident.recorded" and "verified_loss" in event:
        return encode({**event, "verified_loss": yuan(-_fen(event, "verified_loss"))})
    if event["event_type"] in ("contribution.received", "aid.decided"):
        return encode({**event, "amount": rng.choice(("0.00", yuan(-_fen(event, "amount"))))})
    if event["event_type"] != "settlement.posted" or _fen(event, "total_charge") == 0:
        return None
    if rng.random() < 0.5:
        return encode({**event, **{name: yuan(-_fen(event, name)) for name in AMOUNTS}})
    below = rng.randint(1, 50_000)
    moved = _fen(event, "other_fund_paid") + below
    return encode({**event, "other_fund_paid": yuan(-below), "copay": yuan(_fen(event, "copay") + moved)})


def unbalanced(rng: Random, event: Event) -> bytes | None:
    """A bill with a wrong total: off by one fen, or ten times too large."""
    if event["event_type"] != "settlement.posted" or _fen(event, "total_charge") == 0:
        return None
    total = _fen(event, "total_charge")
    return encode({**event, "total_charge": yuan(rng.choice((total + 1, total - 1, total * 10)))})


def dates_out_of_order(rng: Random, event: Event) -> bytes | None:
    """A discharge before its admission, or a coverage or membership that does not end after it begins."""
    if event["event_type"] == "encounter.discharged":
        admitted = date.fromisoformat(str(event["admitted_on"])).toordinal()
        return encode({**event, "discharged_on": iso_day(admitted - rng.randint(1, 20))})
    if event["event_type"] in ("coverage.recorded", "membership.recorded"):
        begins = date.fromisoformat(str(event["valid_from"])).toordinal()
        return encode({**event, "valid_to": iso_day(begins - rng.choice((0, 1, 30)))})
    return None


def future_dated(rng: Random, event: Event) -> bytes | None:
    """A discharge, bill or death dated more than a day after it was sent."""
    name = _OF_DATES.get(str(event["event_type"]))
    if name is None:
        return None
    dated = date.fromisoformat(str(event[name])[:10]).toordinal()
    sent = iso_day(dated - rng.randint(3, 30))
    return encode({**event, "occurred_at": f"{sent}T10:00:00+08:00"})


def conflicting(rng: Random, event: Event) -> Event | None:
    """The same id and version with different content."""
    kind = event["event_type"]
    if kind == "settlement.posted":
        more = rng.randint(1, 90_000)
        total, copay = _fen(event, "total_charge") + more, _fen(event, "copay") + more
        return {**event, "total_charge": yuan(total), "copay": yuan(copay)}
    if kind == "encounter.discharged":
        return {**event, "diagnoses": ["Z99.9"]}
    if kind in ("contribution.received", "aid.decided"):
        return {**event, "amount": yuan(_fen(event, "amount") + rng.randint(1, 90_000))}
    if kind == "incident.recorded":
        occurred = date.fromisoformat(str(event["occurred_on"])).toordinal()
        return {**event, "occurred_on": iso_day(occurred - 1)}
    if kind in ("coverage.recorded", "membership.recorded"):
        begins = date.fromisoformat(str(event["valid_from"])).toordinal()
        return {**event, "valid_from": iso_day(begins - 1)}
    return None


def of_another_person(rng: Random, event: Event, stranger: str) -> Event | None:
    """A later version of an id for another person, of a settlement for another encounter, of money for another pool."""
    kind = event["event_type"]
    if kind == "contribution.received":
        return {**event, "version": int(str(event["version"])) + 1, "pool_id": f"{event['pool_id']}9"}
    if kind not in _OF_PERSONS:
        return None
    later: Event = {**event, "version": int(str(event["version"])) + 1}
    if kind == "settlement.posted" and rng.random() < 0.5:
        return {**later, "encounter_id": f"{event['encounter_id']}9"}
    return {**later, "person_id": stranger}


def too_large(event: Event) -> bytes:
    """The event with a remark that makes it one byte larger than 1 MiB."""
    bare = encode({**event, "remark": ""})
    return encode({**event, "remark": "x" * (MAX_BYTES + 1 - len(bare))})


def _fen(event: Event, name: str) -> int:
    return int(Decimal(str(event[name])) * 100)
