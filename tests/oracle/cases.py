"""Random cases for two calculators to agree on: small, seeded, and dense in coincidence.

A case has few dates, few ids and amounts that sit on (or one fen beside) the numbers of its policies, so
that edges, ties and collisions are the rule. The same seed always gives the same case.

Left out on purpose, because the contract can be read in two ways: explicit nulls, empty strings, numbers
that differ only in spelling outside money (1 and 1.0), leap seconds, NUL characters, and amounts between
10^12 fen and 10^14 fen.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from random import Random

Body = dict[str, object]  # an event before it is written
Table = dict[str, object]  # a TOML table before it is written

SHANGHAI = timezone(timedelta(hours=8))  # no summer time in the years used here
DAY = timedelta(days=1)
ONE_MIB = 1024 * 1024
PARTS = (
    "basic_insurance_paid",
    "serious_illness_paid",
    "medical_assistance_paid",
    "other_fund_paid",
    "copay",
    "out_of_catalogue",
)
SETTLEMENT_MONEY = ("total_charge", *PARTS)
CATEGORIES = ("member", "ordinary", "special", "dibao", "tekun")
HOUSEHOLDS = ("HH1", "HH2", "hh10")
AREAS = ("A1", "A2", "A10")
LEVELS = ("city", "county", "town")
CARE_TYPES = ("inpatient", "outpatient_special")
CODES = ("I10", "I10.x05", "I1", "C50", "C50.900", "C5", "E11.9")
PREFIXES = ("I10", "I10.", "C50", "C", "E11.9", "E11.90")
RATES = ("0", "0.125", "0.30", "0.333", "0.5", "0.6667", "0.80", "0.999", "1", "1.00")
CLOCKS = (
    time(0, 0),
    time(0, 0, 0, 1),
    time(7, 59, 59),
    time(8, 0),
    time(12, 34, 56),
    time(23, 59, 59),
    time(23, 59, 59, 999999),
)
OFFSETS = (timedelta(hours=8), timedelta(0), timedelta(hours=-5), timedelta(hours=5, minutes=30))


@dataclass(frozen=True)
class Case:
    """The policies and the facts of one comparison."""

    seed: int
    policy_texts: list[str]
    lines: list[bytes]


@dataclass(frozen=True)
class Fen:
    """An amount of money that is spelled only when it is written."""

    amount: int


@dataclass(frozen=True)
class Verbatim:
    """JSON text to be written as it is."""

    text: str


@dataclass(frozen=True)
class World:
    """The few dates, amounts and names that everything in one case is drawn from."""

    rng: Random
    days: tuple[date, ...]
    edges: tuple[int, ...]
    programmes: tuple[str, ...]
    categories: tuple[str, ...]
    rates: tuple[str, ...]
    households: tuple[str, ...] = ()
    """None: nobody belongs to a household, and no scheme counts by one."""

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def day(self) -> date:
        return self.rng.choice(self.days)

    def gap(self) -> int:
        """A number of days between two of the dates, or one beside it; never negative."""
        first, second = self.rng.sample(self.days, 2)
        return max(0, abs((second - first).days) + self.rng.choice((-1, 0, 0, 1)))

    def edge(self) -> int:
        return self.rng.choice(self.edges)

    def amount(self) -> int:
        """Fen; most often on or one beside a number that a policy uses."""
        kind = self.rng.random()
        if kind < 0.12:
            return 0
        if kind < 0.18:
            return 1
        if kind < 0.25:
            return self.rng.randint(2, 12)
        if kind < 0.70:
            return max(0, self.edge() + self.rng.choice((-1, 0, 1)))
        if kind < 0.82:
            return self.edge() + self.edge() + self.rng.choice((-1, 0, 1))
        return self.rng.randint(0, 2 * max(self.edges))

    def clock(self) -> time:
        return self.rng.choice(CLOCKS)

    def at(self, day: date) -> datetime:
        """An instant on that day in Shanghai, often at its edge."""
        return datetime.combine(day, self.clock(), SHANGHAI)


def random_case(seed: int) -> Case:
    """The case of a seed."""
    rng = Random(seed)
    return noisy_case(seed, make_world(rng), rng.choice((1, 1, 2, 2, 3)))


def random_household_case(seed: int) -> Case:
    """The case of a seed in which some persons share households, at times, and schemes count by household."""
    rng = Random(f"households {seed}")
    return noisy_case(seed, make_world(rng, HOUSEHOLDS[: rng.choice((1, 1, 2, 3))]), rng.choice((2, 2, 3, 4)))


def noisy_case(seed: int, world: World, size: int) -> Case:
    """A few persons' facts in any order, with repetitions, contradictions and lines that are wrong."""
    rng = world.rng
    policies = make_policies(world)
    people = [f"P{number}" for number in range(1, size + 1)]
    names = encounter_names(rng)
    bodies: list[Body] = []
    for person in people:
        encounters = [names.pop() for _ in range(min(len(names), rng.choice((0, 1, 1, 2, 2, 3, 4, 5, 6, 8))))]
        bodies += make_person(world, person, encounters)
    if not bodies:
        bodies += make_person(world, people[0], [names.pop()])
    lines = [write(world, body) for body in bodies]
    lines += make_noise(world, people, bodies)
    if world.chance(0.7):
        rng.shuffle(lines)
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        lines.insert(rng.randint(0, len(lines)), rng.choice((b"", b"  ", b"\t\r")))
    return Case(seed, policies, lines)


