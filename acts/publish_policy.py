"""Publishing a policy: it is kept for good, and every claim that it reaches is decided, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from sqlalchemy import Connection

from acts.groups_at_once import groups_at_once
from acts.ledger_act import ledger_act
from acts.load_world import empty_world, load_persons
from acts.published_policies import published_policies
from acts.recompute_groups import decide_waiting
from acts.release_pools import decide_waiting_pools
from handlers.audit.journal import Journal
from handlers.audit.operator_acts import policy_published
from handlers.claims.process import Processor
from handlers.claims.twice import checked_alone
from infra.clock import Clock
from infra.ledger import group_rows, policy_rows, reads
from infra.ledger.policy_rows import PublishedFile
from schemas.decisions import Status
from schemas.ids import ClaimId
from schemas.policy.model import Policies, Policy
from schemas.policy.policy_file import parse_policy
from schemas.records import GroupStep, Outcome, ShardState


@dataclass(slots=True)
class SchemeMoney:
    """What one scheme pays more and takes back, in fen."""

    paid: int = 0
    recovered: int = 0

    @property
    def net(self) -> int:
        return self.paid - self.recovered


@dataclass(slots=True)
class Published:
    """What publishing did, or would do. ``new`` is false when the same policy was published before.

    Of the ``claims_decided``, ``claims_waiting`` had no policy until now, and ``claims_changed`` get another amount
    than before from some scheme.
    """

    policy: Policy
    new: bool
    policies: Policies = field(compare=False)
    persons: int = 0
    claims_decided: int = 0
    claims_waiting: int = 0
    claims_changed: int = 0
    instructions: int = 0
    money: defaultdict[str, SchemeMoney] = field(default_factory=lambda: defaultdict(SchemeMoney))

    @property
    def succeeded(self) -> Policy | None:
        """The policy that this one ends."""
        return None if self.policy.succeeds is None else self.policies.named(self.policy.succeeds)


def publish_policy(
    connection: Connection, text: str, operator: str, shard_count: int, now: Clock, file: str = "policy"
) -> Published:
    """Publishes a policy file in the name of an operator.

    A policy that it succeeds ends on its first day, and that policy's claims from that day on are decided again.
    Raises PolicyError for an unusable file and PoliciesConflict when it cannot be in force with those published.
    """
    policy = parse_policy(text, file)
    with ledger_act(connection, range(shard_count), now) as journal:
        published = _joined(connection, policy)
        if published.new:
            decide_waiting(connection, journal, shard_count)  # so what the policy changes is all that its event changes
            number = policy_published(journal, text.encode("utf-8"), policy, operator)
            journal.write()
            row = PublishedFile(text, operator, journal.recorded_at)
            policy_rows.add(connection, policy, row, journal.numbers[number])
            for _ in _decided(connection, journal, number, shard_count, published):
                journal.write()
            decide_waiting_pools(connection, journal, shard_count)
    return published


def preview_policy(connection: Connection, text: str, shard_count: int, now: Clock, file: str = "policy") -> Published:
    """What publishing a policy file would do, decided in the same way; writes nothing and locks nothing.

    Give it a connection that sees one moment (REPEATABLE READ). Raises what `publish_policy` raises.
    """
    policy = parse_policy(text, file)
    published = _joined(connection, policy)
    if published.new:
        journal = Journal({shard: ShardState(shard) for shard in range(shard_count)}, now())
        for _ in _decided(connection, journal, 0, shard_count, published):
            journal.outcome = Outcome()
    return published


def _joined(connection: Connection, policy: Policy) -> Published:
    before = published_policies(connection)
    if policy.sha256 in {release.sha256 for release in before.releases}:
        return Published(policy, new=False, policies=before)
    return Published(policy, new=True, policies=before.joined(policy))


def _decided(
    connection: Connection, journal: Journal, number: int, shard_count: int, published: Published
) -> Iterator[None]:
    """Decides the claims of everybody whom the policy reaches, some persons at a time, and counts what that changes.

    The caller disposes of the outcome after each step.
    """
    policy, ended = published.policy, published.succeeded
    persons = reads.persons_to_decide(
        connection,
        policy.effective_from,
        policy.effective_to,
        None if ended is None else ended.sha256,
        checked_alone(published.policies),
    )
    published.persons = len(persons)
    then = empty_world(connection, shard_count)
    then.policies = published.policies
    for some in groups_at_once(connection, persons, then.by_household):
        world = load_persons(connection, list(chain.from_iterable(some)), shard_count)
        work = Processor(world, journal)
        if group_rows.work_of(connection, world.accounts.keys()):  # of a preview, which does not wait for them
            for group in some:
                work.recompute_together(GroupStep(group, []), number)
            journal.outcome = Outcome()
        world.policies = published.policies
        waiting = {name for name, row in world.claims.items() if row.status is Status.NO_POLICY}
        for group in some:
            work.recompute_together(GroupStep(group, []), number)
        _count(published, journal.outcome, waiting)
        yield


def _count(published: Published, outcome: Outcome, waiting: set[ClaimId]) -> None:
    published.claims_decided += len(outcome.decisions)
    published.claims_waiting += sum(row.claim_id in waiting for row in outcome.decisions)
    published.claims_changed += len({row.claim_id for row in outcome.instructions})
    published.instructions += len(outcome.instructions)
    for row in outcome.instructions:
        money = published.money[row.scheme_id]
        if row.kind == "payment":
            money.paid += row.amount
        else:
            money.recovered += row.amount
