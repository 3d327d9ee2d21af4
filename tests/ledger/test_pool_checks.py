"""`huzhu audit verify` notices benefits and pools that are not what events, decisions and instructions made them."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from acts.verify_audit_log import Trust, verify_ledger
from handlers.audit.log_check import Fault
from tests.support.builders import contribution, contribution_void, coverage, pool
from tests.support.pools import villager
from tests.support.village import Village


def findings(ledger: Engine) -> list[tuple[Fault, str]]:
    verified = verify_ledger(ledger, Trust([], use=False), lambda _: None)
    return [(each.fault, each.saying.en) for each in verified.findings]


@pytest.fixture
def village(ledger: Engine) -> Village:
    """A pool that has paid one claim and lets one wait, with free, restricted and voided money; one not recorded."""
    found = Village(ledger)
    found.take(
        pool(area="Lihu"),
        contribution("G1", yuan=500),
        contribution("G2", yuan=300, restricted_to=["other"], heads=3),
        contribution("G3", yuan=70),
        *villager("P1", "2024-03-01", 500),
        *villager("P2", "2024-03-02", 100),
        *villager("P3", "2024-03-03", 100, "V9"),
    )
    found.take(contribution_void("G3"), coverage("C-P4", person_id="P4", pool_id="V1"))
    return found


def test_sound_pools_are_good(village: Village) -> None:
    """No false alarm: also while work waits for the next step."""
    assert [] == findings(village.ledger)
    with village.ledger.begin() as connection:
        moved = (
            "WITH gone AS (DELETE FROM pool_sums RETURNING *) INSERT INTO pool_work (event_no, pool_id, shard, side, "
        )
        connection.execute(text(moved + "key, amount) SELECT 1, pool_id, 0, side, key, amount FROM gone"))
    assert [] == findings(village.ledger)


RELEASED = "not so much is released as is instructed (claim/scheme): "
DECIDED = "the newest decision says otherwise what a pool owes or who waits (claim/scheme): "
POOLS, CONTRIBUTIONS = "pools are not what their events say: ", "contributions are not what their events say: "
SUMS = "what pools are counted to have received is not what was contributed: "


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE benefits SET released = 49999 WHERE claim_id = 'E-P1'", RELEASED + "E-P1/village_mutual_aid"),
        ("UPDATE benefits SET released = 1 WHERE claim_id = 'E-P2'", RELEASED + "E-P2/village_mutual_aid"),
        ("DELETE FROM benefits WHERE claim_id = 'E-P1'", RELEASED + "E-P1/village_mutual_aid"),
        ("UPDATE benefits SET benefit = 10001 WHERE claim_id = 'E-P2'", DECIDED + "E-P2/village_mutual_aid"),
        ("UPDATE benefits SET told = 0 WHERE claim_id = 'E-P2'", DECIDED + "E-P2/village_mutual_aid"),
        ("UPDATE benefits SET pool_id = 'V2' WHERE claim_id = 'E-P2'", DECIDED + "E-P2/village_mutual_aid"),
        ("UPDATE benefits SET discharged_on = '2020-01-01' WHERE claim_id = 'E-P2'", DECIDED + "E-P2"),
        ("UPDATE pools SET on_shortage = 'owe'", POOLS + "V1"),
        ("UPDATE pools SET area = NULL", POOLS + "V1"),
        ("DELETE FROM pools", POOLS + "V1"),
        ("INSERT INTO pools SELECT 'V9', shard, title, area, on_shortage, opened_on FROM pools", POOLS + "V9"),
        ("UPDATE contributions SET heads = 4 WHERE contribution_id = 'G2'", CONTRIBUTIONS + "G2"),
        ("UPDATE contributions SET amount = 7000, voided = false WHERE voided", CONTRIBUTIONS + "G3"),
        ("UPDATE contributions SET restricted_to = '{}' WHERE heads = 3", CONTRIBUTIONS + "G2"),
        ("DELETE FROM contributions WHERE voided", CONTRIBUTIONS + "G3"),
        ("UPDATE pool_sums SET amount = amount + 1 WHERE side = 'received' AND key = ''", SUMS + "V1"),
        ("UPDATE pool_sums SET key = '[\"more\"]' WHERE key LIKE '[%'", SUMS + 'V1 ["more"], V1 ["other"]'),
        ("DELETE FROM pool_sums WHERE side = 'received' AND key <> ''", SUMS + 'V1 ["other"]'),
        ("INSERT INTO pool_work (event_no, pool_id, shard, side, key, amount) VALUES (1, 'V1', 0, 'received', '', 5)",
         SUMS + "V1"),
    ],
)  # fmt: skip
def test_changed_benefits_and_pools_are_found(village: Village, statement: str, said: str) -> None:
    """What only who owns the database can do, past the guards."""
    change(village, statement)
    found = findings(village.ledger)
    assert any(each.startswith(said) for fault, each in found if fault is Fault.POOLS_DISAGREE), found


@pytest.mark.parametrize("pool_id", ["'V2'", "NULL"])
def test_another_pool_in_an_instruction_is_found(village: Village, pool_id: str) -> None:
    """The column by which the money is counted is what the published bytes say."""
    change(village, f"UPDATE instructions SET pool_id = {pool_id}")
    assert Fault.CONTENT_CHANGED == findings(village.ledger)[0][0]


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE postings SET account = 'pool:V2' WHERE account = 'pool:V1' AND reference = 'G1'", "G1"),
        ("UPDATE postings SET amount = 2 * amount WHERE reference = 'G2'", "G2"),
        ("DELETE FROM postings WHERE reference = 'G1'", "G1"),
        ("UPDATE postings SET account = 'funded:other' WHERE account LIKE 'funded:%'", "PO-"),
    ],
)
def test_changed_postings_of_pools_are_found(village: Village, statement: str, name: str) -> None:
    """Of contributions and of what is instructed of the pool's money."""
    change(village, statement)
    (fault, said), *_ = findings(village.ledger)
    assert (Fault.BOOKS_DISAGREE, True) == (fault, f"reports: {name}" in said)


def change(village: Village, statement: str) -> None:
    with village.ledger.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        assert connection.execute(text(statement)).rowcount, "a change that changes nothing proves nothing"
