"""What migration 0015 posts of an older ledger is what the program would have posted, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, make_url, select, text

from acts import groups_at_once
from acts.rebuild_books import rebuild_books
from handlers.claims import invoices_shared
from handlers.claims.settle import payout_id_of
from infra.ledger import clearing_tables
from infra.ledger.schema import connect
from infra.ledger.upgrading import upgrade
from schemas.ids import ClaimId
from tests.ledger.held_stays import POLICY_THAT_HOLDS, stay
from tests.support.acts import publish, publish_treaty_text
from tests.support.book_year import BookYear
from tests.support.builders import (
    POLICY,
    SHARDS,
    VILLAGE,
    YEARLY,
    Json,
    bill,
    coverage,
    discharge,
    policy_text,
    report,
    void,
)
from tests.support.databases import fresh_name
from tests.support.ledgers import dispositions, for_person, person_of_shard
from tests.support.paths import REPOSITORY
from tests.support.replayed import assert_replays
from tests.support.treaties import treaty_text
from tests.support.village import Village

POSTED = select(*clearing_tables.postings.c).order_by(*clearing_tables.postings.primary_key)

FORMERLY = {
    ("audit_entries", name): f"convert_from(value, 'UTF8')::jsonb ->> '{name}'" for name in ("prev_hash", "hash")
}
"""Columns that were filled once, and from what."""


@pytest.fixture
def older(postgres_url: str) -> Iterator[Engine]:
    """An empty ledger of the schema before the books."""
    admin, name = create_engine(postgres_url, isolation_level="AUTOCOMMIT"), fresh_name("older")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = connect(make_url(postgres_url).set(database=name).render_as_string(hide_password=False))
    config = Config()
    config.set_main_option("script_location", str(REPOSITORY / "infra" / "ledger" / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0014")
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def copy(source: Engine, target: Engine) -> None:
    """All rows of a ledger into an older one, whose columns are among those of the newer."""
    columns = text(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND table_name <> 'alembic_version' AND is_generated = 'NEVER' ORDER BY 1, ordinal_position"
    )
    with source.connect() as old, target.begin() as new:
        new.execute(text("SET LOCAL session_replication_role = replica"))  # no guard looks at rows that passed them
        names: dict[str, list[str]] = {}
        for table, column in new.execute(columns):
            names.setdefault(table, []).append(column)
        for table, parts in names.items():
            listed = ", ".join(f'"{part}"' for part in parts)
            chosen = ", ".join(FORMERLY.get((table, part), f'"{part}"') for part in parts)
            rows = old.execute(text(f'SELECT {chosen} FROM "{table}"')).all()
            if rows:
                new.execute(text(f'DELETE FROM "{table}"'))
                given = ", ".join(f":p{place}" for place in range(len(parts)))
                filled = [{f"p{place}": each for place, each in enumerate(row)} for row in rows]
                new.execute(text(f'INSERT INTO "{table}" ({listed}) OVERRIDING SYSTEM VALUE VALUES ({given})'), filled)


def busy(year: BookYear) -> None:
    """Payments, recoveries and book reversals of persons, hospitals and two payers, with every kind of report."""
    early = payout_id_of(ClaimId("E-0"), "village_mutual_aid", 1)  # reported before anybody was told to pay it
    year.take(*for_person(person_of_shard(0), report(early, event_id="too-early")))
    advanced = {"scheme_id": "village_mutual_aid", "amount": "100.00"}
    others = [person_of_shard(shard) for shard in range(SHARDS)]
    year.take(bill(advances=[advanced]))
    for place, person in enumerate(others):
        events: list[Json] = [
            coverage(f"C-{place}"),
            discharge(f"E-{place}"),
            bill(f"S-{place}", f"E-{place}", copay=5000 + place),
        ]
        year.take(*for_person(person, *events))
    for name in year.payouts()[:3]:
        year.report(name, "paid")
    year.report(year.payouts()[0], "returned", "2025-04-04T10:00:00+08:00")
    year.report(year.payouts()[3], "failed")
    year.reissue(year.payouts()[0])
    year.reissue(year.payouts()[3])


@pytest.mark.parametrize("at_once", [1, 200], ids=["one person at a time", "all persons at once"])
def test_an_older_ledger_is_posted_as_its_events_are(
    ledger: Engine, older: Engine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Payments, recoveries, reports, reissues, a treaty, a policy that decides many persons, and corrected days."""
    monkeypatch.setattr(groups_at_once, "PERSONS_AT_ONCE", at_once)
    year = BookYear(ledger)
    busy(year)
    early = payout_id_of(ClaimId("E-0"), "village_mutual_aid", 1)
    year.report(early, "returned", "2025-04-05T10:00:00+08:00")  # what was paid too early came back
    publish_treaty_text(ledger, treaty_text(), "li.na", SHARDS, year.clock)
    year.take(bill(version=2, copay=6000))
    year.report(year.payouts()[-1], "paid")
    year.take(discharge(version=2, discharged_on="2024-02-20", admitted_on="2024-02-01"))
    year.report(year.payouts()[-2], "paid")
    better = VILLAGE.replace('"0.30"', '"0.45"')
    heir = policy_text("better", "2024-01-01", None, better, YEARLY)
    heir = heir.replace('status = "sample"', 'status = "sample"\nsucceeds = "both-layers"')
    publish(ledger, heir, "li.na", SHARDS, year.clock)
    year.take(void(version=3))
    year.report(year.payouts()[-1], "paid")
    year.report(year.payouts()[-1], "returned", "2025-04-05T10:00:00+08:00")
    year.take(discharge(version=3, discharged_on="2024-01-20", admitted_on="2024-01-01"))
    expected = assert_replays(ledger).postings
    assert len({each.account for each in expected}) > 8
    assert {date(2024, 2, 20), date(2024, 3, 10)} == {each.effective_on for each in expected}
    copy(ledger, older)
    upgrade(older)
    with ledger.connect() as now, older.connect() as then:
        assert now.execute(POSTED).all() == then.execute(POSTED).all()
    assert expected == assert_replays(older, older=True).postings


