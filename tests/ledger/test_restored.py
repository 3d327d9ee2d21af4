"""A ledger that was restored, copied or promoted, or is another one, before topics to which a ledger has sent."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from confluent_kafka import KafkaException
from sqlalchemy import Engine, text

from infra.ledger import adopted_shards
from infra.ledger.identity import identity, renew
from infra.settings import Settings
from schemas.outbound import AuditKind
from schemas.records import Delivery
from schemas.topics import DISCHARGES, RELAY_CURSORS
from stream.inbound.intake import Intake
from stream.outbound.adoption import NotAsShown, adopt, survey_all
from stream.outbound.cursors import LedgerRefused, check_all, read_cursor
from stream.outbound.relay import ShardRelay
from stream.retry import is_fenced, may_pass
from tests.simulation.faults import Faults
from tests.simulation.simulated_kafka import SimulatedKafka, SimulatedProducer, SimulatedReader
from tests.support.acts import publish, publish_treaty_text
from tests.support.builders import POLICY, RECORDED_AT, SHARDS, Json, bill, coverage, discharge
from tests.support.ledgers import for_person, give, held, in_order, person_of_shard, ticking
from tests.support.outbox import waiting_messages
from tests.support.treaties import treaty_text

pytestmark = pytest.mark.usefixtures("outbox_form")

PERSON = person_of_shard(1)
LATER = ticking(RECORDED_AT + timedelta(hours=3))
Copy = Callable[[Engine], Engine]


class Topics:
    """A Kafka without faults, and whoever sends to it."""

    def __init__(self) -> None:
        self.kafka = SimulatedKafka()
        self.faults = Faults(Random(1))
        self.faults.on = False

    @contextmanager
    def reader(self, _: str = "") -> Iterator[SimulatedReader]:
        yield SimulatedReader(self.kafka, self.faults)

    def producer(self, _: str, name: str) -> SimulatedProducer:
        return SimulatedProducer(self.kafka, self.faults, name, lambda: None)

    def relay(self, ledger: Engine, **settings: Any) -> int:
        """A relay is started for every shard and sends until nothing is left, as the process does; how much it sent."""
        known = Settings(shards=SHARDS, **settings)
        with self.reader() as reader:
            check_all(ledger, reader, range(SHARDS), promoted=known.after_promotion == "continue")
        sent = 0
        for shard in range(SHARDS):
            relay = ShardRelay(ledger, "", shard, known, self.producer, self.reader)
            relay.start()
            while step := relay.step():
                sent += step
        return sent

    def adopt(self, ledger: Engine) -> list[Any]:
        with self.reader() as reader:
            shown = [each.survey for each in survey_all(ledger, reader, range(SHARDS))]
        adopt(ledger, "", shown, "li.na", "disk failure", LATER, self.producer, self.reader)
        return shown

    def values(self, topic: str) -> list[Json]:
        places = [place for place in sorted(self.kafka.logs) if place[0] == topic]
        return [json.loads(each.value or b"") for place in places for _, each in self.kafka.committed(place)]

    def number(self) -> int:
        """How many messages there are in all topics."""
        return sum(len(self.kafka.committed(place)) for place in self.kafka.logs)


class Lagging(SimulatedReader):
    """A reader before whom the newest transactions are hidden, so many times."""

    def __init__(self, topics: Topics, hidden: int) -> None:
        super().__init__(topics.kafka, topics.faults)
        self.hidden = hidden

    def ends(self, partitions: Any) -> Any:
        if self.hidden:
            self.hidden -= 1
            return dict.fromkeys(partitions, (0, 0))
        return super().ends(partitions)

    def unsettled(self, partitions: Any) -> Any:
        return list(partitions) if self.hidden else []


@pytest.fixture
def topics() -> Topics:
    return Topics()


def moved_by_files(copy: Engine) -> None:
    """As if the copy had been made file by file and started as it was: it lives where its original lives."""
    with copy.begin() as connection:
        name = connection.scalar(text("SELECT value FROM installation WHERE name = 'ledger_id'"))
        renew(connection)
        connection.execute(text("UPDATE installation SET value = :id WHERE name = 'ledger_id'"), {"id": name})


def promoted(ledger: Engine) -> None:
    """As if the server had been a standby: the id was given on an earlier timeline."""
    with ledger.begin() as connection:
        connection.execute(text("UPDATE installation SET value = '00000000' WHERE name = 'ledger_timeline'"))


def begin(ledger: Engine, policy: str = POLICY) -> None:
    publish(ledger, policy, "li.na", SHARDS, ticking())
    held(ledger)
    give(ledger, in_order(for_person(PERSON, coverage(), discharge())), ticking())


def go_on(ledger: Engine, clock: Callable[[], Any], copay: int = 5000) -> None:
    """The bill arrives, and the claim is paid."""
    held(ledger)
    give(ledger, in_order(for_person(PERSON, bill(copay=copay))), clock)


def waiting(ledger: Engine) -> int:
    return len(waiting_messages(ledger))


def test_a_ledger_that_stays_is_known_again(ledger: Engine, topics: Topics) -> None:
    """Relays that come and go send each message once; the cursor names the ledger."""
    begin(ledger)
    first = topics.relay(ledger)
    go_on(ledger, LATER)
    assert first + topics.relay(ledger) + topics.relay(ledger) == topics.number() - len(topics.values("relay.cursors"))
    with ledger.begin() as connection, topics.reader() as reader:
        mine = identity(connection)
        assert {mine.id} == {cursor.ledger for s in range(SHARDS) if (cursor := read_cursor(reader, s)).seq}
        assert mine == identity(connection)


def test_a_relay_that_starts_slowly_is_not_taken_for_one_of_a_restored_ledger(ledger: Engine, topics: Topics) -> None:
    """Another relay takes over and sends between its look at Kafka and its look at the ledger: it is only fenced."""
    begin(ledger)
    topics.relay(ledger)
    go_on(ledger, LATER)
    shard = 1
    before = len(topics.values("payouts.instructions"))

    class Slow(SimulatedReader):
        def read(self, topic: str, partition: int, start: int, end: int, limit: int) -> Any:
            found = super().read(topic, partition, start, end, limit)
            if waiting(ledger):
                assert topics.relay(ledger)
            return found

    slow = ShardRelay(
        ledger, "", shard, Settings(shards=SHARDS), topics.producer, lambda _: Slow(topics.kafka, topics.faults)
    )
    slow.start()
    give(ledger, in_order(for_person(PERSON, bill("S-2", "E-2")), first=1), LATER)
    with pytest.raises(KafkaException) as refused:
        slow.step()
    assert is_fenced(refused.value)
    assert topics.relay(ledger)
    assert before < len(topics.values("payouts.instructions"))


def test_a_commit_that_cannot_be_read_yet_is_not_taken_for_lost(ledger: Engine, topics: Topics) -> None:
    """Kafka settles a transaction some time after the relay was told that it is committed: whoever starts waits."""
    begin(ledger)
    topics.relay(ledger)
    check_all(ledger, Lagging(topics, 3), [1], promoted=False)


def test_a_commit_that_is_never_settled_is_waited_for_aloud(ledger: Engine, topics: Topics) -> None:
    """Whoever starts does not wait in silence: the error says what is not settled, and that trying again may help."""
    begin(ledger)
    topics.relay(ledger)
    with pytest.raises(KafkaException, match=f"{RELAY_CURSORS.name}-1 is not settled") as waiting:
        check_all(ledger, Lagging(topics, sys.maxsize), [1], promoted=False)
    assert may_pass(waiting.value)
    assert not is_fenced(waiting.value)


def test_a_lost_cursor_is_refused(ledger: Engine, topics: Topics) -> None:
    """A ledger that knows more as sent than Kafka has ever held goes on nowhere."""
    begin(ledger)
    topics.relay(ledger)
    topics.kafka.logs[RELAY_CURSORS.name, 1].clear()
    with pytest.raises(LedgerRefused, match="the topic was lost"):
        topics.relay(ledger)


@pytest.mark.parametrize("by_files", [False, True], ids=["restored", "copied file by file"])
def test_a_restored_ledger_is_refused_for_good(ledger: Engine, topics: Topics, copies: Copy, by_files: bool) -> None:
    """However far it numbers by itself afterwards: nothing is sent, and nothing deleted."""
    begin(ledger)
    topics.relay(ledger)
    copy = copies(ledger)
    go_on(ledger, LATER)
    topics.relay(ledger)
    before = topics.number()
    if by_files:
        moved_by_files(copy)
    with pytest.raises(LedgerRefused):
        topics.relay(copy)
    go_on(copy, ticking(RECORDED_AT + timedelta(days=1)))
    renumbered = waiting(copy)
    for more in range(1, 4):
        with pytest.raises(LedgerRefused, match="huzhu ledger adopt"):
            topics.relay(copy)
        give(copy, in_order(for_person(PERSON, bill(f"S-{more}", f"E-{more}")), first=more), LATER)
    assert (topics.number(), renumbered) < (before + 1, waiting(copy))
    assert 0 == topics.relay(ledger)


def test_a_ledger_that_never_looked_before_it_numbered_is_refused_too(
    ledger: Engine, topics: Topics, copies: Copy
) -> None:
    """A file copy whose numbers have passed the cursor already: only what was sent tells it from the original."""
    begin(ledger)
    topics.relay(ledger)
    copy = copies(ledger)
    go_on(ledger, LATER)
    topics.relay(ledger)
    moved_by_files(copy)
    go_on(copy, ticking(RECORDED_AT + timedelta(days=1)))
    with pytest.raises(LedgerRefused, match="other messages than were sent"):
        topics.relay(copy)


def test_another_ledger_of_the_cluster_is_refused(ledger: Engine, topics: Topics, copies: Copy) -> None:
    """Although only one shard was ever sent to, and not the one in which the other ledger has something to send."""
    begin(ledger)
    other = copies(ledger)
    give(other, in_order(for_person(person_of_shard(3), coverage("C3"))), LATER)
    topics.relay(ledger)
    before = topics.number()
    with pytest.raises(LedgerRefused):
        topics.relay(other)
    assert before == topics.number()


def test_a_promoted_standby_is_refused_unless_it_may_go_on(ledger: Engine, topics: Topics) -> None:
    """With HUZHU_AFTER_PROMOTION=continue one that lacks nothing goes on, and its cursor is its own from then on."""
    begin(ledger)
    topics.relay(ledger)
    promoted(ledger)
    go_on(ledger, LATER)
    for _ in range(2):
        with pytest.raises(LedgerRefused):
            topics.relay(ledger)
    assert topics.relay(ledger, after_promotion="continue") > 0
    assert topics.relay(ledger) == 0


def test_a_promoted_standby_that_lacks_something_never_goes_on(ledger: Engine, topics: Topics, copies: Copy) -> None:
    """It had not received what the primary had sent already."""
    begin(ledger)
    topics.relay(ledger)
    standby = copies(ledger)
    go_on(ledger, LATER)
    topics.relay(ledger)
    moved_by_files(standby)
    promoted(standby)
    go_on(standby, ticking(RECORDED_AT + timedelta(days=1)))
    with pytest.raises(LedgerRefused):
        topics.relay(standby, after_promotion="continue")


def test_cursors_of_the_release_before_are_taken_over(ledger: Engine, topics: Topics) -> None:
    """A ledger that was upgraded goes on from a cursor without identity and hash, and writes both from then on."""
    begin(ledger)
    topics.relay(ledger)
    for shard in range(SHARDS):
        place = (RELAY_CURSORS.name, shard)
        for at, stored in enumerate(topics.kafka.logs[place]):
            if stored is not None:
                told = {name: json.loads(stored.value or b"")[name] for name in ("shard", "seq")}
                topics.kafka.logs[place][at] = stored._replace(value=json.dumps(told).encode())
    with ledger.begin() as connection:  # as the migration leaves it
        connection.execute(text("UPDATE relays SET relayed_hash = repeat('0', 64)"))
    go_on(ledger, LATER)
    assert topics.relay(ledger) > 0
    assert topics.relay(ledger) == 0
    with topics.reader() as reader:
        assert read_cursor(reader, 1).ledger


# Adoption -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decided_before", [False, True], ids=["at once", "after workers decided again"])
def test_an_adopted_ledger_sends_no_payout_twice(
    ledger: Engine, topics: Topics, copies: Copy, decided_before: bool
) -> None:
    """What the lost hours had paid is decided again with the same payout id, at another time: the topics keep one."""
    begin(ledger)
    topics.relay(ledger)
    copy = copies(ledger)
    go_on(ledger, LATER)
    topics.relay(ledger)
    (paid,) = topics.values("payouts.instructions")
    again = ticking(RECORDED_AT + timedelta(days=1))
    if decided_before:
        go_on(copy, again)
    shown = topics.adopt(copy)
    assert sum(each.payouts_ahead for each in shown) == (0 if decided_before else 1)
    assert sum(each.payouts_left_out for each in shown) == (1 if decided_before else 0)
    topics.relay(copy)
    if not decided_before:
        go_on(copy, again)
    give(copy, in_order(for_person(PERSON, bill("S2", "E1", copay=1000)), first=1), again)
    topics.relay(copy)
    orders = topics.values("payouts.instructions")
    assert [1, 2] == [each["revision"] for each in orders]
    assert paid == orders[0]
    assert {1} == set(Counter(each["payout_id"] for each in orders).values())
    (told,) = [each for each in topics.values("audit.events") if each["kind"] == AuditKind.LEDGER_ADOPTED]
    assert ("operator:li.na", "disk failure") == (told["actor"], told["subject"]["reason"])
    with pytest.raises(LedgerRefused):
        topics.relay(ledger)


@pytest.fixture
def lost(ledger: Engine, topics: Topics, copies: Copy) -> tuple[Engine, list[Delivery]]:
    """A copy that was adopted, and what it lacks: a bill and its correction, taken in before the discharge that makes
    one payout of both, and a bill that nobody has taken in yet."""
    publish(ledger, POLICY, "li.na", SHARDS, ticking())
    held(ledger)
    known, *lost = in_order(
        for_person(PERSON, coverage(), bill(copay=5000), bill(version=2, copay=6000), discharge(), bill("S2", "E2"))
    )
    for each in (known, *lost):
        topics.kafka.append((each.topic, each.partition), each.key, each.value)
    give(ledger, [known], ticking())
    topics.relay(ledger)
    copy = copies(ledger)
    for each in lost[:-1]:
        give(ledger, [each], LATER)
    topics.relay(ledger)
    assert len(topics.values("payouts.instructions")) == 1
    topics.adopt(copy)
    return copy, lost


def test_what_was_lost_is_decided_again_in_the_order_of_before(
    topics: Topics, lost: tuple[Engine, list[Delivery]]
) -> None:
    """The same payout, which is left out, and no other one; though discharges are read before bills otherwise."""
    copy, events = lost
    sent = topics.values("payouts.instructions")
    with topics.reader() as reader:
        intake = Intake(copy, reader, Settings(shards=SHARDS), LATER)
        intake.assigned(range(SHARDS))
        assert intake.catch_up() == len(events)
        assert intake.catch_up() == 0
    topics.relay(copy)
    assert sent == topics.values("payouts.instructions")
    with copy.connect() as connection:
        assert set() == adopted_shards.marked(connection)


def test_what_is_delivered_comes_after_what_was_lost(topics: Topics, lost: tuple[Engine, list[Delivery]]) -> None:
    """Faust can deliver a discharge before the worker has compared the ledger with the topics."""
    copy, events = lost
    sent = topics.values("payouts.instructions")
    with topics.reader() as reader:
        intake = Intake(copy, reader, Settings(shards=SHARDS), LATER)
        intake.assigned(range(SHARDS))
        intake.deliver([each for each in events if each.topic == DISCHARGES.name])
        intake.catch_up()
    topics.relay(copy)
    assert sent == topics.values("payouts.instructions")


def test_what_was_sent_and_not_yet_cleared_is_left_out_to_the_byte(
    ledger: Engine, topics: Topics, copies: Copy
) -> None:
    """A backup taken between Kafka's commit and the ledger's: decisions and audit entries too are not sent again."""
    begin(ledger)
    go_on(ledger, LATER)
    copy = copies(ledger)
    topics.relay(ledger)
    before = {topic: topics.values(topic) for topic in ("claims.decisions", "payouts.instructions", "audit.events")}
    shown = topics.adopt(copy)
    assert {0} == {each.to_send for each in shown}
    topics.relay(copy)
    assert before["claims.decisions"] == topics.values("claims.decisions")
    assert before["payouts.instructions"] == topics.values("payouts.instructions")
    assert len(before["audit.events"]) + 1 == len(topics.values("audit.events"))


def test_a_payout_that_was_sent_with_other_money_is_named(ledger: Engine, topics: Topics, copies: Copy) -> None:
    """The ledger decides otherwise than before, as a policy was lost: the payout is listed, and not sent."""
    begin(ledger)
    topics.relay(ledger)
    copy = copies(ledger)
    go_on(ledger, LATER)
    topics.relay(ledger)
    (paid,) = topics.values("payouts.instructions")
    go_on(copy, ticking(RECORDED_AT + timedelta(days=1)), copay=7000)
    shown = topics.adopt(copy)
    assert [paid["payout_id"]] == [name for each in shown for name in each.differing]
    topics.relay(copy)
    assert [paid] == topics.values("payouts.instructions")


def test_an_adoption_is_of_what_was_shown(ledger: Engine, topics: Topics, copies: Copy) -> None:
    """A worker that decides between the question and the answer stops it, and nothing is changed."""
    begin(ledger)
    topics.relay(ledger)
    copy = copies(ledger)
    with topics.reader() as reader:
        shown = [each.survey for each in survey_all(copy, reader, range(SHARDS))]
    go_on(copy, LATER)
    with pytest.raises(NotAsShown):
        adopt(copy, "", shown, "li.na", "test", LATER, topics.producer, topics.reader)
    with pytest.raises(LedgerRefused):
        topics.relay(copy)


def test_a_lost_treaty_is_named(ledger: Engine, topics: Topics, copies: Copy) -> None:
    """The topics know who had paid; what the restored ledger decides without the treaty is left out, by its id."""
    begin(ledger)
    topics.relay(ledger)
    copy = copies(ledger)
    publish_treaty_text(ledger, treaty_text(), "li.na", SHARDS, LATER)
    go_on(ledger, LATER)
    topics.relay(ledger)
    (paid,) = topics.values("payouts.instructions")
    assert paid["payer"] == "insurer-a"
    go_on(copy, ticking(RECORDED_AT + timedelta(days=1)))
    shown = topics.adopt(copy)
    assert {"t1"} == {name for each in shown for name in each.treaties_missing}
    assert [paid["payout_id"]] == [name for each in shown for name in each.differing]
    topics.relay(copy)
    assert [paid] == topics.values("payouts.instructions")
    assert [paid] == topics.values("payouts.instructions.insurer-a")
