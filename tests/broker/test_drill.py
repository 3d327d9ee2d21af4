"""The drill of docs/operations.md as it stands there: backup, the disk is lost, restore, adopt, catch up."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from infra.kafka import topic_setup
from infra.servers.local.kafka_server import LocalKafka
from infra.servers.local.postgres_programs import programs, server_user
from infra.servers.local.postgres_server import LocalPostgres
from infra.settings import Settings
from schemas.money import parse_yuan
from stream.inbound.post import post
from stream.outbound.cursors import LEDGER_REFUSED
from tests.bench.messages import Benefits, backlog, expected
from tests.faults import kcat
from tests.support.builders import SHARDS
from tests.support.databases import make_template
from tests.support.length import times
from tests.support.paths import DOCS
from tests.support.servers import await_true, query
from tests.support.spine import Spine
from tests.support.typed_blocks import blocks, typed

PERSONS = times(60, 60, "HUZHU_DRILL_PERSONS")
ARCHIVE, BACK_UP, RESTORE, UNTIL, ADOPT = blocks(DOCS / "operations.md", "## Backups")
PAYOUTS = "payouts.instructions"


class Machine:
    """A machine with a PostgreSQL on it whose backups lie elsewhere; what is typed there is typed by its user."""

    def __init__(self, folder: Path) -> None:
        self.user = server_user()
        self.backups, self.disk = folder / "backups", folder / "disk"
        for each in (self.backups, self.disk):
            each.mkdir()
            if self.user is not None:
                os.chown(each, *self.user)
        self.server = LocalPostgres.start(self.disk / "first")

    def type(self, block: str, **variables: str) -> None:
        """PostgreSQL's user types a block of the document, all of whose commands must work."""
        server = self.server
        url = make_url(server.url).set(drivername="postgresql", database="postgres")
        path = f"{programs(server.folder, self.user)}:{os.environ['PATH']}"
        known = {"URL": url.render_as_string(hide_password=False), "BACKUPS": str(self.backups), "PATH": path}
        done = typed(block, known | {"PGDATA": str(self.disk / "second" / "data")} | variables, self.user)
        assert done.returncode == 0, done.stderr

    def archived(self) -> set[str]:
        return set(os.listdir(self.backups / "log"))

    def archive_all(self) -> None:
        """What was committed so far is in the archive."""
        name = str(query(self.server.url, "SELECT pg_walfile_name(pg_switch_wal())"))
        assert await_true(lambda: name in self.archived(), 60.0)

    def lose_disk(self, kept: set[str]) -> None:
        """Of the log only ``kept`` had reached the archive."""
        self.server.stop("immediate")
        shutil.rmtree(self.server.folder / "data")
        for name in self.archived() - kept:
            (self.backups / "log" / name).unlink()

    def new_disk(self) -> None:
        """An empty folder; the password, which is not in the ledger, is known."""
        folder = self.disk / "second"
        folder.mkdir()
        shutil.copy(self.server.folder / "password", folder / "password")
        if self.user is not None:
            for each in (folder, folder / "password"):
                os.chown(each, *self.user)

    def start_restored(self) -> None:
        self.server = LocalPostgres.start(self.disk / "second")
        assert await_true(lambda: not query(self.server.url, "SELECT pg_is_in_recovery()"), 600.0)


@pytest.fixture
def machine() -> Iterator[Machine]:
    """Under a folder that PostgreSQL's user can reach too, which pytest's own is not for root."""
    folder = Path(tempfile.mkdtemp(prefix="huzhu-drill-"))
    folder.chmod(0o755)
    made = Machine(folder)
    yield made
    made.server.stop("immediate")
    shutil.rmtree(folder)


@pytest.fixture
def cluster() -> Iterator[str]:
    """A Kafka of its own: its topics belong to the ledger that sent to them."""
    with LocalKafka.start() as running:
        topic_setup.apply(running.bootstrap, Settings(shards=SHARDS))
        yield running.bootstrap


