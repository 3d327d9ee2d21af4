"""Processes the accepted events of a ledger as `cli.offline.by_person` processes a file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np
from rich.progress import Progress

from cli.offline.by_person import Work, all_results, gather
from cli.offline.plan import Plan, Worked
from cli.offline.scatter import NOBODY, Scattered, written
from cli.offline.worker_processes import Workers, in_order
from handlers.offline.columns.fact_tables import joined
from handlers.offline.columns.reading import recall_lines
from handlers.offline.groups import Linking
from infra.ledger.schema import connect
from infra.ledger.snapshot import accepted_events

T = TypeVar("T")

EVENTS_AT_ONCE = 20_000
"""Events of a ledger per task."""

READ_EVENTS = 4_000
"""Events that are read at once."""


@dataclass(frozen=True, slots=True)
class LedgerSource:
    """A ledger and the snapshot of it that is read (`infra.ledger.snapshot`)."""

    url: str
    lease: float
    snapshot_id: str


def by_person_in_ledger(
    plan: Plan, source: LedgerSource, events: range, work: Work[T], pool: Workers, bar: Progress, *, grouped: bool
) -> Worked[T]:
    """The same for the accepted events of a ledger whose numbers are in ``events``: nobody there shares an id."""
    chunks = [(first, min(events.stop, first + EVENTS_AT_ONCE)) for first in events[::EVENTS_AT_ONCE]]
    scattered = in_order(partial(scatter_ledger, plan, source), chunks, pool, bar, "reading facts")
    gathering = partial(gather, plan, scattered, NOBODY, work, Linking(grouped, False))
    gathered = in_order(gathering, range(plan.buckets), pool, bar, "deciding claims")
    return Worked(all_results(plan, gathered, work, pool, bar), sum(chunk.facts for chunk in scattered), [])


def scatter_ledger(plan: Plan, ledger: LedgerSource, chunk: tuple[int, int]) -> Scattered:
    """The same for a range of the ledger's events. They were accepted before, so no rule is checked again."""
    engine = connect(ledger.url, ledger.lease)
    tables, facts = [], 0
    try:
        values = accepted_events(engine, ledger.snapshot_id, *chunk)
        while lines := list(islice(values, READ_EVENTS)):
            tables.append(recall_lines(lines, chunk[0] + facts + np.arange(len(lines))))
            facts += len(lines)
    finally:
        engine.dispose()
    return Scattered(*written(plan, chunk, joined(tables)), facts, [])
