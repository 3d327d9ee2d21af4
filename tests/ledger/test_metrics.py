"""What a process tells monitors, over HTTP and read by Prometheus's own reader, with a real ledger behind it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from acts.make_checkpoints import make_due
from cli.servers.monitored import monitored
from infra.keys.audit_signing import SigningKey
from infra.metrics.instruments import instruments
from infra.settings import Settings
from schemas.metrics import Label, Metric, MetricKind, Process
from schemas.outbound import AlertCode
from schemas.refusals import RefusalCode
from schemas.topics import COVERAGES, EXPENSES, INBOUND
from tests.ledger.held_stays import HOLDING, stay
from tests.support.builders import RECORDED_AT, Json, bill, coverage, death, discharge, encode, pool
from tests.support.forgetful_broker import Broker
from tests.support.ledgers import for_person, give, held, in_order, person_of_shard
from tests.support.pools import POOL_POLICY, villager
from tests.support.scraped import MetricsPage, get, scrape, watched
from tests.support.village import Village

CANARIES = {
    "person": "32028219900307001X",
    "encounter": "ZY-20240310-77",
    "bill": "FP-99887766",
    "facility": "H-Canary",
}
FAILS_AT_COMMIT = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'as planned'; END $$;
CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION fail();
"""


@pytest.fixture
def worker(ledger_url: str) -> Iterator[str]:
    """Where a worker that runs on the ledger, with no Kafka, answers monitors."""
    with watched(ledger_url, Process.WORKER) as address:
        yield address


def events(page: MetricsPage) -> float:
    """How many events were counted, in all topics."""
    return sum(value for (name, _), value in page.values.items() if name == Metric.EVENTS.form.name)


def test_a_batch_is_counted_once_it_is_committed(ledger: Engine, worker: str) -> None:
    """Its events by topic, its refusals by code, its size and its times."""
    held(ledger)
    give(ledger, in_order([coverage(), discharge(), bill(), bill("S2", copay=-1), b"{"]))
    page = scrape(worker)
    assert 1 == page.value("huzhu_events_total", topic=COVERAGES.name)
    assert 3 == page.value("huzhu_events_total", topic=EXPENSES.name)
    refused = {code: page.value("huzhu_events_refused_total", code=code) for code in RefusalCode}
    assert {RefusalCode.MALFORMED_JSON, RefusalCode.NEGATIVE_AMOUNT} == {
        code for code, count in refused.items() if count
    }
    assert (1, 5) == (page.value("huzhu_batch_events_count"), page.value("huzhu_batch_events_sum"))
    commit, batch = (page.value(f"huzhu_{name}_seconds_sum") or 0 for name in ("commit", "batch"))
    assert 0 < commit < batch


def test_what_was_taken_in_before_is_not_counted_again(ledger: Engine, worker: str) -> None:
    """Faust may repeat what it delivers, also beside news."""
    held(ledger)
    for batch in ([coverage(), discharge()], [coverage(), discharge()], [coverage(), discharge(), bill()]):
        give(ledger, in_order(batch))
    page = scrape(worker)
    assert (3, 3) == (events(page), page.value("huzhu_batch_events_sum"))
    assert 2 == page.value("huzhu_batch_events_count")


def test_a_batch_whose_commit_fails_is_not_counted(ledger: Engine, worker: str) -> None:
    """Nothing of it happened."""
    held(ledger)
    with ledger.begin() as connection:
        connection.execute(text(FAILS_AT_COMMIT))
    with pytest.raises(DBAPIError, match="as planned"):
        give(ledger, in_order([coverage()]))
    page = scrape(worker)
    assert (0, None) == (events(page), page.value("huzhu_batch_events_count"))


def test_counts_begin_at_zero(worker: str) -> None:
    """A monitor sees no rise in what was not there before."""
    page = scrape(worker)
    assert [0] * len(INBOUND) == [page.value("huzhu_events_total", topic=topic.name) for topic in INBOUND]
    assert [0] * len(RefusalCode) == [page.value("huzhu_events_refused_total", code=code) for code in RefusalCode]


