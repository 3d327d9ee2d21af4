"""What the oracle judges: the test's own journal, the topics, and the ledger, each read to its end or not at all."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from json import loads
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.books import Books, Event, read_books
from tests.faults.journal import Acknowledged, read_journal
from tests.faults.kcat import Message, Unreadable, ends, read_topic
from tests.oracle import calculator, payees
from tests.oracle.pool_facts import Due, Pool, dues_of, pool_of
from tests.support.clearing_laws import Comparison, books_are_the_oracles, statements_are_the_oracles

INBOUND = (
    *("hospital.discharges", "hospital.expenses", "registry.coverages", "registry.persons", "payouts.results"),
    *("insurance.answers", "registry.households", "funds.movements", "calendar.days"),
)
OUTBOUND = (
    "claims.decisions",
    "payouts.instructions",
    "audit.events",
    "claims.deadletter",
    "alerts",
    "insurance.statements",
)
INSURERS = "payouts.instructions."
STATEMENTS = "insurance.statements."
CURSORS = "relay.cursors"
UNSENT = "SELECT shard, outbox_seq - relayed_seq FROM shards JOIN relays USING (shard) WHERE outbox_seq > relayed_seq"
"""The shards of which messages wait, and how many."""

UNDECIDED = "SELECT count(DISTINCT person_id) FROM group_work UNION ALL SELECT count(DISTINCT pool_id) FROM pool_work"
"""The persons whose claims wait to be decided with those of others, and the pools that wait for their steps."""

OF_POOLS = ("pool_id", "contribution_id")
"""The kinds of subject of the facts about pools, as the oracle calls them."""


@dataclass
class Evidence:
    """All that is known when a run has come to rest."""

    journals: list[Acknowledged]
    topics: dict[str, list[Message]]
    books: Books
    ends: dict[tuple[str, int], int]
    ends_uncommitted: dict[tuple[str, int], int]
    clearing: list[Comparison]

    @cached_property
    def came_in(self) -> list[Event]:
        """The events that came from topics, in the ledger's order; acts of operators and group steps left out."""
        return [each for each in self.books.events if each.topic not in ("operator", "ledger")]

    @cached_property
    def due(self) -> list[dict[str, Any]]:
        """The claims that follow from the accepted events, as the calculator works them out."""
        lines = [each.value or b"" for each in self.came_in if each.disposition == "accepted"]
        claims, refused = calculator.adjudicate(self.books.policies, lines)
        if refused:
            raise ValueError(f"the calculator refuses {len(refused)} accepted events: {refused[:3]}")
        return claims

    @cached_property
    def owed(self) -> dict[tuple[str, str, str], int]:
        """The fen of each (claim, scheme, payee) that follow from them and do not wait for a pool's money.

        The payee is empty for person and estate.
        """
        events = [loads(each.value or b"") for each in self.came_in if each.disposition == "accepted"]
        return payees.owed_to(events, map(self._without_what_waits, self.due))

    def _without_what_waits(self, claim: dict[str, Any]) -> dict[str, Any]:
        paid = []
        for line in claim["benefits"]:
            held = self.books.benefits.get((claim["claim_id"], line["scheme_id"]))
            waiting = held.waiting if held else 0
            paid.append({**line, "benefit": payees.text(payees.fen(line["benefit"]) - waiting)})
        return {**claim, "benefits": paid}

    @cached_property
    def facts(self) -> calculator.Ledger:
        """The accepted events as the calculator keeps them."""
        facts = calculator.Ledger()
        for each in self.came_in:
            if each.disposition == "accepted":
                facts.consider(calculator.read_event(each.value or b""))
        return facts

    @cached_property
    def pool_dues(self) -> list[Due]:
        """What is due from pools, in canonical order."""
        return [due for due in dues_of(self.facts, calculator.read_policies(self.books.policies)) if due.by_pool]

    @cached_property
    def pools(self) -> dict[str, Pool]:
        """Each pool that was recorded, received or has something, or is named by a benefit, as the events say."""
        told = [event.text("pool_id") for kind in OF_POOLS for event in self.facts.newest(kind)]
        named = [each.pool_id for each in self.books.benefits.values() if each.pool_id]
        named += [due.pool_id for due in self.pool_dues if due.pool_id]
        return {pool_id: pool_of(self.facts, pool_id) for pool_id in {*told, *named, *self.books.balances}}


