"""What the ledger knows about the ids and persons of a batch, read in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Connection,
    Text,
    and_,
    any_,
    bindparam,
    func,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import distinct_on

from infra.ledger import tables
from infra.ledger.clearing_tables import settled_recoveries
from schemas.decisions import Status
from schemas.facts import Kind, Subject
from schemas.ids import ClaimId, PayoutId, PersonId
from schemas.records import BenefitRow, ClaimRow, FacilityRow, InstructionRow, SettledRecovery, ShardState, SubjectRow


class Fenced(Exception):
    """Another worker has since taken the shard: this one must stop writing for it."""

    def __init__(self, shard: int, epoch: int, held: int) -> None:
        super().__init__(f"shard {shard} was taken at epoch {epoch}, held at epoch {held}")
        self.shard = shard


class KnownVersion(NamedTuple):
    """One accepted version of an id."""

    subject: Subject
    version: int
    content_sha256: str


def _texts_named(name: str) -> BindParameter[Sequence[str]]:
    return bindparam(name, type_=ARRAY(Text))


# The statements of every batch are built once: for a few events, building them takes longer than running them.
_SUBJECTS = func.unnest(_texts_named("kinds"), _texts_named("ids")).table_valued("kind", "id").render_derived()
_OWNERS = select(*(tables.subjects.c[name] for name in SubjectRow._fields)).join(
    _SUBJECTS, and_(tables.subjects.c.kind == _SUBJECTS.c.kind, tables.subjects.c.subject_id == _SUBJECTS.c.id)
)
_VERSIONS = select(*(tables.facts.c[name] for name in ("kind", "subject_id", "version", "content_sha256"))).join(
    _SUBJECTS, and_(tables.facts.c.kind == _SUBJECTS.c.kind, tables.facts.c.subject_id == _SUBJECTS.c.id)
)
# In two statements: joined, the planner may walk the whole of `events`, which grows with the ledger.
_NEWEST = (
    select(tables.facts.c.event_no)
    .where(
        tables.facts.c.person_id == any_(_texts_named("persons")),
        tables.facts.c.kind.not_in((Kind.PAYOUT, Kind.STATEMENT, Kind.POOL, Kind.CONTRIBUTION)),
    )
    .ext(distinct_on(tables.facts.c.kind, tables.facts.c.subject_id))
    .order_by(tables.facts.c.kind, tables.facts.c.subject_id, tables.facts.c.version.desc())
)
_VALUES = select(tables.events.c.value).where(
    tables.events.c.event_no == any_(bindparam("numbers", type_=ARRAY(BigInteger)))
)
_TOO_EARLY = select(tables.payout_states.c.payout_id).where(
    tables.payout_states.c.person_id == any_(_texts_named("persons")), not_(tables.payout_states.c.matched)
)
_SETTLED = select(*(settled_recoveries.c["event_no" if name == "number" else name] for name in SettledRecovery._fields))
_SET_OFFS = _SETTLED.where(settled_recoveries.c.person_id == any_(_texts_named("persons")), text('"left" > 0'))
# Asked with the claims, and once for all of them: hardly ever does anybody have a recovery that waits to be set off.
_CLAIMS = select(*(tables.claims.c[name] for name in ClaimRow._fields), _SET_OFFS.exists()).where(
    tables.claims.c.person_id == any_(_texts_named("persons"))
)
_FACILITIES = select(*(tables.facility_shares.c[name] for name in FacilityRow._fields)).where(
    tables.facility_shares.c.claim_id == any_(_texts_named("ids"))
)
_BENEFITS = select(*(tables.benefits.c[name] for name in BenefitRow._fields)).where(
    tables.benefits.c.claim_id == any_(_texts_named("ids"))
)


def lock_shards(connection: Connection, numbers: Iterable[int], held: Mapping[int, int]) -> dict[int, ShardState]:
    """Locks shards until the transaction ends, in one order for all writers, and returns the ends of their sequences.

    ``held`` are the epochs under which the caller holds shards. Raises Fenced if one of them has been raised since.
    """
    shards = tables.shards
    rows = connection.execute(
        select(shards).where(shards.c.shard.in_(sorted(set(numbers)))).order_by(shards.c.shard).with_for_update()
    ).all()
    for row in rows:
        if row.shard in held and held[row.shard] != row.epoch:
            raise Fenced(row.shard, row.epoch, held[row.shard])
    return {
        row.shard: ShardState(row.shard, row.audit_seq, row.audit_hash, row.outbox_seq, row.not_before, row.redated)
        for row in rows
    }


def end_month(connection: Connection, end: datetime) -> None:
    """Nothing is recorded with a time before ``end`` from now on. The caller has locked all shards."""
    shards = tables.shards
    earlier = or_(shards.c.not_before.is_(None), shards.c.not_before < end)
    connection.execute(shards.update().where(earlier).values(not_before=end))


_LEASE = "idle_in_transaction_session_timeout"

# A process frozen in the middle of a COPY holds its locks, and no timeout of PostgreSQL ends its session, which is
# busy reading. Whoever takes over its shards ends it, after first waiting for the lock in vain for one lease.
_END_FROZEN = f"""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
        AND state = 'active' AND wait_event = 'ClientRead'
        AND state_change < now() - current_setting('{_LEASE}')::interval
        AND current_setting('{_LEASE}') <> '0'
