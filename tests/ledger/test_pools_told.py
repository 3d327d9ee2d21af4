"""What decisions say of pools: what is due, who waits at which place, and nothing more when it is paid."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, func, select

from acts.close_pool_year import close_pool_year
from infra.ledger import tables
from infra.ledger.pool_tables import pool_work
from tests.support.builders import SHARDS, bill, contribution, empty_world, policies, pool, take
from tests.support.ledgers import in_order
from tests.support.pools import POOL_POLICY, villager
from tests.support.village import PoolOrder, Village

SIGNS = ("event_id", "occurred_at", "revision")
"""What differs between two decisions that say the same."""


def test_a_decision_says_what_is_due_then_that_it_waits_then_no_more(ledger: Engine) -> None:
    """Each with a revision of its own; the last says what the first said."""
    village = Village(ledger)
    village.take(pool(), *villager("P1", "2024-03-01", 500))
    village.take(contribution(yuan=500))
    _, due, waits, paid = village.decisions("E-P1")
    assert "waiting" not in due
    assert ["V1"] == [line["pool_id"] for line in due["benefits"]]
    (line,) = waits.pop("waiting")
    assert ("village_mutual_aid", "V1", "500.00", 1) == tuple(
        line[name] for name in ("scheme_id", "pool_id", "amount", "position")
    )
    assert "本村互助金暂时不足,这笔补助已排队,第 1 位,资金到账后自动发放,您不用再申请。" == line["zh"]
    assert [2, 3, 4] == [each["revision"] for each in (due, waits, paid)]
    said = [{name: part for name, part in each.items() if name not in SIGNS} for each in (due, waits, paid)]
    assert said[0] == said[1] == said[2]
    village.check()


def test_a_changed_due_says_its_new_place(ledger: Engine) -> None:
    """A decision made anew says nothing of what waits; the step that follows says it."""
    village = Village(ledger)
    village.take(pool(), *villager("P1", "2024-03-01", 500), *villager("P2", "2024-03-02", 100))
    village.take(bill("S-P2", "E-P2", 2400, version=2, person_id="P2"))
    assert [[], [], [("100.00", 2)], [], [("200.00", 2)]] == village.told("E-P2")
    village.check()


def test_what_is_told_stays_in_a_decision_that_another_scheme_changes(ledger: Engine) -> None:
    """Two schemes of one claim wait; the money restricted to the second does not help it past the first."""
    second = POOL_POLICY[POOL_POLICY.index("[[scheme]]") :].replace('id = "village_mutual_aid"', 'id = "second"')
    village = Village(ledger, POOL_POLICY + second.replace('programme = "second"', 'programme = "village_mutual_aid"'))
    village.take(pool(), contribution("R1", yuan=900, restricted_to=["second"]), *villager("P1", "2024-03-01", 500))
    (first, other) = village.decisions("E-P1")[-1]["waiting"]
    assert [("village_mutual_aid", 1), ("second", 2)] == [
        (each["scheme_id"], each["position"]) for each in (first, other)
    ]
    village.take(contribution("G2", yuan=500))
    assert {} == village.waiting()
    assert "waiting" not in village.decisions("E-P1")[-1]
    village.check()


def test_a_pool_without_a_queue_tells_no_position(ledger: Engine) -> None:
    """It pays at the end of the year, or nobody has recorded it."""
    village = Village(ledger)
    village.take(
        pool(on_shortage="pro_rata"), *villager("P1", "2024-03-01", 500), *villager("P2", "2024-03-01", 5, "V9")
    )
    (line,) = village.decisions("E-P1")[-1]["waiting"]
    assert "本村互助金在年终按比例发放,这笔补助到时自动发放,您不用再申请。" == line["zh"]
    (other,) = village.decisions("E-P2")[-1]["waiting"]
    assert "登记完成后" in other["zh"]
    assert "position" not in line.keys() | other.keys()
    village.check()


def test_with_enough_money_nothing_differs_but_the_name_of_the_pool(ledger: Engine) -> None:
    """Decisions and instructions are, byte for byte, those of a policy whose schemes no pool funds."""
    batches = [
        [pool(), contribution(yuan=900), *villager("P1", "2024-03-01", 500)],
        [*villager("P2", "2024-03-02", 300), bill("S-P1", "E-P1", 2800, version=2, person_id="P1")],
    ]
    village, at_once = Village(ledger), list[bytes]()
    world = empty_world(policies(POOL_POLICY.replace('funded_by = "pool"\n', "")))
    for batch in batches:
        village.take(*batch)
        outcome = take(world, in_order(batch), village.now)
        at_once += [row.value for row in outcome.decisions] + [row.value for row in outcome.instructions]
    with ledger.connect() as connection:
        queries = [select(table.c.value) for table in (tables.decisions, tables.instructions)]
        found = [bytes(value) for query in queries for value in connection.scalars(query)]
    assert 5 + 3 == len(found)
    assert sorted(map(_nameless, at_once)) == sorted(map(_nameless, found))
    village.check()


def _nameless(value: bytes) -> str:
    """A message without the pool, and without the hash of the policy, in which it stands that pools pay."""
    document = json.loads(value)
    for part in (document, *document.get("benefits", ())):
        part.pop("pool_id", None)
        part.pop("policy_sha256", None)
    return json.dumps(document)


def test_a_policy_published_late_decides_and_releases_in_one_transaction(ledger: Engine) -> None:
    """The pool's step is part of the act: nothing is left to do, and who waits is told."""
    village = Village(ledger, policy=None)
    village.take(pool(), contribution(yuan=500), *villager("P1", "2024-03-01", 500), *villager("P2", "2024-03-02", 100))
    assert [] == village.orders()
    village.publish(POOL_POLICY)
    assert [PoolOrder("E-P1", "payment", 50_000, "V1")] == village.orders()
    assert [("100.00", 1)] == village.told("E-P2")[-1]
    with ledger.connect() as connection:
        assert 0 == connection.scalar(select(func.count()).select_from(pool_work))
    assert [[], [], []] == village.told("E-P1")
    village.check()


@pytest.mark.parametrize("rule", ["queue", "owe"])
def test_who_can_be_paid_is_not_told_to_wait_first(ledger: Engine, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    """Of more than one step serves, all are paid: nobody's decision gets a second revision."""
    monkeypatch.setattr("acts.release_pools.CLAIMS_AT_ONCE", 2)
    village = Village(ledger)
    members = [event for day in range(1, 6) for event in villager(f"P{day}", f"2024-03-0{6 - day}", 100)]
    village.take(pool(on_shortage=rule), contribution(yuan=500), *members)
    assert {} == village.waiting()
    assert [] == [told for day in range(1, 6) for told in village.told(f"E-P{day}") if told]
    village.check()


def test_what_a_close_left_is_told_when_the_queue_pays_what_is_due_later(ledger: Engine) -> None:
    """The rest of a closed year is not served again, also by another rule; what is due more is."""
    village = Village(ledger)
    village.take(pool(on_shortage="pro_rata"), contribution(yuan=200), *villager("P1", "2024-03-01", 500))
    with ledger.begin() as connection:
        close_pool_year(connection, "V1", 2024, "li.na", SHARDS, village.clock, "")
    village.take(pool(version=2), bill("S-P1", "E-P1", 2000 + 2 * 600, version=2, person_id="P1"))
    village.take(contribution("G2", yuan=1000))
    assert {"E-P1": 30_000} == village.waiting()
    assert "300.00" == village.decisions("E-P1")[-1]["waiting"][0]["amount"]
    assert "position" not in village.decisions("E-P1")[-1]["waiting"][0]
    village.check()
