"""A base backup is restored while Kafka has gone on: refused for good, adopted, and nobody is paid twice."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pytest

from acts.take_in import take_in
from infra.kafka import topic_setup
from infra.ledger import reads
from infra.population import generate
from infra.servers.local.kafka_server import LocalKafka
from infra.servers.local.postgres_server import LocalPostgres
from infra.settings import Settings
from schemas.topics import INBOUND
from stream.inbound.partition_reader import RangeReader
from stream.inbound.post import post
from stream.outbound.cursors import LEDGER_REFUSED
from tests.support import processes
from tests.support.base_backups import base_backup
from tests.support.builders import SHARDS
from tests.support.databases import make_template
from tests.support.outbox import keep_as_released, waiting_messages
from tests.support.servers import execute
from tests.support.spine import Spine


@pytest.fixture
def cluster() -> Iterator[str]:
    """A Kafka of its own for each test: its topics belong to the ledger that sent to them."""
    with LocalKafka.start() as running:
        topic_setup.apply(running.bootstrap, Settings(shards=SHARDS))
        yield running.bootstrap


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user can reach too, which pytest's own is not for root."""
    folder = Path(tempfile.mkdtemp(prefix="huzhu-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def decide_again(spine: Spine) -> None:
    """Takes in everything that the topics hold, as workers did before they looked whose the topics are."""
    with spine.engine.begin() as connection:
        epochs = reads.take_shards(connection, range(SHARDS))
        reached = reads.next_offsets(connection)
    with RangeReader(spine.bootstrap) as reader:
        for place, (_, end) in reader.ends((topic.name, shard) for topic in INBOUND for shard in range(SHARDS)).items():
            start = reached.get(place, 0)
            while start < end:
                part = reader.read(*place, start, end, 500)
                take_in(spine.engine, [part], epochs, SHARDS, lambda: datetime.now(UTC))
                start = part.end


def huzhu(spine: Spine, *words: str) -> subprocess.CompletedProcess[str]:
    known = {"KAFKA_BOOTSTRAP": spine.bootstrap, "DATABASE_URL": spine.url, "SHARDS": str(SHARDS)}
    return processes.huzhu(*words, columns=200, **{f"HUZHU_{name}": value for name, value in known.items()})


def payouts(spine: Spine) -> list[str]:
    return [each.value["payout_id"] for each in spine.committed("payouts.instructions")]


@pytest.mark.parametrize(
    "promoted",
    [pytest.param(False, marks=pytest.mark.prove, id="started as it was"), pytest.param(True, id="promoted")],
)
def test_a_restored_base_backup(cluster: str, open_folder: Path, promoted: bool) -> None:
    """Refused at every start, also after it has numbered past the cursor; once adopted, each payout is there once."""
    events = list(generate(21, 60, bad_share=0.02))
    parts = [events[start::3] for start in range(3)]
    with LocalPostgres.start(open_folder / "first") as server:
        make_template(server.url)
        spine = Spine(cluster, server.url)
        with spine:
            keep_as_released(spine.url, 2)
            spine.publish()
            spine.start("worker")
            spine.start("relay")
            post(cluster, parts[0])
            spine.await_idle()
            base_backup(server, open_folder / "second")
            post(cluster, parts[1])
            spine.await_idle()
            paid = payouts(spine)
            for name in ("worker", "relay"):
                spine.stop(name)
            _go_on_with_the_copy(spine, server, open_folder / "second", promoted, parts[2], paid)


def _go_on_with_the_copy(
    spine: Spine, server: LocalPostgres, folder: Path, promoted: bool, events: list[bytes], paid: list[str]
) -> None:
    server.stop()
    if promoted:
        (folder / "data" / "standby.signal").touch()
    with LocalPostgres.start(folder) as copy:
        if promoted:
            execute(copy.url, "SELECT pg_promote()")
        spine.move(copy.url)
        for command in ("relay", "worker", "relay"):
            ended = huzhu(spine, command)
            assert (ended.returncode, ended.stdout) == (LEDGER_REFUSED, "")
            assert "huzhu ledger adopt" in ended.stderr
        decide_again(spine)
        waiting = waiting_messages(spine.engine)
        for command in ("relay", "worker"):
            assert huzhu(spine, command).returncode == LEDGER_REFUSED
        assert waiting == waiting_messages(spine.engine)
        assert paid == payouts(spine)
        assert huzhu(spine, "ledger", "check").returncode == LEDGER_REFUSED
        adopted = huzhu(spine, "ledger", "adopt", "--operator", "li.na", "--reason", "disk failure", "--yes")
        assert adopted.returncode == 0, adopted.stderr
        assert huzhu(spine, "ledger", "check").returncode == 0
        spine.start("relay", "relay-2")
        spine.start("worker", "worker-2")
        post(spine.bootstrap, events)
        spine.await_idle()
        sent = payouts(spine)
        assert {1} == set(Counter(sent).values())
        assert set(paid) < set(sent)
        assert set(sent) == set(chain.from_iterable(spine.rows("SELECT payout_id FROM instructions")))
        kinds = Counter(each.value["kind"] for each in spine.committed("audit.events"))
        assert kinds["ledger.adopted"] == 1
        for name in ("relay-2", "worker-2"):
            spine.stop(name)
