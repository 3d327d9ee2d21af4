"""Random cases of pools: small, seeded, and dense in coincidence, like those of claims in cases.py.

A case has few days, few amounts of few fen, and schemes that overlap in what may pay them, so that ties, the last fen
and pools that just do or do not suffice are the rule. Facts are sound. The same seed always gives the same case.
"""

import json
from dataclasses import dataclass
from random import Random

from .builders import (
    bill_of,
    contribution,
    contribution_voided,
    coverage_from,
    discharge_of,
    fact,
    member,
    policy,
    pool,
    scheme,
)
from .pools import Close

DAYS = ("2019-12-31", "2020-01-01", "2020-06-30", "2020-07-01", "2020-12-31", "2021-01-01")
YEARS = (2019, 2020, 2021)
FEN = (1, 2, 3, 7, 33, 50, 99, 100, 100, 150, 200, 333, 1000)
RATES = ("0.5", "0.333", "1", "1", "0.125")
RESTRICTIONS = ("", "", "", "a", "b", "ab", "bc", "ac", "ca", "abc", "z", "az")
POOLS = ("V1", "V2", "V10")


@dataclass(frozen=True)
class PoolCase:
    """Facts, one a moment, and closings, of pools that share their year's money from the first moments on."""

    seed: int
    policy_text: str
    facts: list[bytes]
    closes: list[Close]


def random_pool_case(seed: int) -> PoolCase:
    """The case of a seed: pools and coverages mostly come before all else, and closings somewhere, in order."""
    rng = Random(f"pools {seed}")
    pools = POOLS[: rng.choice((1, 1, 2, 3))]
    people = [f"P{number}" for number in range(1, rng.choice((1, 2, 3, 4)) + 1)]
    closing = [each for each in pools if rng.random() < 0.35]
    first = [pool("pro_rata", each) for each in closing]
    later = [record for each in pools if each not in closing for record in rules(rng, each)]
    for person in people:
        later += coverages(rng, person, pools)
        for number in range(rng.choice((0, 1, 2, 2, 3))):
            later += stay(rng, person, f"{rng.choice('EF')}{person[1:]}{number}")
        if rng.random() < 0.4:
            later.append(member(person, rng.choice(("HH1", "HH2")), rng.choice(DAYS)))
    for number in range(rng.choice((2, 3, 5, 8))):
        later += money(rng, f"G{number}", rng.choice(pools))
    rng.shuffle(later)
    if rng.random() < 0.7:
        later.sort(key=lambda line: not is_first_of_what_lasts(line))
    facts = [*first, *later]
    closes = []
    for pool_id in closing:
        moments = sorted(rng.choices(range(len(first), len(facts)), k=len(YEARS)))
        closes += [Close(moment, pool_id, year) for moment, year in zip(moments, YEARS, strict=True)]
    return PoolCase(seed, schemes(rng), facts, closes)


def is_first_of_what_lasts(line: bytes) -> bool:
    """The first version of a pool or a coverage."""
    event = json.loads(line)
    return event["event_type"] in ("pool.recorded", "coverage.recorded") and event["version"] == 1


def schemes(rng: Random) -> str:
    """A policy of up to three schemes, most of them paid by pools; `b` may see what `a` left."""
    texts = []
    for name in rng.sample("abc", rng.choice((1, 2, 3, 3))):
        settings = [] if rng.random() < 0.1 else ['funded_by = "pool"']
        settings.append(f'basis = "{rng.choice(("copay", "personal_burden", "out_of_catalogue"))}"')
        settings.append(f'accumulates = "{rng.choice(("stay", "stay", "stay", "person_year", "household_year"))}"')
        settings.append(f'measured_on = "{rng.choice(("billed", "remaining"))}"')
        if rng.random() < 0.5:
            settings.append(f'diagnoses_any = ["{name}", "x"]')
        if rng.random() < 0.3:
            settings.append(f'cap_per_year = "{yuan(rng.choice(FEN))}"')
        if rng.random() < 0.2:
            settings.append("waiting_days = 30")
        texts.append(scheme(name, "\n".join(settings), f'[{{ over = "0.00", rate = "{rng.choice(RATES)}" }}]'))
    return policy(*texts, year_starts=rng.choice(("01-01", "01-01", "07-01")))


def rules(rng: Random, pool_id: str) -> list[bytes]:
    """The versions of a pool that is never closed; seldom none."""
    ways = ("queue", "queue", "queue", "owe")
    versions = rng.choice((0, 1, 1, 1, 1, 1, 1, 1, 2, 3))
    return [pool(rng.choice(ways), pool_id, version=version) for version in range(1, versions + 1)]


def coverages(rng: Random, person: str, pools: tuple[str, ...]) -> list[bytes]:
    facts = []
    for number in range(rng.choice((1, 1, 2))):
        name = f"{rng.choice('CD')}{person[1:]}{number}"
        for version in range(1, rng.choice((1, 1, 1, 2, 3)) + 1):
            if version > 1 and rng.random() < 0.15:
                facts.append(
                    fact("coverage.voided", person_id=person, coverage_id=name, version=version, reason="registered")
                )
                continue
            start = rng.choice(("2000-01-01",) * 9 + DAYS)
            chosen = None if rng.random() < 0.08 else rng.choice(pools)
            facts.append(coverage_from(start, person_id=person, coverage_id=name, version=version, pool_id=chosen))
    return facts


def stay(rng: Random, person: str, claim: str) -> list[bytes]:
    """A discharge, and the versions of its bill; the days and what is due may be corrected, or voided."""
    facts = []
    for version in range(1, rng.choice((1, 1, 1, 2)) + 1):
        codes = list(rng.choice(("x", "a", "b", "ab", "cb")))
        facts.append(discharge_of(claim, rng.choice(DAYS), diagnoses=codes, person_id=person, version=version))
    for version in range(1, rng.choice((1, 1, 2, 3, 4)) + 1):
        if version > 1 and rng.random() < 0.15:
            ids = {"settlement_id": f"S-{claim}", "encounter_id": claim, "person_id": person, "version": version}
            facts.append(fact("settlement.voided", reason="refunded", **ids))
        else:
            parts = yuan(rng.choice(FEN)), yuan(rng.choice((0, *FEN)))
            facts.append(bill_of(claim, *parts, person_id=person, version=version))
    return facts


def money(rng: Random, name: str, pool_id: str) -> list[bytes]:
    facts = []
    for version in range(1, rng.choice((1, 1, 1, 1, 2, 3)) + 1):
        if version > 1 and rng.random() < 0.5:
            facts.append(contribution_voided(name, version, pool_id))
        else:
            amount = sum(rng.choices(FEN, k=rng.choice((1, 2, 4))))
            only = rng.choice(RESTRICTIONS)
            facts.append(contribution(name, yuan(amount), *only, pool_id=pool_id, version=version))
    return facts


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
