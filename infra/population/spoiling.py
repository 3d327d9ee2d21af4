"""How a good event is spoiled, one way for each refusal code; each breaks one rule, and keeps all the others.

Every function takes a copy that it may change, and returns None where the event does not lend itself to it.
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
_OF_DATES = {
    "encounter.discharged": "discharged_on",
    "person.died": "died_on",
    "settlement.posted": "settled_at",
}


def malformed(rng: Random, event: Event) -> bytes:
    """Bytes that are no JSON: cut off, with something after the end, in single quotes, or not UTF-8."""
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
    """An event with a field missing, of another type, or with a value that is not allowed."""
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
    """An event of a type that the contract does not know."""
    return encode({**event, "event_type": rng.choice(_UNKNOWN_TYPES)})


def foreign_currency(rng: Random, event: Event) -> bytes | None:
    """A bill in another currency."""
    if event["event_type"] != "settlement.posted":
        return None
    return encode({**event, "currency": rng.choice(("USD", "HKD", "JPY", "EUR"))})


def negative_amount(rng: Random, event: Event) -> bytes | None:
    """A bill with a negative part that balances all the same, or a refund sent as a negative bill."""
    if event["event_type"] != "settlement.posted" or _fen(event, "total_charge") == 0:
        return None
    if rng.random() < 0.5:
        return encode({**event, **{name: yuan(-_fen(event, name)) for name in AMOUNTS}})
    below = rng.randint(1, 50_000)
    moved = _fen(event, "other_fund_paid") + below
    return encode({**event, "other_fund_paid": yuan(-below), "copay": yuan(_fen(event, "copay") + moved)})


def unbalanced(rng: Random, event: Event) -> bytes | None:
    """A bill whose total is off: by one fen, or by a slipped digit."""
    if event["event_type"] != "settlement.posted" or _fen(event, "total_charge") == 0:
        return None
    total = _fen(event, "total_charge")
    return encode({**event, "total_charge": yuan(rng.choice((total + 1, total - 1, total * 10)))})


def dates_out_of_order(rng: Random, event: Event) -> bytes | None:
    """A discharge before the admission, or a coverage that ends no later than it begins."""
    if event["event_type"] == "encounter.discharged":
        admitted = date.fromisoformat(str(event["admitted_on"])).toordinal()
        return encode({**event, "discharged_on": iso_day(admitted - rng.randint(1, 20))})
    if event["event_type"] == "coverage.recorded":
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
    """The same id and version, with other content."""
    kind = event["event_type"]
    if kind == "settlement.posted":
        more = rng.randint(1, 90_000)
        total, copay = _fen(event, "total_charge") + more, _fen(event, "copay") + more
        return {**event, "total_charge": yuan(total), "copay": yuan(copay)}
    if kind == "encounter.discharged":
        return {**event, "diagnoses": ["Z99.9"]}
    if kind == "coverage.recorded":
        begins = date.fromisoformat(str(event["valid_from"])).toordinal()
        return {**event, "valid_from": iso_day(begins - 1)}
    return None


def of_somebody_else(rng: Random, event: Event, stranger: str) -> Event | None:
    """A later version of an id, under another person, or of a settlement under another encounter."""
    kind = event["event_type"]
    if kind not in ("settlement.posted", "encounter.discharged", "coverage.recorded"):
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