def group_steps(evidence: Evidence | None) -> int:
    """How often persons who share households were decided together."""
    return len(_steps(evidence)) - pool_steps(evidence)


def pool_steps(evidence: Evidence | None) -> int:
    """How often a pool's step released something, or told somebody to wait."""
    return sum("pool_id" in step for step in _steps(evidence))


def waited(evidence: Evidence | None) -> tuple[set[str], set[str]]:
    """The claims of which something waits in a pool's queue, and those that had waited for a pool and were paid all."""
    if evidence is None:
        return set(), set()
    told = {claim_id for claim_id, _, value in evidence.books.decisions if "waiting" in loads(value)}
    queues = {pool.id for pool in evidence.pools.values() if pool.on_shortage == "queue"}
    held = evidence.books.benefits.items()
    still = {claim_id for (claim_id, _), each in held if each.waiting and each.pool_id in queues}
    paid = {claim_id for (claim_id, _), each in held if each.pool_id and each.released and not each.waiting}
    return still, told & paid


def _steps(evidence: Evidence | None) -> list[dict[str, Any]]:
    events = [] if evidence is None else evidence.books.events
    return [loads(each.value or b"") for each in events if each.disposition == "group"]


def gather(bootstrap: str, ledger_url: str, journals: Iterable[Path], shards: int) -> Evidence:
    """Reads everything. Raises Unreadable when something could not be read completely."""
    try:
        names = (*INBOUND, *OUTBOUND, CURSORS, *_insurers(ledger_url))
        notes = [read_journal(path) for path in journals]
        before = ends(bootstrap, names, shards, "read_committed")
        topics = {name: read_topic(bootstrap, name, {p: before[name, p] for p in range(shards)}) for name in names}
        with psycopg.connect(ledger_url.replace("+psycopg", ""), autocommit=True) as connection:
            books = read_books(connection)
            clearing = _clearing(connection, topics["insurance.statements"])
        after = ends(bootstrap, names, shards, "read_committed")
        uncommitted = ends(bootstrap, names, shards, "read_uncommitted")
    except (OSError, ValueError, psycopg.Error) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    if before != after:
        raise Unreadable("the topics grew while they were read: the system was not at rest")
    return Evidence(notes, topics, books, after, uncommitted, clearing)


def _clearing(connection: psycopg.Connection[Any], statements: Iterable[Message]) -> list[Comparison]:
    """Statements and books beside what their oracles make of instructions and reports."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return connection.execute(sql.encode()).fetchall()

    sent = [loads(message.value or b"") for message in statements]
    return [*statements_are_the_oracles(rows, sent), *books_are_the_oracles(rows)]


def _insurers(ledger_url: str) -> list[str]:
    """The topics of the insurers' own: of instructions for those that lead a treaty, of statements for all."""
    with psycopg.connect(ledger_url.replace("+psycopg", ""), autocommit=True) as connection:
        texts = connection.execute("SELECT source_text FROM treaties").fetchall()
    treaties = [tomllib.loads(text)["treaty"] for (text,) in texts]
    bearing = {each["insurer"] for treaty in treaties for each in (*treaty["share"], *_stop_loss(treaty))}
    leads = {treaty["lead"] for treaty in treaties}
    return [f"{INSURERS}{lead}" for lead in sorted(leads)] + [f"{STATEMENTS}{name}" for name in sorted(bearing)]


def _stop_loss(treaty: dict[str, Any]) -> list[dict[str, Any]]:
    return [treaty["stop_loss"]] if "stop_loss" in treaty else []
