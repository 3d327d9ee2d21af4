"""A real ledger over some months, in which at random people are treated, insurers report and operators act."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import ClassVar

from sqlalchemy import Engine, select

from acts.remembered_persons import RememberedPersons
from handlers.claims.payout_reports import NotReissuable
from handlers.claims.recoveries import NotSettleable
from infra.ledger import tables
from schemas.dates import SHANGHAI, format_instant
from schemas.records import Manner, SettledRecovery
from tests.support.acts import publish, publish_treaty_text, reissue, settle
from tests.support.builders import (
    POLICY,
    SHARDS,
    YEARLY,
    Json,
    bill,
    contribution,
    contribution_void,
    coverage,
    discharge,
    policy_text,
    pool,
    report,
    void,
)
from tests.support.builders import VILLAGE as VILLAGE_SCHEME
from tests.support.ledgers import do_steps, for_person, give, held, in_order
from tests.support.treaties import VILLAGE

SELF_PAY = "self_pay_assistance"
FUNDED_BY_POOL = 'funded_by = "pool"\nthreshold'
PERSONS = ("P1", "P2", "P3", "P4", "P5")


class RandomTown:
    """Persons of whom each may have two stays, paid by two schemes, from a moment on that only goes forward."""

    policy = POLICY
    member: ClassVar[Json] = {}
    """What coverages by the village say besides."""

    def __init__(self, ledger: Engine, random: Random, now: datetime) -> None:
        self.ledger, self.random, self.now = ledger, random, now
        self.remembered = RememberedPersons()
        self.posted: list[Json] = []
        self.versions: dict[str, int] = {}
        self.reports: list[tuple[Json, datetime]] = []
        """Those that were taken in, and when."""
        self.days: list[tuple[datetime, str, str]] = []
        """When which claim's day of discharge was heard of."""
        self.settled: list[tuple[SettledRecovery, datetime]] = []
        publish(ledger, self.policy, "test", SHARDS, self.clock)
        held(ledger)
        for person in PERSONS:
            insured = (
                coverage(f"C-{person}", **self.member),
                coverage(f"D-{person}", random.choice(("dibao", "ordinary"))),
            )
            self.take(person, *insured)
            self._stay(person, "A")

    def clock(self) -> datetime:
        """A little later each time."""
        self.now += timedelta(seconds=self.random.randrange(1, 4000))
        return self.now

    def until(self, moment: datetime) -> None:
        """Nothing happens until then."""
        assert moment >= self.now
        self.now = moment

    def publish(self, treaty: str) -> None:
        publish_treaty_text(self.ledger, treaty, "li.na", SHARDS, self.clock)

    def take(self, person: str, *events: Json) -> datetime:
        """One batch; returns when it was recorded."""
        return self._take(*for_person(person, *events))

    def _take(self, *events: Json) -> datetime:
        self.posted += events
        moment = self.clock()
        give(self.ledger, in_order(self.posted)[-len(events) :], lambda: moment, self.remembered)
        do_steps(self.ledger, self.clock)
        return moment

    def live(self, steps: int) -> None:
        """So many things happen, one after the other."""
        for _ in range(steps):
            what = self.random.choice(self._acts())
            what(self.random.choice(PERSONS), self.random.choice("AB"))

    def _acts(self) -> list[Callable[[str, str], None]]:
        """What may happen, to a person's stay, each as likely as it is often here."""
        return [self._stay, self._bill, self._bill, self._void, *[self._report] * 5, self._again, self._settle]

    def _version(self, name: str) -> int:
        self.versions[name] = self.versions.get(name, 0) + 1
        return self.versions[name]

    def _stay(self, person: str, stay: str) -> None:
        day = self.random.choice(("2024-03-10", "2024-06-30", "2024-07-01", "2025-01-01"))
        name = f"{person}-{stay}"
        told = discharge(name, day, admitted_on="2024-03-01", occurred_at="2025-01-01T12:00:00+08:00")
        self.days.append((self.take(person, {**told, "version": self._version(name)}), name, day))

    def _bill(self, person: str, stay: str) -> None:
        name, random = f"{person}-{stay}", self.random
        taken = [
            {"scheme_id": each, "amount": f"{random.randint(1, 900)}.{random.randint(0, 99):02d}"}
            for each in random.sample((VILLAGE, SELF_PAY), random.choice((0, 1, 2)))
        ]
        copay = random.randint(2000, 6000)
        more: Json = {"advances": taken} if taken else {}
        told = bill(
            f"S-{name}",
            name,
            copay,
            version=self._version(f"S-{name}"),
            facility_id=random.choice(("H1", "H2")),
            **more,
        )
        self.take(person, told)

    def _void(self, person: str, stay: str) -> None:
        name = f"S-{person}-{stay}"
        if name in self.versions:
            self.take(person, void(name, f"{person}-{stay}", self._version(name)))

    def _report(self, *_: str) -> None:
        orders = self.instructions()
        if orders:
            order = self.random.choice(orders[-self.random.randint(1, len(orders)) :])
            when = self.now - timedelta(hours=self.random.randrange(1, 900))
            status = self.random.choice(("paid", "paid", "failed", "returned"))
            told = report(
                order["payout_id"], status=status, reported_at=format_instant(when), occurred_at=format_instant(when)
            )
            told["person_id"] = order["person_id"]
            self.reports.append((told, self.take(order["person_id"], told)))

    def _again(self, *_: str) -> None:
        """Orders one payout again that failed."""
        orders = self.instructions()
        for order in self.random.sample(orders, len(orders)):
            with suppress(NotReissuable):
                reissue(self.ledger, order["payout_id"], "wang.wei", "again", SHARDS, self.clock)
                return

    def _settle(self, *_: str) -> None:
        """Sets one recovery off against the person's next payments, or waives it."""
        orders, moment = self.instructions(), self.clock()
        for order in self.random.sample(orders, len(orders)):
            manner = self.random.choice((Manner.SET_OFF, Manner.WAIVED))
            with suppress(NotSettleable):
                done = settle(self.ledger, order["payout_id"], manner, "li.na", "agreed", SHARDS, lambda: moment)
                self.settled.append((done, moment))
                return

    def instructions(self) -> list[Json]:
        """What was instructed, as published, in the ledger's order."""
        order = tables.instructions
        with self.ledger.connect() as connection:
            query = select(order.c.value).order_by(order.c.event_no, order.c.revision)
            return [json.loads(value) for value in connection.scalars(query)]


