"""The law of watches: the same facts give the same crossings, on every way through a file, as their definition says.

The reference is the contract's sentence taken at its word: for every claim the sum is added up anew from all decided
claims, and compared with that of the unit's claim before it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from rich.progress import Progress

from cli.facts.facts_command import Packing
from cli.offline import packed_file
from cli.offline.by_person import OneByOne, by_person
from cli.offline.plan import Plan
from cli.offline.worker_processes import Workers
from cli.watch.watch_command import LookingFor
from handlers.claims.adjudicate import Adjudication, adjudicate_together
from handlers.claims.households import unit_of
from handlers.offline.book import Book
from handlers.offline.columns.packing import pack_refused
from schemas.watch.watch_model import WatchRule
from tests.support.builders import Json, coverage, membership, policies, void
from tests.support.length import times
from tests.support.random_households import PERSONS, POLICIES, lines_of, town
from tests.support.watches import stay, watch_text, watches_of

SEEDS = range(40, 40 + times(6, 12))
PUBLISHED = policies(*POLICIES)
WATCHES = watches_of(
    watch_text("b", "patient_pays", "household", 3, '"900.00", "4000.00"'),
    watch_text("a", "copay", "household", 12, '"800.00", "3000.00", "9000.00"'),
    watch_text("c", "personal_burden", "person", 6, '"0.00", "5000.00"', 'categories = ["poor", "other"]'),
    watch_text("d", "out_of_catalogue", "person", 1, '"500.00"', 'categories = ["nobody"]'),
    watch_text("e", "out_of_catalogue", "person", 1, '"500.00"'),
    head="effective_from = 2023-06-01\neffective_to = 2024-10-01",
)
Found = list[dict[str, str]]


def watched_town(seed: int) -> list[Json]:
    """A town where some persons have a category for some of the days."""
    random = Random(seed)
    poor = [
        coverage(f"C-{person}-poor", "poor", person_id=person, valid_from=start, valid_to=end)
        for person in random.sample(PERSONS, 6)
        for start, end in [sorted(f"202{random.choice((3, 4))}-0{random.randint(1, 9)}-11" for _ in "ab")]
        if start < end
    ]
    return [*town(random), *poor]


def by_definition(lines: Sequence[bytes]) -> Found:
    """Every crossing, each sum added up anew."""
    book = Book()
    for line in lines:
        book.take(line)
    decided = [
        each
        for each in adjudicate_together(book.accounts.values(), PUBLISHED)
        if each.status in ("adjudicated", "not_covered")
    ]
    found = []
    for watch in sorted(WATCHES.watches, key=lambda each: each.id):
        for claim in sorted(decided, key=lambda each: each.claim.claim_id):
            found += crossed_by(claim, watch, decided, book)
    return found


def crossed_by(claim: Adjudication, watch: WatchRule, decided: Sequence[Adjudication], book: Book) -> Found:
    def day_of(other: Adjudication) -> date:
        assert other.claim.discharge is not None
        return other.claim.discharge.discharged_on

    def unit(other: Adjudication) -> tuple[str | None, str]:
        person_id = other.claim.person_id
        if watch.unit == "person":
            return None, person_id
        return unit_of(person_id, book.accounts[person_id].recorded_memberships(), day_of(other))

    def place(other: Adjudication) -> tuple[date, str]:
        return day_of(other), other.claim.claim_id

    def sum_at(last: Adjudication) -> int:
        first = day_of(last)
        for _ in range(watch.window_months):  # every day of these towns is in all months
            first = (first.replace(day=1) - timedelta(days=1)).replace(day=first.day)
        held = [other for other in own if first < day_of(other) and place(other) <= place(last)]
        return sum(measure(other, watch) for other in held)

    own = [other for other in decided if unit(other) == unit(claim)]
    earlier = [other for other in own if place(other) < place(claim)]
    before, now = sum_at(max(earlier, key=place)) if earlier else 0, sum_at(claim)
    coverages = book.accounts[claim.claim.person_id].recorded_coverages()
    meant = not watch.categories or any(
        each.category in watch.categories
        and each.valid_from <= day_of(claim)
        and (each.valid_to is None or day_of(claim) < each.valid_to)
        for each in coverages
    )
    if not meant or not date(2023, 6, 1) <= day_of(claim) < date(2024, 10, 1):
        return []
    household, person_id = unit(claim)
    told = {"watch": watch.id, "claim_id": claim.claim.claim_id, "person_id": claim.claim.person_id}
    told["unit"] = household or person_id
    return [
        {**told, "step": f"{step / 100:.2f}", "sum": f"{now / 100:.2f}"}
        for step in sorted(watch.steps)
        if before <= step < now
    ]


def measure(claim: Adjudication, watch: WatchRule) -> int:
    paid = sum(benefit.amount for benefit in claim.benefits)
    burden = claim.copay + claim.out_of_catalogue
    return {
        "copay": claim.copay,
        "out_of_catalogue": claim.out_of_catalogue,
        "personal_burden": burden,
        "patient_pays": burden - paid,
    }[watch.measure]


def printed(parts: Sequence[Path]) -> Found:
    """What the parts of the work wrote, merged as the command merges them."""
    lines = sorted(line for part in parts for line in part.read_bytes().splitlines())
    return [json.loads(line.rpartition(b"\t")[2]) for line in lines]


def in_one_book(lines: Sequence[bytes], folder: Path) -> Found:
    book = Book()
    for line in lines:
        book.take(line)
    return printed([LookingFor(WATCHES, PUBLISHED, False, folder)(iter(book.accounts.values()))])


@pytest.mark.parametrize("part", range(3))
def test_every_way_through_a_file_finds_what_the_definition_says(part: int, tmp_path: Path) -> None:
    """In one book, in tiny chunks and buckets, and in packed facts of a few persons a row group."""
    units = set[str]()
    for seed in SEEDS[part::3]:
        lines = lines_of(watched_town(seed))
        expected = by_definition(lines)
        units |= {each["unit"][0] for each in expected}
        assert expected == in_one_book(lines, tmp_path), f"seed {seed}"
        facts = tmp_path / "facts.jsonl"
        facts.write_bytes(b"\n".join(lines))
        plan, bar, alone = Plan(facts, tmp_path, 5, 700), Progress(disable=True), Workers(None)
        work = OneByOne(LookingFor(WATCHES, PUBLISHED, False, tmp_path))
        assert expected == printed(by_person(plan, work, alone, bar, grouped=True).results), f"seed {seed}"
        packed = by_person(plan, Packing(tmp_path), alone, bar, grouped=True)
        tables = [*map(packed_file.table_of, packed.results), pack_refused(packed.refused)]
        target = tmp_path / "facts.parquet"
        packed_file.write(target, tables, packed.facts)
        again = packed_file.by_row_group(packed_file.opened(target), work, alone, bar)
        assert expected == printed(again.results), f"seed {seed}"
    assert {"H", "P"} == units, "households and persons were found"


def test_order_and_repetition_change_nothing(tmp_path: Path) -> None:
    """Law 1, for crossings: any order of facts that do not contradict each other, any of them twice."""
    for seed in SEEDS:
        events = agreeing(watched_town(seed))
        expected = in_one_book(lines_of(events), tmp_path)
        shuffled = [*events, *Random(seed + 1).sample(events, len(events) // 3)]
        Random(seed + 2).shuffle(shuffled)
        assert expected == in_one_book(lines_of(shuffled), tmp_path), f"seed {seed}"


IDS = ("settlement_id", "encounter_id", "coverage_id", "membership_id", "person_id")


def agreeing(events: Sequence[Json]) -> list[Json]:
    """The first event of each version of an id, and of one person."""
    kept: dict[tuple[str, object], Json] = {}
    owner: dict[str, str] = {}
    for event in events:
        name = next(str(event[key]) for key in IDS if key in event)
        if owner.setdefault(name, event["person_id"]) == event["person_id"]:
            kept.setdefault((name, event["version"]), event)
    return list(kept.values())


def test_a_claim_that_nobody_counts_leaves_every_crossing(tmp_path: Path) -> None:
    """A voided bill takes back exactly what it had brought about: the crossings are those of facts without it."""
    for seed in SEEDS:
        lines = lines_of(watched_town(seed))
        day = f"2024-0{seed % 8 + 1}-15"
        joins = membership("M-more", "HH1", person_id="P-more")
        more = lines_of([joins, *stay("E-more", day, 50_000, person_id="P-more")])
        expected = in_one_book(lines, tmp_path)
        assert expected != in_one_book([*lines, *more], tmp_path), f"seed {seed}"
        taken_back = lines_of([void("S-E-more", "E-more", person_id="P-more")])
        assert expected == in_one_book([*lines, *more, *taken_back], tmp_path), f"seed {seed}"