def test_an_older_ledger_whose_bills_share_an_invoice_can_be_rebuilt_and_goes_on(
    ledger: Engine, older: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It decided each person alone, and what it accepted is no longer all allowed; from then on invoices link."""
    town = Village(ledger, POLICY, guarded=False)
    with monkeypatch.context() as patched:
        patched.setattr(invoices_shared, "named", lambda *_: None)
        for person in ("P1", "P2"):
            town.take(*stay(person, invoice_no="X"))
    copy(ledger, older)
    odd = {
        "settlement.posted": r'"x": "\u0000", "n": ' + "9" * 5000,
        "coverage.recorded": '"ended_reason": "搬家"',
    }
    with older.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        rows = connection.execute(text("SELECT event_no, value FROM events WHERE disposition = 'accepted'")).all()
        for event_no, value in rows:
            member = next((odd[name] for name in odd if name.encode() in bytes(value)), '"x": 1')
            sent = bytes(value).decode().removesuffix("}") + f", {member}}}"
            given = {"value": sent.encode(), "event_no": event_no}
            connection.execute(text("UPDATE events SET value = :value WHERE event_no = :event_no"), given)
        connection.execute(text("SELECT setval('events_event_no_seq', max(event_no)) FROM events"))
    upgrade(older)
    assert rebuild_books(older, SHARDS).good
    later = Village(older, None, guarded=False)
    later.now = town.now
    heir = POLICY_THAT_HOLDS.replace("2020-01-01", "2024-01-01").replace('"both-layers"', '"heir"')
    later.publish(heir.replace("status =", 'succeeds = "both-layers"\nstatus ='))
    later.take(*stay("P3", invoice_no="X"))
    assert {"E-P1": 30_000, "E-P2": 30_000, "E-P3": 0} == later.released()
    assert rebuild_books(older, SHARDS).good


def test_what_was_refused_is_refused_again_when_events_are_repeated(ledger: Engine) -> None:
    """Only what an earlier release accepted is read by its rules; a version in quotes never was."""
    village = Village(ledger)
    village.take({**discharge(), "version": "1"})
    assert ["policy", "refused"] == dispositions(ledger)
    assert_replays(ledger)
