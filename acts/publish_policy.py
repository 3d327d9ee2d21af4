"""Publishing a policy: it is kept for good, and every claim that waited for it is decided, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from acts.ledger_act import LedgerJournal, ledger_act
from acts.load_world import load_persons
from acts.published_policies import published_policies
from handlers.audit.operator_acts import policy_published
from handlers.claims.process import Processor
from infra.clock import Clock
from infra.ledger import policy_rows, reads
from infra.ledger.policy_rows import PublishedFile
from schemas.ids import PersonId
from schemas.policy.model import Policies, Policy
from schemas.policy.policy_file import parse_policy

PERSONS_AT_ONCE = 200


@dataclass(slots=True)
class Published:
    """What publishing did. ``new`` is false when the same policy was published before."""

    policy: Policy
    new: bool
    claims_decided: int = 0
    instructions: int = 0


def publish_policy(
    connection: Connection, text: str, operator: str, shard_count: int, now: Clock, file: str = "policy"
) -> Published:
    """Publishes a policy file in the name of an operator.

    Raises PolicyError for an unusable file and ValueError when it overlaps a published policy or changes one.
    """
    policy = parse_policy(text, file)
    with ledger_act(connection, range(shard_count), now) as journal:
        before = published_policies(connection)
        if policy.sha256 in {release.sha256 for release in before.releases}:
            return Published(policy, new=False)
        Policies((*before.releases, policy))
        number = policy_published(journal, text.encode("utf-8"), policy, operator)
        journal.write()
        row = PublishedFile(text, operator, journal.recorded_at)
        policy_rows.add(connection, policy, row, journal.numbers[number])
        published = Published(policy, new=True)
        waiting = reads.persons_without_policy(connection, policy.effective_from, policy.effective_to)
        for start in range(0, len(waiting), PERSONS_AT_ONCE):
            _decide(journal, waiting[start : start + PERSONS_AT_ONCE], shard_count, number, published)
    return published


def _decide(
    journal: LedgerJournal, persons: list[PersonId], shard_count: int, number: int, published: Published
) -> None:
    work = Processor(load_persons(journal.connection, persons, shard_count), journal)
    for person_id in persons:
        work.recompute(person_id, number)
    published.claims_decided += len(journal.outcome.decisions)
    published.instructions += len(journal.outcome.instructions)
    journal.write()
