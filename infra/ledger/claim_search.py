"""Finding claims by the number people have at hand: a claim, settlement, invoice, payout or person number."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, literal, select, union_all

from infra.ledger import tables
from infra.ledger.console_tables import digest_invoices
from schemas.facts import Kind


class Found(NamedTuple):
    """A claim that a search found, and by what kind of number."""

    claim_id: str
    person_id: str
    status: str
    discharged_on: date | None
    personal_burden: int
    total_benefit: int
    patient_pays: int
    by: str


def search(connection: Connection, number: str, limit: int, offset: int) -> tuple[int, list[Found]]:
    """How many claims there are under a number, and one page of them, newest discharge first."""
    claim, found = tables.claims, _by_number(number).subquery()
    once = select(found.c.claim_id, func.min(found.c.by).label("by")).group_by(found.c.claim_id).subquery()
    page = (
        select(
            claim.c.claim_id,
            claim.c.person_id,
            claim.c.status,
            claim.c.discharged_on,
            claim.c.personal_burden,
            claim.c.total_benefit,
            claim.c.patient_pays,
            once.c.by,
        )
        .join(once, once.c.claim_id == claim.c.claim_id)
        .order_by(claim.c.discharged_on.desc().nulls_last(), claim.c.claim_id)
    )
    count = connection.scalar(select(func.count()).select_from(page.order_by(None).subquery())) or 0
    return count, [Found(*row) for row in connection.execute(page.limit(limit).offset(offset))]


def person_exists(connection: Connection, person_id: str) -> bool:
    """Whether any accepted fact is about a person."""
    fact = tables.facts
    about = (fact.c.person_id == person_id, fact.c.kind != Kind.STATEMENT)  # an insurer can be called as a person is
    return connection.scalar(select(fact.c.person_id).where(*about).limit(1)) is not None


def claims_of(connection: Connection, person_id: str) -> list[Found]:
    """All claims of a person, newest discharge first."""
    claim = tables.claims
    rows = connection.execute(
        select(
            claim.c.claim_id,
            claim.c.person_id,
            claim.c.status,
            claim.c.discharged_on,
            claim.c.personal_burden,
            claim.c.total_benefit,
            claim.c.patient_pays,
        )
        .where(claim.c.person_id == person_id)
        .order_by(claim.c.discharged_on.desc().nulls_last(), claim.c.claim_id)
    )
    return [Found(*row, "person") for row in rows]


def _by_number(number: str) -> Any:
    claim, owner, order = tables.claims, tables.subjects, tables.instructions

    def by(name: str, column: Any, *where: Any) -> Select[Any]:
        return select(column.label("claim_id"), literal(name).label("by")).where(*where)

    return union_all(
        by("claim", claim.c.claim_id, claim.c.claim_id == number),
        by("person", claim.c.claim_id, claim.c.person_id == number),
        by("settlement", owner.c.encounter_id, owner.c.kind == Kind.SETTLEMENT, owner.c.subject_id == number),
        by("payout", order.c.claim_id, order.c.payout_id == number),
        by("invoice", digest_invoices.c.claim_id, digest_invoices.c.invoice_no == number),
    )
