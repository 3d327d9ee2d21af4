"""What is to be looked at about pools: claims that no pool pays, and pools without money (groups.md, section 3)."""

from __future__ import annotations

from datetime import datetime

from handlers.words import pool_sentences
from schemas.canonical import derived_id
from schemas.ids import PersonId
from schemas.outbound import AlertCode, AlertRaised, AlertWithdrawn
from schemas.records import ClaimRow


def no_pool(claim: ClaimRow, scheme_id: str, recorded_at: datetime) -> AlertRaised:
    """A pool should pay, and the coverage that gave the tier names none."""
    return AlertRaised(
        event_id=derived_id("AL", AlertCode.NO_POOL, claim.claim_id, scheme_id, claim.revision),
        occurred_at=recorded_at,
        code=AlertCode.NO_POOL,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        alert_id=derived_id("AT", AlertCode.NO_POOL, claim.claim_id, scheme_id),
        scheme_id=scheme_id,
        zh=pool_sentences.NO_POOL.zh,
        en=pool_sentences.NO_POOL.en,
    )


def no_pool_withdrawn(claim: ClaimRow, scheme_id: str, recorded_at: datetime) -> AlertWithdrawn:
    """The coverage names a pool now, or nothing is due."""
    return AlertWithdrawn(
        event_id=derived_id("AW", AlertCode.NO_POOL, claim.claim_id, scheme_id, claim.revision),
        occurred_at=recorded_at,
        alert_id=derived_id("AT", AlertCode.NO_POOL, claim.claim_id, scheme_id),
        code=AlertCode.NO_POOL,
        claim_id=claim.claim_id,
        person_id=claim.person_id,
        scheme_id=scheme_id,
        zh=pool_sentences.NO_POOL_SETTLED.zh,
        en=pool_sentences.NO_POOL_SETTLED.en,
    )


def raised(code: AlertCode, pool_id: str, amount: int, seq: int, recorded_at: datetime) -> AlertRaised:
    """Something about a pool: it owes ``amount`` fen, or claims of so many fen wait for one that nobody recorded.

    ``seq`` is that of the step's audit entry. In the place of the person's id stands the pool's.
    """
    said = pool_sentences.RAISED[code](amount)
    return AlertRaised(
        event_id=derived_id("AL", code, pool_id, seq),
        occurred_at=recorded_at,
        code=code,
        claim_id=None,
        person_id=PersonId(pool_id),
        alert_id=derived_id("AT", code, pool_id),
        amount=amount,
        pool_id=pool_id,
        zh=said.zh,
        en=said.en,
    )


def withdrawn(code: AlertCode, pool_id: str, seq: int, recorded_at: datetime) -> AlertWithdrawn:
    """An alert about a pool has lost its reason."""
    said = pool_sentences.WITHDRAWN[code]
    return AlertWithdrawn(
        event_id=derived_id("AW", code, pool_id, seq),
        occurred_at=recorded_at,
        alert_id=derived_id("AT", code, pool_id),
        code=code,
        claim_id=None,
        person_id=PersonId(pool_id),
        pool_id=pool_id,
        zh=said.zh,
        en=said.en,
    )
