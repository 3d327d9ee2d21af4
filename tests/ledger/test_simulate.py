"""`huzhu simulate --ledger`: the ledger's own facts under other policies, and not a byte of it changes."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from rich.progress import Progress
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import InternalError

from acts.recompute_groups import recompute_groups
from acts.take_in import take_in
from cli.offline.by_person import OneByOne
from cli.offline.ledger_by_person import LedgerSource, by_person_in_ledger
from cli.offline.plan import Plan
from cli.offline.worker_processes import Workers
from handlers.claims.decidable import Decidable
from handlers.offline.what_if import Pair, all_pairs
from infra.ledger import snapshot, tables
from infra.ledger.reads import next_offsets, take_shards
from infra.ledger.snapshot import accepted_events, moment
from infra.population import generate
from infra.sharding import shard_of
from schemas.money import format_yuan, parse_yuan
from schemas.policy.model import Policies
from schemas.policy.policy_file import parse_policy
from schemas.records import Delivery, Range
from schemas.topics import address
from tests.properties.one_by_one import Deciding, in_one_book
from tests.support.acts import publish
from tests.support.builders import SHARDS, VILLAGE, contribution, coverage, encode, policy_text, pool
from tests.support.paths import WUXI
from tests.support.pools import POOL_POLICY, villager
from tests.support.processes import huzhu
from tests.support.random_households import POLICIES, lines_of, town

NOW = datetime(2025, 3, 1, 4, tzinfo=UTC)
DRAFT = policy_text("draft", "2024-01-01", "2025-01-01", VILLAGE.replace('"0.30"', '"0.80"'))
Paid = dict[tuple[str, str], str]


def contents(ledger: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with ledger.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables.metadata.sorted_tables
        }


@pytest.fixture
def filled(ledger: Engine) -> Engine:
    """A ledger with the sample policy published and a small city taken in, duplicates and bad events among it."""
    publish(ledger, WUXI.read_text("utf-8"), "li.na", SHARDS, lambda: NOW)
    take(ledger, generate(31, 80))
    return ledger


def take(ledger: Engine, lines: Iterator[bytes]) -> None:
    """One batch, as a worker takes it."""
    with ledger.begin() as connection:
        epochs = take_shards(connection, range(SHARDS))
        starts = next_offsets(connection)
    ends = Counter(starts)
    places: dict[tuple[str, int], list[Delivery]] = {}
    for line in lines:
        topic, key = address(line)
        place = (topic, shard_of(key.decode(), SHARDS) if key else 0)
        places.setdefault(place, []).append(Delivery(*place, ends[place], key, line))
        ends[place] += 1
    take_in(
        ledger, [Range(*place, 0, ends[place], tuple(each)) for place, each in places.items()], epochs, SHARDS, _now
    )


def _now() -> datetime:
    return NOW


def held(ledger: Engine) -> Paid:
    """What the ledger says that is due, in yuan by claim and scheme; claims that no policy reached have none."""
    with ledger.connect() as connection:
        rows = connection.execute(
            select(tables.benefits.c.claim_id, tables.benefits.c.scheme_id, tables.benefits.c.benefit)
        )
        return {(row.claim_id, row.scheme_id): format_yuan(row.benefit) for row in rows if row.benefit}


def test_the_published_side_is_what_the_ledger_owes(filled: Engine, ledger_url: str, tmp_path: Path) -> None:
    """Without a baseline the published policies are it: each benefit is the ledger's, to the fen; nothing changes."""
    before = contents(filled)
    draft = tmp_path / "draft.toml"
    draft.write_text(DRAFT, "utf-8")
    words = ("--policy", draft, "--out", tmp_path / "out", "--every-claim")
    told = huzhu("simulate", "--ledger", *words, HUZHU_DATABASE_URL=ledger_url)
    assert (0, "") == (told.returncode, told.stderr)
    with (tmp_path / "out" / "claims.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    paid = {(row["claim_id"], row["scheme_id"]): row["before"] for row in rows if row["before"] != "0.00"}
    assert paid
    assert held(filled) == paid
    changed = {row["discharged_on"][:4] for row in rows if row["change"] != "0.00"}
    assert {"2024"} == changed
    assert before == contents(filled)


def test_a_baseline_of_files_takes_the_place_of_the_published_policies(
    filled: Engine, ledger_url: str, tmp_path: Path
) -> None:
    """The draft against itself changes nothing."""
    draft = tmp_path / "draft.toml"
    draft.write_text(DRAFT, "utf-8")
    words = ("--policy", draft, "--baseline", draft, "--language", "en")
    told = huzhu("simulate", "--ledger", *words, HUZHU_DATABASE_URL=ledger_url)
    assert 0 == told.returncode
    assert "Change (yuan)  0.00" in told.stdout


class Paying:
    """What each scheme pays, by claim."""

    def __init__(self, before: Policies) -> None:
        self.before = before

    def __call__(self, accounts: Iterator[Decidable]) -> Paid:
        found: list[Pair] = [pair for person in all_pairs(accounts, self.before, self.before) for pair in person]
        return {
            (pair.after.claim.claim_id, benefit.scheme.id): format_yuan(benefit.amount)
            for pair in found
            for benefit in pair.after.benefits
            if benefit.amount
        }


def test_all_looks_are_at_one_moment(
    filled: Engine, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In many ranges and buckets, while another city comes in: what is read is the state at the beginning."""
    monkeypatch.setattr("cli.offline.ledger_by_person.EVENTS_AT_ONCE", 50)
    owed = held(filled)
    with moment(filled) as now:
        take(filled, generate(32, 30))
        assert owed != held(filled)
        plan, source = Plan(None, tmp_path, 7), LedgerSource(ledger_url, 15.0, now.snapshot_id)
        work = Paying(Policies(tuple(parse_policy(each) for each in now.policy_texts)))
        events = range(now.first_event, now.end_event)
        worked = by_person_in_ledger(
            plan, source, events, OneByOne(work), Workers(None), Progress(disable=True), grouped=True
        )
    found: Paid = {}
    for result in worked.results:
        found |= result
    assert owed == found


def test_households_are_decided_as_the_ledger_did(ledger: Engine, ledger_url: str, tmp_path: Path) -> None:
    """Members lie on several shards and in several buckets: each benefit is the ledger's, also in the sums."""
    for number, policy in enumerate(POLICIES):
        publish(ledger, policy, "li.na", SHARDS, _now)
        (tmp_path / f"{number}.toml").write_text(policy, "utf-8")
    take(ledger, iter(lines_of(town(Random(10)))))
    assert recompute_groups(ledger, range(SHARDS), SHARDS, _now)
    owed, found = held(ledger), dict[tuple[str, str], str]()
    with moment(ledger) as now:
        plan, source = Plan(None, tmp_path, 7), LedgerSource(ledger_url, 15.0, now.snapshot_id)
        work = OneByOne(Paying(Policies(tuple(parse_policy(each) for each in now.policy_texts))))
        events, bar = range(now.first_event, now.end_event), Progress(disable=True)
        for result in by_person_in_ledger(plan, source, events, work, Workers(None), bar, grouped=True).results:
            found |= result
    assert owed == found
    files = [word for number in range(len(POLICIES)) for word in ("--policy", tmp_path / f"{number}.toml")]
    told = json.loads(huzhu("simulate", "--ledger", *files, "--json", HUZHU_DATABASE_URL=ledger_url).stdout)
    assert [format_yuan(sum(parse_yuan(each) for each in owed.values()))] * 2 == [told["before"], told["after"]]


def test_pools_are_named_as_the_ledger_names_them(ledger: Engine, ledger_url: str, tmp_path: Path) -> None:
    """Of a ledger whose pools are short of money: every claim is due as from lines, with the pool that has to pay."""
    publish(ledger, POOL_POLICY, "li.na", SHARDS, _now)
    events = [pool("P1"), pool("V2", "owe"), contribution(pool_id="P1", yuan=400), contribution("G2", "V2", 1)]
    for number, pool_id in enumerate(("P1", "V2", "P1", "V2")):
        events += villager(f"P{number}", f"2024-03-0{number + 1}", 300, pool_id)
    events.append(coverage("C-P3", person_id="P3", version=2, pool_id="P1"))
    lines = [encode(each) for each in events]
    take(ledger, iter(lines))
    recompute_groups(ledger, range(SHARDS), SHARDS, _now)
    with moment(ledger) as now:
        plan, source = Plan(None, tmp_path, 3), LedgerSource(ledger_url, 15.0, now.snapshot_id)
        published = Policies(tuple(parse_policy(each) for each in now.policy_texts))
        work, numbers, bar = (
            OneByOne(Deciding(published)),
            range(now.first_event, now.end_event),
            Progress(disable=True),
        )
        worked = by_person_in_ledger(plan, source, numbers, work, Workers(None), bar, grouped=True)
    claims = sorted((each for part in worked.results for each in part), key=lambda claim: str(claim["claim_id"]))
    assert (claims, []) == in_one_book(lines, published)
    with ledger.connect() as connection:
        owed = connection.execute(select(tables.benefits.c.claim_id, tables.benefits.c.pool_id))
        rows = {row.claim_id: row.pool_id for row in owed}
    assert {"E-P0": "P1", "E-P1": "V2", "E-P2": "P1", "E-P3": "P1"} == rows
    named = [(str(each["claim_id"]), [benefit["pool_id"] for benefit in listed(each)]) for each in claims]
    assert [(claim_id, [pool_id]) for claim_id, pool_id in sorted(rows.items())] == named


def listed(claim: dict[str, object]) -> list[dict[str, str]]:
    """The benefits of a claim."""
    benefits = claim["benefits"]
    assert isinstance(benefits, list)
    return benefits


def test_the_connections_cannot_write(filled: Engine) -> None:
    """PostgreSQL itself refuses: the transactions are read-only."""
    with moment(filled) as now:
        assert list(accepted_events(filled, now.snapshot_id, 0, now.end_event))
    with snapshot._reading(filled) as connection, pytest.raises(InternalError, match="read-only transaction"):
        connection.execute(text("DELETE FROM offsets"))


def test_an_empty_ledger_costs_nothing(ledger: Engine, ledger_url: str, tmp_path: Path) -> None:
    """No event, no policy: an empty report."""
    draft = tmp_path / "draft.toml"
    draft.write_text(DRAFT, "utf-8")
    told = huzhu("simulate", "--ledger", "--policy", draft, "--language", "en", HUZHU_DATABASE_URL=ledger_url)
    assert (0, "") == (told.returncode, told.stderr)
    assert "0 claims of 0 persons" in told.stdout


def test_a_ledger_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """Exit status 75: start again once it is back."""
    address = "postgresql+psycopg://huzhu@127.0.0.1:1/huzhu"
    told = huzhu("simulate", "--ledger", "--policy", WUXI, HUZHU_DATABASE_URL=address)
    assert (75, "", 1) == (told.returncode, told.stdout, len(told.stderr.splitlines()))
    assert "the ledger cannot be reached or read" in told.stderr
