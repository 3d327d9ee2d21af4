"""The difference between what is due and what was instructed, as payout instructions (claims.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from handlers.claims.adjudicate import Adjudication, Benefit
from handlers.claims.decidable import DecidableClaim
from handlers.claims.payees import facility_rows
from handlers.claims.payers import Payer, orders, payer_of
from handlers.claims.set_off import SetOff, split
from schemas.canonical import derived_id
from schemas.ids import ClaimId, FacilityId, PayoutId
from schemas.outbound import InstructionKind
from schemas.records import BenefitRow, FacilityRow, InstructionRow
from schemas.treaty.treaty_model import Treaties

FacilityRows = dict[tuple[str, FacilityId], FacilityRow]
"""A claim's rows by scheme and facility."""


class Due(NamedTuple):
    """One difference: ``amount`` fen to pay to a payee, or to recover, as this ``revision`` of its line.

    ``facility_id`` is None for the person or the estate. Who has to pay is the ``payer``, or who had paid. No money
    moves by what takes a payout off the books (``reversal_of``), or is kept back for a recovery (``set_off_of``).
    """

    payout_id: PayoutId
    kind: InstructionKind
    amount: int
    balance_before: int
    row: BenefitRow
    revision: int
    facility_id: FacilityId | None
    payer: Payer
    reissue_of: str | None = None
    reversal_of: str | None = None
    set_off_of: PayoutId | None = None

    @property
    def balance_after(self) -> int:
        return self.balance_before + (self.amount if self.kind is InstructionKind.PAYMENT else -self.amount)


class Differences(NamedTuple):
    """A claim's new rows, what has to be paid or recovered to reach them, and what the set-offs have left then."""

    benefits: list[BenefitRow]
    facilities: list[FacilityRow]
    dues: list[Due]
    set_offs: list[SetOff]


def differences(
    adjudication: Adjudication,
    held: dict[str, BenefitRow],
    facilities: FacilityRows,
    treaties: Treaties,
    set_offs: Sequence[SetOff] = (),
) -> Differences:
    """What a decision changes, given the claim's rows so far, by scheme, and by scheme and facility.

    ``set_offs`` are the person's recoveries that wait for a payment, oldest act first.

    A scheme that no longer applies (the claim was voided, or moved to another policy) keeps its row at zero, with the
    policy under which it had paid. What was paid to somebody is settled with them. What a pool is to pay more waits for
    its money (`release`); what it is to pay less is recovered at once.
    """
    claim, found = adjudication.claim, Differences([], [], [], list(set_offs))
    rows = [
        _row(scheme_id, benefit, adjudication, held.get(scheme_id))
        for scheme_id, benefit in _by_scheme(adjudication, held)
    ]
    by_facility = list[FacilityRow]()
    if facilities or claim.has_advances:
        released = {row.scheme_id: row.released for row in rows}
        known = {benefit.scheme.id for benefit in adjudication.benefits}
        by_facility = facility_rows(claim, released, known, facilities.values())
        if adjudication.held:
            rows, by_facility = _nobody_more(rows, held, by_facility, facilities)
    discharged_on = claim.policy_date
    for row in rows:
        before = held.get(row.scheme_id)
        payer = _payer(treaties, row, discharged_on)
        _settle(found, row, before.released if before else 0, by_facility, facilities, payer)
    schemes = {row.scheme_id for row in rows}
    found.facilities.extend(row for row in by_facility if row.scheme_id not in schemes)
    return found


def release(
    claim: DecidableClaim,
    row: BenefitRow,
    amount: int,
    facilities: FacilityRows,
    treaties: Treaties,
    set_offs: Sequence[SetOff] = (),
) -> Differences:
    """What has to be paid so that ``amount`` fen more of a benefit are released, to whoever advanced it first."""
    found, before = Differences([], [], [], list(set_offs)), row.released
    row = row._replace(released=before + amount)
    by_facility = list[FacilityRow]()
    if facilities:
        known = {scheme_id for (scheme_id, _), share in facilities.items() if share.known}
        of_scheme = {place: share for place, share in facilities.items() if place[0] == row.scheme_id}
        by_facility = [
            each
            for each in facility_rows(claim, {row.scheme_id: row.released}, known, of_scheme.values())
            if each.scheme_id == row.scheme_id
        ]
    _settle(found, row, before, by_facility, facilities, _payer(treaties, row, row.discharged_on))
    return found


def _payer(treaties: Treaties, row: BenefitRow, discharged_on: date | None) -> Payer:
    payer = payer_of(treaties, row.scheme_id, discharged_on)
    return payer._replace(pool_id=row.pool_id) if row.pool_id else payer


