"""Bugs of whoever decides: what counts as the same event, how money is read and rounded, what is instructed."""

from __future__ import annotations

from typing import Any

import pytest

import handlers.claims.process
import handlers.claims.read
from handlers.claims.settle import Differences, Due, differences, payout_id_of
from schemas.canonical import sha256_hex
from schemas.facts import Fact
from schemas.money import parse_yuan
from schemas.outbound import InstructionKind
from schemas.records import BenefitRow


def sameness_by_event_id(patch: pytest.MonkeyPatch) -> None:
    """Two sendings are one when their event_id is."""

    def by_event_id(_document: dict[str, Any], fact: Fact) -> str:
        return sha256_hex(fact.event_id.encode())

    patch.setattr(handlers.claims.read, "_content_sha256", by_event_id)


def future_taken_in(patch: pytest.MonkeyPatch) -> None:
    """Nobody asks whether an event has occurred yet when it is taken in."""
    patch.setattr(handlers.claims.process, "event_after_intake", lambda fact, moment: None)


def float_money(patch: pytest.MonkeyPatch) -> None:
    """An amount passes through a float on its way in."""
    patch.setattr("schemas.money.parse_yuan", lambda text: parse_yuan(text) and int(float(text) * 100))


def float_rounding(patch: pytest.MonkeyPatch) -> None:
    """A benefit is rounded as Python rounds floats."""
    patch.setattr(
        "handlers.claims.adjudicate.round_half_up", lambda numerator, denominator: round(numerator / denominator)
    )


def recoveries_lost(patch: pytest.MonkeyPatch) -> None:
    """Nobody asks for money back."""

    def payments_only(adjudication: Any, held: dict[str, BenefitRow], *others: Any) -> Differences:
        found = differences(adjudication, held, *others)
        lost = {due.row.scheme_id for due in found.dues if due.kind is InstructionKind.RECOVERY}
        kept = [
            row._replace(instruction_revision=row.instruction_revision - 1) if row.scheme_id in lost else row
            for row in found.benefits
        ]
        return found._replace(benefits=kept, dues=[due for due in found.dues if due.row.scheme_id not in lost])

    patch.setattr(handlers.claims.process, "differences", payments_only)


def revision_reused(patch: pytest.MonkeyPatch) -> None:
    """The second instruction of a claim and scheme is numbered like the first."""

    def always_the_first(adjudication: Any, held: dict[str, BenefitRow], *others: Any) -> Differences:
        found = differences(adjudication, held, *others)
        rows = [row._replace(instruction_revision=min(1, row.instruction_revision)) for row in found.benefits]
        shares = [row._replace(instruction_revision=min(1, row.instruction_revision)) for row in found.facilities]
        first = [
            due._replace(
                payout_id=payout_id_of(due.row.claim_id, due.row.scheme_id, 1, due.facility_id), row=row, revision=1
            )
            for due in found.dues
            for row in rows
            if row.scheme_id == due.row.scheme_id
        ]
        return found._replace(benefits=rows, facilities=shares, dues=first)

    patch.setattr(handlers.claims.process, "differences", always_the_first)


def payments_first(patch: pytest.MonkeyPatch) -> None:
    """A group's payments are instructed before the recoveries that make room for them."""

    def by_kind(dues: list[Due]) -> list[Due]:
        return sorted(dues, key=lambda due: due.kind is InstructionKind.RECOVERY)

    patch.setattr(handlers.claims.process, "in_order", by_kind)
