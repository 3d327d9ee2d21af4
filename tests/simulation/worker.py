"""A simulated worker: the real intake behind a model of Faust that loses, repeats and reorders as Faust was seen to."""

from __future__ import annotations

from collections import defaultdict
from random import Random

from sqlalchemy import Engine

from infra.settings import Settings
from schemas.records import Delivery
from schemas.topics import INBOUND
from stream.inbound.intake import Intake
from tests.simulation.faults import Faults, Point, WouldBlock
from tests.simulation.simulated_kafka import Place, SimulatedKafka, SimulatedReader
from tests.simulation.stage import Stage


class Group:
    """The consumer group: who is a member, who has which shards, and the offsets that were committed."""

    def __init__(self, rng: Random, shards: int) -> None:
        self._rng = rng
        self._shards = shards
        self.members: list[Worker] = []
        self.committed: dict[Place, int] = defaultdict(int)

    def rebalance(self) -> None:
        """Deals the shards out anew. A member learns of it when it next looks."""
        dealt: dict[int, set[int]] = {index: set() for index in range(len(self.members))}
        for shard in range(self._shards):
            if self.members:
                dealt[self._rng.randrange(len(self.members))].add(shard)
        for index, member in enumerate(self.members):
            member.news = frozenset(dealt[index])

    def owner_of(self, shard: int) -> Worker | None:
        """The member to which a shard was dealt last."""
        return next((each for each in self.members if shard in each.dealt), None)


class Worker:
    """One worker process. It believes what it was last told, however long ago that is."""

    is_relay = False

    def __init__(
        self, engine: Engine, kafka: SimulatedKafka, group: Group, settings: Settings, stage: Stage, faults: Faults
    ) -> None:
        self.intake = Intake(engine, SimulatedReader(kafka, faults), settings, stage.now, stage.sleep)
        self.news: frozenset[int] | None = None
        self.alive = True
        self.paused = False
        self._kafka, self._group, self._faults = kafka, group, faults
        self._limit = settings.batch_events
        self._assigned: frozenset[int] = frozenset()
        self._positions: dict[Place, int] = {}
        self._fetched: list[Delivery] = []
        self._owes_catch_up = False

    @property
    def dealt(self) -> frozenset[int]:
        """The shards that are its own in the eyes of the group."""
        return self._assigned if self.news is None else self.news

    def die(self) -> None:
        """Everything in memory is gone; the group notices at once or at the next rebalance."""
        self.alive = False
        if self in self._group.members:
            self._group.members.remove(self)

    def act(self, rng: Random) -> None:
        """One thing that the worker would do next."""
        if self.news is not None and rng.random() < 0.7:
            self.hear()
        elif rng.random() < (0.5 if self._owes_catch_up else 0.03):
            self.catch_up()
        else:
            self.fetch(rng)
            self.hand_over(rng)

    def hear(self) -> None:
        """Learns of its new assignment. What was fetched before stays in the stream's buffer, as in Faust."""
        if self.news is None:
            return
        given, self.news = self.news, None
        self._assigned = given
        try:
            self.intake.assigned(given)
        except WouldBlock:
            self.news = given if self.news is None else self.news  # hears it again, unless there is newer news
            raise
        places = [(topic.name, shard) for topic in INBOUND for shard in sorted(given)]
        self._positions = {place: self._group.committed[place] for place in places}
        self._owes_catch_up = True

    def catch_up(self) -> None:
        """The comparison with the topics, at assignment and while idle."""
        self.intake.catch_up()
        self._owes_catch_up = False

    def fetch(self, rng: Random) -> None:
        """Takes the next messages into the buffer, from where it happens to stand."""
        places = sorted(self._positions)
        if self._faults.fires(Point.REORDERED):
            rng.shuffle(places)
            places = places[: rng.randint(1, 3)]
        for place in places:
            start = self._positions[place]
            if start and self._faults.fires(Point.REDELIVERED):
                start = rng.randrange(start)
            waiting = [(offset, stored) for offset, stored in self._kafka.committed(place) if offset >= start]
            if waiting and self._faults.fires(Point.SKIPPED):
                waiting = waiting[rng.randint(1, 4) :]
            taken = waiting[: max(0, self._limit - len(self._fetched))]
            self._fetched += [Delivery(*place, offset, stored.key, stored.value) for offset, stored in taken]
            self._positions[place] = taken[-1][0] + 1 if taken else start

    def hand_over(self, rng: Random) -> None:
        """Gives the buffer to the intake and acknowledges it all, as the agent does."""
        if any(self._group.owner_of(delivery.partition) is not self for delivery in self._fetched):
            self._faults.fires(Point.ZOMBIE_WORKER)
        self.intake.deliver(self._fetched)
        if self in self._group.members:
            for topic, partition, offset, *_ in self._fetched:
                place = (topic, partition)
                self._group.committed[place] = max(self._group.committed[place], offset + 1)
                if self._faults.fires(Point.COMMITTED_PAST):
                    self._group.committed[place] = rng.randint(offset + 1, len(self._kafka.logs[place]))
        self._fetched = []
