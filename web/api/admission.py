"""Admits events by the rules of the stream and stores them in the inbox before the request is answered.

One transaction per request. Requests that name the same ids wait for each other, so of two conflicting posts one is
accepted and the other gets the conflict as its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from handlers.claims.admit import Disposition, Registry, VersionLine, admit, looked_up
from handlers.claims.read import Reading, read, recall
from infra.ledger import inbox, reads, statement_answers
from infra.sharding import shard_of
from infra.tracing import current_traceparent
from schemas.access.callers import ApiRole, Caller
from schemas.facts import Fact, Kind, MembershipRecorded, PayoutReported, Subject, UnitKind
from schemas.ids import StatementId
from schemas.records import InboxRow
from schemas.refusals import Refusal
from schemas.topics import TOPIC_OF_EVENT
from web.api.permissions import Owners, refusal_of
from web.api.problems import Problem, of_refusal, problem

InboxKey = tuple[Kind, str, int, str]


@dataclass(frozen=True, slots=True)
class Admitted:
    """An acknowledged event. ``number`` is its number in the inbox, or None when the ledger already has it."""

    fact: Fact
    row: InboxRow
    number: int | None

    @property
    def claim_id(self) -> str | None:
        return self.row.encounter_id

    def receipt(self) -> dict[str, object]:
        """The receipt for the sender: always the same for the same event, however often it is sent."""
        subject = self.fact.subject
        receipt: dict[str, object] = {
            "event_id": self.fact.event_id,
            "event_type": self.fact.event_type,
            "kind": subject.kind.value,
            "id": subject.id,
            "version": self.fact.line_version,
            "status": "acknowledged",
        }
        return receipt if self.claim_id is None else receipt | {"claim_id": self.claim_id}


class Candidate(NamedTuple):
    """A readable event: the bytes that go to Kafka, and their parsed form."""

    value: bytes
    reading: Reading


def read_item(item: bytes | Problem, moment: datetime) -> Candidate | Problem:
    """Reads one event by the rules of the stream, as taken in at ``moment``; a Problem when it is refused."""
    if isinstance(item, Problem):
        return item
    reading = read(item, as_of=moment)
    return of_refusal(reading) if isinstance(reading, Refusal) else Candidate(item, reading)


def lock_ids(connection: Connection, candidates: Sequence[Candidate | Problem], *names: str) -> None:
    """Locks the events' ids and ``names``: other requests that name one of them wait until this transaction ends."""
    inbox.lock_names(connection, [*names, *(f"{kind} {name}" for kind, name in _subjects(candidates))])


def admit_all(
    connection: Connection, candidates: Sequence[Candidate | Problem], caller: Caller, shard_count: int
) -> list[Admitted | Problem]:
    """Judges each event and puts the new ones into the inbox. The calling function commits or rolls back."""
    subjects = _subjects(candidates)
    waiting = inbox.rows_about(connection, subjects)
    registry = accepted_lines(connection, subjects, [row for _, row in waiting])
    numbers = {_key(row): number for number, row in waiting}
    owners = _owners(connection, subjects, [row for _, row in waiting], caller)
    results: list[Admitted | Problem] = []
    new_rows: dict[InboxKey, int] = {}
    rows: list[InboxRow] = []
    for candidate in candidates:
        if isinstance(candidate, Problem):
            results.append(candidate)
            continue
        disposition = _judge(candidate.reading, registry, caller, owners)
        if isinstance(disposition, Problem):
            results.append(disposition)
            continue
        row = _row(candidate, shard_count)
        key = _key(row)
        if key not in numbers and key not in new_rows and disposition is not Disposition.DUPLICATE:
            new_rows[key] = len(rows)
            rows.append(row)
        results.append(Admitted(candidate.reading.fact, row, numbers.get(key)))
    new_numbers = inbox.append(connection, rows)
    return [_numbered(result, new_rows, new_numbers) for result in results]