def paid(bootstrap: str) -> tuple[Counter[str], Benefits]:
    """How often kcat reads each payout's id, and what all of them come to, in fen by claim and scheme."""

    def ends(isolation: str) -> dict[tuple[str, int], int]:
        return kcat.ends(bootstrap, [PAYOUTS], SHARDS, isolation)

    assert await_true(lambda: ends("read_committed") == ends("read_uncommitted"), 60.0), "a transaction is open"
    messages = kcat.read_topic(bootstrap, PAYOUTS, {shard: end for (_, shard), end in ends("read_committed").items()})
    told = [json.loads(message.value or b"") for message in messages]
    net: Counter[tuple[str, str]] = Counter()
    for each in told:
        sign = {"payment": 1, "recovery": -1}[each["kind"]]
        net[each["claim_id"], each["scheme_id"]] += sign * parse_yuan(each["amount"])
    return Counter(each["payout_id"] for each in told), {place: fen for place, fen in net.items() if fen}


@pytest.mark.skipif(bool(kcat.missing()), reason=kcat.missing())
@pytest.mark.parametrize(
    "at_moment", [pytest.param(False, id="to the end"), pytest.param(True, id="to a moment", marks=pytest.mark.prove)]
)
def test_the_drill(cluster: str, machine: Machine, at_moment: bool) -> None:
    """Lost while Kafka has more, restored and adopted as the document says: each payout is there once, none lacks."""
    events = backlog(PERSONS)
    parts = [events[start::4] for start in range(4)]
    make_template(machine.server.url)
    machine.type(ARCHIVE)
    machine.server.restart()
    with Spine(cluster, machine.server.url) as spine:
        spine.publish()
        for name in ("worker", "relay"):
            spine.start(name)
        post(cluster, parts[0])
        spine.await_idle(600.0)
        machine.type(BACK_UP)
        post(cluster, parts[1])
        spine.await_idle(600.0)
        moment = str(query(machine.server.url, "SELECT now()"))
        machine.archive_all()
        archived = machine.archived()
        post(cluster, parts[2])
        spine.await_idle(600.0)
        if at_moment:
            machine.archive_all()
            archived = machine.archived()
        before, _ = paid(cluster)

        began = time.monotonic()
        machine.lose_disk(archived)
        for name in ("worker", "relay"):
            spine.stop(name)
        machine.new_disk()
        machine.type(RESTORE)
        if at_moment:
            machine.type(UNTIL, MOMENT=moment)
        machine.start_restored()
        spine.move(machine.server.url)
        restored = time.monotonic()
        kept = {row.payout_id for row in spine.rows("SELECT payout_id FROM instructions")}
        assert kept < before.keys(), "the restored ledger is behind what Kafka has"
        for name in ("worker", "relay"):
            spine.start(name, f"refused-{name}")
            assert spine.wait(f"refused-{name}", 60.0) == LEDGER_REFUSED
        adopt(spine)
        adopted = time.monotonic()
        for name in ("relay", "worker"):
            spine.start(name, f"{name}-2")
        spine.await_idle(600.0)
        caught_up = time.monotonic()
        assert paid(cluster)[0] == before, "what was lost is decided again, and nothing of it is sent again"
        post(cluster, parts[3])
        spine.await_idle(600.0)
        after, net = paid(cluster)
        assert set(after.values()) == {1}
        assert net == expected(events)
        lost = len(before.keys() - kept)
        phases = restored - began, adopted - restored, caught_up - adopted
        said = "restored in {:.1f} s, adopted in {:.1f} s, caught up in {:.1f} s".format(*phases)
        sys.stdout.write(f"{len(events)} events, {lost} of {len(before)} payouts lost: {said}\n")
        for name in ("relay-2", "worker-2"):
            spine.stop(name)


def adopt(spine: Spine) -> None:
    """An operator types the block, with the settings that an operator has."""
    known = {"KAFKA_BOOTSTRAP": spine.bootstrap, "DATABASE_URL": spine.url, "SHARDS": str(SHARDS)}
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = typed(ADOPT, path | {f"HUZHU_{name}": value for name, value in known.items()})
    assert done.returncode == 0, done.stderr
