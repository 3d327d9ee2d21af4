"""What the decisions of a batch or an act may look at, gathered from the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

from sqlalchemy import Connection

from acts.published_policies import published_policies
from acts.published_treaties import published_treaties
from acts.published_watches import published_watches
from acts.remembered_persons import RememberedPersons
from acts.reported_deaths import reported_deaths
from handlers.claims.admit import Registry, VersionLine, looked_up
from handlers.claims.payers import Payer
from handlers.claims.payout_reports import report_of
from handlers.claims.read import Reading, recall
from handlers.claims.recall import accounts_of
from handlers.claims.set_off import SetOff
from handlers.claims.twice import link_of
from handlers.claims.world import World
from infra.ledger import group_rows, pool_rows, reads, statement_answers
from infra.sharding import shard_of
from schemas.facts import (
    ContributionReceived,
    ContributionVoided,
    PayoutReported,
    PersonDied,
    PoolFact,
    SettlementPosted,
    StatementAnswered,
    Subject,
)
from schemas.ids import PayoutId, PersonId
from schemas.outbound import InstructionKind
from schemas.records import InstructionRow


def load_world(
    connection: Connection, readings: Collection[Reading], shard_count: int, remembered: RememberedPersons
) -> World:
    """Everything that the processing of some events may look at. Takes out the persons who are remembered."""
    named = {
        link_of(r.fact.invoice_no)
        for r in readings
        if type(r.fact) is SettlementPosted and r.fact.invoice_no is not None
    }
    died = {r.fact.person_id for r in readings if type(r.fact) is PersonDied}
    answers = [reading.fact for reading in readings if type(reading.fact) is StatementAnswered]
    persons = {r.fact.person_id for r in readings if not isinstance(r.fact, StatementAnswered | PoolFact)}
    world = empty_world(connection, shard_count)
    _add_persons(connection, remembered.take_out(persons, world), world)
    world.registry = _registry(connection, readings)
    reported = {r.fact.payout_id for r in readings if type(r.fact) is PayoutReported}
    load_payouts(connection, world, reported.union(reads.reported_too_early(connection, persons)))
    changed = [r.fact.subject.id for r in readings if isinstance(r.fact, ContributionReceived | ContributionVoided)]
    if changed:
        world.contributions = {row.contribution_id: row for row in pool_rows.contributions_named(connection, changed)}
    if persons:
        world.invoices, world.shared = group_rows.invoices_named(connection, named, persons)
    if died:
        world.reported_deaths = reported_deaths(connection, died)
    if answers:
        world.statements = statement_answers.insurers_of(connection, {answer.statement_id for answer in answers})
    return world


def load_persons(connection: Connection, persons: Collection[PersonId], shard_count: int) -> World:
    """The accounts of some persons, with their claims and benefits as last decided."""
    world = empty_world(connection, shard_count)
    _add_persons(connection, persons, world)
    load_payouts(connection, world, reads.reported_too_early(connection, persons))
    return world


def empty_world(connection: Connection, shard_count: int) -> World:
    """What is published, and no person yet."""
    shard = partial(shard_of, shard_count=shard_count)
    return World(published_policies(connection), shard, published_treaties(connection), published_watches(connection))


def add_persons(
    connection: Connection, world: World, persons: Collection[PersonId], remembered: RememberedPersons
) -> None:
    """Puts more persons into the world. Takes out those who are remembered."""
    unknown = remembered.take_out(persons, world)
    _add_persons(connection, unknown, world)
    load_payouts(connection, world, reads.reported_too_early(connection, persons) if persons else ())


def _add_persons(connection: Connection, persons: Collection[PersonId], world: World) -> None:
    if not persons:
        return
    world.accounts |= accounts_of(reads.newest_facts(connection, persons))
    decided, set_offs = reads.decided_claims(connection, persons)
    claims = {row.claim_id: row for row in decided}
    world.claims |= claims
    for waiting in reads.open_set_offs(connection, persons) if set_offs else ():
        set_off = SetOff(waiting.payout_id, Payer(waiting.payer, waiting.treaty_id, waiting.pool_id), waiting.left)
        world.set_offs.setdefault(waiting.person_id, []).append(set_off)
    for row in reads.held_benefits(connection, claims.keys()):
        world.benefits.setdefault(row.claim_id, {})[row.scheme_id] = row
    advanced = [claim_id for claim_id, claim in claims.items() if claim.advanced]
    for share in reads.facility_shares(connection, advanced) if advanced else ():
        world.facilities.setdefault(share.claim_id, {})[share.scheme_id, share.facility_id] = share


def load_payouts(connection: Connection, world: World, payout_ids: Collection[PayoutId]) -> None:
    """Puts the instructions of some payouts, their reports so far, and how recoveries were settled into the world."""
    if not payout_ids:
        return
    world.instructed |= {row.payout_id: row for row in reads.instructions(connection, payout_ids)}
    recoveries = [name for name in payout_ids if name in world.instructed and _collected(world.instructed[name])]
    if recoveries:
        world.settled |= {row.payout_id: row for row in reads.settled(connection, recoveries)}
    for content_sha256, value in reads.payout_reports(connection, payout_ids):
        fact = recall(value)
        assert isinstance(fact, PayoutReported), "a report is kept under the kind of a payout"
        place = (fact.payout_id, fact.person_id)
        world.reports.setdefault(place, []).append(report_of(fact, content_sha256))


def _collected(row: InstructionRow) -> bool:
    return row.kind == InstructionKind.RECOVERY and row.moves_money


def _registry(connection: Connection, readings: Iterable[Reading]) -> Registry:
    subjects = {subject for reading in readings for subject in looked_up(reading.fact)}
    owners, versions = reads.lines(connection, subjects)
    registry: Registry = {
        Subject(row.kind, row.subject_id): VersionLine(row.person_id, row.encounter_id, bound=True) for row in owners
    }
    for subject, version, content_sha256 in versions:
        if subject in registry:  # else another shard has bound it since: recording will find that out (Contended)
            registry[subject].contents[version] = content_sha256
    return registry
