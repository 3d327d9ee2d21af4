"""Publishing watches: they are kept for good, and find whoever crosses a step of theirs, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from sqlalchemy import Connection

from acts.groups_at_once import groups_at_once
from acts.ledger_act import ledger_act
from acts.load_world import load_persons
from acts.published_watches import published_watches
from acts.recompute_groups import decide_waiting
from handlers.audit.journal import Journal
from handlers.audit.operator_acts import watches_published
from handlers.claims.process import Processor
from handlers.watches.kept_crossings import kept_of
from infra.clock import Clock
from infra.ledger import watch_rows
from infra.ledger.policy_rows import PublishedFile
from schemas.records import Outcome, ShardState
from schemas.watch.watch_file import parse_watches
from schemas.watch.watch_model import PublishedWatches, Watches


@dataclass(slots=True)
class WatchPublication:
    """What publishing did, or would do. ``new`` is false when the same file was published before.

    ``found`` counts the claims that cross a step (fen), by watch and step.
    """

    watches: Watches
    new: bool
    together: PublishedWatches = field(compare=False)
    persons: int = 0
    found: Counter[tuple[str, int]] = field(default_factory=Counter)


def publish_watches(
    connection: Connection, text: str, operator: str, shard_count: int, now: Clock, file: str = "watches"
) -> WatchPublication:
    """Publishes a file of watches in the name of an operator, and raises an alert for each crossing.

    No claim is decided again and no money moves. Raises WatchError for an unusable file and WatchesConflict when it
    cannot hold with those published.
    """
    watches = parse_watches(text, file)
    with ledger_act(connection, range(shard_count), now) as journal:
        published = _joined(connection, watches)
        if published.new:
            decide_waiting(connection, journal, shard_count)  # so everybody's claims are as their facts say
            number = watches_published(journal, text.encode("utf-8"), watches, operator)
            journal.write()
            row = PublishedFile(text, operator, journal.recorded_at)
            watch_rows.add(connection, watches, row, journal.numbers[number])
            for _ in _looked_at(connection, journal, number, shard_count, published):
                journal.write()
    return published


def preview_watches(
    connection: Connection, text: str, shard_count: int, now: Clock, file: str = "watches"
) -> WatchPublication:
    """What publishing a file of watches would do; writes nothing and locks nothing.

    Whoever waits for a decision with others is looked at as last decided. Give it a connection that sees one moment
    (REPEATABLE READ). Raises what `publish_watches` raises.
    """
    published = _joined(connection, parse_watches(text, file))
    if published.new:
        journal = Journal({shard: ShardState(shard) for shard in range(shard_count)}, now())
        for _ in _looked_at(connection, journal, 0, shard_count, published):
            journal.outcome = Outcome()
    return published


def _joined(connection: Connection, watches: Watches) -> WatchPublication:
    before = published_watches(connection)
    together = before.joined(watches)
    return WatchPublication(watches, together is not before, together)


def _looked_at(
    connection: Connection, journal: Journal, number: int, shard_count: int, published: WatchPublication
) -> Iterator[None]:
    """Looks at everybody whom the file may find, some persons at a time, and counts what it finds.

    The caller disposes of the outcome after each step.
    """
    watches, ids = published.watches, {each.id for each in published.watches.watches}
    by_household = published.together.by_household
    persons = watch_rows.persons_over(connection, watches.lowest_step, by_household)
    published.persons = len(persons)
    for some in groups_at_once(connection, persons, by_household):
        world = load_persons(connection, list(chain.from_iterable(some)), shard_count)
        world.watches = published.together
        work = Processor(world, journal)
        for group in some:
            work.look(group, number)
        for row in journal.outcome.claims.values():
            if row.discharged_on is not None and watches.holds(row.discharged_on):
                published.found.update((each.watch, each.step) for each in kept_of(row.crossings) if each.watch in ids)
        yield
