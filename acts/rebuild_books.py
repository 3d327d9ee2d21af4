"""Making the books again from the ledger's events, and comparing them with the postings; writes nothing.

All persons are in memory meanwhile, as the newest facts of each: some kilobytes a person. Events and postings are not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import zip_longest
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from handlers.audit.journal import Journal
from handlers.audit.operator_acts import policy_published, treaty_published, watches_published
from handlers.books import entries
from handlers.claims.admit import Disposition
from handlers.claims.group_step import recompute_group, step_of
from handlers.claims.holds import release_hold
from handlers.claims.households import linked
from handlers.claims.process import Processor
from handlers.claims.read import Reading, recall
from handlers.claims.recoveries import settle_recovery
from handlers.claims.reissue import reissue
from handlers.claims.twice import checked_alone
from handlers.claims.world import World
from handlers.days.close_day import take_message
from handlers.days.read_day import read_message
from handlers.pools import pool_step
from handlers.pools.pool_year import close_year
from infra.ledger import book_rows, statement_rows
from infra.ledger.book_rows import PostingEvent
from infra.sharding import shard_of
from schemas.bordereau import StatementIssued
from schemas.canonical import sha256_hex
from schemas.decisions import Status
from schemas.ids import PersonId
from schemas.months import last_day
from schemas.policy.model import Policies, Policy
from schemas.policy.policy_file import parse_policy
from schemas.pool_records import PoolYear
from schemas.records import (
    Delivery,
    GroupStep,
    Posting,
    Reissue,
    ReleaseHold,
    SettleRecovery,
    ShardState,
)
from schemas.refusals import Refusal
from schemas.treaty.treaty_file import parse_treaty
from schemas.watch.watch_file import parse_watches


class Rebuilt(NamedTuple):
    """How many postings were the same, and the first that was not: as the events give it, and as it is kept."""

    same: int
    expected: Posting | None = None
    kept: Posting | None = None

    @property
    def good(self) -> bool:
        return self.expected is None and self.kept is None


def rebuild_books(engine: Engine, shard_count: int, progressed: Callable[[int], None] = lambda _: None) -> Rebuilt:
    """Repeats the ledger's events as of one moment, and compares each posting with the one that is kept."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        pairs = zip_longest(_rebuilt(connection, shard_count, progressed), book_rows.all_postings(connection))
        for same, (expected, kept) in enumerate(pairs):
            if expected != kept:
                return Rebuilt(same, expected, kept)
        return Rebuilt(book_rows.count_postings(connection))


def repeat(world: World, processor: Processor, event: PostingEvent) -> None:
    """Repeats an event or an act from which instructions or postings can follow; statements are left out."""
    key, value = event.key, event.value or b""
    match event.disposition:
        case "policy":
            policy = parse_policy(value.decode())
            number = policy_published(processor.journal, value, policy, (key or b"").decode())
            world.policies = Policies((*world.policies.releases, policy))
            for group in groups_reached(policy, world):
                processor.recompute_together(GroupStep(group, []), number)
        case "group":
            of_pool = pool_step.step_of(value)
            if of_pool is None:
                recompute_group(processor, step_of(value))
            else:
                pool_step.take_step(processor, *of_pool)
        case "pool":
            close_year(processor, PoolYear(**json.loads(value)))
        case "treaty":
            treaty = parse_treaty(value.decode())
            treaty_published(processor.journal, value, treaty, (key or b"").decode())
            world.treaties = world.treaties.joined(treaty)
        case "watches":
            watches = parse_watches(value.decode())
            number = watches_published(processor.journal, value, watches, (key or b"").decode())
            world.watches = world.watches.joined(watches)
            for group in groups_in(world, world.watches.by_household):
                processor.look(group, number)
        case "hold":
            release_hold(processor, ReleaseHold(**json.loads(value)))
        case "reissue":
            reissue(processor, Reissue(**json.loads(value)))
        case "recovery":
            settle_recovery(processor, SettleRecovery(**json.loads(value)))
        case _:
            message = Delivery(event.topic, event.partition, event.offset or 0, key, event.value)
            reading = read_message(message)
            if isinstance(reading, Refusal) and event.disposition == Disposition.ACCEPTED:  # by an earlier release
                reading = Reading(recall(message.value or b""), sha256_hex(message.value or b""))
            take_message(processor, message, reading)


def reached_by(policy: Policy, world: World) -> list[PersonId]:
    """The persons whose claims a newly published policy decides, found in memory as the ledger finds them in its rows.

    They have a claim on a day of the policy that waits for one or that policies only check, or a claim on its first day
    or later under the one that it succeeds.
    """
    waiting = (Status.NO_POLICY, *checked_alone(world.policies))
    ended = None if policy.succeeds is None else world.policies.named(policy.succeeds)
    found = set()
    for row in world.claims.values():
        if row.discharged_on is None or row.discharged_on < policy.effective_from:
            continue
        waits = row.status in waiting and policy.term.holds(row.discharged_on)
        if waits or (ended is not None and row.policy_sha256 == ended.sha256):
            found.add(row.person_id)
    return sorted(found)


def groups_reached(policy: Policy, world: World) -> list[list[PersonId]]:
    """The same persons, each with all who are decided together with them."""
    found = set(reached_by(policy, world))
    return [group for group in groups_in(world, world.by_household) if not found.isdisjoint(group)]


def groups_in(world: World, by_household: bool) -> list[list[PersonId]]:
    """Everybody, with all whom invoices link, and households where ``by_household``."""
    shared = world.shared if world.invoices_link else {}
    links = {
        person_id: (account.households() if by_household else set[str]()) | shared.get(person_id, set())
        for person_id, account in world.accounts.items()
    }
    for link in set[str]().union(*shared.values()):
        links[world.invoices[link]].add(link)
    return linked(links)


def _rebuilt(connection: Connection, shard_count: int, progressed: Callable[[int], None]) -> Iterator[Posting]:
    """The postings that the events give, under the events' own numbers."""
    world = World(Policies(), partial(shard_of, shard_count=shard_count))
    shards = {shard: ShardState(shard) for shard in range(shard_count)}
    unlinked = book_rows.last_event_before_invoices(connection)
    for event in book_rows.posting_events(connection):
        world.invoices_link = event.event_no > unlinked
        processor = Processor(world, Journal(shards, event.recorded_at))
        if event.disposition == "statement":
            _share_again(connection, processor, event)
        else:
            repeat(world, processor, event)
        for each in processor.outcome.postings:
            yield each._replace(number=event.event_no)
        progressed(1)


def _share_again(connection: Connection, processor: Processor, event: PostingEvent) -> None:
    """What the insurers bear by the statements that an act issued; these never change."""
    issued = [
        StatementIssued.model_validate_json(row.value) for row in statement_rows.issued_by(connection, event.event_no)
    ]
    treaty = next(each for each in processor.world.treaties.releases if each.id == issued[0].treaty_id)
    for each in sorted(issued, key=lambda statement: treaty.insurers.index(statement.insurer)):
        if each.insurer != treaty.lead:
            borne = each.part + each.part_of_cession
            for entry in entries.shared(treaty.lead, each.insurer, treaty.id, borne):
                processor.journal.post(0, entry, last_day(each.month), each.statement_id)
