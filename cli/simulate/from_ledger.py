"""A simulation of the facts of a ledger, of which it holds one snapshot while it reads."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from sqlalchemy.exc import DBAPIError

from cli.offline.ledger_by_person import LedgerSource, by_person_in_ledger
from cli.offline.plan import EVENTS_PER_BUCKET, Plan, Worked, temporary_folder
from cli.offline.worker_processes import workers
from cli.simulate.asked import Asked, Compared, Simulated, by_household
from cli.terminal.connect import read_settings, replica
from cli.terminal.output import fail, progress
from infra.ledger.snapshot import Moment, moment
from schemas.policy.model import Policies
from schemas.policy.policy_file import parse_policy
from stream.deadline import INFRASTRUCTURE_GONE


def from_ledger(
    compare: Callable[[Policies], Compared], old: Policies | None, asked: Asked
) -> tuple[Worked[Simulated], Compared]:
    """The sums of the ledger's facts, and the policies that were compared; the published ones if none are ``old``."""
    settings = read_settings()
    engine = replica(settings)
    url = engine.url.render_as_string(hide_password=False)
    try:
        with moment(engine) as now, temporary_folder() as spool:
            compared = compare(_published(now) if old is None else old)
            events = range(now.first_event, now.end_event)
            buckets = -(-len(events) // EVENTS_PER_BUCKET) or 1
            processes = 1 if buckets == 1 else asked.jobs
            plan = Plan(None, spool, max(buckets, 2 * processes if processes > 1 else 1), processes=processes)
            source = LedgerSource(url, settings.ledger_lease, now.snapshot_id)
            work = asked.work(compared, spool)
            with workers(processes) as pool, progress() as bar:
                worked = by_person_in_ledger(plan, source, events, work, pool, bar, grouped=by_household(compared))
            asked.collect(worked)
    except (DBAPIError, psycopg.Error) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        fail(f"the ledger cannot be read: {str(reason).splitlines()[0]}", INFRASTRUCTURE_GONE)
    finally:
        engine.dispose()
    return worked, compared


def _published(now: Moment) -> Policies:
    return Policies(tuple(parse_policy(text) for text in now.policy_texts))
