"""Random cases of aids, incidents and sums assured: small, seeded, and dense in coincidence, like those in cases.py.

A case has few days, few amounts and stays that overlap, so that caps, days that count once and claims that were paid
already are the rule. A scheme id has one trigger in all releases. The same seed always gives the same case.
"""

import json
from random import Random

from .builders import bill_of, coverage_from, discharge_of, fact, member, policy, scheme
from .cases import Case
from .occasion_builders import aid, aid_scheme, aid_voided, incident, incident_voided

DAYS = (
    "2019-12-28",
    "2019-12-31",
    "2020-01-01",
    "2020-01-03",
    "2020-01-05",
    "2020-02-29",
    "2020-06-29",
    "2020-06-30",
    "2020-07-01",
    "2020-07-03",
    "2020-12-31",
    "2021-01-02",
)
CLOSE_DAYS = ("2019-12-29", "2019-12-31", "2020-01-01", "2020-01-03", "2020-01-04", "2020-01-08")
Days = tuple[str, ...]
YUAN = ("0.01", "0.99", "1.00", "1.00", "2.50", "10.00", "10.00", "33.33", "50.00", "99.99", "100.00", "150.00")
CATEGORIES = ("member", "member", "poor", "old")
LEVELS = ("city", "district", "town")
KINDS = ("fire", "flood", "disability")
DEGREES = ("1", "2", "10", "一级")
TRIGGERS = dict.fromkeys("abg", "stay") | dict.fromkeys("cd", "incident") | dict.fromkeys("ef", "aid")


def random_occasion_case(seed: int) -> Case:
    """The case of a seed: one release or two, and the facts of up to four persons, most of them sound."""
    rng = Random(f"occasions {seed}")
    only_stays = rng.random() < 0.25
    """Many that overlap, paid by the day."""
    first = rng.randrange(len(DAYS) - 5)
    days = CLOSE_DAYS if only_stays else DAYS[first : first + rng.choice((4, 5, 5, 12))]
    year_starts = rng.choice(("01-01", "01-01", "07-01"))
    chosen = rng.sample("abg", rng.choice((1, 2))) if only_stays else rng.sample("abcdefg", rng.choice((1, 2, 3, 5, 6)))
    schemes = [a_scheme(rng, name, by_day=only_stays) for name in chosen]
    cut = rng.choice(("", "", *days[1:-1]))
    start = rng.choice(("2010-01-01", "2010-01-01", days[0]))
    policies = [policy(*schemes, start=start, end=cut, year_starts=year_starts, name="old")]
    if cut and rng.random() < 0.9:
        rng.shuffle(chosen)
        later = [a_scheme(rng, name, by_day=only_stays) for name in chosen]
        policies.append(policy(*later, start=cut, year_starts=year_starts, name="new"))
    lines = [line for number in range(1, rng.choice((2, 2, 3, 4, 5))) for line in a_person(rng, days, f"P{number}")]
    lines += noise(rng, lines)
    rng.shuffle(lines)
    return Case(seed, policies, lines)


# Policies -----------------------------------------------------------------------------------------------------------