class PooledTown(RandomTown):
    """The same, where a pool pays what the village gives: it queues when contributions are too low, as often."""

    policy = policy_text("pooled", "2020-01-01", None, VILLAGE_SCHEME.replace("threshold", FUNDED_BY_POOL), YEARLY)
    member: ClassVar[Json] = {"pool_id": "V1"}

    def __init__(self, ledger: Engine, random: Random, now: datetime) -> None:
        self.contributions: list[tuple[Json, datetime]] = []
        """Those that were taken in, their voids too, and when."""
        super().__init__(ledger, random, now)
        self._take(pool("V1", "queue"))

    def _acts(self) -> list[Callable[[str, str], None]]:
        return [*super()._acts(), *[self._contribute] * 2, self._void_contribution]

    def _contribute(self, *_: str) -> None:
        """A new contribution, or another version of one that is known or was voided."""
        name, fen = f"G{self.random.randrange(6)}", self.random.randrange(1, 300_000)
        told = contribution(name, version=self._version(name), amount=f"{fen // 100}.{fen % 100:02d}")
        self.contributions.append((told, self._take(told)))

    def _void_contribution(self, *_: str) -> None:
        name = f"G{self.random.randrange(6)}"
        if name in self.versions:
            told = contribution_void(name, version=self._version(name))
            self.contributions.append((told, self._take(told)))


def shanghai(text: str) -> datetime:
    """A moment of a day in Shanghai, such as ``2025-04-01T09:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def shared_treaty(
    name: str, lead: str, first: str, end: str, scheme: str, shares: Sequence[str], more: str = ""
) -> str:
    """A treaty that the insurers ``insurer-a``, ``insurer-b``, ... share; ``more`` is its stop-loss."""
    listed = "".join(
        f'[[treaty.share]]\ninsurer = "insurer-{who}"\nshare = "{share}"\n'
        for who, share in zip("abcdef", shares, strict=False)
    )
    return (
        f'[treaty]\nid = "{name}"\nstatus = "sample"\neffective_from = {first}\neffective_to = {end}\n'
        f'schemes = ["{scheme}"]\nlead = "{lead}"\n{listed}{more}'
    )