def test_money_that_is_held_and_money_that_waits_for_a_pool(ledger: Engine, worker: str) -> None:
    """In yuan: two claims of one invoice are held, of which one was paid before; two others wait for their pool."""
    village = Village(ledger, POOL_POLICY.replace("[[scheme]]", HOLDING, 1))
    village.take(pool(), *villager("P1", "2024-03-01", 300), *villager("P2", "2024-03-02", 20))
    for person in ("P3", "P4"):
        village.take(*stay(person, invoice_no="X"))
    page = scrape(worker)
    assert (320, 2) == (page.value("huzhu_waiting_yuan"), page.value("huzhu_held_claims"))
    kept = sum(due for claim, due in village.waiting().items() if claim in ("E-P3", "E-P4"))
    assert (kept / 100, True) == (page.value("huzhu_held_yuan"), kept > 0)


def test_alerts_are_told_by_their_codes(ledger: Engine, worker: str) -> None:
    """A stay that ended after the patient's death is one to look at."""
    village = Village(ledger)
    village.take(coverage(), death("2024-03-05"), discharge(), bill())
    page = scrape(worker)
    raised = {code for code in AlertCode if page.value("huzhu_alerts_open", code=code)}
    assert {about for _, about, _ in village.alerts()} == raised > set()
    assert (page.value("huzhu_alerts_oldest_seconds") or 0) > 0


def test_the_audit_log_is_told_by_what_is_not_signed(ledger: Engine, worker: str) -> None:
    """A shard has no age before its first checkpoint; after it nothing is unsigned but the checkpoint's own traces."""
    held(ledger)
    person = person_of_shard(2)
    give(ledger, in_order(for_person(person, coverage(), discharge(), bill())))
    before = scrape(worker)
    assert (before.value("huzhu_audit_unsigned_entries", shard="2") or 0) >= 3
    assert before.value("huzhu_audit_checkpoint_age_seconds", shard="2") is None
    signed_at = datetime.now(UTC) - timedelta(seconds=100)
    assert make_due(ledger, SigningKey("test/huzhu", b"\x01" * 32), lambda: signed_at, 1, timedelta(0)).checkpoints
    with watched(ledger.url.render_as_string(False), Process.SIGNER) as signer:
        after = scrape(signer)
    assert 0 == after.value("huzhu_audit_unsigned_entries", shard="2")
    assert 100 <= (after.value("huzhu_audit_checkpoint_age_seconds", shard="2") or 0) < 3600


def test_a_relay_counts_what_kafka_has(ledger: Engine, ledger_url: str) -> None:
    """Each shard's messages; then nothing of it waits."""
    held(ledger)
    give(ledger, in_order(for_person(person_of_shard(1), coverage(), discharge(), bill())))
    with watched(ledger_url, Process.RELAY) as before:
        waiting = scrape(before).value("huzhu_outbox_messages", shard="1") or 0
    with watched(ledger_url, Process.RELAY) as address:
        Broker().send(ledger)
        page = scrape(address)
    assert waiting > 0
    assert (waiting, 0) == (
        page.value("huzhu_messages_sent_total", shard="1"),
        page.value("huzhu_outbox_messages", shard="1"),
    )
    assert (page.value("huzhu_send_seconds_count") or 0) > 0


@pytest.mark.parametrize("process", Process)
def test_a_process_tells_the_metrics_of_its_kind_as_they_are_listed(
    ledger: Engine, ledger_url: str, process: Process
) -> None:
    """Name, kind and help of each, and nothing else, whatever it counts."""
    held(ledger)
    give(ledger, in_order([coverage(), discharge(), bill()]))
    make_due(ledger, SigningKey("test/huzhu", b"\x01" * 32), lambda: RECORDED_AT, 1, timedelta(0))
    with watched(ledger_url, process) as address:
        tell = instruments()
        for metric in Metric:
            labels = [
                {Label.SHARD: "0", Label.TOPIC: EXPENSES.name, Label.CODE: "TOO_LARGE"}[e] for e in metric.form.labels
            ]
            if process not in metric.form.told_by:
                continue
            if metric.form.kind is MetricKind.COUNTER:
                tell.count(metric, 1, *labels)
            elif metric.form.kind is MetricKind.HISTOGRAM:
                tell.record(metric, 1, *labels)
        page = scrape(address)
    told = [each.form for each in Metric if process in each.form.told_by]
    needs_kafka = {each.form.name for each in (Metric.KAFKA_UP, Metric.LAG_EVENTS, Metric.LAG_SECONDS)}
    assert {form.name: form.kind.value for form in told if form.name not in needs_kafka} == page.kinds
    assert {form.name: form.help for form in told if form.name not in needs_kafka} == page.helps
    assert {label for label, _ in page.labels()} <= {label.value for label in Label}


