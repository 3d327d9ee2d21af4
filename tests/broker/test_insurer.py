"""The insurer of docs/examples on a real broker: each instruction paid once, whatever is killed; then a reissue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from kafka import TopicPartition

from tests.support.builders import SHARDS, Json, encode, report
from tests.support.insurer import Insurer
from tests.support.posting import Post, insured, person_of, post, stay, to_post
from tests.support.processes import huzhu
from tests.support.servers import Consumer, await_true
from tests.support.spine import Spine

PAID_S_MAX = 90.0


@pytest.fixture(scope="module")
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    """A worker and a relay that run, with the sample policy."""
    with Spine(kafka, postgres_url) as spine:
        spine.publish()
        spine.start("worker")
        spine.start("relay")
        yield spine


def states(spine: Spine) -> dict[str, str]:
    return {row.payout_id: row.state for row in spine.rows("SELECT payout_id, state FROM payout_states")}


def instructed(spine: Spine) -> dict[str, Json]:
    """The instructions by which money moves, as a read_committed reader sees them."""
    orders = [each.value for each in spine.committed("payouts.instructions")]
    assert len(orders) == len({order["payout_id"] for order in orders})
    return {order["payout_id"]: order for order in orders if "reversal_of" not in order}


def ends_of_orders(spine: Spine) -> dict[TopicPartition, int]:
    """Behind the last instruction of each partition that has any."""
    places = [TopicPartition("payouts.instructions", partition) for partition in range(SHARDS)]
    consumer = Consumer(bootstrap_servers=spine.bootstrap, isolation_level="read_committed")
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    ends, last = consumer.end_offsets(places), {}
    while any(consumer.position(place) < ends[place] for place in places):
        for place, records in consumer.poll(timeout_ms=1000).items():
            last[place] = records[-1].offset + 1
    consumer.close()
    return last


def has_acknowledged(spine: Spine, group: str, ends: dict[TopicPartition, int]) -> bool:
    """Whether a group has said that it has come so far; markers of transactions may lie behind the ends."""
    consumer = Consumer(bootstrap_servers=spine.bootstrap, group_id=group, enable_auto_commit=False)
    consumer.assign(list(ends))
    reached = [(consumer.committed(place) or 0) >= end for place, end in ends.items()]
    consumer.close()
    return all(reached)


def test_the_reference_insurer_pays_each_instruction_once_through_kills(spine: Spine, tmp_path: Path) -> None:
    """Killed with -9 again and again in the middle: each payout is paid once and reported, and the ledger says paid."""
    people = [person_of(number % SHARDS, f"P-insurer-{number}") for number in range(60)]
    events = [e for n, p in enumerate(people) for e in [*stay(p, f"E-insurer-{n}", 3000 + n, 1000), *insured(p)]]
    post(spine.bootstrap, map(to_post, events))
    spine.await_idle()
    insurer, left = Insurer(spine.bootstrap, tmp_path), []
    for reached in (lambda: insurer.paid() > 5, lambda: insurer.paid() > 60, lambda: insurer.reported() > 70):
        with insurer.running() as process:
            assert await_true(reached, PAID_S_MAX), f"{insurer.log()}\n{spine.logs()}"
            assert process.poll() is None, insurer.log()
        left.append(insurer.paid() - insurer.reported())
    assert any(left), "no kill hit an order that was paid and not yet acknowledged: nothing was shown"
    orders, ends = instructed(spine), ends_of_orders(spine)
    with insurer.running():
        assert await_true(partial(insurer.has_reported, set(orders)), PAID_S_MAX), insurer.log()
        assert await_true(lambda: has_acknowledged(spine, "insurer-all", ends), PAID_S_MAX), insurer.log()
    spine.await_idle()
    assert (120, 120) == (len(orders), insurer.paid())
    assert {name: (o["kind"], o["amount"]) for name, o in orders.items()} == {
        p: (k, a) for p, k, a, _ in insurer.payments()
    }
    assert dict.fromkeys(orders, "paid") == states(spine)
    assert [(0,)] == spine.rows("SELECT sum(contradictions)::int FROM payout_states")
    assert [] == spine.committed("alerts")
    page = huzhu("explain", "E-insurer-0", HUZHU_DATABASE_URL=spine.url)
    assert 2 == page.stdout.count("已到账"), page.stdout + page.stderr


def test_a_failed_payout_is_reissued_by_command_and_paid(spine: Spine) -> None:
    """The insurer reports failed; an operator orders it again, once; the new one is paid, and all commands say so."""
    person = person_of(1, "P-reissue")
    post(spine.bootstrap, map(to_post, [*stay(person, "E-reissue", 3000), *insured(person)[:1]]))
    spine.await_idle()
    (first,) = spine.of_claim("payouts.instructions", "E-reissue")
    failed = report(first["payout_id"], status="failed", person_id=person, reason="account closed")
    results = Post("payouts.results", person.encode(), encode(failed))
    post(spine.bootstrap, [results])
    spine.await_idle()
    listed = huzhu("payouts", "list", "--state", "failed", columns=200, HUZHU_DATABASE_URL=spine.url)
    assert first["payout_id"] in listed.stdout
    order = ("payouts", "reissue", first["payout_id"], "--operator", "li.na", "--reason", "new account")
    assert 0 == huzhu(*order, HUZHU_DATABASE_URL=spine.url).returncode
    done = huzhu("payouts", "approve", "1", "--operator", "wang.wei", HUZHU_DATABASE_URL=spine.url)
    assert 0 == done.returncode, done.stderr
    again = huzhu(*order, columns=200, HUZHU_DATABASE_URL=spine.url)
    spine.await_idle()
    _, off, new = spine.of_claim("payouts.instructions", "E-reissue")
    assert (2, True, True) == (again.returncode, new["payout_id"] in again.stderr, new["payout_id"] in done.stdout)
    assert ("recovery", "300.00", first["payout_id"]) == (off["kind"], off["amount"], off["reversal_of"])
    assert ("payment", "300.00", first["payout_id"]) == (new["kind"], new["amount"], new["reissue_of"])
    assert "reissue_of" not in first
    paid = report(new["payout_id"], person_id=person)
    post(spine.bootstrap, [Post("payouts.results", person.encode(), encode(paid))])
    spine.await_idle()
    assert ["failed", "paid"] == [states(spine)[each["payout_id"]] for each in (first, new)]
    shown = huzhu("payouts", "show", first["payout_id"], "--language", "en", columns=200, HUZHU_DATABASE_URL=spine.url)
    assert f"state: failed reissued as {new['payout_id']}" in shown.stdout
    page = huzhu("explain", "E-reissue", "--language", "en", columns=200, HUZHU_DATABASE_URL=spine.url).stdout
    assert "pay 300.00 yuan, failed, reissued." in page
    assert "recover 300.00 yuan, book entry that reverses" in page
    assert "pay 300.00 yuan, paid." in page


def test_the_reference_insurer_moves_no_money_for_a_reversal(spine: Spine, tmp_path: Path) -> None:
    """An insurer of one scheme that reads from the beginning pays the scheme's orders, and no book entry."""
    insurer, scheme = Insurer(spine.bootstrap, tmp_path, "village_mutual_aid"), "village_mutual_aid"
    reversals = [each.value for each in spine.committed("payouts.instructions") if "reversal_of" in each.value]
    wanted = {name for name, order in instructed(spine).items() if order["scheme_id"] == scheme}
    assert reversals
    with insurer.running():
        assert await_true(partial(insurer.has_reported, wanted), PAID_S_MAX), insurer.log()
    assert wanted == {payment[0] for payment in insurer.payments()}


def test_what_leaves_carries_cloudevents_headers(spine: Spine) -> None:
    """Binary mode of CloudEvents 1.0: the headers say what the value says, and name neither person nor claim."""
    types = {
        "payouts.instructions": "payout.instructed",
        "claims.decisions": "claim.decided",
        "audit.events": "audit.recorded",
    }
    for topic, event_type in types.items():
        places = [TopicPartition(topic, partition) for partition in range(SHARDS)]
        consumer = Consumer(bootstrap_servers=spine.bootstrap, isolation_level="read_committed")
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        found = [each for records in consumer.poll(timeout_ms=30_000).values() for each in records]
        consumer.close()
        assert found
        for message in found:
            value, headers = json.loads(message.value), {name: each.decode() for name, each in message.headers}
            expected = {
                "ce_specversion": "1.0",
                "ce_type": event_type,
                "ce_source": "/huzhu",
                "ce_id": value["event_id"],
                "ce_time": value["occurred_at"],
                "content-type": "application/json",
            }
            if topic == "payouts.instructions":
                expected["ce_subject"] = value["payout_id"]
            assert expected == headers
            assert not {value.get("person_id"), value.get("claim_id")} & set(headers.values())
