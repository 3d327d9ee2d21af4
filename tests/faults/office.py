"""An office that goes on in a storm: it sends refused events again, reissues payouts, publishes, and ends months."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from types import TracebackType

from sqlalchemy import Connection, text

from acts.four_eyes import NotDone
from acts.propose_reissue import approve_reissue, propose_reissue
from acts.publish_policy import publish_policy
from acts.reissue_payout import NoSuchPayout
from acts.replay_refused import replay_refused
from handlers.claims.payout_reports import NotReissuable
from infra.ledger.schema import connect
from infra.ledger.write import Contended
from stream.retry import TROUBLE
from tests.faults.cluster import Cluster
from tests.faults.households import by_household
from tests.faults.pools import by_pool
from tests.faults.waiting import pause
from tests.support.month_ends import end_next_month
from tests.support.paths import WUXI

CLERK, SECOND, REASON = "li.na", "wang.wei", "it did not arrive"
WAITS_S = (0.2, 0.6, 1.5)
STOP_S_MAX = 120.0

SAMPLE, RATE = 'id = "wuxi-sample"', '"0.60"'
A_REFUSED_EVENT = "SELECT event_no FROM refusals ORDER BY md5(event_no || :salt) LIMIT 1"
A_FAILED_PAYOUT = "SELECT payout_id FROM payout_states WHERE state <> 'paid' ORDER BY md5(payout_id || :salt) LIMIT 1"

Act = Callable[[Connection], bool]


def policy_of(storm: int) -> str:
    """The policy that is published in the middle of a storm: each later one ends the one before, at another rate.

    All count by household, and pools pay their villagers.
    """
    sample = by_pool(by_household(WUXI.read_text("utf-8")))
    if storm == 0:
        return sample
    before = "wuxi-sample" if storm == 1 else f"wuxi-storm-{storm - 1}"
    started = f"{2023 + storm // 12}-{storm % 12 + 1:02}-01"
    return (
        sample.replace(SAMPLE, f'id = "wuxi-storm-{storm}"\nsucceeds = "{before}"')
        .replace("effective_from = 2010-01-01", f"effective_from = {started}")
        .replace(RATE, f'"0.{60 + storm % 20}"')
    )


class Office:
    """Acts on the ledger at short intervals, in a thread of its own. Use it as a context manager.

    What a fault takes away is tried again later. A mistake of the program ends it; the end of the block raises that.
    """

    def __init__(self, cluster: Cluster, policy: str, rng: Random, done: Counter[str]) -> None:
        self._shards = cluster.settings.shards
        self._engine = connect(cluster.postgres.url, cluster.settings.ledger_lease)
        self._policy = policy
        self._rng = rng
        self._done = done
        self._going = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._guarded, name="office", daemon=True)

    def __enter__(self) -> Office:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._going.set()
        self._thread.join(STOP_S_MAX)
        self._engine.dispose()
        if self._thread.is_alive():
            raise TimeoutError("an act of the office did not end")
        if self._failure is not None:
            raise self._failure

    def _guarded(self) -> None:
        acts: dict[str, Act] = {
            "a refused event sent again": self._send_again,
            "a payout reissued by two people": self._reissue,
        }
        published = ended = False
        try:
            while not self._going.wait(self._rng.choice(WAITS_S)):
                if not published and self._rng.random() < 0.2:
                    published = self._try("a policy published", self._publish)
                elif not ended and self._rng.random() < 0.2:
                    ended = self._try("statements issued and a month closed", self._end_month)
                else:
                    self._try(*self._rng.choice(list(acts.items())))
            while not published:  # the storm is over: nothing stands in its way now
                published = self._try("a policy published", self._publish)
        except BaseException as failure:  # noqa: BLE001 - kept for the end of the block, which raises it
            self._failure = failure

    def _try(self, name: str, act: Act) -> bool:
        try:
            with self._engine.begin() as connection:
                done = act(connection)
        except (*TROUBLE, Contended):
            self._done[f"{name}: taken away by a fault"] += 1
            pause(0.2)
        except (NotDone, NotReissuable, NoSuchPayout):
            self._done[f"{name}: refused"] += 1
        else:
            self._done[name] += done
            return done
        return False

    def _publish(self, connection: Connection) -> bool:
        publish_policy(connection, self._policy, CLERK, self._shards, _now)
        return True

    def _end_month(self, _: Connection) -> bool:
        return end_next_month(self._engine, self._shards)

    def _send_again(self, connection: Connection) -> bool:
        numbers = list(connection.scalars(text(A_REFUSED_EVENT), {"salt": str(self._rng.random())}))
        return bool(numbers and replay_refused(connection, numbers, CLERK, REASON, self._shards, _now))

    def _reissue(self, connection: Connection) -> bool:
        payout_id = connection.scalar(text(A_FAILED_PAYOUT), {"salt": str(self._rng.random())})
        if payout_id is None:
            return False
        number, _ = propose_reissue(connection, payout_id, REASON, CLERK, self._shards, _now)
        approve_reissue(connection, number, SECOND, self._shards, _now)
        return True


def _now() -> datetime:
    return datetime.now(UTC)
