"""The invoices and nights of one person's many claims, to see quickly that an event meets none of another claim's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from handlers.claims.account import Account
from handlers.claims.decidable import Trace, nights_of
from handlers.claims.twice import Findings
from schemas.facts import EncounterDischarged, Fact, SettlementPosted
from schemas.ids import ClaimId


@dataclass(slots=True)
class Traces:
    """Which claims have an invoice, and when each has its nights; ``twice`` is what was found among them."""

    twice: Findings
    invoices: dict[str, set[ClaimId]] = field(default_factory=dict)
    nights: dict[ClaimId, tuple[date, date]] = field(default_factory=dict)

    @classmethod
    def of(cls, account: Account) -> Traces:
        """Those of a person's claims."""
        found = cls(account.twice())
        for claim_id, trace in account.traces():
            found.put_in(claim_id, trace)
        return found

    def put_in(self, claim_id: ClaimId, trace: Trace) -> None:
        """Keeps what a claim has."""
        for invoice in trace.invoices:
            self.invoices.setdefault(invoice, set()).add(claim_id)
        if trace.nights is not None:
            self.nights[claim_id] = trace.nights

    def take_out(self, claim_id: ClaimId, trace: Trace) -> None:
        """Forgets what a claim had."""
        for invoice in trace.invoices:
            self.invoices.get(invoice, set[ClaimId]()).discard(claim_id)
        self.nights.pop(claim_id, None)

    def may_meet(self, account: Account, claim_id: ClaimId, fact: Fact) -> bool:
        """Whether something was found about the claim of which a fact tells, or may be once the fact is applied."""
        if claim_id in self.twice:
            return True
        if type(fact) is SettlementPosted and self.invoices.get(fact.invoice_no or "", set()) - {claim_id}:
            return True
        stay = fact if type(fact) is EncounterDischarged else account.discharges.get(claim_id)
        nights = None if stay is None else nights_of(stay)
        if nights is None or nights == self.nights.get(claim_id):
            return False
        admitted_on, discharged_on = nights
        return any(
            admitted_on < until and since < discharged_on
            for other, (since, until) in self.nights.items()
            if other != claim_id
        )