def random_person_years(seed: int) -> Case:
    """Another case of a seed: more people, fuller years, and only sound events, so that a second holds many years."""
    return full_years(seed, make_world(Random(f"person-years {seed}")))


def random_household_years(seed: int) -> Case:
    """Full years of people in two or three households, between which some of them move."""
    rng = Random(f"household-years {seed}")
    return full_years(seed, make_world(rng, HOUSEHOLDS[: rng.choice((1, 2, 2, 3))]))


def full_years(seed: int, world: World) -> Case:
    rng = world.rng
    policies = make_policies(world)
    bodies: list[Body] = []
    for number in range(1, rng.choice((4, 5, 6)) + 1):
        encounters = [f"E{number}-{place}" for place in range(1, rng.choice((2, 3, 4, 5, 7, 10)) + 1)]
        bodies += make_person(world, f"P{number}", encounters)
    lines = [write(world, body) for body in bodies]
    if world.chance(0.5):
        rng.shuffle(lines)
    return Case(seed, policies, lines)


def any_case(seed: int) -> Case:
    """A case of one of the kinds: two in five with households, two in five with full years."""
    kinds = (random_case, random_case, random_person_years, random_household_case, random_household_years)
    return kinds[seed % len(kinds)](seed)


def encounter_names(rng: Random) -> list[str]:
    """Names for encounters, in the order in which they are to be popped; some sort in surprising ways."""
    plain = [f"E{number}" for number in range(1, 25)]
    odd = ["e1", "E01", "E-1", "E é", "Ｅ1", "𠀀", "\ufb00", "住院/1~2", "E1\u0301", "Z", "a", "10", "9"]
    names = plain + (odd if rng.random() < 0.4 else [])
    rng.shuffle(names)
    return names


def make_world(rng: Random, households: tuple[str, ...] = ()) -> World:
    year = rng.choice((2019, 2020, 2023, 2024))
    candidates = [
        date(year, 1, 1),
        date(year, 2, 28),
        date(year, 3, 1) - DAY,
        date(year, 3, 1),
        date(year, 6, 30),
        date(year, 7, 1),
        date(year, 7, 2),
        date(year, 12, 30),
        date(year, 12, 31),
        date(year + 1, 1, 1),
        date(year + 1, 1, 2),
        date(year + 1, 7, 1),
        date(year, 1, 1) + rng.randint(0, 700) * DAY,
    ]
    days = sorted(set(rng.sample(candidates, rng.choice((4, 5, 6, 7)))))
    if len(days) < 3:
        days = [date(year, 1, 1), date(year, 12, 31), date(year + 1, 1, 1)]
    sizes = (1, 10, 333, 1000, 5000, 10000, 50001, 100000, 200000, 200000, 1000000)
    edges = sorted(set(rng.sample(sizes, rng.choice((2, 3, 4)))))
    programmes = ("village_mutual_aid", "self_pay_assistance", "relief")[: rng.choice((1, 1, 2, 2, 3))]
    rates = ("1", "1.00", "0.5", "0.333") if rng.random() < 0.25 else RATES
    categories = CATEGORIES[: rng.choice((2, 3, 4, 5))]
    return World(rng, tuple(days), tuple(edges), programmes, categories, rates, households)


# ---------------------------------------------------------------------------------------------------------
# Policies
# ---------------------------------------------------------------------------------------------------------


def make_policies(world: World) -> list[str]:
    """The texts of one to three releases that never overlap."""
    rng = world.rng
    first_day, last_day = world.days[0], world.days[-1]
    long_ago = first_day - 4000 * DAY
    cuts = sorted(rng.sample(world.days[1:], min(2, len(world.days) - 1)))
    late = rng.choice((None, None, last_day, last_day + DAY))
    layouts: list[list[tuple[date, date | None]]] = [
        [(long_ago, None)],
        [(first_day, late)],
        [(long_ago, cuts[0]), (cuts[0], None)],
        [(long_ago, cuts[0]), (cuts[0], None)],
        [(long_ago, cuts[0]), (cuts[0] + DAY, None)],
        [(long_ago, cuts[0]), (cuts[0], cuts[-1]), (cuts[-1], None)],
        [(long_ago, cuts[0]), (cuts[0], cuts[0] + DAY), (cuts[0] + DAY, None)],
    ]
    intervals = [(start, end) for start, end in rng.choice(layouts) if end is None or start < end]
    schemes = [
        make_scheme(world, scheme_id)
        for scheme_id in rng.sample(("mutual", "self_pay", "relief", "extra"), rng.choice((1, 2, 2, 3, 4)))
    ]
    year_starts = rng.choice(("01-01", "01-01", "07-01", "03-01", "12-31"))
    texts = []
    succeeds = False
    for number, (start, end) in enumerate(intervals, start=1):
        if number > 1:
            schemes = next_release(world, schemes)
            if number == len(intervals) and world.chance(0.2):  # nothing goes over: the year may start on another day
                schemes = [{**scheme, "id": f"{scheme['id']}-{number}"} for scheme in schemes]
                year_starts = rng.choice((year_starts, "01-01", "07-01"))
        head: Table = {"id": f"release-{number}", "title": f"方案 {number}", "status": "sample"}
        if succeeds:
            head["succeeds"] = f"release-{number - 1}"
        head["effective_from"] = start
        succeeds = number < len(intervals) and end == intervals[number][0] and world.chance(0.4)
        if end is not None and not succeeds:
            head["effective_to"] = end
        head["year_starts"] = year_starts
        texts.append(write_policy(head, schemes))
    rng.shuffle(texts)
    return texts


