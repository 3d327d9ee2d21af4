"""`huzhu gateway`, `huzhu console` and `huzhu audit sign` as a monitor meets them, with Kafka away."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from infra.keys.audit_signing import make_key
from schemas.metrics import Process
from tests.support.builders import SHARDS, bill, coverage, discharge
from tests.support.ledgers import for_person, give, held, in_order, person_of_shard
from tests.support.paths import REPOSITORY
from tests.support.processes import huzhu
from tests.support.scraped import MetricsPage, get, scrape
from tests.support.servers import await_true

COMMANDS = {
    Process.GATEWAY: ["gateway"],
    Process.CONSOLE: ["console"],
    Process.SIGNER: ["audit", "sign"],
}
NOWHERE = "127.0.0.1:1"


@contextmanager
def running(ledger: Engine, process: Process, folder: Path, **settings: str) -> Iterator[str]:
    """The command on a ledger, until the block ends; where it answers monitors."""
    make_key("test/huzhu", folder / "audit.key")
    assert 0 == huzhu("people", "newkey", folder / "console.keys").returncode
    environment = {
        "PATH": "/usr/bin:/bin",
        "HUZHU_DATABASE_URL": ledger.url.render_as_string(hide_password=False),
        "HUZHU_KAFKA_BOOTSTRAP": NOWHERE,
        "HUZHU_SHARDS": str(SHARDS),
        "HUZHU_AUDIT_KEY_FILE": str(folder / "audit.key"),
        "HUZHU_CONSOLE_KEY_FILE": str(folder / "console.keys"),
        "HUZHU_GATEWAY_PORT": "0",
        "HUZHU_CONSOLE_PORT": "0",
        f"HUZHU_{process.name}_METRICS_PORT": "0",
        **settings,
    }
    argv, log = [sys.executable, "-m", "cli.main", *COMMANDS[process]], folder / "log"
    with log.open("wb") as said, subprocess.Popen(argv, cwd=REPOSITORY, env=environment, stderr=said) as started:
        try:
            assert await_true(lambda: "metrics are at" in log.read_text() or started.poll() is not None), (
                log.read_text()
            )
            found = re.search(r"metrics are at (http:\S+)/metrics", log.read_text())
            assert found, log.read_text()
            yield found[1]
        finally:
            started.terminate() if process is Process.SIGNER else started.kill()  # others wait for Kafka for 30 s
            ended = started.wait(60)
        assert process is not Process.SIGNER or ended == 0, log.read_text()


@pytest.mark.parametrize("process", COMMANDS)
def test_a_process_answers_monitors(ledger: Engine, tmp_path: Path, process: Process) -> None:
    """It lives, becomes ready, and tells what waits in the ledger; the signer ends as orderly as before."""
    held(ledger)
    give(ledger, in_order(for_person(person_of_shard(1), coverage(), discharge(), bill())))
    with running(ledger, process, tmp_path) as address:
        assert (200, "alive\n") == get(f"{address}/health/live")
        assert await_true(lambda: get(f"{address}/health/ready") == (200, "ready\n"))
        page = scrape(address)
    assert 1 == page.value("huzhu_ledger_up")
    assert (page.value("huzhu_outbox_messages", shard="1") or 0) > 0
    assert (0 if process is Process.CONSOLE else None) == page.value("huzhu_kafka_up")


def test_the_signer_counts_its_checkpoints(ledger: Engine, tmp_path: Path) -> None:
    """Its own, by shard; then the shard's entries are signed."""
    held(ledger)
    give(ledger, in_order(for_person(person_of_shard(1), coverage(), discharge(), bill())))
    pages: list[MetricsPage] = []
    with running(ledger, Process.SIGNER, tmp_path, HUZHU_AUDIT_ENTRIES="1") as address:

        def signed() -> bool:
            pages.append(scrape(address))
            return pages[-1].value("huzhu_checkpoints_total", shard="1") is not None

        assert await_true(signed)
    assert 1 == pages[-1].value("huzhu_checkpoints_total", shard="1")


def test_a_process_logs_json_where_it_is_told_to(ledger: Engine, tmp_path: Path) -> None:
    """Each line, also that of where it listens."""
    with running(ledger, Process.SIGNER, tmp_path, HUZHU_LOG_FORMAT="json") as address:
        assert 200 == get(f"{address}/health/live")[0]
    said = [json.loads(line) for line in (tmp_path / "log").read_text("utf-8").splitlines()]
    assert {"signer"} == {line["process"] for line in said}
    assert any(line["message"].startswith("metrics are at") for line in said)
