"""What a batch of events meets: what is published, and all that was accepted, decided and instructed before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from handlers.claims.account import Account
from handlers.claims.admit import Registry
from handlers.claims.payers import NO_TREATIES
from handlers.claims.payout_reports import PayoutReport
from handlers.claims.set_off import SetOff
from handlers.claims.settle import FacilityRows
from schemas.closed_days import ClosedDays
from schemas.funeral_lists import DeathReport
from schemas.ids import ClaimId, PayoutId, PersonId, StatementId
from schemas.policy.model import Policies
from schemas.pool_records import ContributionRow
from schemas.records import (
    BenefitRow,
    ClaimRow,
    InstructionRow,
    SettledRecovery,
)
from schemas.treaty.treaty_model import Treaties
from schemas.watch.watch_model import NO_WATCHES, PublishedWatches


@dataclass(slots=True)
class World:
    """Everything a batch may look at. The caller gathers it; processing moves it forward.

    Holds the version line of every id in the batch, and for every person of a readable event the whole account, the
    claims as last decided, and the benefits and the facilities' shares of them as last instructed. For every payout
    report, reissue or settled recovery of the batch it holds the instruction, how it was settled if it was, and the
    reports accepted so far, by payout and person. ``set_offs`` are a person's recoveries that wait for a payment,
    oldest act first; only persons who have some are there. ``statements`` are the insurers of those issued statements
    that the batch's answers name, ``contributions`` those that its events change, and ``decided`` the newest decisions
    of those claims that a pool's step may have to revise. ``invoices`` are the first persons who named those of the
    batch, by what links them, and ``shared`` the invoices by which a person's claims are decided with others'.
    ``closed_days`` are those of the shards on which the batch closes one. ``invoices_link`` is False where events are
    repeated that an earlier release took in, which kept no invoices and decided nobody with others by them.
    ``reported_deaths`` are what funeral lists say of those persons whose deaths the batch records, or of all where an
    act takes in such a list.
    """

    policies: Policies
    shard_of: Callable[[str], int]
    treaties: Treaties = NO_TREATIES
    watches: PublishedWatches = NO_WATCHES
    registry: Registry = field(default_factory=dict)
    accounts: dict[PersonId, Account] = field(default_factory=dict)
    claims: dict[ClaimId, ClaimRow] = field(default_factory=dict)
    benefits: dict[ClaimId, dict[str, BenefitRow]] = field(default_factory=dict)
    facilities: dict[ClaimId, FacilityRows] = field(default_factory=dict)
    instructed: dict[PayoutId, InstructionRow] = field(default_factory=dict)
    reports: dict[tuple[PayoutId, PersonId], list[PayoutReport]] = field(default_factory=dict)
    statements: dict[StatementId, str] = field(default_factory=dict)
    settled: dict[PayoutId, SettledRecovery] = field(default_factory=dict)
    set_offs: dict[PersonId, list[SetOff]] = field(default_factory=dict)
    contributions: dict[str, ContributionRow] = field(default_factory=dict)
    decided: dict[ClaimId, bytes] = field(default_factory=dict)
    invoices: dict[str, PersonId] = field(default_factory=dict)
    shared: dict[PersonId, set[str]] = field(default_factory=dict)
    closed_days: dict[int, ClosedDays] = field(default_factory=dict)
    invoices_link: bool = True
    reported_deaths: dict[PersonId, tuple[DeathReport, ...]] = field(default_factory=dict)

    @property
    def by_household(self) -> bool:
        """Whether a scheme or a watch counts by household, so that its members are decided together."""
        return bool(self.policies.household_schemes) or self.watches.by_household
