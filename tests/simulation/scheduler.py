"""One seeded run: chaos among workers, relays, senders, operators and servers; then peace until all is idle."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import psycopg

from schemas.topics import HOUSEHOLDS, INSTRUCTIONS
from stream.lag import lag
from tests.simulation.faults import Faults, Point
from tests.simulation.group_laws import all_is_decided, caps_of_units
from tests.simulation.ledger import SimulatedLedger
from tests.simulation.pool_laws import money_of_pools
from tests.simulation.relays import RelayProcess
from tests.simulation.simulated_kafka import SimulatedKafka, SimulatedReader
from tests.simulation.stage import Stage
from tests.simulation.worker import Group, Worker
from tests.simulation.world import report, world_of
from tests.support.acts import publish, publish_treaty_text
from tests.support.month_ends import end_next_month

FORMS = (0, 2, 1)
"""A seed's ledger holds its messages by the batch, the next one's half of them, the third's all as release 1.0 did."""

MONTHS = 3
"""So many months end in a run, the first ones in the storm."""

NEWS_MAX = 12
"""So many messages are posted at most until a membership is among them."""

WORKERS = 3
RELAYS_MAX = 2
ROUNDS_TO_IDLE_MAX = 12
"""Catching up takes one round and relaying a few more; what is not idle after these never will be."""


class NeverIdle(Exception):
    """After all faults had ended, something was still waiting."""


class Operator:
    """Who publishes policies and treaties and ends months, and tries again until told that it is done."""

    is_relay = False

    def die(self) -> None:
        """The command failed; the operator is still there."""


