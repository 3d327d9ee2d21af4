"""Two cities on one Kafka, told apart by a prefix: the same hospital posts the same claims to both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from kafka import TopicPartition

from cli.terminal.output import UNUSABLE
from infra.kafka.names import KafkaNames
from schemas.topics import COVERAGES, DEADLETTER, DECISIONS, EXPENSES, INSTRUCTIONS, TOPICS
from tests.support.builders import SHARDS, Json, bill, discharge
from tests.support.insurer import Insurer
from tests.support.posting import Post, insured, person_of, post, stay, to_post
from tests.support.processes import huzhu
from tests.support.servers import Admin, Consumer, await_true
from tests.support.spine import Spine
from tests.support.treaties import treaty_text
from tests.web.site import Site

PAID_S_MAX = 90.0
PEOPLE = [person_of(number % SHARDS, f"P-city-{number}") for number in range(8)]


class Cities(NamedTuple):
    """Two installations, each with worker, relay and the sample policy, on a Kafka that has topics of nobody's too."""

    wuxi: Site
    suzhou: Site


@pytest.fixture(scope="module")
def cities(kafka: str, postgres_url: str) -> Iterator[Cities]:
    with ExitStack() as running:
        made = []
        for prefix in ("wuxi.", "suzhou."):
            city = running.enter_context(Site(kafka, postgres_url, prefix))
            applied = ask(city, "topics", "apply")
            assert f"created {prefix}claims.decisions with {SHARDS} partitions" in applied.stdout, applied.stderr
            city.publish()
            city.start("worker")
            city.start("relay")
            made.append(city)
        yield Cities(*made)


def ask(city: Spine, *words: str | Path, prefix: str | None = None) -> Any:
    """A command with the city's settings, or with another prefix."""
    settings = {"KAFKA_BOOTSTRAP": city.bootstrap, "DATABASE_URL": city.url, "SHARDS": str(SHARDS)}
    settings["PREFIX"] = city.names.prefix if prefix is None else prefix
    return huzhu(*words, columns=200, **{f"HUZHU_{name}": value for name, value in settings.items()})


def to(city: Spine, posts: list[Post]) -> None:
    """Posts as somebody does who knows the city's prefix."""
    post(city.bootstrap, [each._replace(topic=city.names.in_kafka(each.topic)) for each in posts])


def claims(yuan: int) -> list[Post]:
    """A stay of each person with so much to bear; ids do not depend on it."""
    events = [event for person in PEOPLE for event in [*stay(person, f"E-{person}", yuan), *insured(person)[:1]]]
    return [to_post(event) for event in events]


def orders(city: Spine) -> dict[str, Json]:
    """The city's instructions about these persons, each of which is there once."""
    found = [each.value for each in city.committed(INSTRUCTIONS.name) if each.value["person_id"] in PEOPLE]
    assert len(found) == len({order["payout_id"] for order in found})
    return {order["payout_id"]: order for order in found}


def ends(bootstrap: str, names: list[str]) -> dict[str, int]:
    """How many offsets each topic has."""
    consumer = Consumer(bootstrap_servers=bootstrap)
    found = consumer.end_offsets([TopicPartition(name, shard) for name in names for shard in range(SHARDS)])
    consumer.close()
    return {name: sum(end for place, end in found.items() if place.topic == name) for name in names}


