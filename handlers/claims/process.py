"""The core: a batch of events and the world they meet become everything that the ledger has to add.

Pure and deterministic: the same events in the same order give the same decisions, instructions and audit hashes, byte
for byte, however they were cut into batches (claims.md, laws 1 and 7). One event is finished before the next begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from handlers.audit.journal import ACTOR, Journal
from handlers.books import entries
from handlers.claims import (
    claim_alerts,
    death_alerts,
    household_alerts,
    invoices_shared,
    outbound_messages,
    pool_movements,
    report_alerts,
    twice_alerts,
)
from handlers.claims.account import Account
from handlers.claims.adjudicate import Adjudication, adjudicate_together
from handlers.claims.admit import Disposition, admit, claims_of_identity
from handlers.claims.explain import fingerprint
from handlers.claims.future_dates import event_after_intake
from handlers.claims.households import GROUP_MAX, linked
from handlers.claims.long_years import applied
from handlers.claims.payees import UnpaidAdvance, due_of, unpaid_advances
from handlers.claims.payout_reports import effect_of, state_of
from handlers.claims.read import Reading
from handlers.claims.set_off import SetOff
from handlers.claims.settle import Differences, Due, differences, in_order
from handlers.claims.twice import as_written, checks_on, holding, released_of, written
from handlers.claims.world import World
from handlers.watches import kept_crossings
from schemas.decisions import Status
from schemas.facts import (
    Fact,
    MembershipRecorded,
    MembershipVoided,
    PayoutReported,
    PersonDied,
    PoolFact,
    SettlementPosted,
    StatementAnswered,
    Subject,
    UnitKind,
)
from schemas.ids import PersonId
from schemas.outbound import AlertRaised, AlertWithdrawn, AuditKind
from schemas.records import (
    ClaimRow,
    DecisionRow,
    Delivery,
    FactRow,
    GroupStep,
    GroupWork,
    InstructionRow,
    MembershipRow,
    Outcome,
    PayoutState,
    RefusalRow,
    SubjectRow,
)
from schemas.refusals import Refusal
from schemas.topics import DEADLETTER, DECISIONS, INSTRUCTIONS

TAKEN = {disposition: AuditKind(f"event.{disposition}") for disposition in Disposition}
"""What the audit log says of an event that was not refused."""


class Processor:
    """Processes events one after another and collects the outcome."""

    def __init__(self, world: World, journal: Journal) -> None:
        """``journal`` holds the ends of the shards' sequences and collects the outcome."""
        self.world = world
        self.recorded_at = journal.recorded_at
        self.journal = journal

    @property
    def outcome(self) -> Outcome:
        """What was collected so far."""
        return self.journal.outcome

    def take(self, delivery: Delivery, reading: Reading | Refusal) -> None:
        """Processes one event that `handlers.claims.read` has read, as of the moment at which the ledger records it.

        That moment stays in the ledger, so a replay of the ledger refuses the same events.
        """
        if isinstance(reading, Reading):
            reading = event_after_intake(reading.fact, self.recorded_at) or reading
        if isinstance(reading, Refusal):
            self.refused(delivery, reading)
            return
        admitted = admit(reading, self.world.registry)
        if isinstance(admitted, Refusal):
            self.refused(delivery, admitted)
            return
        fact = reading.fact
        shard = self.world.shard_of(fact.person_id)
        number = self.journal.event(delivery, shard, admitted)
        kind, subject, alert = TAKEN[admitted], place_of(delivery) | _what(fact), None
        if admitted is Disposition.ACCEPTED and type(fact) is PayoutReported:
            effect, alert = self._reported(fact, reading.content_sha256, number)
            subject |= effect
        elif admitted is Disposition.ACCEPTED and type(fact) is StatementAnswered:
            matched = self.world.statements.get(fact.statement_id) == fact.person_id
            subject |= {"verdict": str(fact.verdict), "matched": "yes" if matched else "no"}
        self.journal.audit(shard, number, kind, fact.source, subject, delivery.value)
        if alert is not None:
            self._tell(alert, number)
        if admitted is Disposition.ACCEPTED:
            self._accepted(reading, number)

    def _reported(self, fact: PayoutReported, mark: str, number: int) -> tuple[dict[str, str], AlertRaised | None]:
        """Books what a report does to its payout; returns that for its audit entry, and the alert, if it raises one."""
        place = (fact.payout_id, fact.person_id)
        instruction = self.world.instructed.get(fact.payout_id)
        if instruction is not None and instruction.person_id != fact.person_id:
            instruction = None
        settled = fact.payout_id in self.world.settled
        effect = effect_of(fact, mark, self.world.reports.setdefault(place, []), instruction, settled)
        self.outcome.payout_states[place] = effect.row._replace(matched=instruction is not None)
        if instruction is not None and not settled:
            day = self.world.claims[instruction.claim_id].discharged_on or self.journal.booked_on
            for entry in entries.reported(instruction, effect.told["state_before"], effect.told["state"]):
                self.journal.post(number, entry, day, instruction.payout_id)
        if effect.alert is None:
            return effect.told, None
        claim_id = None if instruction is None else instruction.claim_id
        return effect.told, report_alerts.about_report(effect.alert, fact, claim_id, mark, self.recorded_at)

    def recompute_together(self, step: GroupStep, number: int) -> None:
        """Decides the claims of one person, or of all whom households link, again; the world holds them all.

        The recoveries of all come before the payments of any, so no unit's cap is exceeded between two instructions.
        """
        accounts = [self.world.accounts.setdefault(name, Account(name)) for name in step.persons]
        if len(accounts) > GROUP_MAX and step.moved:
            for group in linked({each.person_id: each.households() for each in accounts}):
                for person_id in sorted(set(step.moved).intersection(group)) if len(group) > GROUP_MAX else ():
                    alert = household_alerts.group_too_large(person_id, len(group), self.recorded_at)
                    self._tell(alert, number)
        invoices_shared.decided_together(self.world, self.outcome, set(step.persons))
        self._decide(adjudicate_together(accounts, self.world.policies), number)
        self.look(step.persons, number)

    def _accepted(self, reading: Reading, number: int) -> None:
        fact, world, outcome = reading.fact, self.world, self.outcome
        line = world.registry[fact.subject]
        version = fact.line_version or len(line.contents)
        outcome.facts.append(FactRow(*fact.subject, version, fact.person_id, reading.content_sha256, number))
        for subject in claims_of_identity(fact):
            self._bind(subject)
        if type(fact) is StatementAnswered:
            return  # of an insurer, who may be called as a person is
        if isinstance(fact, PoolFact):
            pool_movements.take(fact, self.world, self.journal, number)
            return
        account = world.accounts.setdefault(fact.person_id, Account(fact.person_id))
        if type(fact) is PersonDied and world.reported_deaths.pop(fact.person_id, ()):
            self._tell(death_alerts.recorded(fact, self.recorded_at), number)
        moved, links = False, set[str]()
        if isinstance(fact, MembershipRecorded | MembershipVoided):
            moved, links = True, self._linked(fact)
        elif type(fact) is SettlementPosted and fact.invoice_no is not None:
            invoices_shared.named(world, outcome, fact.invoice_no, fact.person_id)
        if type(fact) is not PayoutReported:
            if not world.by_household:
                links = set()
            elif moved or account.memberships:
                links |= account.households()
            if world.invoices_link:
                links |= world.shared.get(fact.person_id, set())
            if links:  # somebody may share them, on any shard: a claim is not paid before all are looked at
                account.apply(fact)
                shard = world.shard_of(fact.person_id)
                outcome.group_work.append(
                    GroupWork(number, fact.person_id, shard, sorted(links), moved, self.journal.traceparent)
                )
                return
        decided = applied(account, fact, world.policies)
        self._decide(decided, number)
        if decided:
            self.look((fact.person_id,), number)

    def look(self, persons: Sequence[PersonId], number: int) -> None:
        """Tells what the published watches find now, and find no more, among the claims of persons, as decided.

        They must be whole groups where a watch counts by household.
        """
        if self.world.watches.files:
            kept_crossings.tell_changes(self.world, self.journal, persons, number)

    def _linked(self, fact: MembershipRecorded | MembershipVoided) -> set[str]:
        """Keeps the household to which a membership links its person now, and returns it if there is one."""
        household_id = None
        if isinstance(fact, MembershipRecorded) and fact.unit is UnitKind.HOUSEHOLD:
            household_id = fact.household_id
        self.outcome.memberships[fact.membership_id] = MembershipRow(fact.membership_id, fact.person_id, household_id)
        return set() if household_id is None else {household_id}

    def _bind(self, subject: Subject) -> None:
        line = self.world.registry[subject]
        if not line.bound:
            line.bound = True
            self.outcome.subjects.append(SubjectRow(*subject, line.person_id, line.encounter_id))

    def _decide(self, adjudications: Iterable[Adjudication], number: int) -> None:
        dues: list[Due] = []
        for adjudication in adjudications:
            before = self.world.claims.get(adjudication.claim.claim_id)
            if adjudication.held and before is not None and before.hold_released:
                adjudication = adjudication._replace(held=self._holds(adjudication, before))
            mark = fingerprint(adjudication)
            if before is None or before.fingerprint != mark:
                dues += self._changed(adjudication, before, mark, number)
            else:
                self._redated(adjudication, before, number)
        for due in in_order(dues):
            self.instruct(self.world.accounts[self.world.claims[due.row.claim_id].person_id], due, number)

    def _holds(self, adjudication: Adjudication, before: ClaimRow) -> bool:
        """Whether something holds a claim at which two people have not looked."""
        checks = checks_on(adjudication.claim, self.world.policies)
        return holding(adjudication.twice, checks, released_of(before.hold_released))

    def _redated(self, adjudication: Adjudication, before: ClaimRow, number: int) -> None:
        """Keeps a corrected day of discharge, or another household, even if no decision changed.

        Publishing a policy looks claims up by the day.
        """
        claim = adjudication.claim
        discharged_on = claim.policy_date or before.discharged_on
        if discharged_on != before.discharged_on or adjudication.household_id != before.household_id:
            row = before._replace(discharged_on=discharged_on, household_id=adjudication.household_id)
            self.world.claims[claim.claim_id] = self.outcome.claims[claim.claim_id] = row
            self.journal.shards[row.shard].redated += 1
            pool_movements.redated(
                self.journal, row, self.world.benefits.get(row.claim_id, {}), number, self.world.shard_of
            )

    def _changed(self, adjudication: Adjudication, before: ClaimRow | None, mark: str, number: int) -> list[Due]:
        claim = adjudication.claim
        person_id = claim.person_id
        shard = self.world.shard_of(person_id)
        row = ClaimRow(
            claim_id=claim.claim_id,
            person_id=person_id,
            shard=shard,
            revision=before.revision + 1 if before else 1,
            status=adjudication.status,
            fingerprint=mark,
            policy_sha256=None if adjudication.policy is None else adjudication.policy.sha256,
            discharged_on=claim.policy_date or (None if before is None else before.discharged_on),
            personal_burden=adjudication.personal_burden,
            total_benefit=adjudication.total_benefit,
            advanced=claim.has_advances or (before is not None and before.advanced),
            household_id=adjudication.household_id,
            overlapping=adjudication.overlapping,
            twice=written(adjudication.twice),
            held=adjudication.held,
            hold_released="" if before is None else before.hold_released,
            patient_pays=adjudication.patient_pays,
            crossings="" if before is None else before.crossings,
        )
        self.world.claims[claim.claim_id] = self.outcome.claims[claim.claim_id] = row
        value = outbound_messages.decided(adjudication, row, self.journal.occurred_at)
        self.outcome.decisions.append(DecisionRow(claim.claim_id, row.revision, number, value))
        self.journal.send(shard, DECISIONS.name, person_id.encode(), value)
        subject = {"claim_id": claim.claim_id, "revision": str(row.revision), "status": row.status}
        self.journal.audit(shard, number, AuditKind.CLAIM_DECIDED, ACTOR, subject, value)
        self._alert(row, before, number)
        held = self.world.benefits.setdefault(claim.claim_id, {})
        facilities = self.world.facilities.get(claim.claim_id, {})
        set_offs = self.world.set_offs.get(person_id, ())
        found = differences(adjudication, held, facilities, self.world.treaties, set_offs)
        if found.facilities:
            was = unpaid_advances(None if before is None else before.status, facilities.values(), due_of(held.values()))
            now = unpaid_advances(row.status, found.facilities, due_of(found.benefits))
            self._alert_of_advances(row, was, now, number)
        if any(benefit.pool_id is not None for benefit in (*held.values(), *found.benefits)):
            self.world.decided[claim.claim_id] = value
            pool_movements.decided(self.journal, row, held, found.benefits, number, self.world)
        self.keep(row, found)
        return found.dues

    def keep(self, row: ClaimRow, found: Differences) -> None:
        """Keeps what changed in a claim's benefits, in its facilities' parts and in the person's set-offs."""
        held = self.world.benefits.setdefault(row.claim_id, {})
        set_offs = self.world.set_offs.get(row.person_id, ())
        if set_offs:
            self._set_off(row.person_id, set_offs, found.set_offs)
        for benefit in found.benefits:
            held[benefit.scheme_id] = self.outcome.benefits[row.claim_id, benefit.scheme_id] = benefit
        for each in found.facilities:
            self.world.facilities.setdefault(row.claim_id, {})[each.scheme_id, each.facility_id] = each
            self.outcome.facilities[row.claim_id, each.scheme_id, each.facility_id] = each

    def _set_off(self, person_id: PersonId, before: Sequence[SetOff], after: Sequence[SetOff]) -> None:
        """Keeps what a person's set-offs have left."""
        changed = [new for old, new in zip(before, after, strict=True) if new != old]
        self.outcome.set_off_left |= {each.payout_id: each.left for each in changed}
        waiting = [each for each in after if each.left]
        if waiting:
            self.world.set_offs[person_id] = waiting
        else:
            del self.world.set_offs[person_id]

    def _alert(self, row: ClaimRow, before: ClaimRow | None, number: int) -> None:
        """Raises and withdraws what a decision changes in what is to be looked at about a claim."""
        dead = row.status is Status.AFTER_DEATH
        if dead != (before is not None and before.status is Status.AFTER_DEATH):
            told = claim_alerts.after_death if dead else claim_alerts.after_death_withdrawn
            self._tell(told(row, self.recorded_at), number)
        if row.overlapping != (before is not None and before.overlapping):
            said = household_alerts.overlap_raised if row.overlapping else household_alerts.overlap_withdrawn
            self._tell(said(row, self.recorded_at), number)
        twice_before = "" if before is None else before.twice
        if row.twice != twice_before:
            was, now = as_written(twice_before), as_written(row.twice)
            for alert in twice_alerts.changed(row, was, now, self.recorded_at):
                self._tell(alert, number)

    def _tell(self, alert: AlertRaised | AlertWithdrawn, number: int) -> None:
        """Raises or withdraws an alert about a person of the world because of event ``number``."""
        account = self.world.accounts.get(alert.person_id)
        area = None if account is None else account.area
        self.journal.alert(self.world.shard_of(alert.person_id), number, alert, area)

    def _alert_of_advances(
        self, row: ClaimRow, was: dict[str, UnpaidAdvance], now: dict[str, UnpaidAdvance], number: int
    ) -> None:
        """The same about its advances."""
        for scheme_id in sorted(was.keys() | now.keys()):
            old, new = was.get(scheme_id), now.get(scheme_id)
            if old is not None and (new is None or new.code != old.code):
                self._tell(claim_alerts.advance_settled(row, scheme_id, old.code, self.recorded_at), number)
            if new is not None and new != old:
                self._tell(claim_alerts.advance_unpaid(row, scheme_id, new, self.recorded_at), number)

    def instruct(self, account: Account, due: Due, number: int) -> None:
        """Instructs an amount due to or from a payee of a person's claim because of event ``number``."""
        row = due.row
        claim_row = self.world.claims[row.claim_id]
        value = outbound_messages.instructed(due, claim_row, account.death is not None, self.journal.occurred_at)
        instruction = InstructionRow(
            payout_id=due.payout_id,
            claim_id=row.claim_id,
            scheme_id=row.scheme_id,
            revision=due.revision,
            kind=due.kind,
            amount=due.amount,
            balance_before=due.balance_before,
            balance_after=due.balance_after,
            person_id=account.person_id,
            number=number,
            value=value,
            reissue_of=due.reissue_of,
            reversal_of=due.reversal_of,
            payee_id=due.facility_id or "",
            payer=due.payer.id,
            treaty_id=due.payer.treaty_id,
            set_off_of=due.set_off_of,
            pool_id=due.payer.pool_id,
        )
        self.outcome.instructions.append(instruction)
        booked = entries.instructed(instruction)
        if instruction.pool_id is not None:
            pool_id, shard = instruction.pool_id, self.world.shard_of(instruction.pool_id)
            self.outcome.pool_work.append(pool_movements.instructed(instruction, pool_id, shard))
        place = (due.payout_id, account.person_id)
        if place in self.world.reports:  # it was reported before it was known
            told = self.outcome.payout_states[place] = state_of(*place, self.world.reports[place])
            booked += entries.reported(instruction, PayoutState.INSTRUCTED, told.state)
            self._tell(report_alerts.matched(instruction, self.recorded_at), number)
            if told.contradictions or not instruction.moves_money:
                self._tell(report_alerts.contradicted_before(instruction, self.recorded_at), number)
        for entry in booked:
            self.journal.post(number, entry, claim_row.discharged_on or self.journal.booked_on, due.payout_id)
        self.world.instructed[due.payout_id] = instruction
        self.journal.send(claim_row.shard, INSTRUCTIONS.name, account.person_id.encode(), value)
        subject = {"payout_id": due.payout_id, "claim_id": row.claim_id, "scheme_id": row.scheme_id}
        self.journal.audit(claim_row.shard, number, AuditKind.PAYOUT_INSTRUCTED, ACTOR, subject, value)

    def refused(self, delivery: Delivery, refusal: Refusal) -> None:
        """Keeps an event that is not accepted, and sends its dead letter."""
        shard = delivery.partition
        number = self.journal.event(delivery, shard, "refused")
        self.outcome.refusals.append(RefusalRow(number, refusal.code, list(refusal.pointers), refusal.zh, refusal.en))
        value = outbound_messages.refused(delivery, refusal, self.recorded_at)
        self.journal.send(shard, DEADLETTER.name, delivery.key, value)
        subject = place_of(delivery) | {"code": refusal.code}
        self.journal.audit(shard, number, AuditKind.EVENT_REFUSED, f"topic:{delivery.topic}", subject, delivery.value)


def place_of(delivery: Delivery) -> dict[str, str]:
    """Where an event stands in Kafka, as audit entries say it."""
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
