"""Persons whom households link are decided together, however their facts are spread over lines, buckets and columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from rich.progress import Progress

from cli.facts.facts_command import Packing
from cli.offline import packed_file
from cli.offline.by_person import OneByOne, by_person
from cli.offline.plan import Plan, Worked
from cli.offline.worker_processes import Workers, workers
from cli.simulate.asked import Simulating
from cli.simulate.simulate_columns import SimulatingColumns
from handlers.claims.account import Account
from handlers.claims.households import linked
from handlers.offline.book import Book
from handlers.offline.columns import gathering
from handlers.offline.columns.arrays import columns_of
from handlers.offline.columns.column_groups import Links, groups_of
from handlers.offline.columns.column_tally import tally_of
from handlers.offline.columns.packing import pack, pack_refused, unpack
from handlers.offline.columns.texts import keys_of
from handlers.offline.columns.usual import decide
from handlers.offline.what_if import Tally, all_pairs
from schemas.ids import PersonId
from schemas.policy.model import Policies
from tests.properties.one_by_one import Claims, Deciding, Refusals, in_one_book, person_by_person
from tests.support.builders import Json, bill, coverage, discharge, membership, policies
from tests.support.length import times
from tests.support.random_households import BEFORE_TEXT, POLICIES, lines_of, town
from tests.support.repeated_invoices import minding, with_repeated_invoices

SEEDS = range(10, 10 + times(6, 60, "HUZHU_TEST_EXAMPLES"))
PUBLISHED = policies(*POLICIES)
BEFORE = policies(BEFORE_TEXT)


def book_of(lines: Sequence[bytes]) -> Book:
    book = Book()
    for line in lines:
        book.take(line)
    return book


def packed_from(lines: Sequence[bytes], folder: Path, rows: int) -> packed_file.PackedFile:
    """The lines packed in row groups of few persons, households aside."""
    facts, target = folder / "facts.jsonl", folder / "facts.parquet"
    facts.write_bytes(b"\n".join(lines))
    plan, bar = Plan(facts, folder, 5, 700), Progress(disable=True)
    worked = by_person(plan, Packing(folder), Workers(None), bar, grouped=True, invoices=True)
    tables = [*map(packed_file.table_of, worked.results), pack_refused(worked.refused)]
    with pytest.MonkeyPatch.context() as small:
        small.setattr(packed_file, "ROWS_PER_GROUP", rows)
        packed_file.write(target, tables, worked.facts)
    return packed_file.opened(target)


def sorted_claims(worked: Worked[Claims]) -> tuple[Claims, Refusals]:
    claims = [claim for result in worked.results for claim in result]
    return sorted(claims, key=lambda claim: str(claim["claim_id"])), worked.refused


@pytest.mark.parametrize("part", range(3))
def test_every_way_through_a_file_decides_groups_as_one_book(part: int, tmp_path: Path) -> None:
    """Lines in tiny chunks and buckets, and packed facts: every claim, sentence and refusal of `Book.decide`."""
    shared = 0
    for seed in SEEDS[part::3]:
        lines = lines_of(town(Random(seed)))
        expected = in_one_book(lines, PUBLISHED)
        assert expected[1], "some are refused"
        assert expected == person_by_person(lines, PUBLISHED, tmp_path, Workers(None), buckets=5), f"seed {seed}"
        packed = packed_from(lines, tmp_path, 2)
        worked = packed_file.by_row_group(packed, OneByOne(Deciding(PUBLISHED)), Workers(None), Progress(disable=True))
        assert expected == sorted_claims(worked), f"seed {seed}"
        alone = [
            claim for account in book_of(lines).accounts.values() for claim in Deciding(PUBLISHED)(iter([account]))
        ]
        shared += sorted(alone, key=lambda claim: str(claim["claim_id"])) != expected[0]
    assert shared, "or households changed nothing"


def test_members_whose_amounts_fit_no_column_join_their_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a column holds less than most claims, those beyond it are decided with the members who are in columns."""
    monkeypatch.setattr(gathering, "_SUM_MAX", 400_000.0)
    for seed in (10, 11):
        lines = lines_of(town(Random(seed)))
        assert in_one_book(lines, PUBLISHED) == person_by_person(lines, PUBLISHED, tmp_path, Workers(None), buckets=5)