def sources(city: Spine) -> set[bytes]:
    """What the headers of the city's instructions name as their source."""
    consumer = Consumer(bootstrap_servers=city.bootstrap, isolation_level="read_committed")
    places = [TopicPartition(city.names.in_kafka(INSTRUCTIONS.name), shard) for shard in range(SHARDS)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    last, found = consumer.end_offsets(places), set[bytes]()
    while any(consumer.position(place) < last[place] for place in places):
        for records in consumer.poll(timeout_ms=1000).values():
            found |= {dict(each.headers)["ce_source"] for each in records}
    consumer.close()
    return found


def test_each_city_pays_what_was_posted_to_it(cities: Cities) -> None:
    """Claims, persons and even payouts have the same ids in both; amounts, totals and books are each city's own."""
    due = {cities.wuxi: ("900.00", 90_000), cities.suzhou: ("300.00", 30_000)}  # 30 % of what is over 2,000.00
    to(cities.wuxi, claims(5000))
    to(cities.suzhou, claims(3000))
    for city, (benefit, fen) in due.items():
        city.await_idle()
        assert dict.fromkeys(PEOPLE, benefit) == {each["person_id"]: each["amount"] for each in orders(city).values()}
        decided = [each.value for each in city.committed(DECISIONS.name) if each.value["person_id"] in PEOPLE]
        assert {benefit} == {each["total_benefit"] for each in decided if each["status"] == "adjudicated"}
        assert [(fen * len(PEOPLE),)] == city.rows(
            "SELECT sum(amount)::int FROM instructions WHERE person_id = ANY(:ids)", ids=PEOPLE
        )
    assert orders(cities.wuxi).keys() == orders(cities.suzhou).keys()
    assert ({b"/huzhu/wuxi"}, {b"/huzhu/suzhou"}) == (sources(cities.wuxi), sources(cities.suzhou))


def test_nothing_is_written_beside_a_citys_own_names(cities: Cities) -> None:
    """The topics without a prefix are as empty as they were made, and each city's groups have its prefix."""
    bootstrap = cities.wuxi.bootstrap
    assert {0} == set(ends(bootstrap, [topic.name for topic in TOPICS]).values())
    with Admin(bootstrap_servers=bootstrap) as admin:
        groups = {each["group_id"] for each in admin.list_groups()}
    assert {"wuxi.huzhu-worker", "suzhou.huzhu-worker"} == {each for each in groups if "huzhu" in each}


def test_a_refused_event_is_its_citys(cities: Cities) -> None:
    """Its dead letter too. It names the topic without the prefix, as everything in a ledger does."""
    to(cities.wuxi, [Post(EXPENSES.name, b"P-refused", b"{")])
    for city in cities:
        city.await_idle()
    (letter,) = [each.value for each in cities.wuxi.committed(DEADLETTER.name)]
    assert EXPENSES.name == letter["topic"]
    assert [] == cities.suzhou.committed(DEADLETTER.name)


def test_the_reference_insurer_pays_for_the_city_that_it_is_told(cities: Cities, tmp_path: Path) -> None:
    """It reports to that city, and nothing is known of the other one's payouts, which have the same ids."""
    wanted = set(orders(cities.suzhou))
    insurer = Insurer(cities.suzhou.bootstrap, tmp_path, prefix="suzhou.")
    with insurer.running():
        assert await_true(lambda: insurer.has_reported(wanted), PAID_S_MAX), insurer.log()
    cities.suzhou.await_idle()
    states = "SELECT DISTINCT state FROM payout_states"
    assert [("paid",)] == cities.suzhou.rows(states)
    assert [] == cities.wuxi.rows(states)
    assert {"300.00"} == {amount for _, _, amount, _ in insurer.payments()}


def test_what_is_posted_over_http_goes_to_the_gateways_city(cities: Cities) -> None:
    """The forwarder too has the prefix; the answer waits for the decision of that ledger."""
    wuxi, suzhou = cities
    before = ends(suzhou.bootstrap, [suzhou.names.in_kafka(topic.name) for topic in TOPICS])
    wuxi.start_gateway()
    person = person_of(1, "P-http")
    with wuxi.client(wuxi.registry) as registry:
        assert 202 == registry.post("/v1/events", json=insured(person)[0]).status_code
    with wuxi.client(wuxi.h1) as hospital:
        assert 202 == hospital.post("/v1/events", json=discharge("E-http", person_id=person)).status_code
        assert await_true(lambda: wuxi.waiting() == 0)
        wuxi.await_idle()  # a bill that comes before the coverage would be decided without it
        answer = hospital.post("/v1/settlements?wait=30s", json=bill("S-http", "E-http", 3000, person_id=person))
    assert (200, "300.00") == (answer.status_code, answer.json()["decision"]["total_benefit"]), wuxi.logs()
    wuxi.stop("gateway")
    assert before == ends(suzhou.bootstrap, list(before))


def test_after_a_crash_a_city_goes_on_where_it_was(cities: Cities) -> None:
    """Worker and relay are killed, claims are corrected, and new ones find offsets and cursors under the prefix."""
    wuxi = cities.wuxi
    before = orders(wuxi)
    wuxi.kill("worker")
    wuxi.kill("relay")
    to(wuxi, [to_post(bill(f"S-E-{one}", f"E-{one}", 6000, version=2, person_id=one)) for one in PEOPLE])
    for name in ("worker", "relay"):
        wuxi.start(name)
    wuxi.await_idle()
    after = orders(wuxi)
    assert before.items() < after.items()
    assert {"300.00"} == {order["amount"] for name, order in after.items() if name not in before}


def test_a_treatys_insurers_get_topics_of_the_city(cities: Cities, tmp_path: Path) -> None:
    """Publishing makes them, the relay copies to them, and the lead pays from its own."""
    wuxi = cities.wuxi
    (tmp_path / "treaty.toml").write_text(treaty_text())
    assert 0 == ask(wuxi, "treaty", "publish", tmp_path / "treaty.toml", "--operator", "li.na", "--yes").returncode
    person = person_of(2, "P-treaty")
    to(wuxi, [to_post(each) for each in [*stay(person, "E-treaty", 3000), *insured(person)[:1]]])
    wuxi.await_idle()
    (own,) = wuxi.committed(f"{INSTRUCTIONS.name}.insurer-a")
    assert ("E-treaty", "insurer-a") == (own.value["claim_id"], own.value["payer"])
    with Admin(bootstrap_servers=wuxi.bootstrap) as admin:
        copies = {name for name in admin.list_topics() if "insurer-a" in name}
    assert {f"wuxi.{topic}.insurer-a" for topic in ("payouts.instructions", "insurance.statements")} == copies
    assert 0 == ask(wuxi, "topics", "check").returncode


@pytest.mark.parametrize("prefix", ["suzhou.", ""])
@pytest.mark.parametrize("words", [("worker",), ("relay",), ("day", "close", "2024-03-10")], ids=" ".join)
def test_a_ledger_is_not_run_under_another_prefix(cities: Cities, words: tuple[str, ...], prefix: str) -> None:
    """Its offsets and cursors mean nothing there: events would be skipped, and payouts sent to another city.

    That is said before anything about topics that are missing there, such as those of the ledger's insurers.
    """
    names = [KafkaNames(prefix).in_kafka(COVERAGES.name), KafkaNames(prefix).in_kafka(INSTRUCTIONS.name)]
    before = ends(cities.wuxi.bootstrap, names)
    ended = ask(cities.wuxi, *words, prefix=prefix)
    assert UNUSABLE == ended.returncode, ended.stderr
    (said,) = ended.stderr.splitlines()
    assert said.startswith("this ledger was made for kafka_cluster_id ")
    assert "/wuxi., but HUZHU_PREFIX leads to " in said
    assert said.endswith(": correct HUZHU_PREFIX or HUZHU_DATABASE_URL; nothing was written")
    assert before == ends(cities.wuxi.bootstrap, names)


def test_status_knows_the_prefix(cities: Cities) -> None:
    """It looks at the city's own group and topics, and says when the ledger is another city's."""
    said: list[str] = []

    def says(line: str, prefix: str) -> bool:  # on a busy machine an answer can come too late for it
        said.append(ask(cities.wuxi, "status", "--language", "en", prefix=prefix).stdout)
        return line in said[-1]

    assert await_true(lambda: says(f"[ok] workers: 1 hold {SHARDS} shards", "wuxi."), PAID_S_MAX), said[-1]
    assert await_true(lambda: says("[ok] owner of the topics", "wuxi."), PAID_S_MAX), said[-1]
    assert await_true(lambda: says("but HUZHU_PREFIX leads to", "suzhou."), PAID_S_MAX), said[-1]
