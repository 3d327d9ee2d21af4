"""The difference between what is due and what was instructed, as payout instructions (claims.md, section 6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from handlers.claims.adjudicate import Adjudication, Benefit
from schemas.canonical import derived_id
from schemas.ids import ClaimId, PayoutId
from schemas.outbound import InstructionKind
from schemas.records import BenefitRow, InstructionRow


class Due(NamedTuple):
    """One difference: ``amount`` fen to pay or recover as revision ``row.instruction_revision``."""

    payout_id: PayoutId
    kind: InstructionKind
    amount: int
    balance_before: int
    row: BenefitRow
    reissue_of: str | None = None
    reversal_of: str | None = None

    @property
    def balance_after(self) -> int:
        return self.balance_before + (self.amount if self.kind is InstructionKind.PAYMENT else -self.amount)


def differences(adjudication: Adjudication, held: dict[str, BenefitRow]) -> tuple[list[BenefitRow], list[Due]]:
    """The claim's new benefit rows, and what has to be paid or recovered to reach them.

    ``held`` are the claim's rows so far by scheme. A scheme that no longer applies (the claim was voided, or moved
    to another policy) keeps its row at zero, with the policy under which it had paid.
    """
    claim_id = adjudication.claim.claim_id
    rows, dues = [], []
    for scheme_id, benefit in _by_scheme(adjudication, held):
        before = held.get(scheme_id)
        balance = before.benefit if before else 0
        revision = before.instruction_revision if before else 0
        amount = benefit.amount if benefit else 0
        row = _row(claim_id, scheme_id, benefit, adjudication, before)
        if amount != balance:
            row = row._replace(instruction_revision=revision + 1)
            kind = InstructionKind.PAYMENT if amount > balance else InstructionKind.RECOVERY
            payout_id = payout_id_of(claim_id, scheme_id, revision + 1)
            dues.append(Due(payout_id, kind, abs(amount - balance), balance, row))
        rows.append(row)
    return rows, dues


def reissued(failed: InstructionRow, amount: int, held: BenefitRow) -> list[Due]:
    """The two instructions that replace a failed one: its reversal on the books, and the same order again.

    The recovery comes first, so that the books never show more than is due, unless later recoveries have left too
    little to take off.
    """
    again = InstructionKind(failed.kind)
    payment, recovery = InstructionKind.PAYMENT, InstructionKind.RECOVERY
    balance, dues = held.benefit, []
    for kind in (recovery, payment) if balance >= amount else (payment, recovery):
        held = held._replace(instruction_revision=held.instruction_revision + 1)
        payout_id = payout_id_of(held.claim_id, held.scheme_id, held.instruction_revision)
        names = {"reissue_of" if kind is again else "reversal_of": failed.payout_id}
        dues.append(Due(payout_id, kind, amount, balance, held, **names))
        balance = dues[-1].balance_after
    return dues


def payout_id_of(claim_id: ClaimId, scheme_id: str, revision: int) -> PayoutId:
    """The id of a claim's instruction, the same whenever it is computed."""
    return PayoutId(derived_id("PO", claim_id, scheme_id, revision))


def in_order(dues: Iterable[Due]) -> list[Due]:
    """Recoveries first: then no yearly cap is exceeded at any moment, even between two instructions of one change."""
    return sorted(dues, key=lambda due: due.kind is InstructionKind.PAYMENT)


def _by_scheme(adjudication: Adjudication, held: dict[str, BenefitRow]) -> list[tuple[str, Benefit | None]]:
    now: list[tuple[str, Benefit | None]] = [(benefit.scheme.id, benefit) for benefit in adjudication.benefits]
    applying = {scheme_id for scheme_id, _ in now}
    return now + [(scheme_id, None) for scheme_id in sorted(held) if scheme_id not in applying]


def _row(
    claim_id: ClaimId, scheme_id: str, benefit: Benefit | None, adjudication: Adjudication, before: BenefitRow | None
) -> BenefitRow:
    revision = before.instruction_revision if before else 0
    if benefit is None or adjudication.policy is None:
        assert before is not None, "a scheme without a benefit was held before"
        return before._replace(measured=0, benefit=0, reason=None)
    return BenefitRow(
        claim_id=claim_id,
        scheme_id=scheme_id,
        tier=None if benefit.tier is None else benefit.tier.name,
        basis=benefit.scheme.basis,
        measured=benefit.measured,
        benefit=benefit.amount,
        reason=benefit.reason,
        instruction_revision=revision,
        policy_id=adjudication.policy.id,
        policy_sha256=adjudication.policy.sha256,
    )