"""


def end_frozen(connection: Connection) -> int:
    """Ends the sessions of processes that have been frozen inside a COPY for longer than a lease; returns how many."""
    return len(connection.execute(text(_END_FROZEN)).all())


def take_shards(connection: Connection, numbers: Collection[int]) -> dict[int, int]:
    """Raises the epochs of shards, which fences their previous holders, and returns the new epochs."""
    shards = tables.shards
    lock_shards(connection, numbers, {})
    rows = connection.execute(
        shards.update()
        .where(shards.c.shard.in_(sorted(numbers)))
        .values(epoch=shards.c.epoch + 1)
        .returning(shards.c.shard, shards.c.epoch)
    )
    return {row.shard: row.epoch for row in rows}


def next_offsets(connection: Connection) -> dict[tuple[str, int], int]:
    """The first offset not yet taken in, for every partition from which anything was."""
    return {(row.topic, row.partition): row.next_offset for row in connection.execute(select(tables.offsets))}


def lines(connection: Connection, subjects: Collection[Subject]) -> tuple[list[SubjectRow], list[KnownVersion]]:
    """The owners of ids, and their accepted versions."""
    if not subjects:
        return [], []
    ordered = sorted(subjects)
    parameters = {"kinds": [subject.kind.value for subject in ordered], "ids": [subject.id for subject in ordered]}
    owners, versions = connection.execute(_OWNERS, parameters), connection.execute(_VERSIONS, parameters)
    return (
        [SubjectRow(Kind(row.kind), row.subject_id, row.person_id, row.encounter_id) for row in owners],
        [KnownVersion(Subject(Kind(row.kind), row.subject_id), row.version, row.content_sha256) for row in versions],
    )


def newest_facts(connection: Connection, persons: Collection[PersonId]) -> list[bytes]:
    """The newest version of each of the persons' facts, as the bytes that were sent; payout reports left out."""
    newest = connection.scalars(_NEWEST, {"persons": list(persons)}).all()
    return [bytes(value) for value in connection.scalars(_VALUES, {"numbers": list(newest)})]


def decided_claims(connection: Connection, persons: Collection[PersonId]) -> tuple[list[ClaimRow], bool]:
    """The persons' claims as last decided, and whether any of the persons has a recovery that waits to be set off."""
    rows = connection.execute(_CLAIMS, {"persons": list(persons)}).all()
    return [ClaimRow(*row[:-1])._replace(status=Status(row.status)) for row in rows], any(row[-1] for row in rows[:1])


def person_of_claim(connection: Connection, claim_id: str) -> PersonId | None:
    """Whose claim it is; None if nothing was decided about it."""
    found = connection.scalar(select(tables.claims.c.person_id).where(tables.claims.c.claim_id == claim_id))
    return None if found is None else PersonId(found)


def open_set_offs(connection: Connection, persons: Collection[PersonId]) -> list[SettledRecovery]:
    """The persons' recoveries that wait for payments, oldest act first; ``number`` is the ledger's of the act."""
    return [
        SettledRecovery(*row)
        for row in connection.execute(_SET_OFFS.order_by(settled_recoveries.c.event_no), {"persons": list(persons)})
    ]


def reported_too_early(connection: Connection, persons: Collection[PersonId]) -> list[PayoutId]:
    """The payouts of persons about which reports came before there was an instruction; hardly ever any."""
    return list(connection.scalars(_TOO_EARLY, {"persons": list(persons)}))