def _settle(
    found: Differences,
    row: BenefitRow,
    of_before: int,
    by_facility: Sequence[FacilityRow],
    facilities: FacilityRows,
    payer: Payer,
) -> None:
    """Adds what brings the payees of a scheme from ``of_before`` fen to what ``row`` says is released.

    What moves from one payee to another stays with the pool that had paid it: only its step spends more of its money.
    """
    if not by_facility:  # as nearly always
        if row.released != of_before:
            row = _settle_own(found, row, of_before, row.released, payer, None)
        found.benefits.append(row)
        return
    shares = [new for new in by_facility if new.scheme_id == row.scheme_id]
    held = {new.facility_id: facilities.get((new.scheme_id, new.facility_id)) for new in shares}
    balances = {name: old.amount if old else 0 for name, old in held.items()}
    freed = list[tuple[Payer, int]]() if row.pool_id else None
    own, of_before = row.released - sum(new.amount for new in shares), of_before - sum(balances.values())
    own_first = freed is not None and own < of_before
    if own_first:
        row = _settle_own(found, row, of_before, own, payer, freed)
    for new in sorted(shares, key=lambda new: freed is not None and new.amount > balances[new.facility_id]):
        line = _Line(row, new.facility_id, new.instruction_revision, balances[new.facility_id], new.paid_by)
        dues, revision, paid_by = _dues(line, new.amount, payer, [], freed)
        found.facilities.append(new._replace(instruction_revision=revision, paid_by=paid_by))
        found.dues.extend(dues)
    if not own_first and own != of_before:
        row = _settle_own(found, row, of_before, own, payer, freed)
    found.benefits.append(row)


def _settle_own(
    found: Differences,
    row: BenefitRow,
    balance: int,
    amount: int,
    payer: Payer,
    freed: list[tuple[Payer, int]] | None,
) -> BenefitRow:
    """Adds what brings the person, or the estate, to ``amount`` fen."""
    line = _Line(row, None, row.instruction_revision, balance, row.paid_by)
    dues, revision, paid_by = _dues(line, amount, payer, found.set_offs, freed)
    found.dues.extend(dues)
    return row._replace(instruction_revision=revision, paid_by=paid_by)


class _Line(NamedTuple):
    """A payee's line of a claim and scheme: its last revision, what is instructed net, and who has paid that."""

    row: BenefitRow
    facility_id: FacilityId | None
    revision: int
    balance: int
    paid_by: str


def _dues(
    line: _Line, amount: int, payer: Payer, waiting: list[SetOff], freed: list[tuple[Payer, int]] | None
) -> tuple[list[Due], int, str]:
    """What brings a line to ``amount`` fen, its revision after that, and who has paid then.

    Takes what is kept back of it off the set-offs that are ``waiting``. What was ``freed`` by other lines is paid by
    those who get it back, and what this one frees is added to it.
    """
    row, facility_id, revision, balance, paid_by = line
    dues: list[Due] = []
    for who, target in _targets(balance, amount, payer, freed) if freed else ((payer, amount),):
        ordered, paid_by = orders(paid_by, balance, target, who)
        for order in ordered:
            if freed is not None and order.kind is InstructionKind.RECOVERY:
                freed.append((order.payer, order.amount))
            for part, recovery in split(order, waiting):
                revision += 1
                payout_id = payout_id_of(row.claim_id, row.scheme_id, revision, facility_id)
                due = Due(payout_id, order.kind, part, balance, row, revision, facility_id, order.payer)
                dues.append(due if recovery is None else due._replace(set_off_of=recovery))
                balance = due.balance_after
    return dues, revision, paid_by


def _targets(balance: int, amount: int, payer: Payer, freed: list[tuple[Payer, int]] | None) -> list[tuple[Payer, int]]:
    """Up to which amounts who pays: those whose money was freed first, and the payer the rest."""
    targets = list[tuple[Payer, int]]()
    while freed and balance < amount:
        who, left = freed.pop(0)
        part = min(left, amount - balance)
        balance += part
        targets.append((who, balance))
        if left > part:
            freed.insert(0, (who, left - part))
    return targets if targets and balance == amount else [*targets, (payer, amount)]


