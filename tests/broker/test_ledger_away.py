"""PostgreSQL restarts or fails over while everything runs: worker and relay wait for it and go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.servers.local.postgres_server import LocalPostgres, StopMode
from stream.inbound.post import post
from tests.support.builders import encode
from tests.support.databases import make_template
from tests.support.posting import insured, person_of, stay
from tests.support.spine import Spine


@pytest.fixture(scope="module")
def server() -> Iterator[LocalPostgres]:
    """A PostgreSQL of our own, which can be restarted."""
    with LocalPostgres.start() as running:
        make_template(running.url)
        yield running


@pytest.fixture(scope="module")
def spine(kafka: str, server: LocalPostgres) -> Iterator[Spine]:
    with Spine(kafka, server.url) as spine:
        spine.publish()
        spine.start("worker", session_timeout=6)
        spine.start("relay")
        post(spine.bootstrap, [encode(each) for shard in range(4) for each in insured(person_of(shard, "P-before"))])
        spine.await_idle()
        yield spine


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_processes_outlive_a_restart_of_postgres(mode: StopMode, spine: Spine, server: LocalPostgres) -> None:
    """After PostgreSQL has stopped and started, the same worker and relay take and send what comes next."""
    before = dict(spine.pids)
    server.restart(mode)
    people = [person_of(shard, f"P-{mode}") for shard in range(4)]
    post(
        spine.bootstrap,
        [encode(e) for person in people for e in (*stay(person, f"E-{person}", 5000), *insured(person))],
    )
    spine.await_idle()
    assert before == spine.pids
    assert all(spine.runs(name) for name in before), spine.logs()
    paid = [each.value["claim_id"] for each in spine.committed("payouts.instructions")]
    assert all(paid.count(f"E-{person}") == 1 for person in people)
