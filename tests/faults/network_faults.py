"""Faults of the network, in front of PostgreSQL and in front of one broker."""

from __future__ import annotations

from random import Random

from tests.faults.cluster import Cluster
from tests.faults.proxy import Proxy
from tests.faults.waiting import await_true, pause

CARRIED_S_MAX = 20.0
"""Connections with traffic appear within this time, as everybody polls."""

QUIET_S_MAX = 3.0
"""Whoever leads a partition is asked for news more often than this."""


def slow_postgres(cluster: Cluster, rng: Random) -> bool:
    """Every exchange with the ledger takes long."""
    return _slow(cluster.postgres_proxy, rng.uniform(0.02, 0.1), 4.0)


def reset_postgres(cluster: Cluster, rng: Random) -> bool:
    """Connections to the ledger are reset, several times."""
    return _reset(cluster.postgres_proxy, rng)


def cut_postgres(cluster: Cluster, rng: Random) -> bool:
    """A message to or from the ledger arrives in part, then its connection is reset; several times."""
    return _cut(cluster.postgres_proxy, rng)


def half_open_postgres(cluster: Cluster, rng: Random) -> bool:
    """The ledger is silent on every connection for some seconds; the connections are then reset."""
    return _half_open(cluster.postgres_proxy, rng.uniform(4.0, 9.0))


def slow_broker(cluster: Cluster, rng: Random) -> bool:
    """Every exchange with one broker takes long."""
    return _slow(_some_broker(cluster, rng), rng.uniform(0.05, 0.3), 4.0)


def reset_broker(cluster: Cluster, rng: Random) -> bool:
    """Connections to one broker are reset, several times."""
    return _reset(_some_broker(cluster, rng), rng)


def cut_broker(cluster: Cluster, rng: Random) -> bool:
    """A frame to or from one broker arrives in part, then its connection is reset; several times."""
    return _cut(_some_broker(cluster, rng), rng)


def half_open_broker(cluster: Cluster, rng: Random) -> bool:
    """One broker is silent towards clients and the other brokers, while the controllers think it well."""
    return _half_open(_some_broker(cluster, rng), rng.uniform(4.0, 12.0))


def _some_broker(cluster: Cluster, rng: Random) -> Proxy:
    """A broker that is talked to: one that came back and leads nothing yet has no traffic to break."""
    cluster.await_in_sync()
    proxies = list(cluster.broker_proxies.values())
    rng.shuffle(proxies)
    for proxy in proxies:
        before = proxy.carried_bytes
        if await_true(lambda known=before, asked=proxy: asked.carried_bytes > known, QUIET_S_MAX):  # type: ignore[misc]
            return proxy
    return proxies[0]


def _slow(proxy: Proxy, latency_s: float, seconds: float) -> bool:
    proxy.slow(latency_s)
    try:
        pause(seconds)
    finally:
        proxy.heal()
    return True


def _reset(proxy: Proxy, rng: Random) -> bool:
    ended = 0
    for _ in range(3):
        ended += await_true(lambda: proxy.reset() > 0, CARRIED_S_MAX)
        pause(rng.uniform(0.2, 1.0))
    return ended > 0


def _cut(proxy: Proxy, rng: Random) -> bool:
    before = proxy.cuts
    for _ in range(4):
        cuts = proxy.cuts
        proxy.cut_after(rng.randrange(1, 200))
        await_true(lambda known=cuts: proxy.cuts > known, CARRIED_S_MAX)  # type: ignore[misc]
        pause(rng.uniform(0.05, 0.5))
    proxy.heal()
    return proxy.cuts > before


def _half_open(proxy: Proxy, seconds: float) -> bool:
    before = proxy.swallowed_bytes
    proxy.swallow()
    try:
        carried = await_true(lambda: proxy.swallowed_bytes > before, CARRIED_S_MAX)
        pause(seconds)
    finally:
        proxy.heal()
    return carried
