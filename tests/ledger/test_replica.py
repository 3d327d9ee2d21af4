"""HUZHU_DATABASE_READ_URL: simulations and exports read a replica, so that they take nothing from the ledger."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from infra.ledger.identity import require_replica
from infra.ledger.schema import LedgerMismatch, bind, connect
from infra.ledger.upgrading import upgrade
from infra.servers.local.postgres_server import LocalPostgres
from tests.support.base_backups import base_backup
from tests.support.builders import SHARDS, VILLAGE, bill, coverage, discharge, policy_text
from tests.support.ledgers import give, in_order
from tests.support.processes import huzhu
from tests.support.servers import await_true, query
from tests.web.town import publish_text

EVENTS = "SELECT count(*) FROM events"
POLICY = policy_text("village", "2000-01-01", None, VILLAGE)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that PostgreSQL's user can reach too, which pytest's own is not for root."""
    made = Path(tempfile.mkdtemp(prefix="huzhu-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def open_ledger(server: LocalPostgres) -> Engine:
    engine = connect(server.url)
    upgrade(engine)
    bind(engine, SHARDS, "no-cluster")
    return engine


def test_a_replica_answers_while_the_ledger_is_away(folder: Path) -> None:
    """What the ledger took in arrives at a replica that follows it, and a simulation needs nothing else."""
    draft, out = folder / "draft.toml", folder / "out"
    draft.write_text(POLICY, "utf-8")
    with LocalPostgres.start(folder / "first") as server:
        engine = open_ledger(server)
        publish_text(engine, POLICY)
        base_backup(server, folder / "second", "--write-recovery-conf")
        with LocalPostgres.start(folder / "second") as second:
            give(engine, in_order([coverage("C1"), discharge(), bill()]))
            taken_in = query(server.url, EVENTS)
            assert await_true(lambda: query(second.url, EVENTS) == taken_in)
            following = connect(second.url)
            require_replica(following, engine)
            for each in (following, engine):
                each.dispose()
            server.stop()
            assert query(second.url, "SELECT pg_is_in_recovery()") is True
            words = ("--policy", draft, "--out", out, "--every-claim")
            away, following_url = server.url, second.url
            asked = huzhu(
                "simulate", "--ledger", *words, HUZHU_DATABASE_URL=away, HUZHU_DATABASE_READ_URL=following_url
            )
            assert (0, "") == (asked.returncode, asked.stderr)
            with (out / "claims.csv").open(encoding="utf-8-sig") as file:
                assert ["E1"] == [row["claim_id"] for row in csv.DictReader(file)]


def test_another_ledger_is_no_replica(ledger: Engine, postgres_url: str) -> None:
    """The console would show one city's figures beside another's exports: it does not start."""
    require_replica(ledger, ledger)
    other = connect(postgres_url)
    with pytest.raises(LedgerMismatch, match="another ledger"):
        require_replica(other, ledger)
    other.dispose()
