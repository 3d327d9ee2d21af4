"""Making and upgrading the ledger, alone and by several processes at once, and binding it to one set-up."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError

from acts.recompute_groups import recompute_groups
from infra.ledger import group_rows, outbox_rows, tables
from infra.ledger.outbox_rows import Sent
from infra.ledger.schema import LedgerMismatch, bind, bound_shards, connect
from infra.ledger.upgrading import MIGRATION_LOCK, upgrade
from schemas.canonical import NO_HASH
from schemas.records import OutboxRow
from tests.support import household_town, ledgers
from tests.support.acts import publish
from tests.support.builders import RECORDED_AT, SHARDS, Json, bill, coverage, discharge, membership
from tests.support.databases import NewDatabase, described, described_at
from tests.support.ledgers import for_person, give, in_order, person_of_shard
from tests.support.outbox import waiting_messages, write_batches
from tests.support.paths import REPOSITORY
from tests.support.servers import await_true

UPGRADE = (
    "import sys; from infra.ledger.schema import connect; from infra.ledger.upgrading import upgrade; "
    "upgrade(connect(sys.argv[1]))"
)


def test_the_migrated_schema_is_that_of_the_tables(ledger: Engine) -> None:
    """Alembic finds nothing to change between what the migrations made and what the program believes.

    It does not know an index of a collation; the next test compares those to the last word.
    """
    with ledger.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        changes = compare_metadata(context, tables.metadata)
    assert [] == [each for each in changes if getattr(each[1], "name", "") != "benefits_waiting_for_pool"]


def test_the_migrated_schema_is_that_of_the_tables_to_the_last_constraint(
    ledger: Engine, new_database: NewDatabase
) -> None:
    """What Alembic does not compare (checks, computed columns) is alike too; only the guards are added on top."""
    engine = create_engine(new_database())
    tables.metadata.create_all(engine)
    expected, migrated = described(engine), described(ledger)
    engine.dispose()
    assert expected["columns"] == migrated["columns"]
    assert [] == [each for each in expected["constraints"] if each not in migrated["constraints"]]
    added = [each for each in migrated["constraints"] if each not in expected["constraints"]]
    assert ["policy_intervals policies_one_a_day"] == [" ".join(each.split()[:2]) for each in added]
    assert [each for each in migrated["indexes"] if "policies_one_a_day" not in each] == expected["indexes"]


def test_an_upgrade_again_is_harmless(ledger: Engine) -> None:
    """The second upgrade of a ledger in use changes neither its schema nor its rows."""
    before = described(ledger)
    upgrade(ledger)
    assert before == described(ledger)
    assert 4 == bound_shards(ledger)


def test_a_ledger_that_is_up_to_date_waits_for_no_migration(ledger: Engine) -> None:
    """A process that starts asks which schema the ledger has, and takes no lock when there is nothing to do."""
    hasty = create_engine(ledger.url, connect_args={"options": "-c lock_timeout=1ms"})
    with ledger.begin() as busy:
        busy.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        upgrade(hasty)
    hasty.dispose()


def test_a_migration_is_not_ended_as_a_frozen_process_would_be(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine the program may load its migrations for longer than the lease of a transaction."""
    engine, seen = connect(new_database(), lease=1.0), list[str]()

    def look(config: Config, _target: str) -> None:
        connection = config.attributes["connection"]
        seen.append(connection.scalar(text("SHOW idle_in_transaction_session_timeout")))
        seen.append(connection.scalar(text("SHOW lock_timeout")))

    monkeypatch.setattr(command, "upgrade", look)
    upgrade(engine)
    engine.dispose()
    assert ["10min", "3s"] == seen


def test_a_ledger_of_a_newer_program_is_refused(ledger: Engine) -> None:
    """A program that does not know the ledger's schema says so, and writes nothing."""
    with ledger.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerMismatch, match="by a newer Huzhu"):
        upgrade(ledger)


def test_several_threads_may_upgrade_at_once(new_database: NewDatabase, ledger_url: str) -> None:
    """Four at once on an empty database give one ledger."""
    url = new_database()

    def run(_: int) -> None:
        engine = connect(url)
        upgrade(engine)
        engine.dispose()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(run, range(4)))
    assert described_at(ledger_url) == described_at(url)


def test_several_processes_may_upgrade_at_once(new_database: NewDatabase, ledger_url: str) -> None:
    """Workers and relay that start together on an empty database all come up; who waits for another says so."""
    url = new_database()
    arguments = [sys.executable, "-c", UPGRADE, url]
    started = [subprocess.Popen(arguments, cwd=REPOSITORY, stderr=subprocess.PIPE) for _ in range(3)]
    said = [process.communicate(timeout=60)[1].decode() for process in started]
    assert [0, 0, 0] == [process.returncode for process in started]
    lines = [line for each in said for line in each.splitlines()]
    assert [] == [line for line in lines if "waiting for another process that upgrades the ledger" not in line]
    assert described_at(ledger_url) == described_at(url)


