"""`huzhu status` as a monitor calls it, beside a worker and a relay."""

from __future__ import annotations

import json
from typing import Any

from stream.inbound.post import post
from tests.support.builders import SHARDS, encode
from tests.support.posting import insured, open_transaction, person_of, stay
from tests.support.processes import huzhu
from tests.support.servers import await_true
from tests.support.spine import Spine

NOWHERE = "127.0.0.1:1"


def told(spine: Spine, *words: str, status: int, **other: str) -> dict[str, list[dict[str, Any]]]:
    """The lines of `huzhu status --json` by what they are about."""
    known = {"HUZHU_KAFKA_BOOTSTRAP": spine.bootstrap, "HUZHU_DATABASE_URL": spine.url, "HUZHU_SHARDS": str(SHARDS)}
    environment = {**known, **other}
    done = huzhu("status", "--json", *words, columns=80, **environment)
    assert (status, "") == (done.returncode, done.stderr), done.stdout
    document = json.loads(done.stdout)
    lines: dict[str, list[dict[str, Any]]] = {}
    for line in document["lines"]:
        lines.setdefault(line["concern"], []).append(line)
    assert document["well"] is (status == 0)
    return lines


def hanging(spine: Spine) -> list[str | None]:
    """The topics in which a transaction hangs, as the command says without patience; None where it cannot say."""
    lines = told(spine, "--patience", "0", status=1)["transactions"]
    return [line["details"].get("topic") for line in lines]


def test_the_command_says_what_runs_and_what_does_not(kafka: str, postgres_url: str) -> None:
    """Without a worker, a relay, or Kafka, the lines and the exit status say so, and the others are told."""
    with Spine(kafka, postgres_url) as spine:
        assert spine.engine
        lines = told(spine, status=1)
        assert [False] == [line["well"] for line in lines["relays"]]
        # Until the broker has its topic for groups nobody can say who is in one.
        assert await_true(lambda: [False] == [line["well"] for line in told(spine, status=1)["workers"]])
        away = told(spine, status=1, HUZHU_KAFKA_BOOTSTRAP=NOWHERE)
        assert ([False], [True]) == (
            [each["well"] for each in away["kafka"]],
            [each["well"] for each in away["ledger"]],
        )


def test_all_is_well_while_worker_and_relay_run(kafka: str, postgres_url: str) -> None:
    """The lines say which relay sends; a hanging transaction is said by the worker too; who is killed is missed."""
    with Spine(kafka, postgres_url) as spine:
        spine.publish()
        spine.start("worker", session_timeout=6)
        spine.start("relay")
        people = [person_of(shard, "P-well") for shard in range(SHARDS)]
        events = [encode(each) for person in people for each in (*insured(person), *stay(person, f"E-{person}", 5000))]
        post(spine.bootstrap, events)
        spine.await_idle()
        lines = told(spine, status=0)
        (relays,) = lines["relays"]
        (name,) = relays["details"]["running"]
        assert f"/{spine.pids['relay']}" in name
        assert {name} == set(relays["details"]["sent_last"].values())
        assert {"worker": 1, "relay": 1} == lines["restarts"][0]["details"]["starts"]
        person = person_of(2, "P-behind")
        dead = open_transaction(spine.bootstrap, "registry.coverages", 2)
        post(spine.bootstrap, [encode(each) for each in insured(person)])
        said = "waiting for a transaction on registry.coverages-2 to end for "
        assert await_true(lambda: said in spine.log("worker"), 60), spine.log("worker")
        assert await_true(lambda: ["registry.coverages"] == hanging(spine))  # a busy broker may not answer at once
        open_transaction(spine.bootstrap, "registry.coverages", 2).abort_transaction(60)
        del dead
        spine.await_idle()
        spine.kill("relay")
        spine.kill("worker")
        assert await_true(lambda: [False] == [each["well"] for each in told(spine, status=1)["relays"]])
