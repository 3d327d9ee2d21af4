"""Part b: the pure core, claims decided and explained per second in one process, without Kafka or PostgreSQL.

In seconds of the processor: it waits for nothing, and so the figure is the same on a busy machine.
"""

from __future__ import annotations

import time

from handlers.claims.account import Account
from handlers.claims.adjudicate import adjudicate
from handlers.claims.explain import decision_of
from handlers.claims.read import Reading, read
from schemas.ids import PersonId
from schemas.policy.model import Policies
from schemas.policy.policy_file import read_policies
from tests.bench.figures import Figure
from tests.bench.machine import load
from tests.bench.messages import POLICY, year_of

PART = "b. core"
RATE = "claims decided and explained per processor second"
BARE = "claims decided per processor second, without explanation"
CLAIMS_A_YEAR = (1, 5, 30)


def measure(claims: int, runs: int) -> list[Figure]:
    """About ``claims`` claims a run, of persons with 1, 5 and 30 a year."""
    policies = read_policies([POLICY])
    figures = []
    for each in CLAIMS_A_YEAR:
        accounts = [_account(PersonId(f"P-{number}"), each) for number in range(max(1, claims // each))]
        subject = f"{each} per person and year"
        note = f"{len(accounts) * each} claims of {len(accounts)} persons per run"
        explained, bare, loads = [], [], []
        for _ in range(runs):
            bare.append(len(accounts) * each / _seconds(accounts, policies, explain=False))
            explained.append(len(accounts) * each / _seconds(accounts, policies, explain=True))
            loads.append(load())
        figures.append(Figure(PART, subject, RATE, "1/s", "more", tuple(explained), tuple(loads), note))
        figures.append(Figure(PART, subject, BARE, "1/s", "more", tuple(bare), tuple(loads), note))
    return figures


def _account(person_id: PersonId, claims: int) -> Account:
    account = Account(person_id)
    for event in year_of(person_id, claims):
        reading = read(event)
        assert isinstance(reading, Reading), reading
        account.apply(reading.fact)
    return account


def _seconds(accounts: list[Account], policies: Policies, *, explain: bool) -> float:
    started = time.process_time()
    for account in accounts:
        adjudications = adjudicate(account, policies)
        if explain:
            for adjudication in adjudications:
                decision_of(adjudication)
    return time.process_time() - started
