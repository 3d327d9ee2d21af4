"""Aid that two people granted, on a real broker: the relay takes its event to the registry's topic, and it is paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from acts.propose_aid import countersign_aid, propose_aid
from infra.ledger import aid_proposals
from schemas.aid_records import AidWanted
from schemas.ids import PersonId
from tests.support.assured import ASSURED
from tests.support.builders import SHARDS, coverage
from tests.support.posting import person_of, post, to_post
from tests.support.spine import Spine


@pytest.fixture(scope="module")
def spine(kafka: str, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    """A worker and a relay that run, with a policy that has levels of aid."""
    policy = tmp_path_factory.mktemp("policy") / "assured.toml"
    policy.write_text(ASSURED, "utf-8")
    with Spine(kafka, postgres_url) as spine:
        spine.publish(policy)
        spine.start("worker")
        spine.start("relay")
        yield spine


def test_a_countersigned_aid_goes_through_the_broker_and_is_paid(spine: Spine) -> None:
    """To the partition of its person, once, with both names in it; then it is instructed, and the proposal shows it."""
    persons = [PersonId(person_of(shard, "P-aid")) for shard in range(SHARDS)]
    post(spine.bootstrap, [to_post(coverage(f"C-{each}", person_id=each)) for each in persons])
    spine.await_idle()
    numbers = []
    for each in persons:
        with spine.engine.begin() as connection:
            wanted = AidWanted(each, "city", 500_000, True, None, "high bills")
            number = propose_aid(connection, wanted, "li.na", lambda: datetime.now(UTC))
            countersign_aid(connection, number, "wang.wei", SHARDS, lambda: datetime.now(UTC), 500_000)
        numbers.append(number)
    spine.await_idle()  # the relay has sent what was countersigned
    spine.await_idle()  # and what came of it
    sent = [each for each in spine.committed("registry.aids") if each.value["person_id"] in persons]
    assert sorted((shard, person.encode()) for shard, person in enumerate(persons)) == sorted(each[:2] for each in sent)
    assert {("li.na", "wang.wei")} == {(each.value["decided_by"], each.value["countersigned_by"]) for each in sent}
    with spine.engine.connect() as connection:
        found = [aid_proposals.stands(connection, number) for number in numbers]
    assert [("adjudicated", 500_000, 500_000)] * SHARDS == [each[1:4] for each in found if each is not None]
    paid = [each.value["claim_id"] for each in spine.committed("payouts.instructions")]
    assert {each.proposal.claim_id for each in found if each is not None} <= set(paid)
    assert [] == spine.rows("SELECT 1 FROM refusals")