def next_release(world: World, schemes: Sequence[Table]) -> list[Table]:
    """The same schemes with some numbers changed, some dropped or added, sometimes in another order."""
    rng = world.rng
    released = []
    for scheme in schemes:
        fresh = make_scheme(world, str(scheme["id"]))
        kind = rng.random()
        if kind < 0.3:
            released.append(scheme)
        elif kind < 0.45:
            released.append({**scheme, "tiers": fresh["tiers"]})
        elif kind < 0.6:
            cap = rng.choice(("cap_per_year", "cap_per_household_year")) if world.households else "cap_per_year"
            released.append({**scheme, cap: yuan(max(1, world.edge() // 2))})
        elif kind < 0.75:
            other = rng.choice([way for way in ways_of_counting(world) if way != scheme["accumulates"]])
            kept = {name: value for name, value in scheme.items() if name != "threshold"}
            released.append({**kept, "accumulates": other})
        else:
            released.append(fresh)
    if len(released) > 1 and world.chance(0.2):
        released.pop(rng.randrange(len(released)))
    used = {scheme["id"] for scheme in released}
    if len(released) < 4 and world.chance(0.25):
        unused = [scheme_id for scheme_id in ("mutual", "self_pay", "relief", "extra") if scheme_id not in used]
        released.insert(rng.randint(0, len(released)), make_scheme(world, rng.choice(unused)))
    if world.chance(0.2):
        rng.shuffle(released)
    return released


def ways_of_counting(world: World) -> tuple[str, ...]:
    return ("stay", "person_year", *(("household_year",) * 3 if world.households else ()))


def make_scheme(world: World, scheme_id: str) -> Table:
    rng = world.rng
    accumulates = rng.choice(ways_of_counting(world))
    scheme: Table = {
        "id": scheme_id,
        "title": f"保障层 {scheme_id}",
        "programme": rng.choice(world.programmes),
        "basis": rng.choice(("copay", "out_of_catalogue", "personal_burden", "personal_burden")),
        "measured_on": rng.choice(("billed", "remaining")),
        "accumulates": accumulates,
    }
    if world.chance(0.15):
        scheme["care_types"] = rng.sample(CARE_TYPES, rng.choice((1, 1, 2)))
    if world.chance(0.12):
        scheme["facility_levels"] = rng.sample(LEVELS, rng.choice((1, 2)))
    if world.chance(0.12):
        scheme["diagnoses_any"] = rng.sample(PREFIXES, rng.choice((1, 2, 3)))
    if world.chance(0.12):
        scheme["areas"] = rng.sample(AREAS, rng.choice((1, 2)))
    if world.chance(0.25):
        scheme["waiting_days"] = rng.choice((0, 1, 30, world.gap(), world.gap(), world.gap()))
    if world.chance(0.3):
        scheme["file_within_days"] = rng.choice((0, 0, 1, 1, 30, world.gap()))
    if accumulates == "stay" and world.chance(0.45):
        scheme["threshold"] = yuan(world.edge())
    if world.chance(0.3):
        scheme["cap_per_stay"] = yuan(max(1, world.edge() // rng.choice((1, 1, 2, 10))))
    if world.chance(0.4):
        scheme["cap_per_year"] = yuan(max(1, world.edge() // rng.choice((1, 1, 2, 10))))
    if world.households and world.chance(0.5):
        scheme["cap_per_household_year"] = yuan(max(1, world.edge() // rng.choice((1, 1, 2, 10))))
    if world.chance(0.3):
        scheme["floor_per_stay"] = yuan(rng.choice((0, 1, 2, 100, world.edge() // 3, world.edge() // 3 + 1)))
    scheme["tiers"] = make_tiers(world)
    return scheme


def make_tiers(world: World) -> list[Table]:
    """One to four tiers; no category is in two of them, and some may be in none."""
    rng = world.rng
    categories = rng.sample(world.categories, len(world.categories))
    if len(categories) > 1 and world.chance(0.5):
        categories.pop()
    tiers: list[Table] = []
    while categories and len(tiers) < 4:
        size = rng.choice((1, 1, 2))
        listed, categories = categories[:size], categories[size:]
        overs = sorted(set(rng.sample((0, 0, 1, *world.edges), min(rng.choice((1, 1, 2, 3, 4)), 3))))
        brackets = [f'{{ over = "{yuan(over)}", rate = "{rng.choice(world.rates)}" }}' for over in overs]
        tiers.append({"name": f"tier-{len(tiers) + 1}", "categories": listed, "brackets": brackets})
    return tiers


def write_policy(head: Table, schemes: Sequence[Table]) -> str:
    lines = ["[policy]", *(f"{name} = {toml(value)}" for name, value in head.items())]
    for scheme in schemes:
        lines += ["", "[[scheme]]"]
        lines += [f"{name} = {toml(value)}" for name, value in scheme.items() if name != "tiers"]
        tiers = scheme["tiers"]
        assert isinstance(tiers, list)
        for tier in tiers:
            lines += [
                "",
                "[[scheme.tier]]",
                f"name = {toml(tier['name'])}",
                f"categories = {toml(tier['categories'])}",
                f"brackets = [{', '.join(tier['brackets'])}]",
            ]
    return "\n".join(lines) + "\n"


def toml(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


# ---------------------------------------------------------------------------------------------------------
# Facts
# ---------------------------------------------------------------------------------------------------------


def make_person(world: World, person: str, encounters: Sequence[str]) -> list[Body]:
    """All the facts of one person: coverages, encounters, perhaps a death and reported payouts."""
    rng = world.rng
    bodies: list[Body] = []
    for programme in world.programmes:
        for number in range(rng.choice((1, 2) if world.households else (0, 1, 1, 2, 2, 3))):
            bodies += make_coverage(world, person, programme, f"C-{person}-{programme}-{number}")
    for number in range(rng.choice((0, 1, 1, 1, 2, 2, 2, 3)) if world.households else 0):
        bodies += make_membership(world, person, rng.choice((f"M-{person}-{number}", f"m{number}{person}")))
    for encounter in encounters:
        bodies += make_encounter(world, person, encounter)
    if world.chance(0.2):
        for version in versions(world):
            died_on = world.day() + rng.choice((-1, 0, 0, 1)) * DAY
            bodies.append(
                event(world, "person.died", person, world.at(died_on + world.gap() * DAY))
                | {"version": version, "died_on": died_on.isoformat()}
            )
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        reported_at = world.at(world.day())
        bodies.append(
            event(world, "payout.reported", person, reported_at)
            | {
                "payout_id": f"PO-{rng.randint(1, 2)}",
                "status": rng.choice(("paid", "failed", "returned")),
                "reported_at": instant(world, reported_at),
                "reference": "bank 1",
            }
        )
    return bodies


def event(world: World, event_type: str, person: str, occurred_at: datetime) -> Body:
    """The members that every event has."""
    body: Body = {
        "event_type": event_type,
        "event_id": f"ev-{world.rng.getrandbits(40):010x}",
        "occurred_at": instant(world, occurred_at),
        "source": world.rng.choice(("his-1", "registry")),
        "person_id": person,
    }
    if world.chance(0.08):
        body["x_note"] = world.rng.choice(("备注", ["a", {"b": None}], {"深": {"k": "𠀀"}}, True, "\u2028"))
    return body


def versions(world: World) -> list[int]:
    """Version numbers that grow, sometimes with holes and not from 1."""
    return world.rng.choice(([1], [1], [1], [1], [1, 2], [1, 2], [2], [1, 3], [1, 2, 3], [2, 7, 10]))


def make_coverage(world: World, person: str, programme: str, coverage_id: str) -> list[Body]:
    rng = world.rng
    bodies = []
    for version in versions(world):
        same = {"coverage_id": coverage_id, "version": version}
        if world.chance(0.12):
            voided = event(world, "coverage.voided", person, world.at(world.day()))
            bodies.append(voided | same | {"reason": "registered by mistake"})
            continue
        valid_from = world.days[0] - 2000 * DAY if world.chance(0.55) else world.day()
        valid_from += rng.choice((-1, 0, 0, 1)) * DAY
        body = event(world, "coverage.recorded", person, world.at(world.day())) | same
        body |= {
            "programme": programme if world.chance(0.9) else rng.choice(world.programmes),
            "category": rng.choice(world.categories),
            "valid_from": valid_from.isoformat(),
        }
        valid_to = world.day() + rng.choice((0, 0, 1)) * DAY
        if valid_to > valid_from and world.chance(0.4):
            body["valid_to"] = valid_to.isoformat()
        if world.chance(0.7):
            body["area"] = rng.choice(AREAS)
        if world.chance(0.2):
            body |= {"household_id": "H1", "pool_id": "V1"}
        bodies.append(body)
    return bodies


def make_membership(world: World, person: str, membership_id: str) -> list[Body]:
    """The versions of one membership: corrected, moved to another household or another unit, ended, voided."""
    rng = world.rng
    bodies = []
    body: Body = {}
    for version in versions(world):
        same = {"membership_id": membership_id, "version": version}
        if world.chance(0.12):
            voided = event(world, "membership.voided", person, world.at(world.day()))
            bodies.append(voided | same | {"reason": "registered by mistake"})
            continue
        if not body or world.chance(0.7):
            valid_from = world.days[0] - 2000 * DAY if world.chance(0.5) else world.day()
            valid_from += rng.choice((-1, 0, 0, 0, 1)) * DAY
            valid_to = world.day() + rng.choice((0, 0, 1)) * DAY
            body = {
                "household_id": rng.choice(world.households),
                "unit": rng.choice(("household",) * 6 + ("single", "collective")),
                "valid_from": valid_from.isoformat(),
            }
            if valid_to > valid_from and world.chance(0.3):
                body["valid_to"] = valid_to.isoformat()
            if world.chance(0.3):
                body["role"] = rng.choice(("head", "spouse", "child", "户主"))
        else:
            body = body | {"unit": rng.choice(("household", "single", "collective"))}
        bodies.append(event(world, "membership.recorded", person, world.at(world.day())) | same | body)
    return bodies


def make_encounter(world: World, person: str, encounter: str) -> list[Body]:
    rng = world.rng
    bodies = []
    discharged_on = world.day()
    for version in versions(world) if world.chance(0.96) else ():
        discharged_on = world.day() if world.chance(0.6) else discharged_on
        admitted_on = discharged_on - rng.choice((0, 0, 1, 3)) * DAY
        if world.chance(0.3):
            admitted_on = min(discharged_on, world.day() + rng.choice((-1, 0, 1)) * DAY)
        sent_on = discharged_on + rng.choice((-1, 0, 1, 30)) * DAY
        bodies.append(
            event(world, "encounter.discharged", person, world.at(sent_on))
            | {
                "encounter_id": encounter,
                "version": version,
                "facility_id": rng.choice(("H1", "H2")),
                "facility_level": rng.choice(LEVELS),
                "care_type": rng.choice((*CARE_TYPES, "inpatient")),
                "admitted_on": admitted_on.isoformat(),
                "discharged_on": discharged_on.isoformat(),
                "diagnoses": rng.sample(CODES, rng.choice((0, 1, 1, 2, 3))),
            }
        )
    count = rng.choice((1, 1, 1, 1, 1, 2, 2, 3, 4)) if world.chance(0.95) else 0
    stem = encounter if world.chance(0.2) else f"S-{encounter}"
    copays = split(world, world.amount(), count)
    out_of_catalogues = split(world, world.amount(), count)
    never_final = world.chance(0.06)
    all_voided = world.chance(0.04)
    for number in range(count):
        is_final = number == count - 1 or world.chance(0.25)
        bodies += make_settlement(
            world,
            person,
            encounter,
            f"{stem}-{number}" if number else stem,
            discharged_on,
            copays[number],
            out_of_catalogues[number],
            is_final=is_final and not never_final,
            ends_voided=all_voided or world.chance(0.05),
        )
    return bodies


def split(world: World, total: int, count: int) -> list[int]:
    """Parts that add up to the total."""
    if count == 0:
        return []
    cuts = sorted(world.rng.randint(0, total) for _ in range(count - 1))
    return [upper - lower for lower, upper in zip([0, *cuts], [*cuts, total], strict=True)]


def make_settlement(
    world: World,
    person: str,
    encounter: str,
    settlement_id: str,
    discharged_on: date,
    copay: int,
    out_of_catalogue: int,
    *,
    is_final: bool,
    ends_voided: bool,
) -> list[Body]:
    """All versions of a settlement; the newest has the given amounts, or is a void."""
    rng = world.rng
    bodies = []
    numbers = versions(world)
    if ends_voided and world.chance(0.8):
        numbers = [*numbers, numbers[-1] + 1]
    for version in numbers:
        is_newest = version == numbers[-1]
        same = {"settlement_id": settlement_id, "version": version, "encounter_id": encounter}
        if (is_newest and ends_voided) or (not is_newest and world.chance(0.2)):
            voided = event(world, "settlement.voided", person, world.at(world.day()))
            bodies.append(voided | same | {"reason": "退费"})
            continue
        settled_on = discharged_on + rng.choice((0, 0, 0, 1, 1, 2, -1, 31, world.gap())) * DAY
        settled_at = world.at(settled_on)
        occurred_at = settled_at + rng.choice((-DAY, timedelta(0), DAY, 40 * DAY))
        amounts = dict.fromkeys(PARTS, 0)
        amounts["copay"] = copay if is_newest else world.amount()
        amounts["out_of_catalogue"] = out_of_catalogue if is_newest else world.amount()
        for part in PARTS[:4]:
            amounts[part] = rng.choice((0, 0, world.amount()))
        body = event(world, "settlement.posted", person, occurred_at) | same
        body |= {
            "facility_id": "H1",
            "settled_at": instant(world, settled_at),
            "final": is_final if is_newest else world.chance(0.5),
            "currency": "CNY",
            "total_charge": Fen(sum(amounts.values())),
            **{part: Fen(amount) for part, amount in amounts.items()},
        }
        if world.chance(0.2):
            body["invoice_no"] = f"INV-{settlement_id}"
        bodies.append(body)
    return bodies


# ---------------------------------------------------------------------------------------------------------
# Writing
# ---------------------------------------------------------------------------------------------------------


def instant(world: World, moment: datetime) -> str:
    """RFC 3339, in one of several offsets."""
    written = moment.astimezone(timezone(world.rng.choice(OFFSETS))).isoformat()
    if moment.microsecond == 0 and world.chance(0.1):
        written = f"{written[:19]}.000{written[19:]}"
    if written.endswith("+00:00") and world.chance(0.7):
        written = written.removesuffix("+00:00") + "Z"
    return written


def spell(world: World, fen: int) -> str:
    """A JSON spelling of an amount: a string or a number, with no more decimals than it likes."""
    sign, fen = ("-", -fen) if fen < 0 else ("", fen)
    spellings = [yuan(fen)] * 4
    if fen % 10 == 0:
        spellings.append(f"{fen // 100}.{fen // 10 % 10}")
    if fen % 100 == 0:
        spellings.append(f"{fen // 100}")
    digits = sign + world.rng.choice(spellings)
    kind = world.rng.random()
    if kind < 0.3:
        return digits
    return f'"{digits}"' if kind < 0.98 or sign else f'"00{digits}"'


def write(world: World, body: Body, padding: int = 0) -> bytes:
    """One line for an event: members in any order, escapes and spaces as some sender might have them."""
    names = list(body)
    if world.chance(0.3):
        world.rng.shuffle(names)
    comma, colon = world.rng.choice(((",", ":"), (", ", ": "), (" , ", " :\t")))
    ascii_only = world.chance(0.3)
    members = []
    for name in names:
        value = body[name]
        if isinstance(value, Fen):
            text = spell(world, value.amount)
        elif isinstance(value, Verbatim):
            text = value.text
        else:
            text = json.dumps(value, ensure_ascii=ascii_only)
        members.append(f"{json.dumps(name)}{colon}{text}")
    return f"{{{' ' * padding}{comma.join(members)}}}".encode()


# ---------------------------------------------------------------------------------------------------------
# Noise: repetitions, contradictions, strangers, and lines that are wrong by themselves
# ---------------------------------------------------------------------------------------------------------


def make_noise(world: World, people: Sequence[str], bodies: Sequence[Body]) -> list[bytes]:
    rng = world.rng
    lines = [write(world, repeated(world, rng.choice(bodies))) for _ in range(rng.choice((0, 1, 2, 4)))]
    versioned = [body for body in bodies if "version" in body]
    if versioned:
        extra = [contradicting(world, rng.choice(versioned)) for _ in range(rng.choice((0, 0, 1, 2)))]
        extra += [outdated(rng.choice(versioned)) for _ in range(rng.choice((0, 0, 1)))]
        extra += [strange(world, people, versioned) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
        if world.chance(0.1):
            body = rng.choice(versioned) | {"version": 11}
            extra += [body | {"x_flag": 1}, body | {"x_flag": True}]
        lines += [write(world, body) for body in extra]
    lines += [
        malformed(world, bodies) if world.chance(0.2) else invalid(world, bodies)
        for _ in range(rng.choice((0, 1, 2, 4, 6)))
    ]
    if world.chance(0.04):
        lines.append(oversized(world, bodies))
    return lines


def repeated(world: World, body: Body) -> Body:
    """The same again, sent anew."""
    return body | {"event_id": f"again-{world.rng.getrandbits(20)}"} if world.chance(0.7) else body


def outdated(body: Body) -> Body:
    """Other content under the version before; under version 1 that is a contradiction."""
    version = body["version"]
    assert isinstance(version, int)
    return body | {"version": max(1, version - 1), "source": "resent"}


def contradicting(world: World, body: Body) -> Body:
    """The same id and version with other content."""
    changes: list[Body] = [{"source": "elsewhere"}, {"x_flag": 1}, {"x_flag": True}, {"x_flag": [1, 2]}]
    kind = body["event_type"]
    if kind == "settlement.posted":
        more = world.rng.choice((1, 100))
        shifted: Body = {}
        for name in ("copay", "total_charge"):
            money = body[name]
            assert isinstance(money, Fen)
            shifted[name] = Fen(money.amount + more)
        as_void = {
            name: value
            for name, value in body.items()
            if name in ("event_id", "occurred_at", "source", "person_id", "settlement_id", "version", "encounter_id")
        }
        as_void |= {"event_type": "settlement.voided", "reason": "at the same version"}
        changes += [shifted, shifted, {"final": not body["final"]}, {"invoice_no": "other"}]
        if world.chance(0.25):
            return as_void
    if kind == "encounter.discharged":
        changes += [
            {"facility_level": "town"},
            {"diagnoses": ["Z99"]},
            {"admitted_on": body["discharged_on"]},
        ]
    if kind == "coverage.recorded":
        changes += [{"category": "member"}, {"area": "A1"}]
    if kind == "membership.recorded":
        changes += [{"household_id": "HH9"}, {"unit": "single"}, {"role": "guest"}]
    if kind == "person.died":
        died_on = date.fromisoformat(str(body["died_on"])) - DAY
        changes += [{"died_on": died_on.isoformat()}]
    return body | world.rng.choice(changes)


def strange(world: World, people: Sequence[str], bodies: Sequence[Body]) -> Body:
    """An id under another person, or a settlement under another encounter; of any version."""
    body = dict(world.rng.choice(bodies))
    encounters = [other["encounter_id"] for other in bodies if "encounter_id" in other]
    if "settlement_id" in body and world.chance(0.5):
        body["encounter_id"] = world.rng.choice([*encounters, "E-elsewhere"])
    else:
        body["person_id"] = world.rng.choice([*people, "P-stranger"])
    if world.chance(0.5):
        body["version"] = world.rng.randint(1, 4)
    if world.chance(0.2) and "settlement_id" in body:
        body["settlement_id"] = "S-elsewhere"
    return body


def oversized(world: World, bodies: Sequence[Body]) -> bytes:
    """A repetition padded with spaces to exactly 1 MiB, which is accepted, or to one byte more."""
    body = world.rng.choice(bodies)
    over = world.rng.choice((0, 1, 1, 1))
    state = world.rng.getstate()
    bare = len(write(world, body))
    world.rng.setstate(state)
    line = write(world, body, padding=ONE_MIB + over - bare)
    assert len(line) == ONE_MIB + over
    return line


def malformed(world: World, bodies: Sequence[Body]) -> bytes:
    """Bytes that are not JSON in UTF-8."""
    line = write(world, world.rng.choice(bodies))
    inside = line[1:]
    choices: tuple[Callable[[], bytes], ...] = (
        lambda: line[:-1],
        lambda: line[: world.rng.randint(1, len(line) - 1)],
        lambda: line + b"}",
        lambda: line + b" " + line,
        lambda: line[:-1] + b",}",
        lambda: b'{"x_bytes":"\xff",' + inside,
        lambda: b'{"x_bytes":"\xed\xa0\x80",' + inside,
        lambda: b'{"x_lone":"\\ud800",' + inside,
        lambda: b'{"x_lone":{"\\udc00 and":1},' + inside,
        lambda: b'{"x_nan":NaN,' + inside,
        lambda: b'{"x_inf":[-Infinity],' + inside,
        lambda: b'{"x_zero":01,' + inside,
        lambda: b'{"x_plus":+1,' + inside,
        lambda: b'{"x_dot":.5,' + inside,
        lambda: b'{"x_raw":"\x01",' + inside,
        lambda: b'{"x_twice":1,"x_twice":1,' + inside,
        lambda: b'{"x_in":{"a":1,"\\u0061":2},' + inside,
        lambda: b'{"event_type":"person.died",' + inside,
        lambda: b"\xef\xbb\xbf" + line,
        lambda: line.replace(b'"', b"'"),
        lambda: b"// nothing",
        lambda: b"null null",
    )
    return world.rng.choice(choices)()


def invalid(world: World, bodies: Sequence[Body]) -> bytes:
    """Well-formed JSON that breaks one rule by itself, sometimes two."""
    if world.chance(0.05):
        return world.rng.choice((b"[]", b"null", b'"x"', b"1", b"{}", b"[{}]", b"true"))
    body = dict(world.rng.choice(bodies))
    if world.chance(0.3):
        body = dict(world.rng.choice([body, *(b for b in bodies if b["event_type"] == "settlement.posted")]))
    breaks = [wrong_field, wrong_field, wrong_type, missing_field]
    if body["event_type"] == "settlement.posted":
        breaks += [currency, negative, negative, unbalanced, unbalanced, settled_in_future, wrong_money]
    if body["event_type"] in ("encounter.discharged", "coverage.recorded", "membership.recorded"):
        breaks += [out_of_order] * 3
    if body["event_type"] in ("encounter.discharged", "person.died"):
        breaks += [dated_in_future] * 3
    chosen = world.rng.sample(breaks, 2 if world.chance(0.25) else 1)
    for break_rule in sorted(chosen, key=(missing_field, wrong_field).__contains__):  # these spoil values: last
        break_rule(world, body)
    return write(world, body)


def wrong_type(world: World, body: Body) -> None:
    body["event_type"] = world.rng.choice(
        ("settlement.deleted", "Settlement.Posted", "", "claim.decided", "person.died ", Verbatim("7"), None)
    )


def missing_field(world: World, body: Body) -> None:
    optional = ["x_note", "invoice_no", "pool_id", "area", "valid_to", "role"]
    optional += ["household_id"] if body["event_type"] == "coverage.recorded" else []
    body.pop(world.rng.choice([name for name in body if name not in optional]))


def wrong_field(world: World, body: Body) -> None:
    """A value that is not of its field's kind."""
    anywhere: dict[str, Sequence[object]] = {
        "event_id": (7, ["x"]),
        "source": (True, {}),
        "person_id": (12, None, ["P1"]),
        "encounter_id": (12, None),
        "settlement_id": (1, None),
        "coverage_id": (1, False),
        "membership_id": (1, None),
        "household_id": (1, ["HH1"]),
        "unit": ("family", "Household", None, 1),
        "role": (1, ["head"]),
        "occurred_at": ("2020-01-01T08:00:00", "2020-01-01", "yesterday", "2020-13-01T00:00:00Z", 1577836800),
        "settled_at": (
            "2020-01-01T08:00:00",
            "2020-02-30T00:00:00Z",
            "2020-01-01T24:00:00Z",
            "20200101T000000Z",
        ),
        "reported_at": ("2020-01-01", "2020-01-01T08:00:00+0800", ""),
        "version": (0, -1, "1", True, None, Verbatim("1.5"), [1]),
        "facility_level": ("village", "City", 3),
        "care_type": ("outpatient", "Inpatient", True),
        "admitted_on": ("2020-02-30", "2019-02-29", "2020-1-2", "20200102", "2020-01-02T00:00:00Z", 20200102),
        "discharged_on": ("2020-04-31", "2020/01/02", "０２０２-01-01", "2020-00-01"),
        "died_on": ("2020-02-30", "unknown", None),
        "valid_from": ("2020-02-30", "always", None),
        "valid_to": ("2020-02-30", "never", 9999),
        "diagnoses": ("I10", [1], ["I10", None], {"I10": 1}, None),
        "final": ("true", 1, 0, None),
        "currency": (156, None, ["CNY"]),
        "invoice_no": (17, ["INV"]),
        "reason": (17, None) if "payout_id" not in body else (17, []),
        "status": ("Paid", "pending", True),
        "reference": (1, None),
        "programme": (1, None),
        "category": (1, ["member"]),
        "area": (1, ["A1"]),
    }
    name = world.rng.choice([name for name in body if name in anywhere])
    body[name] = world.rng.choice(anywhere[name])


def wrong_money(world: World, body: Body) -> None:
    spelled = (
        '"1.234"',
        "1.234",
        "1.000",
        "1e2",
        "1E-1",
        '"1e2"',
        '""',
        '" 1.00"',
        '"1.00 "',
        '"+1.00"',
        '"1,000.00"',
        '"¥1"',
        '".5"',
        '"5."',
        '"--1"',
        '"１.00"',
        '"NaN"',
        '"1.00\\n"',
        "true",
        "null",
        "[1]",
        "1" + "0" * 17,
        '"' + "9" * 30 + '.00"',
    )
    body[world.rng.choice(SETTLEMENT_MONEY)] = Verbatim(world.rng.choice(spelled))


def currency(world: World, body: Body) -> None:
    body["currency"] = world.rng.choice(("USD", "RMB", "cny", "CNY "))


def negative(world: World, body: Body) -> None:
    """An amount below zero; half the time the bill still balances."""
    field = world.rng.choice(PARTS)
    body[field] = Fen(-world.rng.choice((1, 100, 200000)))
    if world.chance(0.5) and all(isinstance(body.get(part), Fen) for part in PARTS):
        parts = [body[part] for part in PARTS]
        body["total_charge"] = Fen(sum(part.amount for part in parts if isinstance(part, Fen)))


def unbalanced(world: World, body: Body) -> None:
    total = body.get("total_charge")
    if isinstance(total, Fen):
        body["total_charge"] = Fen(total.amount + world.rng.choice((-1, 1, 100)))


def settled_in_future(world: World, body: Body) -> None:
    """Settled a little more than a day after it was sent."""
    occurred_at = world.at(world.day())
    late = world.rng.choice((timedelta(seconds=1), timedelta(microseconds=1), DAY))
    body["occurred_at"] = instant(world, occurred_at)
    body["settled_at"] = instant(world, occurred_at + DAY + late)


def out_of_order(world: World, body: Body) -> None:
    if "admitted_on" in body:
        discharged_on = date.fromisoformat(str(body["discharged_on"]))
        body["admitted_on"] = (discharged_on + world.rng.choice((1, 1, 400)) * DAY).isoformat()
    elif "valid_from" in body:
        valid_from = date.fromisoformat(str(body["valid_from"]))
        body["valid_to"] = (valid_from - world.rng.choice((0, 0, 1)) * DAY).isoformat()


def dated_in_future(world: World, body: Body) -> None:
    """Dated two days (in Shanghai) after it was sent."""
    sent_at = world.at(world.day())
    ahead = (sent_at.astimezone(SHANGHAI).date() + world.rng.choice((2, 2, 3, 400)) * DAY).isoformat()
    body["occurred_at"] = instant(world, sent_at.astimezone(UTC))
    body["died_on" if "died_on" in body else "discharged_on"] = ahead
