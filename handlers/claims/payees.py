"""Who receives a benefit: the facilities that advanced it, then the person or the estate (payers.md, section 1).

What a scheme owes for a claim does not depend on who advanced what. The facilities are paid back first, in the order in
which they settled; nobody is paid more than is due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
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
        left, paid = benefit.amount, dict[FacilityId, int]()
        for advance in advances:
            if advance.scheme_id == benefit.scheme.id:
                part = min(advance.amount, left)
                left -= part
                paid[advance.facility_id] = paid.get(advance.facility_id, 0) + part
        found += [PayeePart(benefit.scheme.id, Payee.FACILITY, name, amount) for name, amount in paid.items() if amount]
        if left:
            found.append(PayeePart(benefit.scheme.id, rest_to, None, left))
    return found


def facility_rows(adjudication: Adjudication, held: Iterable[FacilityRow]) -> list[FacilityRow]:
    """What each facility has advanced and is owed now, for each scheme, with the revision that ``held`` has.

    A facility that advances nothing any more keeps its row at zero.
    """
    claim_id = adjudication.claim.claim_id
    rows = {(row.scheme_id, row.facility_id): row._replace(advanced=0, amount=0) for row in held}
    known = {benefit.scheme.id for benefit in adjudication.benefits}
    for advance in taken_off(adjudication.claim):
        place = (advance.scheme_id, advance.facility_id)
        row = rows.get(place) or FacilityRow(claim_id, *place, 0, 0, 0, known=False)
        rows[place] = row._replace(advanced=row.advanced + advance.amount)
    for share in shares(adjudication):
        if share.payee_id is not None:
            place = (share.scheme_id, share.payee_id)
            rows[place] = rows[place]._replace(amount=share.amount)
    return [row._replace(known=row.scheme_id in known) for _, row in sorted(rows.items())]


def persons_part(row: BenefitRow, facilities: Iterable[FacilityRow]) -> int:
    """What of a scheme's benefit is the person's or the estate's, in fen: the rest, after the claim's facilities."""
    return row.benefit - sum(share.amount for share in facilities if share.scheme_id == row.scheme_id)


def may_take_off(adjudication: Adjudication, bill: BillView, ordered: Mapping[str, int]) -> dict[str, int]:
    """What a hospital may advance on one of the claim's bills, in fen by scheme, where it is not zero.

    What is due, less the advances of the claim's other bills and what was ``ordered`` for the person by scheme, which
    may have arrived; together no more than the bill leaves to the person.
    """
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


def unpaid_advances(status: Status | None, rows: Iterable[FacilityRow]) -> dict[str, UnpaidAdvance]:
    """What is to be looked at in a claim's advances, by scheme: money taken off the bill that no scheme owes.

    Only of claims about whose benefits something is decided: before that, nobody knows what is due.
    """
    unpaid, unknown = dict[str, int](), set[str]()
    for row in rows if status in (Status.ADJUDICATED, Status.NOT_COVERED) else ():
        unpaid[row.scheme_id] = unpaid.get(row.scheme_id, 0) + row.advanced - row.amount
        if not row.known:
            unknown.add(row.scheme_id)
    return {
        scheme_id: UnpaidAdvance(
            AlertCode.ADVANCE_UNKNOWN_SCHEME if scheme_id in unknown else AlertCode.ADVANCE_EXCEEDS_DUE, amount
        )
        for scheme_id, amount in unpaid.items()
        if amount
    }
