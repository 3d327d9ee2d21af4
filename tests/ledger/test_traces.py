"""Traceparents in a real ledger: they go from events to what these cause, and change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlalchemy import Engine, select

from infra.ledger import tables
from schemas.records import Delivery
from schemas.topics import AUDIT, COVERAGES, DEADLETTER, DECISIONS, INSTRUCTIONS
from tests.support.acts import publish
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, Json, bill, coverage, discharge
from tests.support.household import FAMILY
from tests.support.household import POLICY as HOUSEHOLD_POLICY
from tests.support.ledgers import contents, do_steps, give, held, in_order
from tests.support.outbox import waiting_messages
from tests.support.replayed import recorded
from tests.support.traceparents import each_traced, traceparent

EVENTS: list[Json | bytes] = [coverage(), discharge(), bill(copay=5000), bill(copay=6000, version=2), b"{"]


def taken_in(ledger: Engine, deliveries: list[Delivery]) -> None:
    publish(ledger, POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    held(ledger)
    give(ledger, deliveries)


def sent(ledger: Engine, topic: str) -> list[tuple[Json, str | None]]:
    return [(json.loads(each.value), each.traceparent) for each in waiting_messages(ledger, topic)]


def test_what_an_event_causes_has_its_traceparent(ledger: Engine) -> None:
    """Decisions and instructions, entries of the audit log and dead letters; each its own event's."""
    taken_in(ledger, each_traced(in_order(EVENTS)))
    stay, first_bill, second_bill = (traceparent(number) for number in (2, 3, 4))
    assert [stay, first_bill, second_bill] == [trace for _, trace in sent(ledger, DECISIONS.name)]
    assert {first_bill, second_bill} == {trace for _, trace in sent(ledger, INSTRUCTIONS.name)}
    assert [traceparent(5)] == [trace for _, trace in sent(ledger, DEADLETTER.name)]
    audited = [trace for _, trace in sent(ledger, AUDIT.name)]
    assert None in audited  # the publication
    assert {traceparent(number) for number in range(1, 6)} == set(audited) - {None}


def test_an_event_without_one_causes_nothing_that_has_one(ledger: Engine) -> None:
    """Though events before and after it in the batch have one."""
    untraced = in_order(EVENTS)
    traced = each_traced(untraced)
    taken_in(ledger, [untraced[0], *traced[1:3], *untraced[3:]])
    assert [traceparent(2), traceparent(3), None] == [trace for _, trace in sent(ledger, DECISIONS.name)]
    assert [None] == [trace for _, trace in sent(ledger, DEADLETTER.name)]
    assert [None] == [trace for value, trace in sent(ledger, AUDIT.name) if COVERAGES.name in value["subject"].values()]


def test_nothing_else_differs(ledger: Engine, copies: Callable[[Engine], Engine]) -> None:
    """Money, content hashes, audit entries, what is a duplicate, numbers and bytes of messages, their hash chain."""
    other = copies(ledger)
    twice = [*EVENTS, bill(copay=5000)]
    taken_in(ledger, in_order(twice))
    taken_in(other, each_traced(in_order(twice)))
    assert recorded(ledger) == recorded(other)
    plain, traced = contents(ledger), contents(other)
    for name in ("events", "facts", "subjects", "claims", "refusals", "audit_entries", "decisions", "instructions"):
        assert plain[name] == traced[name]
    with ledger.connect() as one, other.connect() as two:
        messages = select(tables.outbox_batches.c.messages).order_by(tables.outbox_batches.c.last_seq)
        assert one.scalars(messages).all() == two.scalars(messages).all()


def test_where_none_came_none_is_stored(ledger: Engine) -> None:
    taken_in(ledger, in_order(EVENTS))
    with ledger.connect() as connection:
        assert {None} == set(connection.scalars(select(tables.outbox_batches.c.traceparents)))


def test_a_household_is_decided_under_the_newest_traceparent_of_its_events(ledger: Engine) -> None:
    """In a later transaction; the event that comes last has none."""
    publish(ledger, HOUSEHOLD_POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    held(ledger)
    *traced, last = in_order(FAMILY)
    give(ledger, [*each_traced(traced), last])
    assert [] == sent(ledger, INSTRUCTIONS.name)
    do_steps(ledger)
    ordered = [trace for _, trace in sent(ledger, INSTRUCTIONS.name)]
    assert [traceparent(len(traced))] * 2 == ordered
