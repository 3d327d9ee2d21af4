"""Law 1 over households: the order of events, how they are cut into batches and who takes them in change nothing."""

from __future__ import annotations

from random import Random

import pytest
from sqlalchemy import Engine, text

from acts.recompute_groups import recompute_groups
from acts.remembered_persons import RememberedPersons
from acts.take_in import take_in
from infra.ledger import group_rows
from tests.support.acts import publish
from tests.support.builders import SHARDS, policies
from tests.support.household_town import POLICY, assert_decided_as_offline, decided_offline, guard_the_cap, lives
from tests.support.ledgers import held, in_order, ranges, ticking
from tests.support.length import times
from tests.support.loads import random_batches
from tests.support.replayed import assert_replays

PERSONS = tuple(f"P{number}" for number in range(9))


@pytest.mark.parametrize("seed", range(times(4, 24)))
def test_a_ledger_of_households_ends_where_its_facts_do(ledger: Engine, seed: int) -> None:
    """Three workers remember what they like; some end between the two transactions; no commit exceeds a cap."""
    rng, now = Random(seed), ticking()
    guard_the_cap(ledger)
    workers = [RememberedPersons(), RememberedPersons(facts_max=15), RememberedPersons()]
    early = rng.random() < 0.7
    if early:
        publish(ledger, POLICY, "li.na", SHARDS, now)
    events = lives(rng, PERSONS, households=rng.randint(1, 4))
    epochs = held(ledger)
    for batch in random_batches(in_order(events), rng):
        worker = rng.choice(workers)
        taken = take_in(ledger, ranges(batch), epochs, SHARDS, now, worker)
        if taken.groups_wait and rng.random() < 0.7:
            recompute_groups(ledger, taken.groups_wait, SHARDS, now, worker)
        elif rng.random() < 0.2:
            recompute_groups(ledger, rng.sample(range(SHARDS), 2), SHARDS, now, rng.choice(workers))
    if not early:
        publish(ledger, POLICY, "li.na", SHARDS, now)
    recompute_groups(ledger, range(SHARDS), SHARDS, now, rng.choice(workers))
    with ledger.connect() as connection:
        assert 0 == group_rows.count_waiting(connection)
    assert_decided_as_offline(ledger, events, policies(POLICY))
    assert_rows_as_facts(ledger)
    assert_replays(ledger)


def assert_rows_as_facts(ledger: Engine) -> None:
    """The household of each claim's row is the one that holds its day by the membership facts in the ledger."""
    with ledger.connect() as connection:
        wrong = connection.execute(text(_WRONG)).all()
    assert [] == wrong


_WRONG = """
WITH newest AS (
    SELECT DISTINCT ON (f.subject_id) f.person_id, f.subject_id, convert_from(e.value, 'UTF8')::json AS told
    FROM facts f JOIN events e USING (event_no) WHERE f.kind = 'membership'
    ORDER BY f.subject_id, f.version DESC
), live AS (
    SELECT person_id, subject_id, told->>'household_id' AS household, told->>'unit' AS unit,
        (told->>'valid_from')::date AS begins, coalesce((told->>'valid_to')::date, 'infinity') AS ends
    FROM newest WHERE told->>'event_type' = 'membership.recorded'
), unit AS (
    SELECT DISTINCT ON (c.claim_id) c.claim_id, CASE WHEN l.unit = 'household' THEN l.household END AS household
    FROM claims c LEFT JOIN live l
        ON l.person_id = c.person_id AND l.begins <= c.discharged_on AND c.discharged_on < l.ends
    WHERE c.status IN ('adjudicated', 'not_covered')
    ORDER BY c.claim_id, l.begins DESC NULLS LAST, l.subject_id COLLATE "C" DESC NULLS LAST
)
SELECT c.claim_id, c.household_id, unit.household FROM claims c JOIN unit USING (claim_id)
WHERE c.household_id IS DISTINCT FROM unit.household
"""


def test_the_random_households_meet_what_they_are_for() -> None:
    """Caps are reached, sums are shared, and most claims are paid."""
    caps, paid = 0, 0
    for seed in range(10):
        for each in decided_offline(lives(Random(seed), PERSONS, 2), policies(POLICY)).values():
            caps += any(line["step"] == "cap_per_household_year" for line in each["explanation"])
            paid += each["total_benefit"] != "0.00"
    assert (caps > 5, paid > 40) == (True, True)
