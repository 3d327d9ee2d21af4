"""One node of a local Kafka: its configuration and the commands that start its JVM.

The node is both broker and controller (KRaft). The voters are listed in the configuration, not in the log, so that a
kept folder can be started again on other ports.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from infra.servers.local.broker_security import BrokerSecurity
from infra.servers.local.ports import LOOPBACK

RECORD_BYTES_MAX = 8 * 1024 * 1024  # upper limit for max.message.bytes of our topics
FETCH_BYTES_MAX = RECORD_BYTES_MAX + 1024 * 1024  # one such batch and its headers
REQUEST_BYTES_MAX = 4 * FETCH_BYTES_MAX  # a produce request can have batches for several partitions
CLEANER_BYTES = 16 * 1024 * 1024  # the default of 128 MiB is half of a small node's heap
INTERNAL_PARTITIONS = 4
LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


@dataclass(frozen=True)
class Node:
    """A node: its number (from 1), folder, ports, and the port that clients are told to use.

    ``internal_port`` is for the broker and its administrator if the node is secured.
    """

    number: int
    folder: Path
    port: int
    controller_port: int
    advertised_port: int
    internal_port: int = 0
    security: BrokerSecurity | None = None

    @property
    def name(self) -> str:
        """The name under which the guard knows the node."""
        return f"kafka-{self.number}"

    @property
    def address(self) -> str:
        """Its address for clients and other nodes."""
        return f"{LOOPBACK}:{self.advertised_port}"

    @property
    def administered_at(self) -> str:
        """Its address for the administrator."""
        return self.address if self.security is None else f"{LOOPBACK}:{self.internal_port}"

    @property
    def log(self) -> Path:
        """The output of the JVM and Kafka's log."""
        return self.folder / "kafka.log"

    @property
    def logs(self) -> Path:
        """The folder of the topics, made by `StorageTool`."""
        return self.folder / "topics"

    def cluster_id(self) -> str | None:
        """The cluster the folder belongs to, or None if it is not formatted yet."""
        return _property(self.logs / "meta.properties", "cluster.id")

    def cluster_size(self) -> int | None:
        """The number of nodes of the cluster in the folder, or None for a new folder."""
        voters = _property(self.folder / "server.properties", "controller.quorum.voters")
        return None if voters is None else len(voters.split(","))

    def write_configuration(self, cluster: tuple["Node", ...]) -> None:
        """Write the server's properties and its logging configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{key}={value}" for key, value in self._properties(cluster).items()]
        (self.folder / "server.properties").write_text("\n".join(lines) + "\n")
        (self.folder / "log4j2.properties").write_text(LOGGING)

    def _properties(self, cluster: tuple["Node", ...]) -> dict[str, object]:
        internal = "" if self.security is None else f",INTERNAL://{LOOPBACK}:{self.internal_port}"
        voters = ",".join(f"{node.number}@{LOOPBACK}:{node.controller_port}" for node in cluster)
        return {
            **common_properties(nodes=len(cluster)),
            "node.id": self.number,
            "controller.quorum.voters": voters,
            "listeners": f"CLIENTS://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{self.controller_port}{internal}",
            "advertised.listeners": f"CLIENTS://{self.address}{internal}",
            "log.dirs": self.logs,
            **({} if self.security is None else self.security.properties()),
        }

    def format_command(self, java: str, jars: Path, cluster_id: str) -> list[str]:
        """The command that formats an empty folder; it leaves a formatted one unchanged."""
        tool = [*self._java(java, jars, heap_mb=128), "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool"]
        properties = str(self.folder / "server.properties")
        return [*tool, "format", "--ignore-formatted", "-t", cluster_id, "-c", properties]

    def serve_command(self, java: str, jars: Path, heap_mb: int) -> list[str]:
        """The command that runs the node."""
        return [*self._java(java, jars, heap_mb), "kafka.Kafka", str(self.folder / "server.properties")]

    def _java(self, java: str, jars: Path, heap_mb: int) -> list[str]:
        return [
            java,
            f"-Xmx{heap_mb}m",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            # No files outside the folder, where a killed JVM would leave them: no performance file in /tmp, and
            # the native libraries of the compressors are unpacked here.
            "-XX:-UsePerfData",
            f"-XX:ErrorFile={self.folder / 'crash.log'}",
            f"-Djava.io.tmpdir={self.folder}",
            "-Djava.net.preferIPv4Stack=true",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            "-cp",
            str(jars / "*"),
        ]


def common_properties(nodes: int) -> dict[str, object]:
    """The properties that are the same for every node and on every machine."""
    in_sync = 1 if nodes == 1 else nodes - 1
    return {
        "process.roles": "broker,controller",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        # For a topic with fewer replicas Kafka uses the smaller number.
        "min.insync.replicas": in_sync,
        "default.replication.factor": nodes,
        "offsets.topic.num.partitions": INTERNAL_PARTITIONS,
        "offsets.topic.replication.factor": nodes,
        "transaction.state.log.num.partitions": INTERNAL_PARTITIONS,
        "transaction.state.log.replication.factor": nodes,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": INTERNAL_PARTITIONS,
        "share.coordinator.state.topic.replication.factor": nodes,
        "share.coordinator.state.topic.min.isr": in_sync,
        "replica.fetch.max.bytes": FETCH_BYTES_MAX,
        "socket.request.max.bytes": REQUEST_BYTES_MAX,
        "log.cleaner.dedupe.buffer.size": CLEANER_BYTES,
        # Three JVMs on two cores must not be declared dead, but a dead one should be noticed soon.
        "broker.heartbeat.interval.ms": 1_000,
        "broker.session.timeout.ms": 6_000,
    }


def _property(file: Path, key: str) -> str | None:
    match = re.search(rf"^{re.escape(key)}=(.+)$", file.read_text(), re.MULTILINE) if file.exists() else None
    return match[1] if match else None
