"""Provides Kafka and PostgreSQL for the demo, the tests and the benchmarks, so that all use the same servers.

Tries in this order: an address in the environment, Docker, a local server on this machine. A server that was started
here is stopped at the end of the `with` block; one from the environment is left alone.
Raises `PartUnavailable` with a sentence for the user if none of the three is possible.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from infra.servers.local.errors import PartFailed, PartUnavailable
from infra.settings import ledger_url

__all__ = [
    "DATABASE_URL",
    "KAFKA_BOOTSTRAP",
    "KafkaPart",
    "PartFailed",
    "PartUnavailable",
    "PostgresPart",
    "resolve_kafka",
    "resolve_postgres",
    "started_kafka",
    "started_postgres",
]

KAFKA_BOOTSTRAP = "HUZHU_KAFKA_BOOTSTRAP"
DATABASE_URL = "HUZHU_DATABASE_URL"

Origin = Literal["environment", "docker", "local"]


@dataclass(frozen=True)
class KafkaPart:
    """A running Kafka: its addresses as `host:port[,...]`, and where it came from."""

    bootstrap: str
    origin: Origin


@dataclass(frozen=True)
class PostgresPart:
    """A running PostgreSQL: its SQLAlchemy URL (with a password, so not in the repr), and where it came from."""

    url: str = field(repr=False)
    origin: Origin


@contextmanager
def resolve_kafka(
    bootstrap: str | None = None, *, data_dir: Path | None = None, nodes: int = 1, heap_mb: int = 512
) -> Iterator[KafkaPart]:
    """A Kafka for the duration of the `with` block.

    `bootstrap`, or else HUZHU_KAFKA_BOOTSTRAP, is the address of a running Kafka. The other arguments are for one that
    is started.
    """
    running = bootstrap or os.environ.get(KAFKA_BOOTSTRAP)
    if running:
        yield KafkaPart(running, "environment")
        return
    with started_kafka(data_dir, nodes=nodes, heap_mb=heap_mb) as part:
        yield part


@contextmanager
def started_kafka(data_dir: Path | None, *, nodes: int = 1, heap_mb: int = 512) -> Iterator[KafkaPart]:
    """A Kafka that is started for the block, whatever the environment says.

    Docker is not used for a kept `data_dir` or for several nodes.
    """
    _require_platform("Kafka", KAFKA_BOOTSTRAP)
    from infra.servers import docker
    from infra.servers.local.kafka_server import LocalKafka

    if data_dir is None and nodes == 1 and docker.docker_answers():
        with docker.kafka_container() as address:
            yield KafkaPart(address, "docker")
        return
    with LocalKafka.start(data_dir, nodes, heap_mb) as kafka:
        yield KafkaPart(kafka.bootstrap, "local")


@contextmanager
def resolve_postgres(url: str | None = None, *, data_dir: Path | None = None) -> Iterator[PostgresPart]:
    """A PostgreSQL for the duration of the `with` block.

    `url`, or else HUZHU_DATABASE_URL, is the address of a running PostgreSQL.
    """
    running = url or os.environ.get(DATABASE_URL)
    if running:
        try:
            address = ledger_url(running)
        except ValueError as error:
            raise PartUnavailable(f"{DATABASE_URL}: {error}") from None
        yield PostgresPart(address, "environment")
        return
    with started_postgres(data_dir) as part:
        yield part


@contextmanager
def started_postgres(data_dir: Path | None) -> Iterator[PostgresPart]:
    """A PostgreSQL that is started for the block, whatever the environment says.

    Docker is not used for a kept `data_dir`.
    """
    _require_platform("PostgreSQL", DATABASE_URL)
    from infra.servers import docker
    from infra.servers.local.postgres_server import LocalPostgres

    if data_dir is None and docker.docker_answers():
        with docker.postgres_container() as address:
            yield PostgresPart(address, "docker")
        return
    with LocalPostgres.start(data_dir) as postgres:
        yield PostgresPart(postgres.url, "local")


def _require_platform(part: str, variable: str) -> None:
    # Called before importing the local servers, whose modules only work on Unix.
    if sys.platform not in ("linux", "darwin"):
        raise PartUnavailable(
            f"A local {part} runs on Linux and macOS, but not on {sys.platform}: "
            f"set {variable} to the address of a running {part}."
        )