def a_scheme(rng: Random, name: str, *, by_day: bool) -> str:
    """A scheme of the trigger that belongs to the name."""
    trigger = TRIGGERS[name]
    settings = []
    if rng.random() < 0.3:
        settings.append(f'cap_per_year = "{rng.choice(YUAN)}"')
    if rng.random() < 0.25:
        settings.append(f'cap_per_household_year = "{rng.choice(YUAN)}"')
    if trigger == "aid":
        levels = {level: rng.choice(YUAN) for level in rng.sample(LEVELS, rng.choice((1, 2, 3)))}
        return aid_scheme(name, levels, "\n".join(settings))
    tiers = some_tiers(rng, trigger, by_day=by_day)
    accumulates = rng.choice(("stay", "stay", "person_year", "household_year"))
    settings += [f'trigger = "{trigger}"', f'accumulates = "{accumulates}"']
    settings.append(f'measured_on = "{rng.choice(("billed", "billed", "remaining"))}"')
    bases = (
        ("verified_loss",)
        if trigger == "incident"
        else ("copay", "out_of_catalogue", "personal_burden", "personal_burden")
    )
    settings.append(f'basis = "{rng.choice(bases)}"')
    if rng.random() < 0.5:
        settings.append(f'once_per = "{rng.choice(("claim", "year", "year", "life"))}"')
    if rng.random() < 0.2:
        settings.append(f'floor_per_stay = "{rng.choice(YUAN)}"')
    if rng.random() < 0.25:
        settings.append(f'cap_per_stay = "{rng.choice(YUAN)}"')
    if rng.random() < 0.3:
        settings.append(f"waiting_days = {rng.choice((1, 2, 3, 5, 60, 180))}")
    if rng.random() < 0.1:
        settings.append('areas = ["A1"]')
    if accumulates == "stay" and all("brackets" in tier for tier in tiers) and rng.random() < 0.4:
        settings.append(f'threshold = "{rng.choice(YUAN)}"')
    if trigger == "incident" and rng.random() < 0.4:
        settings.append(f"incident_kinds = {json.dumps(rng.sample(KINDS, rng.choice((1, 2))))}")
    if trigger == "stay" and rng.random() < 0.2:
        settings.append('care_types = ["inpatient"]')
    return scheme(name, "\n".join(settings), "", "".join(tiers))


def some_tiers(rng: Random, trigger: str, *, by_day: bool) -> list[str]:
    kinds = (
        "brackets",
        "brackets",
        "fixed",
        "per_day",
        "per_day",
        *(("by_degree",) * 2 if trigger == "incident" else ()),
    )
    one_kind = "per_day" if by_day else rng.choice(kinds)
    tiers = []
    for category in dict.fromkeys(rng.sample(CATEGORIES, rng.choice((1, 2, 3, 4)))):
        pays = how(rng, one_kind if by_day or rng.random() < 0.6 else rng.choice(kinds))
        tiers.append(f'[[scheme.tier]]\nname = "{category}"\ncategories = ["{category}"]\n{pays}\n')
    return tiers


def how(rng: Random, kind: str) -> str:
    """What a tier pays."""
    if kind == "brackets":
        overs = sorted(set(rng.choices(("0.00", "0.00", "1.00", "10.00"), k=2)))
        written = [f'{{ over = "{over}", rate = "{rng.choice(("0.5", "0.333", "1", "1"))}" }}' for over in overs]
        return f"brackets = [{', '.join(written)}]"
    if kind == "by_degree":
        written = [
            f'{json.dumps(degree, ensure_ascii=False)} = "{rng.choice(YUAN)}"' for degree in rng.sample(DEGREES, 2)
        ]
        return f"by_degree = {{ {', '.join(written)} }}"
    if kind == "fixed":
        return f'fixed = "{rng.choice(YUAN)}"'
    first = f"\nfrom_day = {rng.choice((1, 2, 2, 3, 5))}" if rng.random() < 0.5 else ""
    return f'per_day = "{rng.choice(YUAN)}"{first}\ndays_max = {rng.choice((1, 2, 3, 5, 30))}'


# Facts --------------------------------------------------------------------------------------------------------------


def a_person(rng: Random, days: Days, person: str) -> list[bytes]:
    """Coverages, stays, incidents, aids, and perhaps a household and a death."""
    lines = []
    for number in range(rng.choice((0, 1, 2, 2, 3))):
        start = rng.choice(("2000-01-01", "2000-01-01", *days[:2]))
        category, name = rng.choice(CATEGORIES), f"C{person[1:]}{number}"
        lines.append(coverage_from(start, category, coverage_id=name, person_id=person, area=rng.choice(("A1", "A2"))))
    if rng.random() < 0.6:
        lines.append(member(person, rng.choice(("HH1", "HH2")), rng.choice(("2000-01-01", *days)), role="r"))
    if rng.random() < 0.2:
        lines.append(fact("person.died", person_id=person, died_on=rng.choice(days)))
    for number in range(rng.choice((0, 1, 2, 3, 4))):
        lines += a_stay(rng, days, person, f"{rng.choice('Eab')}{person[1:]}{number}")
    for number in range(rng.choice((0, 1, 2, 3, 4))):
        lines += an_incident(rng, days, person, f"{rng.choice('IJ')}{person[1:]}{number}")
    for number in range(rng.choice((0, 0, 1, 2, 3))):
        lines += an_aid(rng, days, person, f"{rng.choice('AB')}{person[1:]}{number}")
    return lines


