"""What the registries send: who belongs to which programme and when, who died, and corrections."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from infra.population.assumptions import CATEGORIES
from infra.population.people import Household, Person, village
from infra.population.wire import (
    DAY_SECONDS,
    HOUR_SECONDS,
    Day,
    Event,
    Horizon,
    Instant,
    Outbox,
    iso_day,
    new_year,
)

SELF_PAY = "self_pay_assistance"
VILLAGE = "village_mutual_aid"
REGISTRY = "civil-affairs-registry"
COMMITTEE = "village-committee"
VITAL_RECORDS = "vital-records"
VOID_REASONS = ("recorded in error", "身份核查不符", "duplicate registration")


Reasons = tuple[tuple[str, float], ...]
"""Why coverages end, each with the share of those that end for it or for one before it; the rest does not say."""

_REASONS_OF_A_CHANGE: Reasons = (("income", 0.70), ("assets", 0.85), ("employment", 1.0))
_REASONS_OF_AN_EXIT: Reasons = (
    ("income", 0.40), ("employment", 0.60), ("moved", 0.80), ("assets", 0.88), ("request", 0.94), ("fraud", 0.96)
)  # fmt: skip


class Standing(NamedTuple):
    """A category that a person actually has from `start` until `end` (exclusive; None if open)."""

    category: str
    start: Day
    end: Day | None


class RecordLine:
    """The versions of one coverage, membership, incident or aid, numbered and sent in order, each later than the last.

    ``told`` is what the event is called that says what holds; ``voided`` takes it back.
    """

    def __init__(
        self,
        outbox: Outbox,
        kind: str,
        name: str,
        person_id: str,
        source: str,
        fields: Event,
        *,
        told: str = "recorded",
    ) -> None:
        self._outbox = outbox
        self._kind = kind
        self._told = told
        self._ids: Event = {f"{kind}_id": name, "version": 0, "person_id": person_id}
        self._source = source
        self._fields = fields
        self._version = 0
        self._last: Instant = 0

    def record(self, occurred: Instant, **changes: str) -> None:
        """Send the next version with some fields changed."""
        self._fields = {**self._fields, **changes}
        self._send(f"{self._kind}.{self._told}", occurred, self._fields)

    def void(self, occurred: Instant, reason: str) -> None:
        """Send a voiding version."""
        self._send(f"{self._kind}.voided", occurred, {"reason": reason})

    def _send(self, event_type: str, occurred: Instant, fields: Event) -> None:
        self._version += 1
        self._last = max(occurred, self._last + HOUR_SECONDS)
        numbered = {**self._ids, "version": self._version, **fields}
        self._outbox.send(event_type, self._last, self._source, numbered)


def office(rng: Random, day: Day) -> Instant:
    """An instant in the office hours of a day."""
    return day * DAY_SECONDS + rng.randrange(8 * HOUR_SECONDS, 18 * HOUR_SECONDS)


def clerks(rng: Random, home: Household) -> tuple[str, str]:
    """Two people of an office in a household's district: who decides or records, and who agrees."""
    one, other = rng.sample(range(1, 10), 2)
    return f"{home.area.name}-clerk-{one}", f"{home.area.name}-clerk-{other}"


def register(
    rng: Random,
    home: Household,
    person: Person,
    horizon: Horizon,
    outbox: Outbox,
) -> list[Standing]:
    """Send all coverages of a person. Returns the actual standings in self-pay assistance, for the bills."""
    standings = _self_pay(rng, home, person, horizon, outbox) if person.enrolled else []
    if home.pool_id is not None and rng.random() < 0.95:
        _village(rng, home, home.pool_id, person, horizon, outbox)
    return standings


def report_death(rng: Random, person: Person, died_on: Day, outbox: Outbox) -> None:
    """Send a person's death, days or months later; a few are never reported, and a few are corrected."""
    if rng.random() < 0.02:
        return
    recorded_on = died_on + (rng.randint(30, 300) if rng.random() < 0.12 else rng.randint(1, 20))
    ids: Event = {"person_id": person.person_id, "version": 1}
    outbox.send("person.died", office(rng, recorded_on), VITAL_RECORDS, {**ids, "died_on": iso_day(died_on)})
    if rng.random() < 0.05:
        day = iso_day(died_on + rng.choice((-2, -1, 1)))
        again = office(rng, recorded_on + rng.randint(1, 60))
        outbox.send("person.died", again, VITAL_RECORDS, {**ids, "version": 2, "died_on": day})


def _fields(
    rng: Random,
    home: Household,
    programme: str,
    category: str,
    start: Day,
    pool_id: str | None,
) -> Event:
    fields: Event = {"programme": programme, "category": category, "household_id": home.household_id}
    if pool_id is not None:
        fields["pool_id"] = pool_id
    if rng.random() < 0.97:
        fields["area"] = home.area.name
    fields["valid_from"] = iso_day(start)
    return fields


