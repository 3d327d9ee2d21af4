"""The messages that must be refused: spoiled copies of valid ones, a few of every kind in turn.

A spoiled copy never changes the meaning of the valid messages. A copy that is invalid by itself arrives shortly before
the valid one, as if the sender then corrected it; a copy that contradicts an accepted message arrives days later.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from random import Random

from infra.population import spoiling
from infra.population.disorder import Arrival
from infra.population.wire import DAY_SECONDS, Event, Instant, Outbox, encode

Recipe = Callable[[Random, Event], bytes | None]

# By refusal code: a function that spoils a copy of an event, or returns None if that event cannot be spoiled that way.
ALONE: dict[str, Recipe] = {
    "MALFORMED_JSON": spoiling.malformed,
    "SCHEMA_INVALID": spoiling.out_of_schema,
    "UNKNOWN_EVENT_TYPE": spoiling.unknown_type,
    "UNSUPPORTED_CURRENCY": spoiling.foreign_currency,
    "NEGATIVE_AMOUNT": spoiling.negative_amount,
    "AMOUNTS_DO_NOT_BALANCE": spoiling.unbalanced,
    "DATES_OUT_OF_ORDER": spoiling.dates_out_of_order,
    "FUTURE_DATED": spoiling.future_dated,
}
KINDS = (*ALONE, "VERSION_CONFLICT", "PERSON_MISMATCH")

_LINE_OF = {
    "encounter.discharged": "encounter_id",
    "settlement.posted": "settlement_id",
    "settlement.voided": "settlement_id",
    "coverage.recorded": "coverage_id",
    "coverage.voided": "coverage_id",
    "membership.recorded": "membership_id",
    "membership.voided": "membership_id",
    "incident.recorded": "incident_id",
    "incident.voided": "incident_id",
    "aid.decided": "aid_id",
    "aid.voided": "aid_id",
    "person.died": "person_id",
    "pool.recorded": "pool_id",
    "contribution.received": "contribution_id",
    "contribution.voided": "contribution_id",
}

Spoiled = tuple[Instant, bytes]


class Spoiler:
    """Adds a constant share of messages to be refused. The kinds take turns, in an order that depends on the seed."""

    def __init__(self, rng: Random, share: float) -> None:
        kinds = list(KINDS)
        rng.shuffle(kinds)
        self._turns = deque(kinds)
        self._missing = list(kinds) if share > 0 else []
        self._per_good = share / (1 - share)
        self._due = 0.0
        self._last_with_bills: tuple[list[Arrival], Outbox, str] | None = None

    def spoil(self, rng: Random, arrivals: list[Arrival], outbox: Outbox, stranger: str) -> list[Spoiled]:
        """The messages to be refused for a household's messages; `stranger` is a person from another household."""
        self._due += len(arrivals) * self._per_good
        if any(arrival.event["event_type"] == "settlement.posted" for arrival in arrivals):
            self._last_with_bills = (arrivals, outbox, stranger)
        spoiled: list[Spoiled] = []
        while self._due >= 1:
            for kind in list(self._turns):
                message = _spoiled(rng, kind, arrivals, outbox, stranger)
                if message is not None:
                    self._turns.remove(kind)
                    self._turns.append(kind)
                    if kind in self._missing:
                        self._missing.remove(kind)
                    spoiled.append(message)
                    self._due -= 1
                    break
            else:
                break
        return spoiled

    def missing(self, rng: Random) -> list[Spoiled]:
        """One message of every kind that has not occurred yet, as far as the last bills allow."""
        if self._last_with_bills is None:
            return []
        arrivals, outbox, stranger = self._last_with_bills
        messages = [_spoiled(rng, kind, arrivals, outbox, stranger) for kind in self._missing]
        return [message for message in messages if message is not None]


def _spoiled(
    rng: Random,
    kind: str,
    arrivals: Sequence[Arrival],
    outbox: Outbox,
    stranger: str,
) -> Spoiled | None:
    """A message of a kind, spoiled from one of these arrivals, or None if none is suitable."""
    alone = ALONE.get(kind)
    candidates = arrivals if alone is not None else _undisputed(arrivals)
    for at, event in rng.sample(candidates, len(candidates)):
        copy: Event = {**event, "event_id": outbox.next_event_id()}
        if alone is not None:
            line = alone(rng, copy)
            moment = at - rng.randint(1, 3600)
        else:
            changed = (
                spoiling.conflicting(rng, copy)
                if kind == "VERSION_CONFLICT"
                else spoiling.of_another_person(rng, copy, stranger)
            )
            line = encode(changed) if changed is not None else None
            moment = at + rng.randint(1, 40) * DAY_SECONDS
        if line is not None:
            return moment, line
    return None


def _undisputed(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """The messages with a unique id: contradicting them does not depend on what else arrives late."""
    ids = [_line(event) for _, event in arrivals]
    count = Counter(ids)
    return [arrival for arrival, line in zip(arrivals, ids, strict=True) if count[line] == 1]


def _line(event: Event) -> tuple[str, str]:
    """The name and value of the id whose versions belong together."""
    name = _LINE_OF[str(event["event_type"])]
    return name, str(event[name])
