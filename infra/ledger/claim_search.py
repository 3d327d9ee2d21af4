"""Finding claims by what people have at hand: the number of a claim, settlement, invoice, payout or person, or what a
bank calls a payment; and those of persons who were found otherwise."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, distinct, func, literal, select, union_all

from infra.ledger import tables
from infra.ledger.console_tables import digest_invoices, digest_references
from schemas.facts import Kind


class Found(NamedTuple):
    """A claim that a search found, and by what, such as `invoice`."""

    claim_id: str
    person_id: str
    status: str
    discharged_on: date | None
    personal_burden: int
    total_benefit: int
    patient_pays: int
    by: tuple[str, ...]


_HOLDER = "holder"


def search(
    connection: Connection, numbers: Collection[str], persons: Mapping[str, Sequence[str]], limit: int, offset: int
) -> tuple[int, list[Found]]:
    """How many claims there are under any of some numbers, and one page of them, newest discharge first.

    The claims of ``persons`` belong to them, each found by what their person was found by.
    """
    claim, found = tables.claims, _found(numbers, persons).subquery()
    kinds = func.array_agg(distinct(found.c.by)).label("by")
    once = select(found.c.claim_id, kinds).group_by(found.c.claim_id).subquery()
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
    rows = connection.execute(page.limit(limit).offset(offset))
    return count, [Found(*row[:-1], _by(row, persons)) for row in rows]


def claims_with_invoice(connection: Connection, numbers: Collection[str], limit: int) -> list[str]:
    """Up to ``limit`` of the claims that have an invoice of one of these numbers, in order of their ids."""
    invoice = digest_invoices
    query = select(invoice.c.claim_id).where(invoice.c.invoice_no.in_(numbers)).distinct()
    return list(connection.scalars(query.order_by(invoice.c.claim_id).limit(limit)))


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
    return [Found(*row, ("person",)) for row in rows]


def _by(row: Any, persons: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    numbers = [each for each in row.by if each != _HOLDER]
    return (*numbers, *persons[row.person_id]) if _HOLDER in row.by else tuple(numbers)


def _found(numbers: Collection[str], persons: Collection[str]) -> Any:
    claim, owner, order = tables.claims, tables.subjects, tables.instructions
    invoice, bank = digest_invoices, digest_references

    def by(name: str, claims: Any, column: Any, *where: Any, among: Collection[str] = numbers) -> Select[Any]:
        return select(claims.label("claim_id"), literal(name).label("by")).where(column.in_(among), *where)

    return union_all(
        by("claim", claim.c.claim_id, claim.c.claim_id),
        by("person", claim.c.claim_id, claim.c.person_id),
        by("settlement", owner.c.encounter_id, owner.c.subject_id, owner.c.kind == Kind.SETTLEMENT),
        by("payout", order.c.claim_id, order.c.payout_id),
        by("invoice", invoice.c.claim_id, invoice.c.invoice_no),
        by("reference", order.c.claim_id, bank.c.reference, bank.c.payout_id == order.c.payout_id),
        by(_HOLDER, claim.c.claim_id, claim.c.person_id, among=list(persons)),
    )
