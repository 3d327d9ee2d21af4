"""Damage done to what a sound run left behind of its pools: each must be seen by the check that is there for it."""

from __future__ import annotations

from dataclasses import replace
from json import dumps, loads
from typing import Any

from tests.faults.books import Event
from tests.faults.evidence import Evidence
from tests.faults.pool_checks import may_not_owe, spent_by
from tests.support.builders import contribution


def a_pool_not_served(evidence: Evidence) -> tuple[Evidence, str]:
    return _books(evidence, unserved=1), "nobody waits for a group step"


def released_and_not_instructed(evidence: Evidence) -> tuple[Evidence, str]:
    """As if the money of a pool had been released, and the instruction lost."""
    held = evidence.books.benefits
    line = next(line for line, each in held.items() if each.waiting)
    damaged = held | {line: held[line]._replace(released=held[line].benefit)}
    return _books(evidence, benefits=damaged), "what is released is instructed"


def a_pool_that_paid_what_it_had_not(evidence: Evidence) -> tuple[Evidence, str]:
    """All that it received is gone, from the events and from the ledger's sum."""
    spent = spent_by(evidence)
    pool_id = next(name for name in sorted(may_not_owe(evidence)) if spent[name].total() > 0)
    kept = [each for each in evidence.books.events if not _gives_to(each, pool_id)]
    balances = evidence.books.balances | {pool_id: -spent[pool_id].total()}
    return _books(evidence, events=kept, balances=balances), "pools pay what they have"


def a_pools_money_miscounted(evidence: Evidence) -> tuple[Evidence, str]:
    pool_id, balance = min(evidence.books.balances.items())
    return _books(evidence, balances=evidence.books.balances | {pool_id: balance + 1}), "pools pay what they have"


def somebody_waits_whom_the_money_covers(evidence: Evidence) -> tuple[Evidence, str]:
    """As if the step that pays who is first had been lost: a queue received more than all of its members' dues."""
    held = evidence.books.benefits
    queues = {due.pool_id for due in evidence.pool_dues if due.pool_id and held[due.line].waiting}
    pool_id = next(name for name in sorted(queues) if evidence.pools[name].on_shortage == "queue")
    late = contribution("G-late", pool_id, 100_000_000)
    event = evidence.came_in[0]._replace(value=dumps(late).encode(), disposition="accepted", code=None)
    damaged = [*evidence.books.events, event]
    return _books(evidence, events=damaged), "nobody waits whom a pool's money covers"


ALL = (
    a_pool_not_served,
    released_and_not_instructed,
    a_pool_that_paid_what_it_had_not,
    a_pools_money_miscounted,
    somebody_waits_whom_the_money_covers,
)


def _gives_to(event: Event, pool_id: str) -> bool:
    value = loads(event.value or b"") if event.disposition == "accepted" else {}
    return "contribution_id" in value and value["pool_id"] == pool_id


def _books(evidence: Evidence, **changed: Any) -> Evidence:
    return replace(evidence, books=replace(evidence.books, **changed))
