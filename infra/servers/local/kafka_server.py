"""Apache Kafka on this machine: KRaft mode, one JVM per node, on free loopback ports.

A start chooses ports, writes a configuration per node, formats new folders with Kafka's own tool, starts the JVMs
under a guard, and waits until every node can describe the whole cluster. If another program has taken a port in the
meantime, it tries again with others. Without a data folder everything is in a temporary folder that is removed at the
end.
"""

import base64
import signal
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from infra.servers.local.broker_security import BrokerSecurity
from infra.servers.local.errors import PartFailed
from infra.servers.local.guard_client import Guarded, tail
from infra.servers.local.jars import java, kafka_jars
from infra.servers.local.kafka_node import Node
from infra.servers.local.ports import answers, free_ports

START_SECONDS_MAX = 90.0  # about 2 s on an idle machine; three nodes on two busy cores take much longer
PORT_ATTEMPTS = 5
POLL_SECONDS = 0.05


class LocalKafka:
    """A running cluster of one or more nodes. Use it as a context manager, or call `stop`."""

    bootstrap: str
    """All nodes as `127.0.0.1:port[,...]`. Does not change with `restart_node`."""

    def __init__(
        self,
        data_dir: Path | None,
        nodes: int,
        heap_mb: int,
        advertised: Callable[[int], int],
        security: BrokerSecurity | None,
    ) -> None:
        """Use `start`."""
        self._security = security
        self._java, self._jars, self._heap_mb = java(), kafka_jars(), heap_mb
        self._advertised = advertised
        self._kept = data_dir is not None
        folder = Path(tempfile.mkdtemp(prefix="huzhu-kafka-")) if data_dir is None else data_dir.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._guarded = Guarded(folder, temporary=not self._kept)
        self._stopped = False
        try:
            self._pids = self._start_on_free_ports(nodes)
        except BaseException:  # Ctrl-C too
            self.stop()
            raise

    @classmethod
    def start(
        cls,
        data_dir: Path | None = None,
        nodes: int = 1,
        heap_mb: int = 512,
        advertised: Callable[[int], int] = lambda port: port,
        security: BrokerSecurity | None = None,
    ) -> "LocalKafka":
        """Start a cluster and wait until it answers.

        `advertised` maps the port of a node to the port that clients and other nodes are told to use: that of a proxy,
        which must already be listening. With `security` clients need TLS, a user and permissions.

        A `data_dir` is kept: a later start with it has the same cluster id and topics, and needs the same number of
        nodes. Raises `PartUnavailable` when Java or the jars are missing, and `PartFailed` with the end of the log when
        a node dies during the start or does not answer.
        """
        return cls(data_dir, nodes, heap_mb, advertised, security)

    @property
    def pids(self) -> tuple[int, ...]:
        """The pid of each node's JVM, in the order of `bootstrap`."""
        return tuple(self._pids)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, in the order of `bootstrap`."""
        return self._nodes

    def restart_node(self, index: int) -> None:
        """Restart a node on the same ports and data, and wait until it serves.

        A running node is stopped first. After a kill -9 this takes some 9 s: the cluster only accepts the node again
        when its previous session has expired.
        """
        node = self._nodes[index]
        self._guarded.stop(node.name, signal.SIGTERM)
        begin = _size(node)
        self._pids[index] = self._launch(node)
        self._await([node], {node.name: begin})

    def stop(self) -> None:
        """Stop all nodes and remove a temporary folder. Stopping twice is harmless."""
        if not self._stopped:
            self._stopped = True
            self._guarded.close()

    def __enter__(self) -> "LocalKafka":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_on_free_ports(self, count: int) -> list[int]:
        for _ in range(PORT_ATTEMPTS):
            self._nodes = self._prepare(count)
            self.bootstrap = ",".join(node.address for node in self._nodes)
            begins = {node.name: _size(node) for node in self._nodes}
            pids = [self._launch(node) for node in self._nodes]
            try:
                self._await(list(self._nodes), begins)
            except _PortTaken:
                for node in self._nodes:
                    self._guarded.stop(node.name, signal.SIGKILL)
            else:
                return pids
        raise PartFailed(f"Kafka found its ports taken {PORT_ATTEMPTS} times in a row")

    def _prepare(self, count: int) -> tuple[Node, ...]:
        secured = self._security is not None
        ports = free_ports((3 if secured else 2) * count)
        numbers = range(1, count + 1)
        nodes = tuple(
            Node(n, self.folder / f"node-{n}", own, controller, self._advertised(own), internal, self._security)
            for n, own, controller, internal in zip(
                numbers,
                ports[:count],
                ports[count : 2 * count],
                ports[2 * count :] if secured else (0,) * count,
                strict=True,
            )
        )
        kept = nodes[0].cluster_size()
        if kept not in (None, count):
            raise PartFailed(f"{self.folder} has a cluster of {kept} nodes: start it with nodes={kept}")
        cluster_id = nodes[0].cluster_id() or _new_cluster_id()
        for node in nodes:
            node.write_configuration(nodes)
            if node.cluster_id() is None:
                command = node.format_command(self._java, self._jars, cluster_id)
                self._guarded.run(f"format-{node.number}", command, node.log, timeout_seconds=START_SECONDS_MAX)
        return nodes

    def _launch(self, node: Node) -> int:
        # A temporary cluster need not stop cleanly. If several nodes stop at once, the last has no quorum left and
        # would wait for one.
        stop_signal = signal.SIGTERM if self._kept else signal.SIGKILL
        command = node.serve_command(self._java, self._jars, self._heap_mb)
        return self._guarded.start(node.name, command, node.log, stop_signal=stop_signal)

    def _await(self, nodes: list[Node], begins: dict[str, int]) -> None:
        """Wait until each node serves and knows all other running nodes."""
        deadline = time.monotonic() + START_SECONDS_MAX
        for node in nodes:
            while not (answers(node.port) and self._knows_the_cluster(node)):
                self._check(nodes, begins)
                if time.monotonic() > deadline:
                    end = tail(node.log, begins[node.name])
                    raise PartFailed(f"{node.name} did not answer in {START_SECONDS_MAX:.0f} s. Its log:\n{end}")
                time.sleep(POLL_SECONDS)

    def _check(self, nodes: list[Node], begins: dict[str, int]) -> None:
        """Raise if one of the nodes has died."""
        for node in nodes:
            code = self._guarded.exit_code(node.name)
            if code is None:
                continue
            end = tail(node.log, begins[node.name])
            if "Address already in use" in end or "BindException" in end:
                raise _PortTaken(f"{node.name} found its port taken. The end of its log:\n{end}")
            raise PartFailed(f"{node.name} ended with {code} at its start. The end of its log:\n{end}")

    def _knows_the_cluster(self, node: Node) -> bool:
        security = {} if self._security is None else self._security.administrator()
        config: dict[str, Any] = {"bootstrap.servers": node.administered_at, "log_level": 0, "socket.timeout.ms": 2_000}
        admin = AdminClient({**config, **security})
        running = {n.number for n in self._nodes if self._guarded.exit_code(n.name) is None}
        try:
            cluster = admin.describe_cluster(request_timeout=2.0).result(timeout=3.0)
        except (KafkaException, TimeoutError):
            return False
        return running <= {member.id for member in cluster.nodes}


class _PortTaken(PartFailed):
    """Another program took a port between our choice and the server's start."""


def _new_cluster_id() -> str:
    """Sixteen random bytes in Kafka's format, never starting with the dash of an option."""
    return "H" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]


def _size(node: Node) -> int:
    return node.log.stat().st_size if node.log.exists() else 0