def test_no_metric_says_who_somebody_is(ledger: Engine, ledger_url: str) -> None:
    """Ids of persons, stays, bills and facilities go through a batch, refusals and alerts, and none comes out."""
    held(ledger)
    person: dict[str, Any] = {"person_id": CANARIES["person"]}
    encounter, settlement = CANARIES["encounter"], CANARIES["bill"]
    history: list[Json | bytes] = [
        coverage(**person),
        death("2024-03-05", **person),
        discharge(encounter, facility_id=CANARIES["facility"], **person),
        bill(settlement, encounter, **person),
        bill(settlement, encounter, copay=1, **person),
        encode(bill(settlement, encounter, **person))[:-9],
    ]
    with watched(ledger_url, Process.WORKER) as address:
        give(ledger, in_order(history))
        status, said = get(f"{address}/metrics")
    assert (200, True) == (status, 'huzhu_events_refused_total{code="VERSION_CONFLICT"} 1.0' in said)
    assert [] == [each for each in CANARIES.values() if each.lower() in said.lower()]


def test_a_ledger_that_is_away_is_told_and_the_process_is_not_ready() -> None:
    """It lives: nobody has to end it. What the ledger would say is left out."""
    with watched("postgresql://huzhu@127.0.0.1:1/huzhu", Process.SIGNER) as address:
        page = scrape(address)
        assert {("huzhu_ledger_up", ()): 0} == page.values
        assert (200, "alive\n") == get(f"{address}/health/live")
        status, why = get(f"{address}/health/ready")
    assert (503, True) == (status, why.startswith("not ready: the ledger does not answer: "))


def test_a_ledger_of_another_version_is_not_ready(ledger: Engine, worker: str) -> None:
    with ledger.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert 0 == scrape(worker).value("huzhu_ledger_up")
    assert 503 == get(f"{worker}/health/ready")[0]


def test_a_process_says_what_hinders_it(ledger: Engine, ledger_url: str) -> None:
    """Until it does not any more."""
    reasons = ["it has not joined"]
    with watched(ledger_url, Process.WORKER, lambda: reasons[0] if reasons else None) as address:
        assert (503, "not ready: it has not joined\n") == get(f"{address}/health/ready")
        reasons.clear()
        assert (200, "ready\n") == get(f"{address}/health/ready")
        assert 404 == get(f"{address}/")[0]


def test_nobody_else_reaches_the_port(worker: str) -> None:
    """It is one of loopback."""
    assert worker.startswith("http://127.0.0.1:")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", int(worker.rpartition(":")[2])), 5)


def test_without_a_setting_nothing_listens(ledger_url: str) -> None:
    """And nothing is counted anywhere."""
    before = instruments()
    with monitored(Settings(database_url=ledger_url), Process.WORKER):
        assert before is instruments()


def test_a_port_that_is_taken_is_a_setting_to_change(ledger_url: str, worker: str) -> None:
    """Exit status 2."""
    with (
        pytest.raises(typer.Exit) as ended,
        watched(ledger_url, Process.RELAY, relay_metrics_port=int(worker.rpartition(":")[2])),
    ):
        pass
    assert 2 == ended.value.exit_code


def test_without_the_extra_the_sentence_says_what_to_install(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit status 2."""
    monkeypatch.delitem(sys.modules, "infra.metrics.prometheus_page", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.prometheus", None)
    with pytest.raises(typer.Exit) as ended, watched(ledger_url, Process.WORKER):
        pass
    assert 2 == ended.value.exit_code
