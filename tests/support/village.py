"""A ledger with a village's pool: its money, its members' stays, and what is paid, waits and is said."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Engine, select, text

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from acts.verify_audit_log import Trust, verify_ledger
from infra.ledger import tables
from tests.support.acts import publish, reissue
from tests.support.builders import RECORDED_AT, SHARDS, Json
from tests.support.ledgers import Clock, held, in_order, ranges
from tests.support.outbox import waiting_messages
from tests.support.pools import POOL_POLICY
from tests.support.replayed import assert_replays

_GUARD = """
CREATE FUNCTION balance_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE balance bigint;
BEGIN
    SELECT (SELECT coalesce(sum(amount), 0) FROM contributions c WHERE c.pool_id = NEW.pool_id)
        - sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END)
        INTO balance FROM instructions i WHERE i.pool_id = NEW.pool_id;
    IF balance < 0 AND EXISTS (SELECT FROM pools p WHERE p.pool_id = NEW.pool_id AND on_shortage <> 'owe') THEN
        RAISE EXCEPTION 'the balance of pool % is % fen', NEW.pool_id, balance;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balance_holds AFTER INSERT ON instructions DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'payment' AND NEW.pool_id IS NOT NULL) EXECUTE FUNCTION balance_holds();
"""


def guard_the_balance(ledger: Engine) -> None:
    """From now on no commit that pays leaves a pool that may not owe with less than nothing; one that does fails."""
    with ledger.begin() as connection:
        connection.execute(text(_GUARD))


class PoolOrder(NamedTuple):
    """An instruction: to whom, what kind, how many fen, and whose pool's money."""

    claim_id: str
    kind: str
    amount: int
    pool_id: str | None
    payee_id: str = ""


class Village:
    """A ledger, its policy, and one worker that holds all shards."""

    def __init__(self, ledger: Engine, policy: str | None = POOL_POLICY, *, guarded: bool = True) -> None:
        self.ledger = ledger
        self.now = RECORDED_AT
        self._posted: list[Json] = []
        self._epochs = held(ledger)
        self.remembered = RememberedPersons()
        if guarded:
            guard_the_balance(ledger)
        if policy is not None:
            self.publish(policy)

    @property
    def clock(self) -> Clock:
        """Stands, until the next act."""
        return lambda: self.now

    def publish(self, policy: str) -> None:
        publish(self.ledger, policy, "li.na", SHARDS, self.clock)

    def take(self, *events: Json) -> None:
        """The next batch, and the steps that it leaves to do."""
        self.now += timedelta(minutes=1)
        first = len(self._posted)
        self._posted += events
        batch = ranges(in_order(self._posted)[first:])
        taken = take_in(self.ledger, batch, self._epochs, SHARDS, self.clock, self.remembered)
        recompute_groups(self.ledger, taken.groups_wait, SHARDS, self.clock, self.remembered)

    def reissue(self, payout_id: str) -> None:
        """A failed payout is ordered again, and the worker looks at what that left to do."""
        reissue(self.ledger, payout_id, "wang.wei", "the account was closed", SHARDS, self.clock)
        recompute_groups(self.ledger, range(SHARDS), SHARDS, self.clock, self.remembered)

    def released(self) -> dict[str, int]:
        """What of each claim is released, in fen."""
        return self._benefits("released")

    def due(self) -> dict[str, int]:
        return self._benefits("benefit")

    def waiting(self) -> dict[str, int]:
        """What of each claim waits, in fen; only those of which something does."""
        due, released = self.due(), self.released()
        return {claim_id: due[claim_id] - released[claim_id] for claim_id in due if due[claim_id] > released[claim_id]}

    def _benefits(self, column: str) -> dict[str, int]:
        sums = dict[str, int]()
        with self.ledger.connect() as connection:
            for row in connection.execute(select(tables.benefits)):
                sums[row.claim_id] = sums.get(row.claim_id, 0) + getattr(row, column)
        return sums

    def orders(self) -> list[PoolOrder]:
        """All instructions in their order, as insurers read them."""
        order = tables.instructions
        with self.ledger.connect() as connection:
            rows = connection.execute(
                select(order).order_by(order.c.event_no, order.c.claim_id, order.c.payee_id, order.c.revision)
            ).all()
        for row in rows:
            assert row.pool_id == json.loads(row.value).get("pool_id")
        return [PoolOrder(*(getattr(row, name) for name in PoolOrder._fields)) for row in rows]

    def payouts(self, claim_id: str) -> list[str]:
        """The ids of a claim's payouts, oldest first."""
        order = tables.instructions
        query = select(order.c.payout_id).where(order.c.claim_id == claim_id)
        with self.ledger.connect() as connection:
            return list(connection.scalars(query.order_by(order.c.event_no, order.c.revision)))

    def balance(self, pool_id: str = "V1") -> int:
        """What the books say that the pool has, in fen."""
        query = text("SELECT coalesce(-sum(amount), 0) FROM postings WHERE account = :account")
        with self.ledger.connect() as connection:
            return int(connection.execute(query, {"account": f"pool:{pool_id}"}).scalar_one())

    def decisions(self, claim_id: str) -> list[dict[str, Any]]:
        """A claim's decisions as published, oldest first."""
        decision = tables.decisions
        query = select(decision.c.value).where(decision.c.claim_id == claim_id).order_by(decision.c.revision)
        with self.ledger.connect() as connection:
            return [json.loads(value) for value in connection.scalars(query)]

    def told(self, claim_id: str) -> list[list[tuple[str, int | None]]]:
        """What each decision of a claim says that waits: yuan and position."""
        return [
            [(line["amount"], line.get("position")) for line in each.get("waiting", ())]
            for each in self.decisions(claim_id)
        ]

    def discharged_on(self, claim_id: str) -> str:
        claim = tables.claims
        with self.ledger.connect() as connection:
            return str(connection.scalar(select(claim.c.discharged_on).where(claim.c.claim_id == claim_id)))

    def alerts(self) -> list[tuple[str, str, str | None]]:
        """Event type, code, and about which claim or pool, in their order within each shard."""
        found = [json.loads(each.value) for each in waiting_messages(self.ledger, "alerts")]
        return [(each["event_type"], each["code"], each["claim_id"] or each["pool_id"]) for each in found]

    def check(self) -> None:
        """The ledger replays, nothing is left to do, and each sum, row and posting is what it should be."""
        with self.ledger.connect() as connection:
            assert 0 == connection.execute(text("SELECT count(*) FROM pool_work")).scalar_one()
        assert_replays(self.ledger)
        verified = verify_ledger(self.ledger, Trust([], use=False), lambda _: None)
        assert not verified.findings, [(each.shard, each.seq, each.saying.en) for each in verified.findings]