def test_who_waits_for_an_upgrade_says_so(new_database: NewDatabase, caplog: pytest.LogCaptureFixture) -> None:
    """A process that starts while another upgrades the ledger waits for minutes if need be, and not in silence."""
    engine = connect(new_database())
    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as other:
            other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            upgraded = threads.submit(upgrade, engine)
            assert await_true(lambda: "waiting for another process that upgrades the ledger" in caplog.text)
            assert not upgraded.done()
        upgraded.result(timeout=60)
    engine.dispose()


def test_a_ledger_is_never_taken_back(ledger: Engine) -> None:
    """There is no downgrade that would drop what was recorded."""
    config = Config()
    config.set_main_option("script_location", str(REPOSITORY / "infra" / "ledger" / "migrations"))
    with ledger.connect() as connection:
        config.attributes["connection"] = connection
        with pytest.raises(RuntimeError, match="losing the ledger"):
            command.downgrade(config, "base")
    assert 4 == bound_shards(ledger)


def test_a_released_ledger_keeps_its_policies_and_their_days(new_database: NewDatabase) -> None:
    """Policies published before one could succeed another stay in force on their days, and can be succeeded."""
    engine = connect(new_database())
    config = Config()
    config.set_main_option("script_location", str(REPOSITORY / "infra" / "ledger" / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        connection.execute(
            text(
                "INSERT INTO events VALUES (1, 0, 'operator', 0, NULL, NULL, NULL, now(), 'policy');"
                "INSERT INTO policies VALUES ('h1', 'old', '2020-01-01', '2024-01-01', '', 1, 'li.na', now()), "
                "('h2', 'open', '2024-01-01', NULL, '', 1, 'li.na', now())"
            )
        )
    upgrade(engine)
    heir = "INSERT INTO policies VALUES ('h3', 'new', '{}', NULL, '', 1, 'li.na', now(), 'open')"
    with pytest.raises(DBAPIError, match="cannot succeed"), engine.begin() as connection:
        connection.execute(text(heir.format("2024-01-01")))
    with engine.begin() as connection:
        connection.execute(text(heir.format("2025-01-01")))
        days = connection.execute(text("SELECT * FROM policy_intervals ORDER BY effective_from")).all()
    engine.dispose()
    assert [
        ("old", date(2020, 1, 1), date(2024, 1, 1), None),
        ("open", date(2024, 1, 1), date(2025, 1, 1), "new"),
        ("new", date(2025, 1, 1), None, None),
    ] == [tuple(row) for row in days]


def test_a_ledger_from_before_households_goes_on_with_them(new_database: NewDatabase) -> None:
    """Claims are in no household, nobody waits, and members on two shards are decided together from then on."""
    engine = connect(new_database())
    config = Config()
    config.set_main_option("script_location", str(REPOSITORY / "infra" / "ledger" / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0016")
        connection.execute(
            text(
                "INSERT INTO events VALUES (1, 0, 'operator', 0, NULL, NULL, NULL, now(), 'policy');"
                "SELECT setval('events_event_no_seq', 1);"
                "INSERT INTO claims (claim_id, person_id, shard, revision, status, fingerprint, personal_burden, "
                "total_benefit) VALUES ('E-old', 'P-old', 0, 1, 'incomplete', '', 0, 0)"
            )
        )
    upgrade(engine)
    bind(engine, SHARDS, "no-cluster")
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT household_id, overlapping FROM claims")).all()
        assert 0 == group_rows.count_waiting(connection)
    publish(engine, household_town.POLICY, "li.na", SHARDS, lambda: RECORDED_AT)
    ledgers.held(engine)
    people = [person_of_shard(shard) for shard in (0, 1)]
    give(engine, in_order([each for n, name in enumerate(people) for each in _member(name, n)]))
    assert 1 == recompute_groups(engine, range(SHARDS), SHARDS, lambda: RECORDED_AT)
    with engine.connect() as connection:
        homes = connection.execute(text("SELECT DISTINCT household_id FROM claims WHERE claim_id <> 'E-old'")).all()
    engine.dispose()
    assert ([(None, False)], [("HH1",)]) == ([tuple(row) for row in kept], [tuple(row) for row in homes])


def _member(name: str, number: int) -> list[Json]:
    events = [
        coverage(f"C{number}"),
        membership(f"M{number}"),
        discharge(f"E{number}"),
        bill(f"S{number}", f"E{number}"),
    ]
    return for_person(name, *events)


def before_batches(engine: Engine) -> Config:
    """Makes a ledger as release 1.0 left it, and returns what migrates it further."""
    config = Config()
    config.set_main_option("script_location", str(REPOSITORY / "infra" / "ledger" / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0011")
    return config


def test_messages_that_wait_during_an_upgrade_go_out_first(new_database: NewDatabase) -> None:
    """The rows of a released ledger stay, and what is decided afterwards is numbered and read after them."""
    engine = connect(new_database())
    before_batches(engine)
    bind(engine, 4, "no-cluster")
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO outbox VALUES (1, 8, 'alerts', NULL, 'eight'), (1, 9, 'alerts', 'k', '9')")
        )
        connection.execute(text("UPDATE shards SET outbox_seq = 9 WHERE shard = 1"))
    upgrade(engine)
    write_batches(engine, [[OutboxRow(1, seq, "alerts", None, b"new") for seq in (10, 11)]])
    waiting = waiting_messages(engine)
    engine.dispose()
    assert [(8, None, b"eight"), (9, b"k", b"9"), (10, None, b"new"), (11, None, b"new")] == [
        (row.seq, row.key, row.value) for row in waiting
    ]


def test_batches_that_wait_cannot_be_taken_back(new_database: NewDatabase) -> None:
    """The tables are made older only when nothing waits that an older relay could not read."""
    engine = connect(new_database())
    config = before_batches(engine)
    bind(engine, 4, "no-cluster")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0012")
    write_batches(engine, [[OutboxRow(1, 1, "alerts", None, b"new")]])
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        with pytest.raises(RuntimeError, match="let the relay send them first"):
            command.downgrade(config, "0011")
    with engine.begin() as connection:
        outbox_rows.clear(connection, 1, Sent(1, NO_HASH))
        config.attributes["connection"] = connection
        command.downgrade(config, "0011")
    upgrade(engine)
    engine.dispose()


def test_a_released_ledger_keeps_its_payouts_and_their_ids(new_database: NewDatabase) -> None:
    """What was instructed before facilities could be payees is the person's line, and goes on from there."""
    engine = connect(new_database())
    before_batches(engine)
    order = "INSERT INTO instructions (payout_id, claim_id, scheme_id, revision, kind, amount, balance_before, "
    order += "balance_after, person_id, event_no, value) VALUES "
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO events VALUES (1, 0, 'operator', 0, NULL, NULL, NULL, now(), 'policy');"
                "INSERT INTO benefits VALUES ('E1', 's', NULL, 'copay', 5, 5, NULL, 2, NULL, NULL);"
                f"{order} ('PO-1', 'E1', 's', 1, 'payment', 9, 0, 9, 'P1', 1, ''),"
                "('PO-2', 'E1', 's', 2, 'recovery', 4, 9, 5, 'P1', 1, '')"
            )
        )
    upgrade(engine)
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT payout_id, revision, payee_id FROM instructions ORDER BY 1")).all()
        connection.execute(text(f"{order} ('PO-3', 'E1', 's', 3, 'payment', 1, 5, 6, 'P1', 1, '')"))
        connection.execute(text("UPDATE benefits SET benefit = 6, released = 6"))
    with pytest.raises(DBAPIError, match="instructions_follow"), engine.begin() as connection:
        connection.execute(text(f"{order} ('PO-4', 'E1', 's', 4, 'payment', 1, 5, 6, 'P1', 1, '')"))
    engine.dispose()
    assert [("PO-1", 1, ""), ("PO-2", 2, "")] == [tuple(row) for row in kept]


def test_a_ledger_from_before_pools_has_released_what_it_owes(new_database: NewDatabase) -> None:
    """Its payouts keep their ids, and nothing waits; from then on a benefit is instructed as far as it is released."""
    engine = connect(new_database())
    config = Config()
    config.set_main_option("script_location", str(REPOSITORY / "infra" / "ledger" / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0017")
        connection.execute(
            text(
                "INSERT INTO events VALUES (1, 0, 'operator', 0, NULL, NULL, NULL, now(), 'policy');"
                "INSERT INTO benefits VALUES ('E1', 's', NULL, 'copay', 5, 5, NULL, 1, NULL, NULL),"
                "('E1', 't', NULL, 'copay', 0, 0, NULL, 0, NULL, NULL);"
                "INSERT INTO instructions (payout_id, claim_id, scheme_id, revision, kind, amount, balance_before, "
                "balance_after, person_id, event_no, value) "
                "VALUES ('PO-1', 'E1', 's', 1, 'payment', 5, 0, 5, 'P1', 1, '')"
            )
        )
    upgrade(engine)
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT scheme_id, benefit, released, told, pool_id FROM benefits ORDER BY 1"))
        assert [("s", 5, 5, 0, None), ("t", 0, 0, 0, None)] == [tuple(row) for row in kept]
        assert [("PO-1", None)] == [tuple(row) for row in connection.execute(text("SELECT payout_id, pool_id "
            "FROM instructions"))]  # fmt: skip
    with pytest.raises(DBAPIError, match="4 fen are released but 5 are instructed"), engine.begin() as connection:
        connection.execute(text("UPDATE benefits SET released = 4, pool_id = 'V1', discharged_on = '2024-01-01' "
            "WHERE scheme_id = 's'"))  # fmt: skip
    with pytest.raises(DBAPIError, match="benefits_released"), engine.begin() as connection:
        connection.execute(text("UPDATE benefits SET benefit = 6 WHERE scheme_id = 's'"))
    engine.dispose()


# Binding --------------------------------------------------------------------------------------------------


def held(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {row.name: row.value for row in connection.execute(select(tables.installation))}


def test_binding_again_to_the_same_set_up_is_harmless(ledger: Engine) -> None:
    """Every worker binds when it starts; shards that have come far stay where they are."""
    with ledger.begin() as connection:
        connection.execute(tables.shards.update().values(epoch=3, audit_seq=5, outbox_seq=9))
    bind(ledger, 4, "no-cluster")
    with ledger.connect() as connection:
        rows = connection.execute(select(tables.shards).order_by(tables.shards.c.shard)).all()
    assert [(shard, 3, 5, 9) for shard in range(4)] == [(r.shard, r.epoch, r.audit_seq, r.outbox_seq) for r in rows]


@pytest.mark.parametrize(
    ("shards", "cluster", "setting"),
    [
        (8, "no-cluster", "HUZHU_SHARDS"),
        (3, "no-cluster", "HUZHU_SHARDS"),
        (4, "another", "HUZHU_KAFKA_BOOTSTRAP"),
        (4, "another/wuxi.", "HUZHU_KAFKA_BOOTSTRAP"),
        (4, "no-cluster/wuxi.", "HUZHU_PREFIX"),
    ],
)
def test_a_ledger_is_bound_to_its_shards_and_cluster(ledger: Engine, shards: int, cluster: str, setting: str) -> None:
    """Another number of shards, another Kafka or prefix is refused, naming the setting, and nothing is written.

    A ledger of before there were prefixes is one without.
    """
    before = held(ledger)
    with pytest.raises(LedgerMismatch, match=f"but {setting} leads to .*: correct {setting} or"):
        bind(ledger, shards, cluster)
    assert before == held(ledger) == {"shards": "4", "kafka_cluster_id": "no-cluster"}
    with ledger.connect() as connection:
        assert [0, 1, 2, 3] == sorted(connection.scalars(select(tables.shards.c.shard)))


def test_a_new_ledger_has_no_number_of_shards_yet(ledger_url: str) -> None:
    """Who asks before any worker bound it is told what to do."""
    engine = connect(ledger_url)
    with pytest.raises(LedgerMismatch, match="start `huzhu worker` first"):
        bound_shards(engine)
    engine.dispose()


def test_two_that_bind_at_once_agree(ledger_url: str) -> None:
    """Of two set-ups that meet on a new ledger one is refused, and the ledger is wholly that of the other."""

    def run(shards: int) -> str:
        engine = connect(ledger_url)
        try:
            bind(engine, shards, f"cluster-{shards}")
        except LedgerMismatch:
            return "refused"
        finally:
            engine.dispose()
        return str(shards)

    with ThreadPoolExecutor(2) as threads:
        said = list(threads.map(run, (4, 6)))
    assert 1 == said.count("refused")
    (winner,) = [each for each in said if each != "refused"]
    engine = connect(ledger_url)
    assert {"shards": winner, "kafka_cluster_id": f"cluster-{winner}"} == held(engine)
    engine.dispose()


@pytest.mark.parametrize(
    "before",
    [
        "CREATE TABLE theirs (x int)",
        "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('theirs')",
        "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('9999')",
    ],
)
def test_a_database_of_another_program_is_left_alone(new_database: NewDatabase, before: str) -> None:
    """Tables of others, other migrations, or those of a newer Huzhu: refused with a sentence, and nothing is made."""
    engine = connect(new_database())
    with engine.begin() as connection:
        connection.execute(text(before))
    known = described(engine)
    with pytest.raises(LedgerMismatch, match="nothing was written"):
        upgrade(engine)
    assert known == described(engine)
    engine.dispose()