class Simulation:
    """The processes of one seed and what the scheduler does with them."""

    def __init__(self, seed: int, ledger_url: str) -> None:
        self._rng = Random(seed)
        self.faults = Faults(self._rng)
        self.world = world_of(self._rng, seed)
        self.kafka = SimulatedKafka()
        self.stage = Stage(self.faults)
        self.stage.let_others_act = self._overtake
        self.stage.let_others_move = self._move_house
        shards, as_released = self.world.settings.shards, FORMS[seed % len(FORMS)]
        caps = caps_of_units(self.world.policies)

        def look(ledger: psycopg.Connection[Any]) -> None:
            caps(ledger)
            money_of_pools(ledger)

        self.ledger = SimulatedLedger(ledger_url, shards, self.faults, self.stage, as_released, look, all_is_decided)
        self.group = Group(self._rng, self.world.settings.shards)
        self._to_post = list(reversed(self.world.messages))
        self._to_publish = list(self.world.policies)
        # With numbers of their own, so that a world is what it was before there were treaties.
        steps = Random(f"{seed}:treaties")
        self._treaties = sorted((steps.randrange(110), text) for text in self.world.treaties)
        self._month_ends = sorted(steps.randrange(30, 120) for _ in range(MONTHS))
        self._operator = Operator()
        self._reported: set[int] = set()
        self._workers: list[Worker] = []
        self._relays: list[RelayProcess] = []
        # The first policy is there before anything else in most worlds, the second comes when claims wait for it.
        self._publish_at = [0 if self._rng.random() < 0.7 else self._rng.randrange(60), self._rng.randrange(20, 110)]

    def run(self) -> None:
        """Chaos until everything is posted and a little longer, then peace. Raises whatever the product raises."""
        calm = 0
        step = 0
        while calm < 25:
            self.stage.pass_time(1.0)
            if self._to_publish and step >= self._publish_at[-len(self._to_publish)]:
                self.stage.play(self._operator, self._publish)
            if self._treaties and step >= self._treaties[0][0]:
                self.stage.play(self._operator, self._publish_treaty)
            if self._month_ends and step >= self._month_ends[0]:
                self.stage.play(self._operator, self._end_month)
            self._something()()
            calm += not self._to_post
            step += 1
        self._heal()

    def _something(self) -> Callable[[], None]:
        """What happens next."""
        choices: list[tuple[int, Callable[[], None]]] = [
            (25, self._post),
            (45, self._let_work),
            (32, self._let_relay),
            (3, self._report),
            (2, self._rebalance),
            (5, self._pause),
            (8, self._resume),
            (2, self._crash_a_worker),
            (2, self._start_a_relay),
            (16, self._restart),
        ]
        weights = [weight for weight, _ in choices]
        return self._rng.choices([act for _, act in choices], weights)[0]

    def _overtake(self, reading_on: bool) -> None:
        """All other processes act while one stands still; at times they take its shards over and go on with them."""
        taking_over = not reading_on and self._rng.random() < 0.4
        if taking_over:
            self._rebalance()
        for worker in [each for each in self._workers if not each.paused and not self.stage.is_busy(each)]:
            if taking_over or reading_on:
                self.stage.play(worker, worker.hear)
            if worker.alive:
                catching_up = reading_on or taking_over or self._rng.random() < 0.4
                self.stage.play(worker, worker.catch_up if catching_up else partial(worker.act, self._rng))
        self._bury()
        self._let_relay()

    def _succeed(self, shard: int) -> None:
        """A new relay takes a shard over while the one before stands still."""
        successor = self._new_relay()
        for _ in range(self._rng.randint(1, 3)):
            self._let_work()
            if successor.alive:
                self.stage.play(successor, lambda: successor.relay(shard))
        self._bury()

    def _post(self, count: int | None = None) -> None:
        for _ in range(count or self._rng.randint(1, 4)):
            if self._to_post:
                message = self._to_post.pop()
                if self._rng.random() < 0.1:
                    self.kafka.mark(message.place)
                self.kafka.append(message.place, message.key, message.value)

    def _move_house(self) -> None:
        """The registry's next memberships come while one stands still, and all others take in what there is."""
        for _ in range(NEWS_MAX):
            self._post(1)
            if self._to_post and self._to_post[-1].place[0] == HOUSEHOLDS.name:
                self._post(1)
                break
        self._overtake(True)

    def _report(self) -> None:
        """An insurer answers some instruction; now and then twice, or otherwise than before."""
        sent = [
            stored
            for shard in range(self.world.settings.shards)
            for _, stored in self.kafka.committed((INSTRUCTIONS.name, shard))
        ]
        if sent:
            value = self._rng.choice(sent).value
            assert value is not None
            message = report(self._rng, value, self.world.settings.shards)
            self.kafka.append(message.place, message.key, message.value)

    def _publish(self) -> None:
        publish(self.ledger.engine, self._to_publish[0], "operator", self.world.settings.shards, self.stage.now)
        self._to_publish.pop(0)

    def _publish_treaty(self) -> None:
        text, shards = self._treaties[0][1], self.world.settings.shards
        publish_treaty_text(self.ledger.engine, text, "operator", shards, self.stage.now)
        self._treaties.pop(0)

    def _end_month(self) -> None:
        """The office issues statements and closes the books; before the first treaty it comes again later."""
        if end_next_month(self.ledger.engine, self.world.settings.shards):
            self._month_ends.pop(0)

    def _let_work(self) -> None:
        ready = [each for each in self._workers if not each.paused and not self.stage.is_busy(each)]
        if ready:
            worker = self._rng.choice(ready)
            self.stage.play(worker, lambda: worker.act(self._rng))
            self._bury()

    def _let_relay(self) -> None:
        ready = [each for each in self._relays if not self.stage.is_busy(each)]
        if ready:
            relay = self._rng.choice(ready)
            self.stage.play(relay, lambda: relay.act(self._rng))
            self._bury()

    def _rebalance(self) -> None:
        if self.faults.fires(Point.REBALANCED):
            self.group.rebalance()

    def _pause(self) -> None:
        """A worker stops for longer than its lease, with messages in its hands; the group deals its shards out."""
        members = [each for each in self.group.members if not self.stage.is_busy(each)]
        if len(members) > 1:
            worker = self._rng.choice(members)
            worker.fetch(self._rng)
            worker.paused = True
            self.group.members.remove(worker)
            self.group.rebalance()

    def _resume(self) -> None:
        """A paused worker goes on as if nothing had happened, and only then hears that it was thrown out."""
        paused = [each for each in self._workers if each.paused]
        if paused:
            worker = self._rng.choice(paused)
            worker.paused = False
            self.stage.play(worker, lambda: worker.hand_over(self._rng))
            if worker.alive and self._rng.random() < 0.3:
                self.stage.play(worker, worker.catch_up)
            if worker.alive:
                self.group.members.append(worker)
                self.group.rebalance()
            self._bury()

    def _crash_a_worker(self) -> None:
        ready = [each for each in self._workers if not self.stage.is_busy(each)]
        if ready and self.faults.fires(Point.WORKER_CRASHED):
            self._rng.choice(ready).die()
            self._bury()

    def _bury(self) -> None:
        self._workers = [each for each in self._workers if each.alive]
        self._relays = [each for each in self._relays if each.alive]

    def _restart(self) -> None:
        """A supervisor starts what is missing."""
        while len(self._workers) < WORKERS:
            settings = self.world.settings
            worker = Worker(self.ledger.engine, self.kafka, self.group, settings, self.stage, self.faults)
            self._workers.append(worker)
            self.group.members.append(worker)
            self.group.rebalance()
        if not self._relays:
            self._start_a_relay()

    def _start_a_relay(self) -> None:
        """A relay beside one that may still run."""
        if len(self._relays) < RELAYS_MAX:
            self._new_relay()

    def _new_relay(self) -> RelayProcess:
        settings, engine = self.world.settings, self.ledger.engine
        relay = RelayProcess(engine, self.kafka, settings, self.faults, self._succeed)
        self._relays.append(relay)
        return relay

    def _heal(self) -> None:
        """No more faults: everybody runs, hears the news, catches up and sends, until nothing is waiting."""
        self.faults.on = False
        reader = SimulatedReader(self.kafka, self.faults)
        shards = self.world.settings.shards
        while self._to_publish:
            self.stage.play(self._operator, self._publish)
        while self._treaties:
            self.stage.play(self._operator, self._publish_treaty)
        while self._month_ends:
            self.stage.play(self._operator, self._end_month)
        for _ in range(ROUNDS_TO_IDLE_MAX):
            while any(each.paused for each in self._workers):
                self._resume()
            self._restart()
            for worker in list(self._workers):
                for work in (worker.hear, worker.catch_up):
                    self.stage.play(worker, work)
            for shard in range(shards):
                self._drain(shard)
            self._bury()
            waiting = lag(self.ledger.engine, reader, shards)
            if waiting.idle:
                return
        raise NeverIdle(f"{waiting} after {ROUNDS_TO_IDLE_MAX} rounds without faults")

    def _drain(self, shard: int) -> None:
        """The newest relay sends all it can."""
        relay = self._relays[-1] if self._relays else None

        def send_all() -> None:
            while relay is not None and relay.relay(shard):
                pass

        if relay is not None:
            self.stage.play(relay, send_all)