def _self_pay(
    rng: Random,
    home: Household,
    person: Person,
    horizon: Horizon,
    outbox: Outbox,
) -> list[Standing]:
    numbers = iter(range(1, 100))

    def line(category: str, start: Day) -> RecordLine:
        fields = _fields(rng, home, SELF_PAY, category, start, None)
        return RecordLine(outbox, "coverage", f"C-{person.key}-A{next(numbers)}", person.person_id, REGISTRY, fields)

    if rng.random() < 0.10:
        start = rng.randrange(horizon.opens, _until(person, horizon))
        recorded = start + rng.randrange(10)
    else:
        start = new_year(horizon.first_year - rng.choices((0, 1, 3), (0.6, 0.25, 0.15))[0])
        recorded = horizon.opens - rng.randint(1, 45)
    if rng.random() < 0.05:
        recorded = max(recorded, start) + 15 + int(rng.expovariate(1 / 120))
    first = line(person.category, start)
    first.record(office(rng, recorded))
    standings = [Standing(person.category, start, None)]

    fate = rng.random()
    turn = rng.randrange(max(start, horizon.opens) + 1, horizon.closes + 1)
    recorded_on = turn + rng.randrange(14)
    if person.died_on is not None and turn > person.died_on:
        fate = 1.0
    if fate < 0.05:  # another category, as an adjacent coverage; sometimes after a gap, or recorded late
        ended = _ended(turn, _REASONS_OF_A_CHANGE, fate / 0.05)
        begins = turn + (rng.randint(1, 60) if rng.random() < 0.15 else 0)
        late = int(rng.expovariate(1 / 90)) if rng.random() < 0.25 else 0
        first.record(office(rng, recorded_on + late), **ended)
        other = _another(rng, person.category)
        line(other, begins).record(office(rng, max(recorded_on, begins) + late))
        standings = [Standing(person.category, start, turn), Standing(other, begins, None)]
    elif fate < 0.065:  # another category, as a new version: it counts for the whole interval
        other = _another(rng, person.category)
        first.record(office(rng, recorded_on), category=other)
        standings = [Standing(other, start, None)]
    elif fate < 0.085:  # a typo in the first day, corrected
        first.record(office(rng, recorded_on), valid_from=iso_day(start + rng.choice((-31, -1, 1, 30))))
    elif fate < 0.097:  # recorded for the wrong person: voided, and half the time recorded again
        first.void(office(rng, recorded_on), rng.choice(VOID_REASONS))
        if rng.random() < 0.5:
            line(person.category, start).record(office(rng, recorded_on + rng.randint(1, 40)))
    elif fate < 0.12:  # moved away, or no longer poor; now and then nobody wrote down why
        first.record(office(rng, recorded_on), **_ended(turn, _REASONS_OF_AN_EXIT, (fate - 0.097) / 0.023))
        standings = [Standing(person.category, start, turn)]
    elif fate < 0.14:  # a second category in addition to the first
        other = _another(rng, person.category)
        line(other, turn).record(office(rng, recorded_on))
        standings.append(Standing(other, turn, None))
    elif person.died_on is not None and person.died_on > start and rng.random() < 0.6:
        recorded_on = person.died_on + rng.randint(3, 60)
        first.record(office(rng, recorded_on), valid_to=iso_day(person.died_on + 1), ended_reason="death")
    return standings


def _ended(day: Day, reasons: Reasons, lot: float) -> dict[str, str]:
    """What says that a coverage ended and why; ``lot`` from 0 to 1 was drawn for something else before."""
    ended = {"valid_to": iso_day(day)}
    reason = next((reason for reason, up_to in reasons if lot < up_to), None)
    return ended if reason is None else {**ended, "ended_reason": reason}


def _village(
    rng: Random,
    home: Household,
    pool_id: str,
    person: Person,
    horizon: Horizon,
    outbox: Outbox,
) -> None:
    def line(name: str, start: Day, pool: str) -> RecordLine:
        fields = _fields(rng, home, VILLAGE, "member", start, pool)
        return RecordLine(outbox, "coverage", f"C-{person.key}-V{name}", person.person_id, COMMITTEE, fields)

    if home.area.renews_yearly:
        for year, recorded in _renewals(rng, person, horizon):
            yearly = line(str(year), new_year(year), pool_id)
            yearly.record(office(rng, recorded), valid_to=iso_day(new_year(year + 1)))
        return
    start = new_year(horizon.first_year - rng.choice((0, 0, 1, 2)))
    recorded = horizon.opens - rng.randint(1, 45)
    if rng.random() < 0.08:
        start = rng.randrange(horizon.opens, _until(person, horizon))
        recorded = start + rng.randrange(90)
    member = line("1", start, pool_id)
    member.record(office(rng, recorded))
    fate = rng.random()
    turn = rng.randrange(max(start, horizon.opens) + 1, horizon.closes + 1)
    recorded_on = turn + rng.randrange(20)
    if person.died_on is not None and turn > person.died_on:
        return
    if fate < 0.02:
        member.record(office(rng, recorded_on), valid_to=iso_day(turn))
    elif fate < 0.035:  # moved to another village
        member.record(office(rng, recorded_on), valid_to=iso_day(turn), ended_reason="moved")
        line("2", turn, village(rng, home.area)).record(office(rng, recorded_on))
    elif fate < 0.05:
        member.record(office(rng, recorded_on), pool_id=village(rng, home.area))
    elif fate < 0.058:
        member.void(office(rng, recorded_on), "contribution never paid")


def _renewals(rng: Random, person: Person, horizon: Horizon) -> Iterator[tuple[int, Day]]:
    """The years for which a living person's membership is renewed, with the days on which that is recorded."""
    for year in horizon.years():
        opens = new_year(year)
        if person.died_on is not None and person.died_on < opens:
            return
        if rng.random() < 0.94:
            yield year, opens + rng.randint(5, 100) if rng.random() < 0.06 else opens - rng.randint(1, 50)


def _until(person: Person, horizon: Horizon) -> Day:
    """The day (exclusive) until which a person can enrol: their death or nearly the end of the horizon."""
    if person.died_on is None:
        return horizon.closes - 1
    return max(horizon.opens + 1, min(person.died_on, horizon.closes - 1))


def _another(rng: Random, category: str) -> str:
    """A different category; poverty is the usual reason for a change."""
    if rng.random() < 0.6:
        for likely in ("serious_illness_hardship", "dibao_edge", "ordinary"):
            if likely != category and rng.random() < 0.6:
                return likely
    others = tuple(other for other in CATEGORIES if other != category)
    return rng.choice(others)
