"""The same servers in Docker, if a Docker engine answers.

`docker` and `testcontainers` are development dependencies; without them Docker is simply not used. Ports are published
on 127.0.0.1 only.
"""

import importlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.servers.local.kafka_node import common_properties
from infra.servers.local.ports import LOOPBACK, free_ports

KAFKA_IMAGE = "apache/kafka:4.3.1"  # the version of infra/servers/local/pom.xml
POSTGRES_IMAGE = "postgres:18"
ENGINE_ANSWER_SECONDS_MAX = 2.0
CONTROLLER_PORT = 9093  # inside the container, not published
READY = ".*Kafka Server started.*"


def docker_answers() -> bool:
    """Whether Docker can be used: the packages are installed and an engine answers within 2 s."""
    try:
        docker = importlib.import_module("docker")
        importlib.import_module("testcontainers")
    except ImportError:
        return False
    answers: list[bool] = []

    def ask() -> None:
        try:
            answers.append(bool(docker.from_env(timeout=ENGINE_ANSWER_SECONDS_MAX).ping()))
        except Exception:  # noqa: BLE001 - whatever the error, Docker cannot be used
            answers.append(False)

    # A thread, because the client's own timeout does not cover a DOCKER_HOST reached over ssh.
    thread = threading.Thread(target=ask, name="ask-docker", daemon=True)
    thread.start()
    thread.join(ENGINE_ANSWER_SECONDS_MAX)
    return answers == [True]


@contextmanager
def kafka_container() -> Iterator[str]:
    """One Kafka node in a container; yields its `host:port`.

    The port is chosen in advance and is the same inside and outside, because the node advertises it to its clients.
    """
    containers: Any = importlib.import_module("testcontainers.core.container")
    waiting: Any = importlib.import_module("testcontainers.core.wait_strategies")
    (port,) = free_ports(1)
    properties = {
        **common_properties(nodes=1),
        "node.id": 1,
        "controller.quorum.voters": f"1@localhost:{CONTROLLER_PORT}",
        "listeners": f"CLIENTS://0.0.0.0:{port},CONTROLLER://localhost:{CONTROLLER_PORT}",
        "advertised.listeners": f"CLIENTS://{LOOPBACK}:{port}",
    }
    container = containers.DockerContainer(KAFKA_IMAGE)
    for key, value in properties.items():
        container.with_env(f"KAFKA_{key.upper().replace('.', '_')}", str(value))
    container.ports = {f"{port}/tcp": (LOOPBACK, port)}
    container.waiting_for(waiting.LogMessageWaitStrategy(READY))
    with container:
        yield f"{LOOPBACK}:{port}"


@contextmanager
def postgres_container() -> Iterator[str]:
    """PostgreSQL in a container with an empty database `huzhu`; yields its SQLAlchemy URL."""
    postgres: Any = importlib.import_module("testcontainers.postgres")
    password = secrets.token_hex(24)
    container = postgres.PostgresContainer(
        POSTGRES_IMAGE, username="huzhu", password=password, dbname="huzhu", driver="psycopg"
    )
    container.with_env("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C")
    container.with_env("TZ", "UTC")
    container.ports = {"5432/tcp": (LOOPBACK, None)}
    with container:
        yield str(container.get_connection_url())
