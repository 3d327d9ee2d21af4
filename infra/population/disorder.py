"""Delays and repeats: most messages take seconds, some days, a few months, and some arrive twice or out of order."""

from random import Random
from typing import NamedTuple

from infra.population.wire import DAY_SECONDS, HOUR_SECONDS, Event, Horizon, Instant, Outbox, iso_instant

_REPEATED = 0.02  # share of messages that arrive again
_RESENT = 0.5  # share of repeats that come from the sender, with a new event_id


class Arrival(NamedTuple):
    """An event and the instant of its arrival in seconds."""

    at: Instant
    event: Event


def arrive(rng: Random, outbox: Outbox, horizon: Horizon) -> list[Arrival]:
    """When each message of a household arrives, including repeats."""
    arrivals: list[Arrival] = []
    for occurred, held, event in outbox.messages:
        at = occurred + held + _delay_seconds(rng)
        arrivals.append(Arrival(at, event))
        if rng.random() < _REPEATED:
            arrivals.append(_repeated(rng, at, event, outbox, horizon))
    return arrivals


def _repeated(rng: Random, at: Instant, event: Event, outbox: Outbox, horizon: Horizon) -> Arrival:
    again = at + rng.choice((1, 60, HOUR_SECONDS, rng.randint(1, 90) * DAY_SECONDS))
    if again < horizon.closes * DAY_SECONDS and rng.random() < _RESENT:
        resent: Event = {"event_id": outbox.next_event_id(), "occurred_at": iso_instant(again - 1)}
        return Arrival(again, {**event, **resent})
    return Arrival(again, event)


def _delay_seconds(rng: Random) -> int:
    kind = rng.random()
    if kind < 0.85:
        return rng.randint(1, 120)
    if kind < 0.95:
        return rng.randint(120, 12 * HOUR_SECONDS)
    if kind < 0.99:
        return rng.randint(1, 20) * DAY_SECONDS
    return rng.randint(30, 400) * DAY_SECONDS
