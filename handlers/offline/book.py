"""Facts in, decided claims out, all in memory: what `huzhu adjudicate` and a what-if need, without a ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from handlers.claims.account import Account
from handlers.claims.adjudicate import Adjudication, adjudicate_together
from handlers.claims.admit import Disposition, Registry, admit
from handlers.claims.explain import decision_of
from handlers.claims.read import Reading, read
from handlers.offline.groups import together
from schemas.decisions import ClaimDecision
from schemas.facts import PoolFact, StatementAnswered
from schemas.ids import ClaimId, PersonId
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
        if isinstance(reading.fact, PoolFact):
            return admit(reading, self.registry)  # what is due never depends on money
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

    def decide_one(self, claim_id: ClaimId, policies: Policies) -> Adjudication | None:
        """The outcome of one claim; None if there is no discharge or settlement for it."""
        if not any(account.knows(claim_id) for account in self.accounts.values()):
            return None
        for persons in together(self.accounts.values(), policies, invoices=True):
            if any(claim_id in account.claim_ids() for account in persons):
                decided = adjudicate_together(persons, policies)
                return next(each for each in decided if each.claim.claim_id == claim_id)
        return None
