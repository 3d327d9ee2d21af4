"""The system under fault: three Kafka nodes and a PostgreSQL, each behind a proxy, two workers and a relay."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import psycopg
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from sqlalchemy import make_url

from infra.kafka import topic_setup
from infra.ledger.schema import connect
from infra.ledger.upgrading import upgrade
from infra.servers.local.kafka_server import LocalKafka
from infra.servers.local.postgres_server import LocalPostgres
from infra.settings import Settings
from schemas.topics import TOPICS
from tests.faults.proxy import Network, Proxy
from tests.faults.supervisor import Supervisor
from tests.faults.waiting import await_true

SHARDS = 4
NODES = 3
SETTINGS = Settings(
    shards=SHARDS,
    replication_factor=3,
    min_insync_replicas=2,
    session_timeout=6,
    idle_check=5,
    ledger_lease=7,
    batch_events=100,
    relay_batch=100,
)
DISK_MB = 3072
HEAP_MB = 256
ISR_S_MAX = 90.0
START_S_MAX = 60.0


class Cluster:
    """All servers, proxies and processes of one run, in a folder of its own. Use it as a context manager."""

    kafka: LocalKafka
    postgres: LocalPostgres
    supervisor: Supervisor

    def __init__(self, nodes: int = NODES, settings: Settings = SETTINGS, small_disk: bool = True) -> None:
        self._stack = ExitStack()
        self._nodes = nodes
        self._wants_small_disk = small_disk
        self.settings = settings
        self.network = Network()
        self.broker_proxies: dict[int, Proxy] = {}
        self.disk: Path | None = None

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        enter = self._stack.enter_context
        self.folder = Path(tempfile.mkdtemp(prefix="huzhu-faults-"))
        self.folder.chmod(0o755)  # the server's own user must get to its data
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.disk = self._mount() if self._wants_small_disk else None
        enter(self.network)
        place = self.disk or self.folder
        self.postgres = enter(LocalPostgres.start(place / "postgres"))
        ledger = connect(self.postgres.url)
        upgrade(ledger)
        ledger.dispose()
        self.postgres_proxy = self.network.proxy(self.postgres.port)
        self.kafka = enter(LocalKafka.start(nodes=self._nodes, heap_mb=HEAP_MB, advertised=self._advertised))
        topic_setup.apply(self.kafka.bootstrap, self.settings)
        self._admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap, "log_level": 0})
        self.await_in_sync()
        logs = self.folder / "logs"
        logs.mkdir()
        url = make_url(self.postgres.url).set(port=self.postgres_proxy.port).render_as_string(hide_password=False)
        self.supervisor = enter(Supervisor(logs, self._environment(), url))
        for name in ("worker-1", "worker-2", "relay-1"):
            self.supervisor.start(name)
        if not await_true(self._works, START_S_MAX):
            raise TimeoutError(f"no worker took its shards within {START_S_MAX:.0f} s")

    def _works(self) -> bool:
        """Whether every shard was taken by a worker."""
        try:
            with self.sql() as connection:
                row = connection.execute("SELECT count(*) FROM shards WHERE epoch > 0").fetchone()
        except psycopg.Error:
            return False
        return row is not None and row[0] == self.settings.shards

    def _environment(self) -> dict[str, str]:
        given = self.settings.model_dump(exclude_unset=True)
        variables = {f"HUZHU_{name.upper()}": str(value) for name, value in given.items()}
        return variables | {"HUZHU_KAFKA_BOOTSTRAP": self.kafka.bootstrap}

    def environment(self) -> dict[str, str]:
        """What a `huzhu` command needs to work on this cluster, without proxies in front of the ledger."""
        return {**os.environ, **self._environment(), "HUZHU_DATABASE_URL": self.postgres.url}

    def _advertised(self, port: int) -> int:
        self.broker_proxies[port] = self.network.proxy(port)
        return self.broker_proxies[port].port

    def broker_proxy(self, index: int) -> Proxy:
        """The proxy in front of one broker, for clients and the other brokers alike."""
        return self.broker_proxies[self.kafka.nodes[index].port]

    def sql(self, autocommit: bool = True) -> psycopg.Connection:
        """A connection of the test's own, past the proxy."""
        url = self.postgres.url.replace("+psycopg", "")
        return psycopg.connect(url, autocommit=autocommit, connect_timeout=5, application_name="faults")

    def await_in_sync(self) -> None:
        """Until every partition has all its replicas in sync."""
        if not await_true(self._in_sync, ISR_S_MAX, 0.3):
            raise TimeoutError(f"replicas are not in sync after {ISR_S_MAX:.0f} s")

    def _in_sync(self) -> bool:
        names = [topic.name for topic in TOPICS]
        try:
            asked = self._admin.describe_topics(TopicCollection(names), request_timeout=5)
            described = [future.result(6) for future in asked.values()]
        except (KafkaException, TimeoutError):
            return False
        return all(len(place.isr) == len(place.replicas) and place.leader for t in described for place in t.partitions)

    def _mount(self) -> Path | None:
        """A small file system for the ledger, so that it can be filled; None where mounting is not permitted."""
        place = self.folder / "disk"
        place.mkdir()
        options = f"size={DISK_MB}m,mode=755"
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "huzhu-faults", str(place)], capture_output=True)
        if made.returncode:
            return None
        self._stack.callback(subprocess.run, ["umount", "-l", str(place)], check=False)
        return place