def reissued(failed: InstructionRow, amount: int, row: BenefitRow, balance: int, revision: int) -> list[Due]:
    """The two instructions that replace a failed one: its reversal on the books, and the same order again.

    ``row`` is of the claim and scheme; ``balance`` (fen) and ``revision`` are those of the payee's line. Both name the
    payer of the failed one, so who has paid what stays as it is. The recovery comes first, so that the books never show
    more than is due, unless later ones have left too little to take off.
    """
    again = InstructionKind(failed.kind)
    payment, recovery = InstructionKind.PAYMENT, InstructionKind.RECOVERY
    facility_id = FacilityId(failed.payee_id) if failed.payee_id else None
    payer = Payer(failed.payer, failed.treaty_id, failed.pool_id)
    dues: list[Due] = []
    for kind in (recovery, payment) if balance >= amount else (payment, recovery):
        revision += 1
        payout_id = payout_id_of(row.claim_id, row.scheme_id, revision, facility_id)
        names = {"reissue_of" if kind is again else "reversal_of": failed.payout_id}
        dues.append(Due(payout_id, kind, amount, balance, row, revision, facility_id, payer, **names))
        balance = dues[-1].balance_after
    return dues


def payout_id_of(claim_id: ClaimId, scheme_id: str, revision: int, facility_id: FacilityId | None = None) -> PayoutId:
    """The id of a claim's instruction to the person or the estate, or to a facility; the same whenever computed."""
    payee = () if facility_id is None else (facility_id,)
    return PayoutId(derived_id("PO", claim_id, scheme_id, *payee, revision))


def in_order(dues: Iterable[Due]) -> list[Due]:
    """Recoveries first: then no yearly cap is exceeded at any moment, even between two instructions of one change."""
    return sorted(dues, key=lambda due: due.kind is InstructionKind.PAYMENT)


def _nobody_more(
    rows: Iterable[BenefitRow],
    held: dict[str, BenefitRow],
    by_facility: Iterable[FacilityRow],
    facilities: FacilityRows,
) -> tuple[list[BenefitRow], list[FacilityRow]]:
    """The rows of a claim that is held, with no payee's part above what it had: what would move on is not paid."""
    capped, own = list[FacilityRow](), dict[str, int]()
    for before in held.values():
        own[before.scheme_id] = before.released
    for old in facilities.values():
        own[old.scheme_id] = own.get(old.scheme_id, 0) - old.amount
    left = {row.scheme_id: row.released for row in rows}
    for new in by_facility:
        had = facilities.get((new.scheme_id, new.facility_id))
        left[new.scheme_id] = left.get(new.scheme_id, 0) - new.amount
        capped.append(new._replace(amount=min(new.amount, had.amount if had else 0)))
    found = list[BenefitRow]()
    for row in rows:
        part = min(left[row.scheme_id], own.get(row.scheme_id, 0))
        part += sum(each.amount for each in capped if each.scheme_id == row.scheme_id)
        found.append(row._replace(released=part))
    return found, capped


def _by_scheme(adjudication: Adjudication, held: dict[str, BenefitRow]) -> list[tuple[str, Benefit | None]]:
    now: list[tuple[str, Benefit | None]] = [(benefit.scheme.id, benefit) for benefit in adjudication.benefits]
    applying = {scheme_id for scheme_id, _ in now}
    return now + [(scheme_id, None) for scheme_id in sorted(held) if scheme_id not in applying]


def _row(scheme_id: str, benefit: Benefit | None, adjudication: Adjudication, before: BenefitRow | None) -> BenefitRow:
    if benefit is None or adjudication.policy is None:
        assert before is not None, "a scheme without a benefit was held before"
        return before._replace(measured=0, benefit=0, reason=None, released=0, told=0, held=False)
    claim, policy, amount = adjudication.claim, adjudication.policy, benefit.amount
    row = BenefitRow(
        claim_id=claim.claim_id,
        scheme_id=scheme_id,
        tier=None if benefit.tier is None else benefit.tier.name,
        basis=benefit.scheme.basis,
        measured=benefit.measured,
        benefit=amount,
        reason=benefit.reason,
        instruction_revision=before.instruction_revision if before else 0,
        policy_id=policy.id,
        policy_sha256=policy.sha256,
        paid_by=before.paid_by if before else "",
        released=min(amount, before.released if before else 0) if adjudication.held else amount,
        held=adjudication.held,
    )
    if benefit.scheme.funded_by is None:
        return row
    row = row._replace(pool_id=benefit.pool_id or "")
    if not row.pool_id:
        return row
    released = min(amount, before.released) if before else 0
    return row._replace(
        released=released,
        discharged_on=claim.policy_date,
        place=policy.schemes.index(benefit.scheme),
        left_by_close=before.left_by_close if before and before.pool_id == benefit.pool_id else 0,
    )
