"""Who receives a benefit: the facilities that advanced it, then the person or the estate (payers.md, section 1).

What a scheme owes for a claim does not depend on who advanced what. The facilities are paid back first, in the order in
which they settled; nobody is paid more than is due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from handlers.claims.adjudicate import Adjudication
from handlers.claims.decidable import BillView, DecidableClaim
from schemas.decisions import Status
from schemas.ids import FacilityId
from schemas.outbound import AlertCode, Payee
from schemas.records import BenefitRow, FacilityRow


class PayeePart(NamedTuple):
    """One payee's part of what a scheme owes, in fen; ``payee_id`` names a facility."""

    scheme_id: str
    payee: Payee
    payee_id: FacilityId | None
    amount: int


class TakenOff(NamedTuple):
    """What one settlement took off for one scheme, in fen."""

    scheme_id: str
    facility_id: FacilityId
    amount: int


class UnpaidAdvance(NamedTuple):
    """Why somebody should look at the advances of a claim and scheme, and the fen that nobody pays back."""

    code: AlertCode
    amount: int


def taken_off(claim: DecidableClaim) -> list[TakenOff]:
    """The advances of a claim's live settlements, in the order in which they are paid back."""
    if not claim.has_advances:
        return []
    bills = sorted(
        (bill for bill in claim.live if bill.advances), key=lambda bill: (bill.settled_at, bill.settlement_id)
    )
    return [TakenOff(each.scheme_id, bill.facility_id, each.amount) for bill in bills for each in bill.advances]


def shares(adjudication: Adjudication) -> list[PayeePart]:
    """Who receives what of each scheme's benefit, in the order of the schemes and of payment; nobody nothing.

    A facility that settled more than once for a scheme has one share.
    """
    found: list[PayeePart] = []
    advances = taken_off(adjudication.claim)
    rest_to = Payee.ESTATE if adjudication.deceased else Payee.PERSON
    for benefit in adjudication.benefits:
        paid = facilities_first(advances, benefit.scheme.id, benefit.amount)
        found += [PayeePart(benefit.scheme.id, Payee.FACILITY, name, amount) for name, amount in paid.items() if amount]
        left = benefit.amount - sum(paid.values())
        if left:
            found.append(PayeePart(benefit.scheme.id, rest_to, None, left))
    return found


def facilities_first(advances: Iterable[TakenOff], scheme_id: str, amount: int) -> dict[FacilityId, int]:
    """What of ``amount`` fen of a scheme the facilities get that took something off for it."""
    left, paid = amount, dict[FacilityId, int]()
    for advance in advances:
        if advance.scheme_id == scheme_id:
            part = min(advance.amount, left)
            left -= part
            paid[advance.facility_id] = paid.get(advance.facility_id, 0) + part
    return paid


def facility_rows(
    claim: DecidableClaim, released: Mapping[str, int], known: Container[str], held: Iterable[FacilityRow]
) -> list[FacilityRow]:
    """What each facility has advanced and is paid now, for each scheme, with the revision that ``held`` has.

    ``released`` are the fen that are paid for the claim by scheme, ``known`` the schemes of its policy. A facility that
    advances nothing any more keeps its row at zero.
    """
    rows = {(row.scheme_id, row.facility_id): row._replace(advanced=0, amount=0) for row in held}
    advances = taken_off(claim)
    for advance in advances:
        place = (advance.scheme_id, advance.facility_id)
        row = rows.get(place) or FacilityRow(claim.claim_id, *place, 0, 0, 0, known=False)
        rows[place] = row._replace(advanced=row.advanced + advance.amount)
    for scheme_id, amount in released.items():
        for facility_id, part in facilities_first(advances, scheme_id, amount).items():
            rows[scheme_id, facility_id] = rows[scheme_id, facility_id]._replace(amount=part)
    return [row._replace(known=row.scheme_id in known) for _, row in sorted(rows.items())]


def persons_part(row: BenefitRow, facilities: Iterable[FacilityRow]) -> int:
    """What of a scheme's benefit was paid to the person or the estate, in fen: the rest, after the facilities."""
    return row.released - sum(share.amount for share in facilities if share.scheme_id == row.scheme_id)


def may_take_off(adjudication: Adjudication, bill: BillView, ordered: Mapping[str, int]) -> dict[str, int]:
    """What a hospital may advance on one of the claim's bills, in fen by scheme, where it is not zero.

    What is due, less the advances of the claim's other bills and what was ``ordered`` for the person by scheme, which
    may have arrived; together no more than the bill leaves to the person. Of a claim that is held nothing.
    """
    if adjudication.held:
        return {}
    elsewhere = Counter(dict(ordered))
    for other in adjudication.claim.live:
        if other.settlement_id != bill.settlement_id:
            elsewhere.update({advance.scheme_id: advance.amount for advance in other.advances})
    left, found = bill.copay + bill.out_of_catalogue, dict[str, int]()
    for benefit in adjudication.benefits:
        amount = max(0, min(benefit.amount - elsewhere[benefit.scheme.id], left))
        left -= amount
        if amount:
            found[benefit.scheme.id] = amount
    return found


def due_of(benefits: Iterable[BenefitRow]) -> dict[str, int]:
    """What each scheme owes for a claim, in fen."""
    return {row.scheme_id: row.benefit for row in benefits}


def unpaid_advances(
    status: Status | None, rows: Iterable[FacilityRow], due: Mapping[str, int]
) -> dict[str, UnpaidAdvance]:
    """What is to be looked at in a claim's advances, by scheme: money taken off the bill that no scheme owes.

    ``due`` are the fen that each scheme owes, whether they are paid already or wait for a pool's money. Only of claims
    about whose benefits something is decided: before that, nobody knows what is due.
    """
    advanced, unknown = dict[str, int](), set[str]()
    for row in rows if status in (Status.ADJUDICATED, Status.NOT_COVERED) else ():
        advanced[row.scheme_id] = advanced.get(row.scheme_id, 0) + row.advanced
        if not row.known:
            unknown.add(row.scheme_id)
    unpaid = {scheme_id: max(0, amount - due.get(scheme_id, 0)) for scheme_id, amount in advanced.items()}
    return {
        scheme_id: UnpaidAdvance(
            AlertCode.ADVANCE_UNKNOWN_SCHEME if scheme_id in unknown else AlertCode.ADVANCE_EXCEEDS_DUE, amount
        )
        for scheme_id, amount in unpaid.items()
        if amount
    }
