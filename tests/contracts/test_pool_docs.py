"""docs/pools.md: its events are accepted, its tables hold what the program does, and every field stands in it."""

from __future__ import annotations

import json
import re

from sqlalchemy import Engine, select

from handlers.claims.read import read
from handlers.pools.shortage import pro_rata
from handlers.words.pool_sentences import waits
from infra.ledger import pool_figures, tables
from schemas.facts import ContributionReceived, ContributionVoided, OnShortage, PoolFact, PoolRecorded
from schemas.money import format_yuan, parse_yuan
from tests.support.builders import contribution, delivery, pool
from tests.support.paths import DOCS
from tests.support.pools import villager
from tests.support.village_pool import VillagePool

PAGE = (DOCS / "pools.md").read_text("utf-8")
HEAD = {"event_type", "event_id", "occurred_at", "source", "person_id"}


def rows_of(heads: str) -> list[list[int]]:
    """The amounts in the lines of a table, in fen."""
    table = PAGE.split(f"| {heads} |\n")[1].split("\n\n")[0]
    return [[parse_yuan(cell) for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[1:]]


def test_the_events_of_the_page_are_accepted() -> None:
    """As the models of the contract read them."""
    events = [json.loads(text) for text in re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)]
    found = [read(delivery(event).value) for event in events]
    assert [PoolRecorded, ContributionReceived] == [type(getattr(each, "fact", each)) for each in found]


def test_every_field_of_a_pool_s_events_is_documented() -> None:
    """In the table of the page, under the name it has on the wire."""
    kinds: tuple[type[PoolFact], ...] = (PoolRecorded, ContributionReceived, ContributionVoided)
    table = PAGE.split("| event | field | meaning |")[1].split("\n\n")[0]
    for kind in kinds:
        section = table.split(f"| `{kind.model_fields['event_type'].annotation.__args__[0]}` |")[1]  # type: ignore[union-attr]
        section = re.split(r"^\| `", section, maxsplit=1, flags=re.MULTILINE)[0]
        named = set(re.findall(r"`(\w+)`", section))
        assert set() == set(kind.model_fields) - HEAD - named, kind


def test_the_queue_of_the_page_is_what_the_ledger_does(ledger: Engine) -> None:
    """What is released to each after each contribution, and the balance."""
    village = VillagePool(ledger)
    village.take(pool(), *(each for at, due in enumerate((500, 300, 100), 1) for each in stay(at, due)))
    rows = rows_of("received | first | second | third | balance")
    assert 3 == len(rows)
    for number, (received, *expected) in enumerate(rows):
        village.take(contribution(f"G{number}", yuan=received // 100))
        benefits = tables.benefits.c
        with ledger.connect() as connection:
            released = list(connection.scalars(select(benefits.released).order_by(benefits.claim_id)))
            (figures,) = pool_figures.all_pools(connection)
        assert expected == [*released, figures.balance]


def stay(number: int, due: int) -> list[dict[str, object]]:
    return villager(f"P{number}", f"2024-03-0{number}", due)


def test_the_close_of_the_page_is_what_the_program_shares() -> None:
    """The same part for everybody, to the fen."""
    rows = rows_of("available | first | second | third")
    assert 3 == len(rows)
    for available, *expected in rows:
        assert expected == pro_rata([500_00, 300_00, 100_00], available), format_yuan(available)


def test_the_page_quotes_what_a_villager_reads() -> None:
    """In both languages, word by word."""
    said = waits(OnShortage.QUEUE, 2)
    text = " ".join(PAGE.replace("\n> ", " ").split())
    assert said.zh in text
    assert said.en in text