def accepted_lines(connection: Connection, subjects: Sequence[Subject], waiting: Sequence[InboxRow]) -> Registry:
    """Everything accepted under some ids so far: by the ledger, and by the API since."""
    owners, versions = reads.lines(connection, subjects)
    registry: Registry = {
        Subject(row.kind, row.subject_id): VersionLine(row.person_id, row.encounter_id, bound=True) for row in owners
    }
    for subject, version, content_sha256 in versions:
        if subject in registry:
            registry[subject].contents[version] = content_sha256
    for row in waiting:
        _fold(row, registry)
    return registry


def _judge(reading: Reading, registry: Registry, caller: Caller, owners: Owners) -> Disposition | Problem:
    forbidden = refusal_of(reading.fact, caller, owners)
    if forbidden is not None:
        return problem("FORBIDDEN", forbidden)
    disposition = admit(reading, registry)
    if isinstance(disposition, Refusal):
        return of_refusal(disposition)
    if disposition is Disposition.ACCEPTED:
        owners.note(reading.fact)
    return disposition


def _fold(row: InboxRow, registry: Registry) -> None:
    encounter_id = row.encounter_id if row.kind is Kind.SETTLEMENT else None
    if encounter_id is not None:
        registry.setdefault(Subject(Kind.ENCOUNTER, encounter_id), VersionLine(row.person_id))
    line = registry.setdefault(Subject(row.kind, row.subject_id), VersionLine(row.person_id, encounter_id))
    if row.version == 0:
        if row.content_sha256 not in line.contents.values():
            line.contents[len(line.contents) + 1] = row.content_sha256
    elif row.version > line.newest:  # a lower version is stale and leaves no trace
        line.contents[row.version] = row.content_sha256


def _owners(connection: Connection, subjects: Sequence[Subject], waiting: Sequence[InboxRow], caller: Caller) -> Owners:
    owners = Owners()
    if caller.role is ApiRole.HOSPITAL:
        owners.note_all(recall(value) for value in inbox.values_about(connection, subjects))
        owners.note_all(recall(row.value) for row in waiting)
    elif caller.role in (ApiRole.INSURER, ApiRole.LEAD):
        ids = [subject.id for subject in subjects if subject.kind is Kind.PAYOUT]
        for row in reads.instructions(connection, ids):
            if (row.treaty_id is not None) == (caller.role is ApiRole.LEAD):
                owner = row.scheme_id if row.treaty_id is None else row.payer
                owners.by_subject[Subject(Kind.PAYOUT, row.payout_id)] = owner
        answered = [StatementId(subject.id) for subject in subjects if subject.kind is Kind.STATEMENT]
        for statement_id, insurer in statement_answers.insurers_of(connection, answered).items():
            owners.by_subject[Subject(Kind.STATEMENT, statement_id)] = insurer
    return owners


def _subjects(candidates: Sequence[Candidate | Problem]) -> list[Subject]:
    facts = [candidate.reading.fact for candidate in candidates if isinstance(candidate, Candidate)]
    return list(dict.fromkeys(subject for fact in facts for subject in looked_up(fact)))


def _row(candidate: Candidate, shard_count: int) -> InboxRow:
    value, reading = candidate
    fact = reading.fact
    return InboxRow(
        shard=shard_of(fact.person_id, shard_count),
        topic=TOPIC_OF_EVENT[fact.event_type].name,
        person_id=fact.person_id,
        value=value,
        kind=fact.subject.kind,
        subject_id=fact.subject.id,
        version=0 if isinstance(fact, PayoutReported) else fact.line_version or 0,
        content_sha256=reading.content_sha256,
        encounter_id=getattr(fact, "encounter_id", None),
        household_id=_linking(fact),
        traceparent=current_traceparent(),
    )


def _linking(fact: Fact) -> str | None:
    if isinstance(fact, MembershipRecorded) and fact.unit is UnitKind.HOUSEHOLD:
        return fact.household_id
    return None


def _key(row: InboxRow) -> InboxKey:
    return (row.kind, row.subject_id, row.version, row.content_sha256)


def _numbered(result: Admitted | Problem, new_rows: dict[InboxKey, int], new_numbers: list[int]) -> Admitted | Problem:
    """The result with the number of its row, if that row has just been appended."""
    if isinstance(result, Admitted) and result.number is None and _key(result.row) in new_rows:
        return replace(result, number=new_numbers[new_rows[_key(result.row)]])
    return result
