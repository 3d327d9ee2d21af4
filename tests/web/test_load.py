"""`wait=2s` under load: every answer is right, however many wait at once; the times are printed, not judged."""

from __future__ import annotations

import asyncio
import statistics
import time

import httpx

from tests.support.builders import bill, discharge
from tests.web.site import Site

POSTS_A_SECOND = 20
SECONDS = 8


def test_waiting_under_load_is_answered_with_decisions(site: Site) -> None:
    """Twenty cashiers per second wait, each for a different person: none gets another's decision or an error."""
    with site.client(site.h1) as client:  # the worker has its partitions
        first = client.post("/v1/settlements?wait=30s", json=bill("S-first", "E-first", person_id="first"))
        assert 200 == first.status_code
    answers = asyncio.run(_cashiers(site, POSTS_A_SECOND, SECONDS))
    statuses = [status for status, _ in answers]
    assert {200, 202} >= set(statuses)
    assert statuses.count(200) > 0
    times = sorted(seconds for _, seconds in answers)
    p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
    late = statuses.count(202)
    print(  # noqa: T201 - the figures of docs and report
        f"\nwait=2s, {POSTS_A_SECOND}/s: {len(times)} posts, "
        f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, {late} undecided"
    )


def test_those_who_wait_do_not_keep_others_waiting_for_a_thread(site: Site) -> None:
    """With the worker stopped and two hundred requests waiting, a claim is still shown and no request fails."""
    site.stop("worker")
    statuses, shown = asyncio.run(_all_wait(site, 200))
    site.start("worker")
    assert [202] * 200 == statuses
    assert {404} == set(shown)


async def _cashiers(site: Site, rate: int, seconds: int) -> list[tuple[int, float]]:
    limits = httpx.Limits(max_connections=300, max_keepalive_connections=300)
    headers = {"Authorization": f"Bearer {site.h1}"}
    async with httpx.AsyncClient(base_url=site.address, headers=headers, timeout=60, limits=limits) as client:

        async def cashier(number: int) -> tuple[int, float]:
            person = f"L{rate}-{number}"
            events = [
                discharge(f"E-{person}", person_id=person),
                bill(f"S-{person}", f"E-{person}", 4000, person_id=person),
            ]
            await asyncio.sleep(number / rate)
            begun = time.perf_counter()
            answer = await client.post("/v1/settlements?wait=2s", json=events)
            took = time.perf_counter() - begun
            if answer.status_code == 200:
                assert answer.json()["claim_id"] == f"E-{person}"
                assert answer.json()["decision"]["person_id"] == person
                assert answer.json()["state"] == "not_covered"
            return answer.status_code, took

        return await asyncio.gather(*(cashier(number) for number in range(rate * seconds)))


async def _all_wait(site: Site, count: int) -> tuple[list[int], list[int]]:
    limits = httpx.Limits(max_connections=count + 10)
    headers = {"Authorization": f"Bearer {site.h1}"}
    async with httpx.AsyncClient(base_url=site.address, headers=headers, timeout=60, limits=limits) as client:

        async def wait(number: int) -> int:
            event = bill(f"S-N{number}", f"E-N{number}", person_id=f"N{number}")
            return (await client.post("/v1/settlements?wait=15s", json=event)).status_code

        waiting = [asyncio.create_task(wait(number)) for number in range(count)]
        while int(site.rows("SELECT count(*) FROM inbox WHERE subject_id LIKE 'S-N%'")[0][0]) < count:
            await asyncio.sleep(0.05)
        shown = [(await client.get("/v1/claims/E-nobody")).status_code for _ in range(20)]
        assert not any(each.done() for each in waiting)
        return list(await asyncio.gather(*waiting)), shown
