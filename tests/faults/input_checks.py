"""The promise to a hospital: what was acknowledged is decided, waiting or refused, never gone, never twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from json import loads

from tests.faults.books import Event
from tests.faults.evidence import INBOUND, Evidence
from tests.faults.journal import sha256
from tests.oracle import calculator

BEFORE_THE_KEY = ("TOO_LARGE", "MALFORMED_JSON", "SCHEMA_INVALID", "UNKNOWN_EVENT_TYPE", "UNSUPPORTED_CURRENCY")
"""Codes that are found before the key is looked at."""

TOPIC_OF_TYPE = {
    "encounter": "hospital.discharges",
    "settlement": "hospital.expenses",
    "coverage": "registry.coverages",
    "person": "registry.persons",
    "membership": "registry.households",
    "payout": "payouts.results",
    "pool": "funds.movements",
    "contribution": "funds.movements",
}


def acknowledged_is_taken(evidence: Evidence) -> Iterator[str]:
    """Every acknowledged message stands in the ledger with the same bytes at the same place, exactly once."""
    taken = {(each.topic, each.partition, each.offset): sha256(each.value) for each in evidence.came_in}
    count = Counter((each.topic, each.partition, each.offset) for each in evidence.came_in)
    for journal in evidence.journals:
        if journal.open:
            raise ValueError(f"{len(journal.open)} events were posted and never answered")
        for place, digest in journal.by_place.items():
            if place not in taken:
                yield f"{place} was acknowledged and is gone"
            elif taken[place] != digest:
                yield f"{place} holds other bytes than were acknowledged"
    yield from (f"{place} was taken in {times} times" for place, times in count.items() if times > 1)


def taken_is_what_stands(evidence: Evidence) -> Iterator[str]:
    """The ledger has each committed message of the inbound topics, key and bytes, and no other."""
    standing = {
        (topic, each.partition, each.offset): (each.key, each.value or b"")
        for topic in INBOUND
        for each in evidence.topics[topic]
    }
    taken = {
        (each.topic, each.partition, each.offset): (each.key, each.value or b"")
        for each in evidence.came_in
        if each.offset is not None
    }
    for place in standing.keys() - taken.keys():
        yield f"{place} stands in its topic and was not taken in"
    for place in taken.keys() - standing.keys():
        yield f"{place} was taken in, but no committed message stands there"
    for place in standing.keys() & taken.keys():
        if standing[place] != taken[place]:
            yield f"{place} was taken in with another key or other bytes"


def ends_are_reached(evidence: Evidence) -> Iterator[str]:
    """The ledger's offsets are the ends of the inbound topics."""
    for (topic, partition), end in evidence.ends.items():
        if topic in INBOUND and evidence.books.offsets.get((topic, partition), 0) != end:
            yield f"{topic}-{partition} ends at {end}, the ledger at {evidence.books.offsets.get((topic, partition))}"


def fates_are_right(evidence: Evidence) -> Iterator[str]:
    """Each event is accepted, duplicate, stale or refused, as the calculator says that meets them in ledger order."""
    history = calculator.Ledger()
    fates = Counter[str]()
    for event in evidence.came_in:
        fates[event.disposition] += 1
        expected = fate(event, history)
        actual = f"refused {event.code}" if event.disposition == "refused" else event.disposition
        if expected != actual:
            yield f"event {event.number} at {event.topic}-{event.partition}@{event.offset}: {actual}, not {expected}"
    if fates["accepted"] != evidence.books.facts:
        yield f"{fates['accepted']} events are accepted, but there are {evidence.books.facts} facts"
    if fates["refused"] != evidence.books.refusals:
        yield f"{fates['refused']} events are refused, but there are {evidence.books.refusals} refusals"


def fate(event: Event, history: calculator.Ledger) -> str:
    """What becomes of an event by the contract; moves the history forward."""
    value = event.value or b""
    try:
        body = calculator.parse_json(value) if len(value) <= calculator.BYTES_MAX else None
    except calculator.RefusalError:
        body = None
    if isinstance(body, dict) and body.get("event_type") in calculator.TABLE:
        kind = str(body["event_type"]).split(".")[0]
        if TOPIC_OF_TYPE[kind] != event.topic:
            return "refused UNKNOWN_EVENT_TYPE"
    try:
        read = calculator.read_event(value)
    except calculator.RefusalError as refused:
        if refused.code not in BEFORE_THE_KEY and isinstance(body, dict) and not _key_fits(event, body):
            return "refused KEY_MISMATCH"
        return f"refused {refused.code}"
    if not _key_fits(event, read.body):
        return "refused KEY_MISMATCH"
    try:
        return history.consider(read)
    except calculator.RefusalError as refused:
        return f"refused {refused.code}"


def audited_once(evidence: Evidence) -> Iterator[str]:
    """Each event and each group step has one audit entry of its own kind, with the hash of its bytes."""
    entries = Counter(
        (each.number, each.kind, loads(each.value)["content_sha256"])
        for each in evidence.books.audit
        if (each.kind.startswith("event.") and each.kind != "event.replayed") or each.kind == "group.recomputed"
    )
    expected = Counter((each.number, f"event.{each.disposition}", sha256(each.value)) for each in evidence.came_in)
    steps = (each for each in evidence.books.events if each.disposition == "group")
    expected.update((each.number, "group.recomputed", sha256(each.value)) for each in steps)
    for what in (expected - entries) | (entries - expected):
        yield f"event {what[0]} ({what[1]}): {entries[what]} audit entries, expected {expected[what]}"


def _key_fits(event: Event, body: dict[str, object]) -> bool:
    owner = body.get(calculator.OWNER.get(str(body.get("event_type")), "person_id"))
    return isinstance(owner, str) and event.key == owner.encode()
