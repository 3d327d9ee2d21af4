"""The one door: a batch of events and the world they meet become everything that the ledger has to add.

Pure and deterministic: the same events in the same order give the same decisions, instructions and audit hashes, byte
for byte, however they were cut into batches (claims.md, laws 1 and 7). One event is finished before the next begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from handlers import chain, publish
from handlers.account import Account
from handlers.adjudicate import Adjudication, adjudicate
from handlers.admit import Disposition, Registry, admit, claims_of_identity
from handlers.explain import decision_of, fingerprint
from handlers.read import Reading
from handlers.settle import Due, differences, in_order
from schemas.canonical import sha256_hex
from schemas.decisions import Status
from schemas.facts import Fact, Subject
from schemas.outbound import AuditKind
from schemas.policy import Policies, Policy
from schemas.records import (
    BenefitRow,
    ClaimRow,
    DecisionRow,
    Delivery,
    EventRow,
    FactRow,
    InstructionRow,
    OutboxRow,
    Outcome,
    RefusalRow,
    ShardState,
    SubjectRow,
)
from schemas.refusals import Refusal
from schemas.topics import ALERTS, AUDIT, DEADLETTER, DECISIONS, INSTRUCTIONS, Topic

ACTOR = "huzhu"


@dataclass(slots=True)
class World:
    """All that a batch may look at. The caller gathers it; processing moves it forward.

    Holds the lines of every id in the batch, and for every person of a readable event the whole account, the claims
    as last decided and the benefits as last instructed.
    """

    policies: Policies
    shard_of: Callable[[str], int]
    shards: dict[int, ShardState]
    registry: Registry = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    claims: dict[str, ClaimRow] = field(default_factory=dict)
    benefits: dict[str, dict[str, BenefitRow]] = field(default_factory=dict)


class Processor:
    """Takes events one after the other and collects the outcome."""

    def __init__(self, world: World, recorded_at: datetime) -> None:
        """``recorded_at`` is when the ledger takes the batch in; it becomes ``occurred_at`` of what goes out."""
        self.world = world
        self.recorded_at = recorded_at
        self.outcome = Outcome()

    def take(self, delivery: Delivery, reading: Reading | Refusal) -> None:
        """One event, read before by `handlers.read`."""
        admitted = reading if isinstance(reading, Refusal) else admit(reading, self.world.registry)
        if isinstance(admitted, Refusal) or isinstance(reading, Refusal):
            assert isinstance(admitted, Refusal)
            self._refused(delivery, admitted)
            return
        fact = reading.fact
        shard = self.world.shard_of(fact.person_id)
        number = self._event(delivery, shard, admitted)
        kind = AuditKind(f"event.{admitted}")
        self._audit(shard, number, kind, fact.source, _where(delivery) | _what(fact), delivery.value)
        if admitted is Disposition.ACCEPTED:
            self._accepted(reading, number)

    def publish_policy(self, text: bytes, policy: Policy, operator: str) -> None:
        """A policy was published by an operator: an act, recorded on shard 0, like an event that came from nowhere."""
        number = len(self.outcome.events)
        self.outcome.events.append(
            EventRow(number, 0, "operator", 0, None, operator.encode(), text, self.recorded_at, "policy")
        )
        subject = {"policy_id": policy.id, "policy_sha256": policy.sha256}
        self._audit(0, number, AuditKind.POLICY_PUBLISHED, f"operator:{operator}", subject, text)

    def recompute(self, person_id: str, number: int) -> None:
        """Decides all of a person's claims again, as when a policy was published."""
        account = self.world.accounts[person_id]
        self._decide(account, adjudicate(account, self.world.policies), number)

    def _accepted(self, reading: Reading, number: int) -> None:
        fact, world, outcome = reading.fact, self.world, self.outcome
        line = world.registry[fact.subject]
        version = fact.line_version or len(line.contents)
        outcome.facts.append(FactRow(*fact.subject, version, fact.person_id, reading.content_sha256, number))
        for subject in claims_of_identity(fact):
            self._bind(subject)
        account = world.accounts.setdefault(fact.person_id, Account(fact.person_id))
        affected = account.claims_affected_by(fact, world.policies)
        account.apply(fact)
        affected |= account.claims_affected_by(fact, world.policies)
        self._decide(account, adjudicate(account, world.policies, affected), number)

    def _bind(self, subject: Subject) -> None:
        line = self.world.registry[subject]
        if not line.bound:
            line.bound = True
            self.outcome.subjects.append(SubjectRow(*subject, line.person_id, line.encounter_id))

    def _decide(self, account: Account, adjudications: Iterable[Adjudication], number: int) -> None:
        dues: list[tuple[Adjudication, Due]] = []
        for adjudication in adjudications:
            known = self.world.claims.get(adjudication.claim.claim_id)
            mark = fingerprint(adjudication)
            if known is None or known.fingerprint != mark:
                dues += self._changed(account, adjudication, known, mark, number)
        order = in_order(due for _, due in dues)
        of = {due.payout_id: adjudication for adjudication, due in dues}
        for due in order:
            self._instruct(account, of[due.payout_id], due, number)

    def _changed(
        self, account: Account, adjudication: Adjudication, known: ClaimRow | None, mark: str, number: int
    ) -> list[tuple[Adjudication, Due]]:
        claim = adjudication.claim
        shard = self.world.shard_of(account.person_id)
        row = ClaimRow(
            claim.claim_id,
            account.person_id,
            shard,
            known.revision + 1 if known else 1,
            adjudication.status,
            mark,
            None if adjudication.policy is None else adjudication.policy.sha256,
            None if claim.discharge is None else claim.discharge.discharged_on,
            adjudication.personal_burden,
            adjudication.total_benefit,
        )
        self.world.claims[claim.claim_id] = self.outcome.claims[claim.claim_id] = row
        value = publish.decided(decision_of(adjudication), row, self.recorded_at)
        self.outcome.decisions.append(DecisionRow(claim.claim_id, row.revision, number, value))
        self._send(shard, DECISIONS, account.person_id.encode(), value)
        subject = {"claim_id": claim.claim_id, "revision": str(row.revision), "status": row.status}
        self._audit(shard, number, AuditKind.CLAIM_DECIDED, ACTOR, subject, value)
        if row.status is Status.AFTER_DEATH and (known is None or known.status is not Status.AFTER_DEATH):
            self._send(shard, ALERTS, account.person_id.encode(), publish.after_death(row, self.recorded_at))
        held = self.world.benefits.setdefault(claim.claim_id, {})
        rows, dues = differences(adjudication, held)
        for benefit in rows:
            held[benefit.scheme_id] = benefit
            self.outcome.benefits[claim.claim_id, benefit.scheme_id] = benefit
        return [(adjudication, due) for due in dues]

    def _instruct(self, account: Account, adjudication: Adjudication, due: Due, number: int) -> None:
        claim_row = self.world.claims[adjudication.claim.claim_id]
        value = publish.instructed(due, claim_row, account.death is not None, self.recorded_at)
        row = due.row
        self.outcome.instructions.append(
            InstructionRow(
                due.payout_id,
                row.claim_id,
                row.scheme_id,
                row.instruction_revision,
                due.kind,
                due.amount,
                due.balance_before,
                row.benefit,
                account.person_id,
                number,
                value,
            )
        )
        self._send(claim_row.shard, INSTRUCTIONS, account.person_id.encode(), value)
        subject = {"payout_id": due.payout_id, "claim_id": row.claim_id, "scheme_id": row.scheme_id}
        self._audit(claim_row.shard, number, AuditKind.PAYOUT_INSTRUCTED, ACTOR, subject, value)

    def _refused(self, delivery: Delivery, refusal: Refusal) -> None:
        shard = delivery.partition
        number = self._event(delivery, shard, "refused")
        self.outcome.refusals.append(RefusalRow(number, refusal.code, list(refusal.pointers), refusal.zh, refusal.en))
        value = publish.refused(delivery, refusal, self.recorded_at)
        self._send(shard, DEADLETTER, delivery.key, value)
        subject = _where(delivery) | {"code": refusal.code}
        self._audit(shard, number, AuditKind.EVENT_REFUSED, f"topic:{delivery.topic}", subject, delivery.value)

    def _event(self, delivery: Delivery, shard: int, disposition: str) -> int:
        number = len(self.outcome.events)
        self.outcome.events.append(EventRow(number, shard, *delivery, self.recorded_at, disposition))
        return number

    def _audit(
        self, shard: int, number: int, kind: AuditKind, actor: str, subject: dict[str, str], content: bytes | None
    ) -> None:
        entry = chain.append(
            self.world.shards[shard], number, kind, actor, subject, sha256_hex(content or b""), self.recorded_at
        )
        self.outcome.audit.append(entry)
        self._send(shard, AUDIT, None, entry.value)

    def _send(self, shard: int, topic: Topic, key: bytes | None, value: bytes) -> None:
        state = self.world.shards[shard]
        state.outbox_seq += 1
        self.outcome.outbox.append(OutboxRow(shard, state.outbox_seq, topic.name, key, value))


def _where(delivery: Delivery) -> dict[str, str]:
    return {"topic": delivery.topic, "partition": str(delivery.partition), "offset": str(delivery.offset)}


def _what(fact: Fact) -> dict[str, str]:
    version = "" if fact.line_version is None else str(fact.line_version)
    return {
        "event_type": fact.event_type,
        "event_id": fact.event_id,
        "kind": fact.subject.kind,
        "id": fact.subject.id,
        "version": version,
    }
