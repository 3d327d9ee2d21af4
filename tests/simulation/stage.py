"""Who is in the middle of something. One thread plays all processes: one that stands still lies below on the stack."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from confluent_kafka import KafkaException
from sqlalchemy.exc import DBAPIError

from infra.ledger.write import Contended
from stream.retry import is_fenced, may_pass
from tests.simulation.faults import Crashed, Faults, Point, WouldBlock

log = logging.getLogger(__name__)

BEGINNING = datetime(2026, 6, 1, tzinfo=UTC)


class Actor(Protocol):
    """A process of the simulation. ``is_relay`` says whose commits are whose."""

    is_relay: bool

    def die(self) -> None: ...


class Stage:
    """The clock, the processes that are acting, and the one rule for how a process ends."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._acting: list[Actor] = []
        self._seconds = 0.0
        self.let_others_act: Callable[[bool], None] = lambda _: None
        """What the scheduler does while one stands still; true: they may only read on, not take shards over."""
        self.let_others_move: Callable[[], None] = lambda: None
        """The same, reading on, after somebody has joined or left a household."""

    @property
    def depth(self) -> int:
        return len(self._acting)

    @property
    def relaying(self) -> bool:
        """Whether it is a relay that acts."""
        return bool(self._acting) and self._acting[-1].is_relay

    def is_busy(self, actor: Actor) -> bool:
        return any(each is actor for each in self._acting)

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._seconds)

    def pass_time(self, seconds: float) -> None:
        self._seconds += seconds

    def sleep(self, seconds: float) -> None:
        """What a process does that waits to try again: the others go on, unless one of them stands still below it."""
        self.pass_time(seconds)
        if self.depth > 1:
            raise WouldBlock
        if self._faults.fires(Point.DURING_WAIT):
            self.let_others_act(False)

    def play(self, actor: Actor, work: Callable[[], object]) -> None:
        """Lets a process work. Infrastructure that stays away ends it, as `INFRASTRUCTURE_GONE` does; other errors are
        bugs and end the simulation."""
        self._acting.append(actor)
        try:
            work()
        except WouldBlock:
            pass
        except Crashed as crash:
            log.debug("%s: %s", actor, crash)
            actor.die()
        except (DBAPIError, KafkaException, Contended) as error:
            if not is_fenced(error) and not may_pass(error):
                raise
            log.debug("%s ends: %s", actor, error)
            actor.die()
        finally:
            self._acting.pop()
