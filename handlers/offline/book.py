"""Facts in, decided claims out, all in memory: what `huzhu adjudicate` and a what-if need, without a ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from handlers.claims.account import Account
from handlers.claims.adjudicate import adjudicate_together
from handlers.claims.admit import Disposition, Registry, admit
from handlers.claims.explain import decision_of
from handlers.claims.read import Reading, read
from schemas.decisions import ClaimDecision
from schemas.facts import StatementAnswered
from schemas.ids import PersonId
from schemas.policy.model import Policies
from schemas.refusals import Refusal


@dataclass(slots=True)
class Book:
    """Accounts of many persons, filled one event at a time, in any order."""

    registry: Registry = field(default_factory=dict)
    accounts: dict[PersonId, Account] = field(default_factory=dict)

    def take(self, value: bytes, as_of: datetime | None = None) -> Disposition | Refusal:
        """What became of one event, taken in at ``as_of``; without it no event is too new."""
        reading = read(value, as_of=as_of)
        return reading if isinstance(reading, Refusal) else self.admit(reading)

    def admit(self, reading: Reading) -> Disposition | Refusal:
        """What became of an event that could be read; an accepted one is in its person's account."""
        if isinstance(reading.fact, StatementAnswered):
            return Disposition.ACCEPTED  # it decides nothing; only a ledger holds it against earlier answers
        admitted = admit(reading, self.registry)
        if admitted is Disposition.ACCEPTED:
            person_id = reading.fact.person_id
            self.accounts.setdefault(person_id, Account(person_id)).apply(reading.fact)
        return admitted

    def decide(self, policies: Policies) -> list[ClaimDecision]:
        """Every claim that has a discharge or a settlement, sorted by claim id."""
        decisions = [
            decision_of(adjudication) for adjudication in adjudicate_together(self.accounts.values(), policies)
        ]
        return sorted(decisions, key=lambda decision: decision.claim_id)
