"""Where Kafka and PostgreSQL come from. Demo, tests and benchmarks ask here, and so run on the same servers.

In this order: the address in the environment, a Docker engine that answers, a server of our own on this
machine. A part that was started here is stopped at the end of the `with` block; one from the environment is
left alone.
Raises `PartUnavailable` with one sentence for a person when none of the three can be had.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from infra.servers.local.errors import PartFailed, PartUnavailable

__all__ = [
    "DATABASE_URL",
    "KAFKA_BOOTSTRAP",
    "KafkaPart",
    "PartFailed",
    "PartUnavailable",
    "PostgresPart",
    "resolve_kafka",
    "resolve_postgres",
]

KAFKA_BOOTSTRAP = "HUZHU_KAFKA_BOOTSTRAP"
DATABASE_URL = "HUZHU_DATABASE_URL"

Origin = Literal["environment", "docker", "local"]


@dataclass(frozen=True)
class KafkaPart:
    """A Kafka that answers: its addresses as `host:port[,...]`, and where it came from."""

    bootstrap: str
    origin: Origin


@dataclass(frozen=True)
class PostgresPart:
    """A PostgreSQL that answers: its SQLAlchemy URL (not in the repr: it has the password), its origin."""

    url: str = field(repr=False)
    origin: Origin


@contextmanager
def resolve_kafka(
    bootstrap: str | None = None, *, data_dir: Path | None = None, nodes: int = 1, heap_mb: int = 512
) -> Iterator[KafkaPart]:
    """A Kafka for the length of the `with` block.

    `bootstrap`, or else the variable HUZHU_KAFKA_BOOTSTRAP, names a running one. The other arguments describe
    a local one; a folder that is kept or several nodes are never looked for in Docker.
    """
    running = bootstrap or os.environ.get(KAFKA_BOOTSTRAP)
    if running:
        yield KafkaPart(running, "environment")
        return
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
    """A PostgreSQL for the length of the `with` block.

    `url`, or else the variable HUZHU_DATABASE_URL, names a running one. A `data_dir` is kept, so it means a
    local server and never Docker.
    """
    running = url or os.environ.get(DATABASE_URL)
    if running:
        yield PostgresPart(_with_driver(running), "environment")
        return
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
    # Before the imports of the local parts: they use what only Unix has.
    if sys.platform not in ("linux", "darwin"):
        raise PartUnavailable(
            f"A local {part} runs on Linux and macOS and not on {sys.platform}: "
            f"set {variable} to the address of a running {part}."
        )


def _with_driver(url: str) -> str:
    """The URL with the driver that the ledger uses, which people and platforms tend to leave out."""
    for plain in ("postgres://", "postgresql://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url
