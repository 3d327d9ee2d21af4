"""What the ledger holds about one claim: its newest decision, its person's facts, its policy, its payouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Engine, and_, select

from infra.ledger import tables
from infra.ledger.gather import newest_facts
from schemas.facts import Kind


class Instructed(NamedTuple):
    """One payout instruction as published, and the newest report of the insurer about it."""

    value: bytes
    report: bytes | None


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """``decision`` and ``facts`` are the bytes of the events; ``policy_text`` is the published file."""

    decision: bytes
    facts: list[bytes]
    policy_text: str | None
    instructions: list[Instructed]


def claim_record(engine: Engine, claim_id: str) -> ClaimRecord | None:
    """All of it as of one moment; None when the ledger has no such claim."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        claim, decision = tables.claims, tables.decisions
        row = connection.execute(
            select(claim.c.person_id, claim.c.policy_sha256, decision.c.value)
            .join(decision, and_(decision.c.claim_id == claim.c.claim_id, decision.c.revision == claim.c.revision))
            .where(claim.c.claim_id == claim_id)
        ).one_or_none()
        if row is None:
            return None
        policy = tables.policies
        text = connection.scalar(select(policy.c.source_text).where(policy.c.sha256 == row.policy_sha256))
        facts = newest_facts(connection, [row.person_id])
        return ClaimRecord(bytes(row.value), facts, text, _instructions(connection, claim_id))


def _instructions(connection: Connection, claim_id: str) -> list[Instructed]:
    instruction, fact, event = tables.instructions, tables.facts, tables.events
    told = connection.execute(
        select(fact.c.subject_id, event.c.value)
        .join(event, event.c.event_no == fact.c.event_no)
        .join(instruction, instruction.c.payout_id == fact.c.subject_id)
        .where(fact.c.kind == Kind.PAYOUT, instruction.c.claim_id == claim_id)
        .order_by(fact.c.version)
    )
    newest = {row.subject_id: bytes(row.value) for row in told}
    rows = connection.execute(
        select(instruction.c.payout_id, instruction.c.value)
        .where(instruction.c.claim_id == claim_id)
        .order_by(instruction.c.event_no, instruction.c.scheme_id, instruction.c.revision)
    )
    return [Instructed(bytes(row.value), newest.get(row.payout_id)) for row in rows]
