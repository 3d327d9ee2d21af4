"""Cashiers at the hospital API, in a process of their own: posts with `wait=` and quotes, at an even pace.

Started by `tests.bench.latency`, which says when to begin. Prints ``ready``, and at the end what each request took.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.bench.messages import ROOT, light_load

WARM = 20
"""Requests of each kind before the clock starts."""

TOKEN = "BENCH_API_TOKEN"
REQUEST_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests a second, for how long."""

    seconds: float
    settlements: int
    quotes: int

    @property
    def persons(self) -> tuple[int, int]:
        """Whose bills are posted, and for whom quotes are asked."""
        return WARM + int(self.seconds * self.settlements), WARM + int(self.seconds * self.quotes)


@dataclass(frozen=True, slots=True)
class Answers:
    """Seconds that the requests took, also of those that waited in vain; and how many of either got no decision."""

    settlements: list[float]
    quotes: list[float]
    others: tuple[int, int]


class Cashiers:
    """The process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begin(self) -> None:
        """Starts the clock."""
        self._say("begin")

    def answers(self) -> Answers:
        """What they found, once all are answered."""
        return Answers(**json.loads(self._heard()))

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def _heard(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the cashiers ended with {self._process.wait()}")
        return line


@contextmanager
def cashiers(address: str, token: str, run: str, pace: Pace) -> Iterator[Cashiers]:
    """Cashiers who have their connections and wait for the beginning."""
    given = [address, run, str(pace.seconds), str(pace.settlements), str(pace.quotes)]
    command = [sys.executable, "-m", "tests.bench.cashiers", *given]
    environment = {**os.environ, TOKEN: token}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        ready = Cashiers(process)
        assert ready._heard() == "ready\n"
        yield ready
    finally:
        process.kill()
        process.wait()


def beforehand(run: str, pace: Pace) -> list[bytes]:
    """The coverages and discharges of all the persons."""
    return [event for name, count in zip(_runs(run), pace.persons, strict=True) for event in light_load(name, count)[0]]


def _runs(run: str) -> tuple[str, str]:
    return f"api-{run}", f"quote-{run}"


async def _work(address: str, run: str, pace: Pace) -> None:
    posted, asked = (light_load(name, count)[1] for name, count in zip(_runs(run), pace.persons, strict=True))
    bodies = {
        "/v1/settlements?wait=2s": posted,
        "/v1/quotes": [b'{"settlement":' + bill + b"}" for bill in asked],
    }
    headers = {"Authorization": f"Bearer {os.environ[TOKEN]}", "Content-Type": "application/json"}
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx.AsyncClient(
        base_url=address, headers=headers, timeout=REQUEST_SECONDS_MAX, limits=limits
    ) as client:

        async def ask(path: str, body: bytes, after: float, begun: float) -> tuple[int, float]:
            await asyncio.sleep(begun + after - time.monotonic())
            started = time.monotonic()
            answer = await client.post(path, content=body)
            return answer.status_code, time.monotonic() - started

        for path, given in bodies.items():
            for body in given[:WARM]:
                await ask(path, body, 0, time.monotonic())
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        begun = time.monotonic()
        rates = (pace.settlements, pace.quotes)
        found = []
        waiting = [
            [asyncio.create_task(ask(path, body, at / rate, begun)) for at, body in enumerate(given[WARM:])]
            for (path, given), rate in zip(bodies.items(), rates, strict=True)
        ]
        for tasks in waiting:
            found.append([await task for task in tasks])
    settlements, quotes = ([seconds for _, seconds in each] for each in found)
    others = [sum(status != 200 for status, _ in each) for each in found]
    sys.stdout.write(json.dumps({"settlements": settlements, "quotes": quotes, "others": others}) + "\n")


if __name__ == "__main__":
    _address, _run, _seconds, _settlements, _quotes = sys.argv[1:]
    asyncio.run(_work(_address, _run, Pace(float(_seconds), int(_settlements), int(_quotes))))
