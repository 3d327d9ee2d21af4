"""Requests that wait for a decision: each is answered, whoever else gives up."""

from __future__ import annotations

import asyncio

from sqlalchemy import Engine

from infra.ledger import inbox
from infra.ledger.inbox import Fate
from infra.sharding import shard_of
from schemas.facts import Kind
from schemas.ids import PersonId
from schemas.records import InboxRow
from schemas.topics import EXPENSES
from tests.support.builders import SHARDS, bill, delivery, encode
from tests.support.ledgers import give, held
from web.api.decision_waiters import Waiters

ANSWER_S_MAX = 20.0


def acknowledged(ledger: Engine) -> int:
    """A bill that waits in the inbox; its number."""
    row = InboxRow(
        shard=shard_of("P1", SHARDS),
        topic=EXPENSES.name,
        person_id=PersonId("P1"),
        value=encode(bill()),
        kind=Kind.SETTLEMENT,
        subject_id="S1",
        version=1,
        content_sha256="-",
        encounter_id=None,
    )
    with ledger.begin() as connection:
        return inbox.append(connection, [row])[0]


def test_who_gives_up_leaves_the_others_waiting(ledger: Engine) -> None:
    """Several requests wait for one event, as a client's first try and its second: the patient ones are answered."""
    held(ledger)
    number = acknowledged(ledger)

    def decide() -> None:
        with ledger.begin() as connection:
            inbox.mark_sent(connection, [(number, 0)])
        give(ledger, [delivery(bill())])

    async def ask(waiters: Waiters) -> tuple[list[Fate] | None, list[list[Fate] | None]]:
        patient = [asyncio.create_task(waiters.fates([number], ANSWER_S_MAX)) for _ in range(2)]
        hasty = await waiters.fates([number], 0.01)
        await asyncio.to_thread(decide)
        return hasty, list(await asyncio.gather(*patient))

    with Waiters(ledger) as waiters:
        hasty, patient = asyncio.run(ask(waiters))
    assert hasty is None
    assert [["accepted"]] * 2 == [[fate.disposition for fate in fates or []] for fates in patient]