@pytest.mark.parametrize("part", range(3))
def test_every_way_through_a_file_finds_the_same_claims_twice(part: int, tmp_path: Path) -> None:
    """An invoice of two encounters, of members, neighbours or one person, whether households count together or not."""
    found, apart = Counter[str](), 0
    for seed in SEEDS[part::3]:
        lines = with_repeated_invoices(lines_of(town(Random(seed))), seed)
        texts = ([BEFORE_TEXT], POLICIES)[seed // 3 % 2]
        published = policies(*minding(texts, seed // 6))
        expected = in_one_book(lines, published)
        grouped = bool(published.household_schemes)
        by_line = person_by_person(lines, published, tmp_path, Workers(None), buckets=5, grouped=grouped)
        assert expected == by_line, f"seed {seed}"
        packed, bar = packed_from(lines, tmp_path, 2), Progress(disable=True)
        worked = packed_file.by_row_group(packed, OneByOne(Deciding(published)), Workers(None), bar)
        assert expected == sorted_claims(worked), f"seed {seed}"
        found.update(code for claim in expected[0] for code in words(claim.get("alerts", [])))
        found["held"] += sum("held" in claim for claim in expected[0])
        alone = [Deciding(published)(iter([account])) for account in book_of(lines).accounts.values()]
        one_by_one = sorted((each for its in alone for each in its), key=lambda its: str(its["claim_id"]))
        apart += not grouped and one_by_one != expected[0]
    assert found["DUPLICATE_INVOICE"] > found["held"] > 0, "or nothing was tried"
    assert apart, "or every invoice was one person's"


def words(value: object) -> list[str]:
    assert isinstance(value, list)
    return value


def test_whoever_shares_an_invoice_is_in_one_row_group(tmp_path: Path) -> None:
    """Persons of no household, packed two to a group, of whom three each name the same invoice."""
    events: list[Json] = []
    for number in range(12):
        of: Json = {"person_id": f"P{number}"}
        events += [discharge(f"E{number}", **of), bill(f"S{number}", f"E{number}", invoice_no=f"I{number % 4}", **of)]
    lines, published = lines_of(events), policies(*minding([BEFORE_TEXT]))
    worked = packed_file.by_row_group(
        packed_from(lines, tmp_path, 2), OneByOne(Deciding(published)), Workers(None), Progress(disable=True)
    )
    claims, refused = sorted_claims(worked)
    assert (claims, refused) == in_one_book(lines, published)
    assert [True] * 12 == [claim.get("held") for claim in claims]


def test_claims_twice_whose_amounts_fit_no_column_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a column holds less than most claims, invoices link those beyond it to those who are in columns."""
    monkeypatch.setattr(gathering, "_SUM_MAX", 400_000.0)
    published = policies(*minding([BEFORE_TEXT]))
    for seed in (10, 11):
        lines = with_repeated_invoices(lines_of(town(Random(seed))), seed)
        found = person_by_person(lines, published, tmp_path, Workers(None), buckets=5, grouped=False)
        assert in_one_book(lines, published) == found


def test_groups_come_together_in_other_processes_too(tmp_path: Path) -> None:
    """Two processes share the buckets; nobody's household is cut."""
    lines = lines_of(town(Random(99)))
    with workers(2) as hands:
        assert in_one_book(lines, PUBLISHED) == person_by_person(lines, PUBLISHED, tmp_path, hands, 900, 4)


@pytest.mark.parametrize("sides", [(BEFORE, PUBLISHED), (PUBLISHED, BEFORE), (Policies(), PUBLISHED)])
def test_a_what_if_counts_households_alike_everywhere(sides: tuple[Policies, Policies], tmp_path: Path) -> None:
    """The report over lines, over packed facts and over columns is that of whole groups, before and after."""
    for seed in SEEDS[: len(SEEDS) // 6]:
        lines = lines_of(town(Random(seed)))
        accounts = list(book_of(lines).accounts.values())
        expected = tally_of_groups(accounts, sides)
        assert expected == tally_of(pack(accounts), *sides), f"seed {seed}"
        facts = tmp_path / "facts.jsonl"
        facts.write_bytes(b"\n".join(lines))
        plan, bar, alone = Plan(facts, tmp_path, 5, 700), Progress(disable=True), Workers(None)
        packed = packed_from(lines, tmp_path, 2)
        for work in (SimulatingColumns(*sides), OneByOne(Simulating(*sides, None))):
            for worked in (
                by_person(plan, work, alone, bar, grouped=True),
                packed_file.by_row_group(packed, work, alone, bar),
            ):
                found = Tally()
                for result, _ in worked.results:
                    found.merge(result)
                assert expected == found, f"seed {seed}"


def tally_of_groups(accounts: Sequence[Account], sides: tuple[Policies, Policies]) -> Tally:
    """Everybody in memory at once, under each side alone."""
    tally = Tally()
    for person in all_pairs(accounts, *sides):
        tally.take(person)
    tally.merge(Tally())
    return tally


def test_whom_nothing_links_is_decided_by_columns() -> None:
    """Of two members and a person alone only the members are left to the core."""
    events: list[Json] = []
    for number in range(3):
        of: Json = {"person_id": f"P{number}"}
        events += [coverage(f"C{number}", programme="self_pay_assistance", **of), discharge(f"E{number}", **of)]
        events.append(bill(f"S{number}", f"E{number}", 4000, **of))
    events += [membership(f"M{number}", person_id=f"P{number}") for number in range(2)]
    events.append(membership("M2", unit="single", person_id="P2"))
    accounts = list(book_of(lines_of(events)).accounts.values())
    table = pack(accounts).table
    assert [False, False, True] == decide(columns_of(table), PUBLISHED).usual.tolist()
    assert [True, True, True] == decide(columns_of(table), BEFORE).usual.tolist()
    expected = tally_of_groups(accounts, (BEFORE, PUBLISHED))
    assert expected == tally_of(pack(accounts), BEFORE, PUBLISHED)


def test_packing_keeps_memberships() -> None:
    """Unpacked persons have the memberships that were packed, in order of their ids."""
    accounts = list(book_of(lines_of(town(Random(3)))).accounts.values())
    held = {each.person_id: sorted(each.recorded_memberships(), key=lambda one: one.membership_id) for each in accounts}
    found = {each.person_id: each.recorded_memberships() for each in unpack(pack(accounts).table)}
    assert any(found.values())
    for person, memberships in found.items():
        assert [
            (one.membership_id, one.household_id, str(one.unit), one.valid_from, one.valid_to)
            for one in held[PersonId(person)]
        ] == [tuple(one) for one in memberships]  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(20))
def test_columns_find_the_groups_that_the_core_finds(seed: int) -> None:
    """Of random links, in chains, stars and apart."""
    random = Random(seed)
    households = {
        f"P{number}": {f"H{random.randint(0, 40)}" for _ in range(random.choice((1, 1, 1, 2, 3)))}
        for number in range(60)
    }
    if not seed:  # one long chain
        households = {f"P{number}": {f"H{number}", f"H{number + 1}"} for number in range(60)}
    pairs = [(person, name) for person, names in households.items() for name in sorted(names)]
    random.shuffle(pairs)
    persons, names = (keys_of(pa.array(column)) for column in zip(*pairs, strict=True))
    groups = groups_of(Links(persons, names))
    by_number: dict[int, set[str]] = {}
    keys = keys_of(pa.array(list(households)))
    for person, number in zip(households, groups.of(keys).tolist(), strict=True):
        by_number.setdefault(number, set()).add(person)
    assert sorted(map(sorted, by_number.values())) == sorted(linked(households))
    assert len(np.unique(groups.person)) == len(households)
