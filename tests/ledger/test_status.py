"""What the ledger says of its own health: sessions that hang, messages that wait, processes that start again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from handlers.health.ledger_judgement import sessions_in_trouble, shards_unsent, too_many_starts, who_sends
from handlers.health.status_line import StatusLine
from infra.ledger import outbox_rows, reads
from infra.ledger.identity import foreseen, identity
from infra.ledger.ledger_health import LOCKED, NEW, NEWER, OLDER, ledger_reading, observer
from infra.ledger.outbox_rows import Sent
from infra.ledger.processes import note_start, process_name
from infra.ledger.schema import connect
from infra.ledger.snapshot import moment
from schemas.health import LedgerReading, Tables
from tests.support.builders import RECORDED_AT, coverage, discharge
from tests.support.ledgers import contents, for_person, give, held, in_order, person_of_shard, waiting_for_locks
from tests.support.outbox import keep_as_released
from tests.support.servers import await_true

MINUTES = timedelta(minutes=10)
AT_ONCE = timedelta(0)


@pytest.fixture
def looking(ledger_url: str) -> Iterator[Engine]:
    engine = observer(ledger_url)
    yield engine
    engine.dispose()


@pytest.fixture
def relay(ledger_url: str) -> Iterator[Engine]:
    """The ledger as a relay of another machine sees it."""
    engine = connect(ledger_url, name="huzhu relay other/1")
    yield engine
    engine.dispose()


def read(looking: Engine) -> LedgerReading:
    return ledger_reading(looking, MINUTES)


def tables_of(looking: Engine) -> Tables:
    tables = read(looking).tables
    assert isinstance(tables, Tables)
    return tables


def pid_of(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def said_of(lines: Iterator[StatusLine]) -> list[tuple[bool | None, str]]:
    return [(line.well, line.said.en) for line in lines]


def test_a_session_that_is_idle_in_a_transaction_is_named(ledger: Engine, looking: Engine, relay: Engine) -> None:
    """Since it last did anything, by its program and process id; without a transaction nothing is wrong with it."""
    with relay.begin() as connection:
        pid = pid_of(connection)
        assert await_true(lambda: any(each.idle_since for each in read(looking).sessions))
        (found,) = [line for line in sessions_in_trouble(read(looking), AT_ONCE) if not line.well]
        assert (pid, "huzhu relay other/1") == (found.details["pid"], found.details["program"])
        assert found.since is not None
        assert f"huzhu relay other/1 (pid {pid}) is idle in a transaction, since " in found.said.en
        assert [True] == [line.well for line in sessions_in_trouble(read(looking), timedelta(hours=1))]
    assert [True] == [line.well for line in sessions_in_trouble(read(looking), AT_ONCE)]


def test_a_session_that_waits_for_a_lock_is_named_with_its_holder(
    ledger: Engine, looking: Engine, relay: Engine
) -> None:
    """Which lock, since when, and whose transaction has it and since when."""
    with ThreadPoolExecutor(1) as threads, relay.connect() as holding:
        holder = holding.begin()
        reads.lock_shards(holding, [2], {})
        taken = threads.submit(held, ledger, [2])
        assert await_true(lambda: waiting_for_locks(ledger) > 0)
        (waits,) = [each for each in read(looking).sessions if each.waits_since is not None]
        assert (pid_of(holding),) == waits.blocked_by
        said = [line.said.en for line in sessions_in_trouble(read(looking), AT_ONCE) if line.details.get("lock")]
        holder.rollback()
        taken.result(timeout=60)
    (line,) = said
    assert line.startswith(f"huzhu (pid {waits.pid}) waits for a lock on ")
    assert "; held by huzhu relay other/1 (pid " in line
    assert ", whose transaction runs since " in line
    assert [None] == list({each.waits_since for each in read(looking).sessions})


def test_a_process_that_is_frozen_in_a_copy_counts_as_idle(ledger: Engine, looking: Engine) -> None:
    """PostgreSQL calls its session active, and no timeout ends it."""
    with ledger.begin() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor, cursor.copy("COPY outbox (shard, seq, topic, value) FROM STDIN"):
            assert await_true(lambda: any(each.idle_since for each in read(looking).sessions))


def test_a_simulation_that_holds_a_moment_is_no_trouble(ledger: Engine, looking: Engine) -> None:
    """Its session does nothing in its transaction on purpose, and nobody waits for it."""
    with moment(ledger):
        assert await_true(lambda: any(each.idle_since for each in read(looking).sessions))
        assert [True] == [line.well for line in sessions_in_trouble(read(looking), AT_ONCE)]


def test_messages_that_are_not_sent_have_an_age(ledger: Engine, looking: Engine, relay: Engine) -> None:
    """That of the oldest of each shard; once sent, the ledger knows by whom and when."""
    person = person_of_shard(1)
    began = read(looking).now
    give(ledger, in_order(for_person(person, coverage(), discharge())), lambda: RECORDED_AT)
    between = read(looking).now
    give(ledger, in_order(for_person(person, coverage(coverage_id="C9")), 1), lambda: RECORDED_AT + timedelta(hours=1))
    outboxes = tables_of(looking).outboxes
    assert [0, 1, 2, 3] == [each.shard for each in outboxes]
    waiting = outboxes[1]
    oldest = waiting.oldest
    assert oldest is not None
    assert began <= oldest <= between
    assert (None, None) == (waiting.sent_by, waiting.sent_at)
    now = oldest + timedelta(minutes=2)
    (line,) = shards_unsent(now, tables_of(looking), timedelta(minutes=1))
    assert (False, oldest, waiting.messages) == (line.well, line.since, line.details["messages"])
    assert [True] == [line.well for line in shards_unsent(now, tables_of(looking), timedelta(minutes=3))]
    with relay.begin() as connection:
        outbox_rows.clear(connection, 1, Sent(waiting.messages, "0" * 64))
    sent = tables_of(looking).outboxes[1]
    assert (0, None, "huzhu relay other/1") == (sent.messages, sent.oldest, sent.sent_by)
    assert sent.sent_at is not None
    (line,) = who_sends(read(looking), tables_of(looking))
    assert (True, ["huzhu relay other/1"]) == (line.well, line.details["running"])
    relay.dispose()
    assert await_true(lambda: [False] == [line.well for line in who_sends(read(looking), tables_of(looking))])
    (line,) = who_sends(read(looking), tables_of(looking))
    assert "no relay runs, nobody sends; shards 1 last sent by huzhu relay other/1 (gone)" == line.said.en


def test_messages_in_rows_of_the_release_before_have_an_age(ledger: Engine, looking: Engine) -> None:
    """They say themselves when they were written."""
    keep_as_released(ledger.url.render_as_string(hide_password=False), 1)
    person = person_of_shard(1)
    give(ledger, in_order(for_person(person, coverage(), discharge())), lambda: RECORDED_AT)
    assert [None, RECORDED_AT, None, None] == [each.oldest for each in tables_of(looking).outboxes]


def test_a_process_that_starts_again_and_again_is_counted(ledger: Engine, looking: Engine) -> None:
    """By kind, and only of late; what is older than a day is forgotten by the next start."""
    with ledger.begin() as connection:
        for age in ("2 days", "1 hour"):
            old = f"INSERT INTO process_starts (kind, name, started_at) VALUES ('relay', '', now() - interval '{age}')"
            connection.execute(text(old))
    for _ in range(3):
        note_start(ledger, "worker")
    note_start(ledger, "relay")
    assert [("relay", 1), ("worker", 3)] == [(each.kind, each.starts) for each in tables_of(looking).starts]
    (line,) = too_many_starts(read(looking), tables_of(looking), MINUTES)
    assert (False, "worker", 3, 0) == (line.well, *(line.details[name] for name in ("kind", "starts", "running")))
    with ledger.connect() as connection:
        assert 5 == connection.scalar(text("SELECT count(*) FROM process_starts"))


def test_a_name_says_kind_and_process() -> None:
    """And fits into what PostgreSQL keeps of it."""
    assert process_name("gateway").startswith("huzhu gateway ")
    assert len(process_name("gateway")) < 63


def test_a_look_waits_for_no_lock(ledger: Engine, looking: Engine) -> None:
    """While an upgrade holds the tables, sessions are told and the tables are not."""
    with ledger.begin() as connection:
        connection.execute(text("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE"))
        reading = read(looking)
        assert LOCKED == reading.tables
        assert pid_of(connection) in [each.pid for each in reading.sessions]


def test_a_look_changes_nothing(ledger: Engine, looking: Engine) -> None:
    """Its session cannot write, and a ledger that has moved gets its new id from a worker, not from a look."""
    with ledger.begin() as connection:
        mine = identity(connection)
        connection.execute(text("UPDATE installation SET value = 'elsewhere' WHERE name = 'ledger_home'"))
    before = contents(ledger)
    read(looking)
    with looking.connect() as connection:
        assert mine.id != foreseen(connection).id
        with pytest.raises(DBAPIError, match="read-only"):
            connection.execute(text("DELETE FROM process_starts"))
    assert before == contents(ledger)


def test_the_identity_that_is_foreseen_is_the_one_that_will_be(ledger: Engine) -> None:
    """At home the same, after a promotion a new one that knows the one before."""
    with ledger.begin() as connection:
        mine = identity(connection)
        assert mine == foreseen(connection)
        connection.execute(text("UPDATE installation SET value = '00000000' WHERE name = 'ledger_timeline'"))
        assert mine.id == foreseen(connection).before == identity(connection).before


@pytest.mark.parametrize(("version", "said"), [("0010", OLDER), ("9999", NEWER)])
def test_the_tables_of_another_version_are_not_read(
    ledger: Engine, looking: Engine, version: str, said: object
) -> None:
    """The line says which way they differ; nothing is upgraded."""
    with ledger.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    assert said == read(looking).tables
    with ledger.connect() as connection:
        assert version == connection.scalar(text("SELECT version_num FROM alembic_version"))


def test_a_ledger_on_which_nothing_ever_started_is_new(ledger_url: str) -> None:
    """It has tables and no shards."""
    engine = observer(ledger_url)
    assert NEW == read(engine).tables
    engine.dispose()
