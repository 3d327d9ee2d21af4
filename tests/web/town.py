"""A ledger with a town in it: made-up people, two policies, payouts that were reported paid, failed and returned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count

from sqlalchemy import Engine, create_engine, make_url, text

from infra.ledger import aid_proposals
from infra.ledger.schema import bind, connect
from infra.population import generate
from schemas.aid_records import AidWanted
from schemas.ids import PersonId
from tests.bench.fill import fill
from tests.support.acts import publish
from tests.support.builders import (
    SHARDS,
    VILLAGE,
    YEARLY,
    Json,
    contribution,
    encode,
    membership,
    policy_text,
    pool,
    report,
)
from tests.support.databases import TEMPLATE, fresh_name
from tests.support.household import HOUSEHOLD_ID
from tests.support.paths import WUXI

_offsets = count(1)
FAR = 10**9


def now() -> datetime:
    return datetime.now(UTC)


def publish_text(engine: Engine, policy: str) -> None:
    publish(engine, policy, "test", SHARDS, now)


def publish_two(engine: Engine) -> None:
    """Two releases, one after the other, so that there is something to compare."""
    cheaper = VILLAGE.replace('rate = "0.30"', 'rate = "0.25"')
    publish_text(engine, policy_text("until-2024", "2000-01-01", "2024-01-01", cheaper, YEARLY))
    publish_text(engine, policy_text("from-2024", "2024-01-01", None, VILLAGE, YEARLY))


def post(engine: Engine, events: Iterable[Json | bytes]) -> None:
    """Takes events in, as a worker does; may be called again."""
    values = [each if isinstance(each, bytes) else encode(each) for each in events]
    fill(engine, values, first_offset=next(_offsets) * FAR)


def report_some(engine: Engine) -> None:
    """Of every five payouts three are reported paid, one failed, and of one nothing is heard; some come back later.

    One that failed is then said to have been paid.
    """
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT payout_id, person_id FROM instructions ORDER BY payout_id")).all()
    told = [("paid", row) for at, row in enumerate(rows) if at % 5 < 3]
    told += [("failed", row) for at, row in enumerate(rows) if at % 5 == 3]
    post(engine, [_report(row.payout_id, row.person_id, status, "1") for status, row in told])
    failed = next(row for status, row in told if status == "failed")
    post(engine, [_report(failed.payout_id, failed.person_id, "paid", "3")])
    later = [row for at, row in enumerate(rows) if at % 15 == 0]
    post(engine, [_report(row.payout_id, row.person_id, "returned", "2") for row in later])


def join(engine: Engine) -> None:
    """The person with the largest benefit and somebody else belong to a household; no scheme counts by it."""
    with engine.connect() as connection:
        query = "SELECT person_id FROM claims GROUP BY person_id ORDER BY max(total_benefit) DESC, person_id LIMIT 2"
        persons = connection.scalars(text(query)).all()
    post(engine, [membership(f"M-{at}", HOUSEHOLD_ID, person_id=person) for at, person in enumerate(persons)])


def ask_for_aid(engine: Engine) -> None:
    """Aid is proposed for the person with the largest benefit; the town's policy has no levels any more."""
    with engine.begin() as connection:
        query = "SELECT person_id FROM claims ORDER BY total_benefit DESC, claim_id LIMIT 1"
        person_id = PersonId(connection.scalars(text(query)).one())
        wanted = AidWanted(person_id, "city", 500_000, True, None, "high bills")
        aid_proposals.propose(connection, "AID-1", wanted, "li.na", now())


def _report(payout_id: str, person_id: str, status: str, month: str) -> Json:
    at = f"2026-0{month}-01T10:00:00+08:00"
    return report(payout_id, person_id=person_id, status=status, reported_at=at, reference=f"bank-{month}")


@contextmanager
def new_ledger(postgres_url: str, name: str) -> Iterator[Engine]:
    """A new, empty ledger, for the tests of a module; ``name`` is how its database begins."""
    database = fresh_name(name)
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {database} TEMPLATE {TEMPLATE}"))
    engine = connect(make_url(postgres_url).set(database=database).render_as_string(hide_password=False), pool=20)
    try:
        bind(engine, SHARDS, "no-cluster")
        yield engine
    finally:
        engine.dispose()
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {database} WITH (FORCE)"))
        admin.dispose()


@contextmanager
def filled_ledger(postgres_url: str, persons: int = 120) -> Iterator[Engine]:
    """A new database with the town in it."""
    with new_ledger(postgres_url, "town") as engine:
        publish_text(engine, WUXI.read_text("utf-8"))
        fill(engine, generate(7, persons))
        report_some(engine)
        join(engine)
        ask_for_aid(engine)
        post(engine, [pool(), contribution(yuan=900), contribution("G2", yuan=50, kind="donation", payer="王小明")])
        yield engine