def settled(connection: Connection, payout_ids: Collection[str]) -> list[SettledRecovery]:
    """Those of the payouts that were set off or waived; ``number`` is the ledger's of the act."""
    rows = connection.execute(_SETTLED.where(settled_recoveries.c.payout_id == any_(_texts(payout_ids))))
    return [SettledRecovery(*row) for row in rows]


def held_benefits(connection: Connection, claim_ids: Collection[ClaimId]) -> list[BenefitRow]:
    """What each scheme owes for the claims, and what of it has been instructed."""
    rows = connection.execute(_BENEFITS, {"ids": list(claim_ids)})
    return [BenefitRow(*row) for row in rows]


def facility_shares(connection: Connection, claim_ids: Collection[ClaimId]) -> list[FacilityRow]:
    """What facilities have advanced for the claims, and their parts of the benefits."""
    return [FacilityRow(*row) for row in connection.execute(_FACILITIES, {"ids": list(claim_ids)})]


def instructions(connection: Connection, payout_ids: Collection[str]) -> list[InstructionRow]:
    """The instructions of those payouts that exist; ``number`` is the ledger's number of the event."""
    order = tables.instructions
    columns = [order.c["event_no" if name == "number" else name] for name in InstructionRow._fields]
    rows = connection.execute(select(*columns).where(order.c.payout_id == any_(_texts(payout_ids))))
    return [InstructionRow(*row) for row in rows]


def line_of(connection: Connection, payout_id: str) -> list[PayoutId]:
    """The ids of all payouts of the same claim, scheme and payee, in order of revision; none without such a payout."""
    order, one = tables.instructions, tables.instructions.alias()
    alike = [one.c[name] == order.c[name] for name in ("claim_id", "scheme_id", "payee_id")]
    same = and_(*alike, one.c.payout_id == payout_id)
    return list(connection.scalars(select(order.c.payout_id).join(one, same).order_by(order.c.revision)))


def payout_reports(
    connection: Connection, payout_ids: Collection[str], person_id: str | None = None
) -> list[tuple[str, bytes]]:
    """Content hash and bytes of every accepted report of these payouts, under one person or under any."""
    fact, event = tables.facts, tables.events
    query = (
        select(fact.c.content_sha256, event.c.value)
        .join(event, event.c.event_no == fact.c.event_no)
        .where(fact.c.kind == Kind.PAYOUT, fact.c.subject_id == any_(_texts(payout_ids)))
    )
    if person_id is not None:
        query = query.where(fact.c.person_id == person_id)
    return [(row.content_sha256, bytes(row.value)) for row in connection.execute(query)]


def persons_to_decide(
    connection: Connection, since: date, until: date | None, ended: str | None, checked: Sequence[Status] = ()
) -> list[PersonId]:
    """Persons with a claim that waits for a policy on a day of ``[since, until)``; ``until`` may be None.

    Also those whose claim, on that day or later, was decided under the policy with the hash ``ended``, and those with a
    claim on a day of the interval that has one of the statuses ``checked``.
    """
    claim = tables.claims
    statuses = [Status.NO_POLICY, *checked]
    waiting = select(claim.c.person_id).where(claim.c.status.in_(statuses), claim.c.discharged_on >= since)
    if until is not None:
        waiting = waiting.where(claim.c.discharged_on < until)
    found = set(connection.scalars(waiting.distinct()))
    if ended is not None:
        under = select(claim.c.person_id).where(claim.c.policy_sha256 == ended, claim.c.discharged_on >= since)
        found |= set(connection.scalars(under.distinct()))
    return sorted(found)  # by code point, in whatever collation the database sorts


def coverage_values(connection: Connection) -> Iterator[bytes]:
    """The accepted coverages of all versions, as the bytes that were sent, without loading them all at once."""
    fact, event = tables.facts, tables.events
    query = select(event.c.value).join(fact, event.c.event_no == fact.c.event_no).where(fact.c.kind == Kind.COVERAGE)
    for value in connection.execution_options(yield_per=10_000).scalars(query):
        yield bytes(value)


def _texts(values: Iterable[str]) -> BindParameter[Sequence[str]]:
    """Many strings as one parameter, so that a statement is compiled once whatever their number."""
    return bindparam(None, list(values), type_=ARRAY(Text), unique=True)
