"""A claim twice: bills with the invoice of another encounter, and stays that begin before the last one has ended.

Drawn from random numbers of its own, so that everything else in the city is what it would be without. Only first
versions are wrong: a correction, where there is one, puts it right.
"""

from collections.abc import Iterable
from datetime import date
from random import Random

from infra.population.wire import Event, Message, iso_day

INVOICE_TWICE = 0.005  # share of bills with the invoice of another encounter of the household
STAYS_OVERLAP = 0.03  # share of stays soon after another one whose first day is wrong: they share a night with it
_SOON_DAYS = 12


def make_twice(rng: Random, messages: Iterable[Message]) -> None:
    """Changes a few events of a household, of one person or of two."""
    events = [each.event for each in messages]
    bills = [event for event in events if event["event_type"] == "settlement.posted" and "invoice_no" in event]
    for bill in bills:
        others = [other for other in bills if other["encounter_id"] != bill["encounter_id"]]
        if others and bill["version"] == 1 and rng.random() < INVOICE_TWICE:
            bill["invoice_no"] = rng.choice(others)["invoice_no"]
    stays = [event for event in events if event.get("care_type") == "inpatient" and event["version"] == 1]
    for stay in stays:
        ends = [_day(each, "discharged_on") for each in stays if each["person_id"] == stay["person_id"]]
        gaps = [_day(stay, "admitted_on") - end for end in ends]
        soon = [gap for gap in gaps if 0 <= gap <= _SOON_DAYS]
        if soon and rng.random() < STAYS_OVERLAP:
            stay["admitted_on"] = iso_day(_day(stay, "admitted_on") - min(soon) - 1)


def _day(event: Event, name: str) -> int:
    return date.fromisoformat(str(event[name])).toordinal()
