"""Publishing a policy: it stands for ever, and every claim that waited for it is decided, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sqlalchemy import Engine, select

from acts.take_in import load_persons, published_policies
from handlers.claims.process import Processor, World
from infra.clock import Clock
from infra.ledger import reads, tables
from infra.ledger.write import record
from infra.sharding import shard_of
from schemas.policy.model import Policies, Policy
from schemas.policy.policy_file import parse_policy

PERSONS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did. ``new`` is false when the same policy was published before."""

    policy: Policy
    new: bool
    claims_decided: int = 0
    instructions: int = 0


def publish(engine: Engine, text: str, operator: str, shard_count: int, now: Clock, file: str = "policy") -> Published:
    """Publishes a policy file in the name of an operator.

    Raises PolicyError for an unusable file and ValueError when it overlaps a published policy or changes one.
    """
    policy = parse_policy(text, file)
    with engine.begin() as connection:
        shards = reads.lock_shards(connection, range(shard_count), {})
        before = published_policies(tuple(reads.policy_texts(connection)))
        if policy.sha256 in {each.sha256 for each in before.releases}:
            return Published(policy, new=False)
        Policies((*before.releases, policy))
        recorded_at = now()
        shard = partial(shard_of, shard_count=shard_count)
        act = Processor(World(before, shard, shards), recorded_at)
        act.publish_policy(text.encode("utf-8"), policy, operator)
        numbers = record(connection, act.outcome, shards)
        connection.execute(
            tables.policies.insert().values(
                sha256=policy.sha256,
                policy_id=policy.id,
                effective_from=policy.effective_from,
                effective_to=policy.effective_to,
                source_text=text,
                event_no=numbers[0],
                operator=operator,
                published_at=recorded_at,
            )
        )
        decided = instructed = 0
        waiting = reads.persons_without_policy(connection, policy.effective_from, policy.effective_to)
        for start in range(0, len(waiting), PERSONS_AT_ONCE):
            persons = waiting[start : start + PERSONS_AT_ONCE]
            work = Processor(load_persons(connection, persons, shards, shard_count), recorded_at)
            for person_id in persons:
                work.recompute(person_id, 0)
            record(connection, work.outcome, shards, numbers)
            decided += len(work.outcome.decisions)
            instructed += len(work.outcome.instructions)
    return Published(policy, True, decided, instructed)


def published(engine: Engine) -> list[Policy]:
    """The published policies, oldest first."""
    with engine.connect() as connection:
        texts = connection.scalars(select(tables.policies.c.source_text).order_by(tables.policies.c.effective_from))
        return [parse_policy(text) for text in texts]
