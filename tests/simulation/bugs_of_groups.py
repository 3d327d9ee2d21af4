"""Bugs of whoever decides several persons together: who is looked at, under which locks, and when it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import ARRAY, Connection, Text, any_, bindparam, or_, select

import acts.publish_policy
import acts.recompute_groups
import acts.take_in
from acts.ledger_act import LedgerJournal
from acts.remembered_persons import RememberedPersons
from handlers.claims.world import World
from infra.clock import Clock
from infra.ledger import group_rows, tables
from infra.ledger.group_rows import Work
from infra.ledger.group_tables import memberships
from schemas.ids import PersonId
from schemas.policy.model import Policies
from schemas.records import ShardState
from stream.inbound.intake import Intake

decide_groups = acts.recompute_groups.decide_groups


def not_read_again(patch: pytest.MonkeyPatch) -> None:
    """Who belongs together, and who waits, is what was read before their shards were locked."""
    links, work_of, found = group_rows.links, group_rows.work_of, dict[tuple[int, ...], dict[PersonId, set[str]]]()

    def reading(connection: Connection, work: list[Work]) -> dict[PersonId, set[str]]:
        before = found[_numbers(work)] = links(connection, work)
        return before

    def deciding(here: Connection, journal: LedgerJournal, world: World, work: list[Work], *rest: Any) -> int:
        before = found.get(_numbers(work))
        if before is None:  # of an act that holds all shards
            return decide_groups(here, journal, world, work, *rest)
        with pytest.MonkeyPatch.context() as blind:
            blind.setattr(group_rows, "links", lambda on, asked: before if on is here else links(on, asked))
            blind.setattr(group_rows, "work_of", lambda on, whose: work if on is here else work_of(on, whose))
            return decide_groups(here, journal, world, work, *rest)

    patch.setattr(group_rows, "links", reading)
    patch.setattr(acts.recompute_groups, "decide_groups", deciding)


def taken_off_before(patch: pytest.MonkeyPatch) -> None:
    """Work is taken off the queue in a transaction of its own, before what was decided is committed."""
    real = group_rows.done

    def at_once(connection: Connection, work: Iterable[Work]) -> None:
        with connection.engine.begin() as own:
            real(own, work)

    patch.setattr(group_rows, "done", at_once)


def nobody_looks(patch: pytest.MonkeyPatch) -> None:
    """A group that a worker left between two transactions is decided only when something else happens to it."""
    real = Intake.catch_up

    def catching_up(self: Intake) -> int:
        with pytest.MonkeyPatch.context() as blind:
            blind.setattr(self, "_decide_groups", lambda _: None)
            return real(self)

    patch.setattr(Intake, "catch_up", catching_up)


def joined_at_once(patch: pytest.MonkeyPatch) -> None:
    """A membership is decided in its own batch, before those who join elsewhere at the same time can see it."""
    patch.setattr(acts.take_in, "decide_groups", lambda *given: decide_groups(*given[:-1]))


def members_not_locked(patch: pytest.MonkeyPatch) -> None:
    """The shards of a group's members are read, not locked."""

    @contextmanager
    def unlocked(connection: Connection, shards: Iterable[int], now: Clock) -> Iterator[LedgerJournal]:
        rows = connection.execute(select(tables.shards).where(tables.shards.c.shard.in_(sorted(set(shards)))))
        ends = {row.shard: ShardState(row.shard, row.audit_seq, row.audit_hash, row.outbox_seq) for row in rows}
        yield (journal := LedgerJournal(ends, now(), connection=connection))
        journal.write()

    patch.setattr(acts.recompute_groups, "ledger_act", unlocked)


def remembered_blindly(patch: pytest.MonkeyPatch) -> None:
    """A process believes its memory of persons whom another process has decided since."""

    def believe(self: RememberedPersons, shards: Mapping[int, ShardState]) -> None:
        for shard in shards:
            self._generations.setdefault(shard, 0)

    patch.setattr(RememberedPersons, "compare", believe)


def left_behind(patch: pytest.MonkeyPatch) -> None:
    """Whoever leaves a household is decided without those who stay."""
    persons, homes = (bindparam(name, type_=ARRAY(Text)) for name in ("persons", "households"))
    belongs = or_(memberships.c.household_id == any_(homes), memberships.c.person_id == any_(persons))
    now = select(memberships.c.person_id, memberships.c.household_id).where(
        memberships.c.household_id.is_not(None), belongs
    )

    def only_now(connection: Connection, work: Iterable[Work]) -> dict[PersonId, set[str]]:
        return group_rows.linked_to(connection, {each.person_id for each in work})

    patch.setattr(group_rows, "_LINKS", now)
    patch.setattr(group_rows, "links", only_now)


def published_alone(patch: pytest.MonkeyPatch) -> None:
    """A policy that is published decides each person alone."""

    def alone(_: Connection, persons: list[PersonId], _policies: Policies) -> Iterator[list[list[PersonId]]]:
        yield from ([[person_id]] for person_id in persons)

    patch.setattr(acts.publish_policy, "_groups", alone)


def _numbers(work: Iterable[Work]) -> tuple[int, ...]:
    return tuple(each.work_no for each in work)
