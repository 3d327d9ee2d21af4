"""The door: events are judged as the stream would judge them, and what is good is in the inbox before the answer.

One transaction a request. Whoever names the same ids waits for it, so of two conflicting posts at once one is
accepted and the other is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import Connection

from handlers.claims.admit import Disposition, Registry, VersionLine, admit, claims_of_identity
from handlers.claims.read import Reading, read, recall
from infra.ledger import inbox, reads
from infra.sharding import shard_of
from schemas.access.callers import ApiRole, Caller
from schemas.facts import Fact, Kind, PayoutReported, Subject
from schemas.records import InboxRow
from schemas.refusals import Refusal
from schemas.topics import TOPIC_OF_EVENT
from web.api.permissions import Owners, refusal_of
from web.api.problems import Problem, of_refusal, problem

Place = tuple[Kind, str, int, str]


@dataclass(frozen=True, slots=True)
class Admitted:
    """An event that is acknowledged. ``number`` is its place in the inbox; None when the ledger has it already."""

    fact: Fact
    row: InboxRow
    number: int | None

    @property
    def claim_id(self) -> str | None:
        return self.row.encounter_id

    def receipt(self) -> dict[str, object]:
        """What the sender is told; the same for the same event, however often it comes."""
        subject = self.fact.subject
        told: dict[str, object] = {
            "event_id": self.fact.event_id,
            "event_type": self.fact.event_type,
            "kind": subject.kind.value,
            "id": subject.id,
            "version": self.fact.line_version,
            "status": "acknowledged",
        }
        return told if self.claim_id is None else told | {"claim_id": self.claim_id}


class Candidate(NamedTuple):
    """A readable event: the bytes that go to Kafka, and what they say."""

    value: bytes
    reading: Reading


def read_item(item: bytes | Problem) -> Candidate | Problem:
    """An event by itself, with the rules and codes of the stream."""
    if isinstance(item, Problem):
        return item
    reading = read(item)
    return of_refusal(reading) if isinstance(reading, Refusal) else Candidate(item, reading)


def lock_ids(connection: Connection, candidates: Sequence[Candidate | Problem], *names: str) -> None:
    """Makes everyone else who names one of the ids, or one of ``names``, wait until the transaction ends."""
    inbox.lock_names(connection, [*names, *(f"{kind} {name}" for kind, name in _subjects(candidates))])


def admit_all(
    connection: Connection, candidates: Sequence[Candidate | Problem], caller: Caller, shard_count: int
) -> list[Admitted | Problem]:
    """What becomes of each event. What is news goes into the inbox; the caller of this commits, or takes it back."""
    subjects = _subjects(candidates)
    waiting = inbox.rows_about(connection, subjects)
    registry = known_lines(connection, subjects, [row for _, row in waiting])
    numbers = {_place(row): number for number, row in waiting}
    owners = _owners(connection, subjects, [row for _, row in waiting], caller)
    results: list[Admitted | Problem] = []
    fresh: dict[Place, int] = {}
    rows: list[InboxRow] = []
    for candidate in candidates:
        if isinstance(candidate, Problem):
            results.append(candidate)
            continue
        judged = _judge(candidate.reading, registry, caller, owners)
        if isinstance(judged, Problem):
            results.append(judged)
            continue
        row = _row(candidate, shard_count)
        place = _place(row)
        if place not in numbers and place not in fresh and judged is not Disposition.DUPLICATE:
            fresh[place] = len(rows)
            rows.append(row)
        results.append(Admitted(candidate.reading.fact, row, numbers.get(place)))
    appended = inbox.append(connection, rows)
    return [_numbered(each, fresh, appended) for each in results]


def known_lines(connection: Connection, subjects: Sequence[Subject], waiting: Sequence[InboxRow]) -> Registry:
    """What was accepted under some ids: by the ledger, and by the door since."""
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
    judged = admit(reading, registry)
    if isinstance(judged, Refusal):
        return of_refusal(judged)
    if judged is Disposition.ACCEPTED:
        owners.note(reading.fact)
    return judged


def _fold(row: InboxRow, registry: Registry) -> None:
    encounter_id = row.encounter_id if row.kind is Kind.SETTLEMENT else None
    if encounter_id is not None:
        registry.setdefault(Subject(Kind.ENCOUNTER, encounter_id), VersionLine(row.person_id))
    line = registry.setdefault(Subject(row.kind, row.subject_id), VersionLine(row.person_id, encounter_id))
    if row.version == 0:
        if row.content_sha256 not in line.contents.values():
            line.contents[len(line.contents) + 1] = row.content_sha256
    elif row.version > line.newest:  # a lower one is stale, and leaves no trace
        line.contents[row.version] = row.content_sha256


def _owners(connection: Connection, subjects: Sequence[Subject], waiting: Sequence[InboxRow], caller: Caller) -> Owners:
    owners = Owners()
    if caller.role is ApiRole.HOSPITAL:
        owners.note_all(recall(value) for value in inbox.values_about(connection, subjects))
        owners.note_all(recall(row.value) for row in waiting)
    elif caller.role is ApiRole.INSURER:
        ids = [subject.id for subject in subjects if subject.kind is Kind.PAYOUT]
        instructions = reads.instructions(connection, ids)
        owners.known = {Subject(Kind.PAYOUT, row.payout_id): row.scheme_id for row in instructions}
    return owners


def _subjects(candidates: Sequence[Candidate | Problem]) -> list[Subject]:
    facts = [each.reading.fact for each in candidates if isinstance(each, Candidate)]
    named = [subject for fact in facts for subject in claims_of_identity(fact)]
    return list(dict.fromkeys(named))


def _row(candidate: Candidate, shard_count: int) -> InboxRow:
    value, reading = candidate
    fact = reading.fact
    shard = shard_of(fact.person_id, shard_count)
    topic = TOPIC_OF_EVENT[fact.event_type].name
    encounter_id = getattr(fact, "encounter_id", None)
    version = 0 if isinstance(fact, PayoutReported) else fact.line_version or 0
    place = (*fact.subject, version, reading.content_sha256)
    return InboxRow(shard, topic, fact.person_id, value, *place, encounter_id)


def _place(row: InboxRow) -> Place:
    return (row.kind, row.subject_id, row.version, row.content_sha256)


def _numbered(each: Admitted | Problem, fresh: dict[Place, int], appended: list[int]) -> Admitted | Problem:
    if isinstance(each, Admitted) and each.number is None and _place(each.row) in fresh:
        return replace(each, number=appended[fresh[_place(each.row)]])
    return each
