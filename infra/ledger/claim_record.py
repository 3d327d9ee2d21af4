"""What the ledger holds about one claim: its newest decision, its person's facts, its policy, its payouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Engine, and_, select

from infra.ledger import group_rows, policy_rows, pool_figures, tables
from infra.ledger.clearing_tables import settled_recoveries
from infra.ledger.reads import newest_facts
from schemas.facts import Kind, subject_of_claim
from schemas.ids import ClaimId, PersonId
from schemas.pool_records import WaitingNow


class Instructed(NamedTuple):
    """One payout instruction as published, and the insurer's report that decided its state.

    ``contradictions`` counts the reports that fit neither it nor each other; ``reissued_as`` is the payout ordered in
    its place. A recovery that was set off or waived has a ``manner`` and what is ``left`` of it; a payment that is kept
    back names the claim whose recovery it is ``kept_for``.
    """

    value: bytes
    report: bytes | None
    contradictions: int = 0
    reissued_as: str | None = None
    manner: str | None = None
    left: int | None = None
    kept_for: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """``decision`` and ``facts`` are the bytes of the events; ``policy_text`` is the published file.

    ``policy_texts`` are all published files, as another one may have ended the claim's policy. ``household_id`` is the
    household with whose sums it was decided, and ``overlapping`` says that several memberships hold its day.
    ``group_waits``: it is about to be decided again, with its household. ``waiting`` are its benefits that wait for the
    money of pools.
    """

    decision: bytes
    facts: list[bytes]
    policy_text: str | None
    policy_texts: list[str]
    instructions: list[Instructed]
    household_id: str | None
    overlapping: bool
    group_waits: bool
    waiting: list[WaitingNow]


@dataclass(frozen=True, slots=True)
class Undecided:
    """A claim that waits for its first decision, with the claims of the household; ``facts`` are its person's."""

    person_id: PersonId
    facts: list[bytes]


def claim_record(engine: Engine, claim_id: str) -> ClaimRecord | Undecided | None:
    """All of it as of one moment; None when the ledger has no such claim."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        claim, decision = tables.claims, tables.decisions
        row = connection.execute(
            select(
                claim.c.person_id, claim.c.policy_sha256, claim.c.household_id, claim.c.overlapping, decision.c.value
            )
            .join(decision, and_(decision.c.claim_id == claim.c.claim_id, decision.c.revision == claim.c.revision))
            .where(claim.c.claim_id == claim_id)
        ).one_or_none()
        if row is None:
            return _undecided(connection, claim_id)
        policy = tables.policies
        text = connection.scalar(select(policy.c.source_text).where(policy.c.sha256 == row.policy_sha256))
        facts = newest_facts(connection, [row.person_id])
        texts = policy_rows.texts(connection)
        orders, waits = _instructions(connection, claim_id), group_rows.group_waits(connection, row.person_id)
        queued = pool_figures.waiting_of_claim(connection, claim_id)
        household = (row.household_id, row.overlapping, waits)
        return ClaimRecord(bytes(row.value), facts, text, texts, orders, *household, queued)


def _undecided(connection: Connection, claim_id: str) -> Undecided | None:
    """A claim of which a fact was taken in: only with a group is that not decided in the same transaction."""
    owner, subject = tables.subjects, subject_of_claim(ClaimId(claim_id))
    person_id = connection.scalar(
        select(owner.c.person_id).where(owner.c.kind == subject.kind, owner.c.subject_id == subject.id)
    )
    return None if person_id is None else Undecided(person_id, newest_facts(connection, [person_id]))


def _instructions(connection: Connection, claim_id: str) -> list[Instructed]:
    order, told, fact, event = tables.instructions, tables.payout_states, tables.facts, tables.events
    again, owed, settled = tables.instructions.alias("reissued"), tables.instructions.alias("owed"), settled_recoveries
    deciding = and_(
        fact.c.kind == Kind.PAYOUT,
        fact.c.subject_id == told.c.payout_id,
        fact.c.person_id == told.c.person_id,
        fact.c.content_sha256 == told.c.decided_by,
    )
    rows = connection.execute(
        select(
            order.c.value,
            event.c.value.label("report"),
            told.c.contradictions,
            again.c.payout_id,
            settled.c.manner,
            settled.c.left,
            owed.c.claim_id.label("kept_for"),
        )
        .outerjoin(told, and_(told.c.payout_id == order.c.payout_id, told.c.person_id == order.c.person_id))
        .outerjoin(fact, deciding)
        .outerjoin(event, event.c.event_no == fact.c.event_no)
        .outerjoin(again, again.c.reissue_of == order.c.payout_id)
        .outerjoin(settled, settled.c.payout_id == order.c.payout_id)
        .outerjoin(owed, owed.c.payout_id == order.c.set_off_of)
        .where(order.c.claim_id == claim_id)
        .order_by(order.c.event_no, order.c.scheme_id, order.c.revision, order.c.payee_id)
    )
    return [
        Instructed(bytes(row.value), row.report and bytes(row.report), row.contradictions or 0, *row[3:])
        for row in rows
    ]
