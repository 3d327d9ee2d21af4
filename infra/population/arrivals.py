"""The population as a stream of lines: one household after the other, sorted by arrival in blocks."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import NamedTuple

from infra.population.aids import decide_aids
from infra.population.assumptions import SETTLEMENTS_PER_PERSON_YEAR
from infra.population.bills import YearSoFar
from infra.population.claims_twice import make_twice
from infra.population.disorder import Arrival, arrive
from infra.population.hospitals import report_stay
from infra.population.incidents import record_incidents
from infra.population.memberships import register_memberships
from infra.population.people import Household, household
from infra.population.pools import record_pool
from infra.population.registries import register, report_death
from infra.population.spoiled_messages import Spoiled, Spoiler
from infra.population.spoiling import too_large as too_large_line
from infra.population.stays import stays_of
from infra.population.wire import Horizon, Instant, Outbox, encode, scrambled

BLOCK_LINES = 100_000  # about 450 bytes and 150 of overhead each: 60 MB
BAD_SHARE = 0.005
_OCCASION_EVENTS = 40_000  # events about incidents and aids are numbered from here: no stays need so many
_MEMBERSHIP_EVENTS = 50_000  # events about memberships are numbered from here: no household sends so many others
_POOL_EVENTS = 90_000  # and those about the pools of villages that it is the first to name
_BAD_SHARE_MAX = 0.5
_SETTLEMENT = (b'{"event_type":"settlement.posted"', b'{"event_type":"settlement.voided"')


class _Line(NamedTuple):
    """A line and when it arrives; `number` keeps the order of lines that arrive in the same second."""

    at: Instant
    number: int
    content: bytes


def generate(
    seed: int,
    persons: int,
    *,
    settlements: int | None = None,
    bad_share: float = BAD_SHARE,
    too_large: int = 0,
    first_year: int = 2022,
    last_year: int = 2025,
    occasions: bool = True,
    block_lines: int = BLOCK_LINES,
) -> Iterator[bytes]:
    """The events of `persons` people, one JSON object per line (without newline), in order of arrival.

    `settlements` is the approximate total number of settlement events, including repeats and refusals; by default the
    model decides. `bad_share` is the fraction of lines that must be refused (0 for none); above 0 every kind of refusal
    occurs at least once, given a few bills. `too_large` adds that many lines of more than 1 MiB. Stays end in the
    business years `first_year` to `last_year`; nothing is sent after them. Without `occasions` there are no incidents
    and no aids, and every other line is the same, in the same order. Lines are in order of arrival within blocks
    of about `block_lines` lines, with each household in one block; one block is in memory at a time. Raises ValueError
    immediately when an argument is impossible.
    """
    if persons < 0 or too_large < 0 or (settlements is not None and settlements < 0):
        raise ValueError("persons, settlements and too_large must not be negative")
    if not 0 <= bad_share <= _BAD_SHARE_MAX:
        raise ValueError(f"bad_share must be a fraction from 0 to {_BAD_SHARE_MAX}, not {bad_share}")
    if first_year > last_year or block_lines < 1:
        raise ValueError("first_year must not be after last_year, and block_lines must be at least 1")
    city = _City(seed, persons, Horizon(first_year, last_year), settlements, bad_share, occasions)
    return _blocks(city, too_large, block_lines)


class _City:
    """Generates the lines of one household after the other, and controls the number of settlement events."""

    def __init__(
        self,
        seed: int,
        persons: int,
        horizon: Horizon,
        settlements: int | None,
        bad_share: float,
        occasions: bool,
    ) -> None:
        self._seed = seed
        self._salt = Random(f"{seed}:salt").randrange(2**32)
        self._persons = persons
        self._horizon = horizon
        self._settlements = settlements
        self._settlement_count = 0
        self._occasions_too = occasions
        self._spoiler = Spoiler(Random(f"{seed}:spoiler"), bad_share)
        self._membership_spoiler = Spoiler(Random(f"{seed}:membership-spoiler"), bad_share)
        self._pool_spoiler = Spoiler(Random(f"{seed}:pool-spoiler"), bad_share)
        self._occasion_spoiler = Spoiler(Random(f"{seed}:occasion-spoiler"), bad_share)
        self._pools = set[str]()
        years = horizon.last_year - horizon.first_year + 1
        self._expected_per_person = SETTLEMENTS_PER_PERSON_YEAR * years

    def households(self) -> Iterator[list[Spoiled]]:
        """The lines of every household, each with its instant of arrival."""
        persons_so_far = number = 0
        while persons_so_far < self._persons:
            number += 1
            rng = Random(f"{self._seed}:household:{number}")
            home = household(rng, self._salt, number, persons_so_far, self._persons - persons_so_far, self._horizon)
            outbox = Outbox(home.key, self._horizon)
            self._simulate(rng, home, outbox, self._persons - persons_so_far)
            make_twice(Random(f"{self._seed}:twice:{number}"), outbox.messages)
            arrivals = arrive(rng, outbox, self._horizon)
            persons_so_far += len(home.members)
            stranger = f"P-{scrambled(self._salt, persons_so_far)}"
            lines = [(arrival.at, encode(arrival.event)) for arrival in arrivals]
            lines += self._spoiler.spoil(rng, arrivals, outbox, stranger)
            if home.rural:
                lines += self._memberships(number, home, stranger)
            lines += self._new_pools(number, home, arrivals, stranger)
            if self._occasions_too:
                lines += self._occasions(number, home, stranger)
            self._settlement_count += sum(line.startswith(_SETTLEMENT) for _, line in lines)
            yield lines
        yield self._spoiler.missing(Random(f"{self._seed}:missing"))

    def _memberships(self, number: int, home: Household, stranger: str) -> list[Spoiled]:
        """What is sent about who belongs to a village household; it changes no other line."""
        rng = Random(f"{self._seed}:memberships:{number}")
        outbox = Outbox(home.key, self._horizon, _MEMBERSHIP_EVENTS)
        neighbour = f"HH-{scrambled(self._salt + 1, number - 1)}"
        register_memberships(rng, home, neighbour, self._horizon, outbox)
        return self._sent(rng, outbox, self._membership_spoiler, stranger)

    def _occasions(self, number: int, home: Household, stranger: str) -> list[Spoiled]:
        """What is sent about incidents and temporary aid; it changes no other line."""
        rng = Random(f"{self._seed}:occasions:{number}")
        outbox = Outbox(home.key, self._horizon, _OCCASION_EVENTS)
        record_incidents(rng, home, self._horizon, outbox)
        decide_aids(rng, home, self._horizon, outbox)
        return self._sent(rng, outbox, self._occasion_spoiler, stranger)

    def _new_pools(self, number: int, home: Household, arrivals: Iterable[Arrival], stranger: str) -> list[Spoiled]:
        """What is sent about the pools that a household's coverages are the first to name; it changes no other line."""
        rng = Random(f"{self._seed}:pools:{number}")
        outbox = Outbox(home.key, self._horizon, _POOL_EVENTS)
        named = (str(each.event["pool_id"]) for each in arrivals if "pool_id" in each.event)
        for pool_id in [name for name in dict.fromkeys(named) if name not in self._pools]:
            self._pools.add(pool_id)
            record_pool(rng, pool_id, self._horizon, outbox)
        return self._sent(rng, outbox, self._pool_spoiler, stranger)

    def _sent(self, rng: Random, outbox: Outbox, spoiler: Spoiler, stranger: str) -> list[Spoiled]:
        """The lines of an outbox, and of them spoiled ones."""
        arrivals = arrive(rng, outbox, self._horizon)
        lines = [(arrival.at, encode(arrival.event)) for arrival in arrivals]
        return lines + spoiler.spoil(rng, arrivals, outbox, stranger)

    def _simulate(self, rng: Random, home: Household, outbox: Outbox, persons_left: int) -> None:
        scale, allowed = self._scale(persons_left), self._settlements_left()
        for person in home.members:
            standings = register(rng, home, person, self._horizon, outbox)
            stays = stays_of(rng, home, person, self._horizon, scale)[:allowed]
            if allowed is not None:
                allowed -= len(stays)
            year = YearSoFar()
            for number, stay in enumerate(stays, start=1):
                amounts = year.charge(rng, person, stay, standings)
                report_stay(rng, person, number, stay, amounts, outbox)
            if person.died_on is not None:
                report_death(rng, person, person.died_on, outbox)

    def _scale(self, persons_left: int) -> float:
        """The factor on all rates that leads to the requested number of settlements, given the number so far."""
        if self._settlements is None:
            return 1.0
        average = self._settlements / (self._persons * self._expected_per_person)
        needed = (self._settlements - self._settlement_count) / (persons_left * self._expected_per_person)
        return max(average / 4, min(average * 20, needed))

    def _settlements_left(self) -> int | None:
        """The number of settlements left, or None for no limit. Without it one patient could exceed the total."""
        return None if self._settlements is None else max(0, self._settlements - self._settlement_count)


def _blocks(city: _City, too_large: int, block_lines: int) -> Iterator[bytes]:
    block: list[_Line] = []
    number = 0
    for lines in city.households():
        for at, content in lines:
            number += 1
            block.append(_Line(at, number, content))
        if len(block) >= block_lines:
            yield from _in_order(block)
            block = []
    yield from _in_order(block)
    for index in range(too_large):
        yield _oversized(index)


def _in_order(block: list[_Line]) -> Iterator[bytes]:
    block.sort()
    return (line.content for line in block)


def _oversized(index: int) -> bytes:
    return too_large_line(
        {
            "event_type": "person.died",
            "event_id": f"ev-oversized-{index:05d}",
            "occurred_at": "2024-03-01T10:00:00+08:00",
            "source": "vital-records",
            "person_id": f"P-oversized-{index}",
            "version": 1,
            "died_on": "2024-02-28",
        }
    )