def versions(rng: Random) -> list[int]:
    return rng.choice(([1], [1], [1], [1, 2], [2], [1, 2, 3]))


def a_stay(rng: Random, days: Days, person: str, claim: str) -> list[bytes]:
    lines = []
    for version in versions(rng):
        first, last = sorted((rng.choice(days), rng.choice(days)))
        care = rng.choice(("inpatient", "inpatient", "outpatient_special"))
        lines.append(discharge_of(claim, last, first, person_id=person, version=version, care_type=care))
    for version in versions(rng):
        copay, out = rng.choice(("0.00", *YUAN)), rng.choice(("0.00", "0.00", *YUAN))
        ids: dict[str, object] = {"person_id": person, "version": version}
        if version > 1 and rng.random() < 0.25:
            lines.append(fact("settlement.voided", settlement_id=f"S-{claim}", encounter_id=claim, reason="r", **ids))
        else:
            lines.append(bill_of(claim, copay, out, **ids))
    return lines


def an_incident(rng: Random, days: Days, person: str, name: str) -> list[bytes]:
    lines = []
    for version in versions(rng):
        if version > 1 and rng.random() < 0.2:
            lines.append(incident_voided(name, version, person_id=person))
            continue
        more: dict[str, object] = {}
        if rng.random() < 0.7:
            more["degree"] = rng.choice(DEGREES)
        if rng.random() < 0.7:
            more["verified_loss"] = rng.choice(("0.00", *YUAN))
        if rng.random() < 0.7:
            more["days"] = rng.choice((0, 1, 2, 3, 4, 5, 9, 60))
        if rng.random() < 0.2:
            more |= {"event_code": "MS-1", "evidence": ["0123456789abcdef" * 4]}
        kind = rng.choice(KINDS)
        lines.append(incident(name, rng.choice(days), kind, person_id=person, version=version, **more))
    return lines


def an_aid(rng: Random, days: Days, person: str, name: str) -> list[bytes]:
    lines = []
    for version in versions(rng):
        if version > 1 and rng.random() < 0.2:
            lines.append(aid_voided(name, version, person_id=person))
            continue
        more: dict[str, object] = {"emergency": rng.random() < 0.3}
        if rng.random() < 0.2:
            more["alert_id"] = "AL-1"
        amount, level = rng.choice(YUAN), rng.choice(LEVELS)
        lines.append(aid(name, amount, level, rng.choice(days), person_id=person, version=version, **more))
    return lines


def noise(rng: Random, lines: list[bytes]) -> list[bytes]:
    """Repetitions, contradictions, other persons' ids, and lines that are wrong by themselves."""
    noisy = []
    for line in rng.sample(lines, min(len(lines), rng.choice((0, 1, 2, 4)))):
        event = json.loads(line)
        changes: list[dict[str, object]] = [
            {"event_id": "again"},
            {"source": "elsewhere"},
            {"person_id": "P-stranger", "version": 9},
            {"version": 0},
        ]
        if event["event_type"] == "aid.decided":
            changes += [{"amount": "0.00"}, {"amount": "-1"}, {"emergency": "yes"}, {"level": 3}, {"decided_on": "x"}]
        if event["event_type"] == "incident.recorded":
            changes += [{"verified_loss": "-0.01"}, {"days": "2"}, {"degree": 1}, {"days": -1}, {"occurred_on": None}]
        if "encounter_id" in event:
            changes += [{"encounter_id": "aid:E"}, {"encounter_id": "incident:"}]
        noisy.append(json.dumps(event | rng.choice(changes), ensure_ascii=False).encode())
    return noisy
