"""What is told of pools in a file of facts is read and judged, decides nothing, and is no person's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.progress import Progress

from cli.facts.facts_command import Packing
from cli.offline import packed_file
from cli.offline.by_person import OneByOne, by_person
from cli.offline.plan import Plan
from cli.offline.worker_processes import Workers
from handlers.offline.columns.packing import pack, pack_refused, unpack
from schemas.ids import PersonId
from schemas.policy.model import Policies
from schemas.refusals import RefusalCode
from tests.properties.household_strategies import towns
from tests.properties.one_by_one import Claims, Deciding, Refusals, book_of, in_one_book, person_by_person
from tests.properties.pool_strategies import with_pools
from tests.properties.strategies import Body, History, busy_years, deliveries, histories, tried
from tests.support.builders import Json, contribution, contribution_void, coverage, encode, policies, pool
from tests.support.pools import POOL_POLICY, villager


def from_packed(lines: Sequence[bytes], published: Policies, folder: Path) -> tuple[Claims, Refusals]:
    """The lines packed in a file, and decided from it."""
    facts, target = folder / "facts.jsonl", folder / "facts.parquet"
    facts.write_bytes(b"\n".join(lines))
    hands, bar = Workers(None), Progress(disable=True)
    worked = by_person(Plan(facts, folder, 5, 700), Packing(folder), hands, bar, grouped=True, invoices=True)
    tables = [*map(packed_file.table_of, worked.results), pack_refused(worked.refused)]
    packed_file.write(target, tables, worked.facts)
    packed = packed_file.opened(target)
    decided = packed_file.by_row_group(packed, OneByOne(Deciding(published)), hands, bar)
    claims = [claim for result in decided.results for claim in result]
    return sorted(claims, key=lambda claim: str(claim["claim_id"])), decided.refused


def pools_in(claims: Claims) -> list[str | None]:
    """The pool of each benefit, by claim and scheme."""
    found = []
    for claim in claims:
        benefits = claim["benefits"]
        assert isinstance(benefits, list)
        found += [benefit.get("pool_id") for benefit in benefits]
    return found


@tried
@given(with_pools(histories() | busy_years()), st.data())
def test_every_way_through_a_file_names_the_same_pools(history: History, data: st.DataObject) -> None:
    """Lines in tiny chunks and buckets, packed facts, and packed accounts: each claim, sentence and refusal."""
    bodies = data.draw(deliveries(history.facts))
    lines, published = [encode(body) for body in bodies], policies(*history.policies)
    expected = in_one_book(lines, published)
    with TemporaryDirectory() as folder:
        assert expected == person_by_person(lines, published, Path(folder), Workers(None))
        assert expected == from_packed(lines, published, Path(folder))
    unpacked = Deciding(published)(unpack(pack(book_of(lines).accounts.values()).table))
    assert expected[0] == sorted(unpacked, key=lambda claim: str(claim["claim_id"]))


@tried
@given(with_pools(towns()), st.data())
def test_households_whose_members_have_pools_come_out_the_same(history: History, data: st.DataObject) -> None:
    """Members of one household may belong to different pools."""
    lines, published = [encode(body) for body in data.draw(deliveries(history.facts))], policies(*history.policies)
    expected = in_one_book(lines, published)
    with TemporaryDirectory() as folder:
        assert expected == person_by_person(lines, published, Path(folder), Workers(None))
        assert expected == from_packed(lines, published, Path(folder))


PUBLISHED = policies(POOL_POLICY)
STAY: list[Json] = villager("P1", "2024-03-01", 300)


def every_way(bodies: Sequence[Body], folder: Path) -> tuple[Claims, Refusals]:
    """What each way through a file says, which has to be one thing."""
    lines = [encode(body) for body in bodies]
    found = in_one_book(lines, PUBLISHED)
    assert found == person_by_person(lines, PUBLISHED, folder, Workers(None))
    assert found == from_packed(lines, PUBLISHED, folder)
    return found


def test_money_of_pools_decides_nothing(tmp_path: Path) -> None:
    """With its rule, without money, with money and without it again, what is due is one thing."""
    told = [pool(), contribution(yuan=100), contribution_void(), pool(version=2, on_shortage="pro_rata")]
    expected = every_way(STAY, tmp_path)
    assert ["V1"] == pools_in(expected[0])
    for count in range(1, len(told) + 1):
        assert expected == every_way([*told[:count], *STAY], tmp_path)


def test_a_pool_is_no_person(tmp_path: Path) -> None:
    """Not even one that is called as a person is, with a contribution called as their bill, stay or coverage."""
    named = [contribution(name, "P1") for name in ("C-P1", "E-P1", "S-P1", "P1")]
    assert every_way(STAY, tmp_path) == every_way([pool("P1"), *named, *STAY], tmp_path)
    assert [PersonId("P1")] == list(book_of([encode(each) for each in [pool("V1"), *named, *STAY]]).accounts)


@pytest.mark.parametrize("first", range(4))
def test_a_contribution_of_two_pools_is_the_firsts(first: int, tmp_path: Path) -> None:
    """Whichever stands first in the file keeps the id; what the others say of it is refused, void or not."""
    names = [f"V{number}" for number in range(4)]
    others = [name for name in names if name != names[first]]
    claims: list[Body] = [contribution(pool_id=names[first])]
    claims += [contribution(pool_id=name) for name in others[:2]] + [contribution_void(pool_id=others[2])]
    _, refused = every_way([*STAY, *claims], tmp_path)
    assert [(5, RefusalCode.PERSON_MISMATCH), (6, RefusalCode.PERSON_MISMATCH), (7, RefusalCode.PERSON_MISMATCH)] == [
        (line, refusal.code) for line, refusal in refused
    ]
    assert ("/pool_id", "/contribution_id") == refused[0][1].pointers


def test_a_version_that_says_two_things_is_refused(tmp_path: Path) -> None:
    """Of a pool and of a contribution; the same thing again, and an older version later, are not."""
    told = [pool(), contribution(), contribution(), pool(version=2), pool()]
    assert [] == every_way([*told, *STAY], tmp_path)[1]
    _, refused = every_way([*told, pool(title="another"), contribution(yuan=7), *STAY], tmp_path)
    assert [(6, RefusalCode.VERSION_CONFLICT), (7, RefusalCode.VERSION_CONFLICT)] == [
        (line, refusal.code) for line, refusal in refused
    ]


def test_of_coverages_that_began_on_one_day_the_greatest_id_counts_in_every_way(tmp_path: Path) -> None:
    """Ids are compared by code point, wherever their lines stand: 10 comes before 9, capitals before small letters."""
    for names in (("C10", "C9"), ("CX", "Cx"), ("Cz", "C中")):
        of = dict(zip(names, ("V1", "V2"), strict=True))
        held: list[Body] = [coverage(name, person_id="P1", pool_id=pool_id) for name, pool_id in of.items()]
        for order in (held, held[::-1]):
            claims, refused = every_way([*STAY[1:], *order], tmp_path)
            assert (["V2"], []) == (pools_in(claims), refused)
