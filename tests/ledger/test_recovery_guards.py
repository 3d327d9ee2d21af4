"""What the database refuses about recoveries that are set off or waived, whatever a program believes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, insert, text, update
from sqlalchemy.exc import DBAPIError

from infra.ledger import tables
from infra.ledger.clearing_tables import settled_recoveries
from tests.support.debtor import Debtor
from tests.support.ledger_rows import NOW, benefit, event, instruction

OFF, ORDERS, DUE = settled_recoveries, tables.instructions, tables.benefits


def settled(**columns: Any) -> dict[str, Any]:
    row = {"payout_id": "PO-2", "person_id": "P1", "manner": "set_off", "amount": 10_000, "left": 10_000}
    return {**row, "payer": "fund", "treaty_id": None, "reason": "r", "operator": "li.na", "event_no": 1, **columns}


def write(connection: Connection, *rows: tuple[Table, dict[str, Any]]) -> None:
    for table, row in rows:
        connection.execute(insert(table).values(row))


def keep(connection: Connection, amount: int = 4_000, left: int | None = None, **columns: Any) -> None:
    """A payment for E2 that is kept back for PO-2, with what is due for it; ``left`` is what PO-2 has left then."""
    place = {"claim_id": "E2", "payout_id": "PO-off", "set_off_of": "PO-2"}
    order = instruction(1, 0, amount, **{**place, **columns})
    write(connection, (DUE, benefit(amount, claim_id="E2")), (ORDERS, order))
    if left is not None:
        lower(connection, left)


def lower(connection: Connection, left: int) -> None:
    connection.execute(update(OFF).values(left=left))


@pytest.fixture
def owed(ledger: Engine) -> Engine:
    """A ledger in which 300.00 were paid for E1, and 100.00 of them are to be recovered by PO-2."""
    with ledger.begin() as connection:
        write(connection, (tables.events, event(1, 0)), (DUE, benefit(30_000)), (ORDERS, instruction(1, 0, 30_000)))
        connection.execute(update(DUE).values(benefit=20_000, released=20_000))
        write(connection, (ORDERS, instruction(2, 30_000, 20_000)))
    return ledger


@pytest.mark.parametrize(
    ("columns", "guard"),
    [
        ({"payout_id": "PO-1", "amount": 30_000, "left": 30_000}, "does not add up"),
        ({"payout_id": "PO-9"}, "payout_id_fkey"),
        ({"amount": 9_999, "left": 9_999}, "does not add up"),
        ({"left": 9_999}, "does not add up"),
        ({"left": 10_001}, "settled_recoveries_amount"),
        ({"person_id": "P2"}, "does not add up"),
        ({"payer": "insurer-a"}, "does not add up"),
        ({"treaty_id": "t1"}, "does not add up"),
        ({"manner": "waived"}, "does not add up"),
        ({"manner": "forgotten"}, "settled_recoveries_manner"),
    ],
)
def test_only_a_recovery_is_settled_and_whole(owed: Engine, columns: dict[str, Any], guard: str) -> None:
    """Another amount, person or payer than that of the recovery, or a payment, is refused at the end."""
    with pytest.raises(DBAPIError, match=guard), owed.begin() as connection:
        write(connection, (OFF, settled(**columns)))


def test_what_is_kept_back_is_taken_off_what_is_left(owed: Engine) -> None:
    """Neither without the other, nor more than the recovery; what right code writes is taken."""
    with owed.begin() as connection:
        write(connection, (OFF, settled()))
    with pytest.raises(DBAPIError, match="does not add up"), owed.begin() as connection:
        keep(connection)
    with pytest.raises(DBAPIError, match="does not add up"), owed.begin() as connection:
        lower(connection, 6_000)
    with pytest.raises(DBAPIError, match="does not add up"), owed.begin() as connection:
        keep(connection, 10_001, left=0)
    with owed.begin() as connection:
        keep(connection, left=6_000)
    with pytest.raises(DBAPIError, match="only falls"), owed.begin() as connection:
        lower(connection, 6_001)
    with pytest.raises(DBAPIError, match="only falls"), owed.begin() as connection:
        connection.execute(update(OFF).values(manner="waived"))
    for act in ("DELETE FROM", "TRUNCATE"):
        with pytest.raises(DBAPIError, match="insert-only"), owed.begin() as connection:
            connection.execute(text(f"{act} settled_recoveries"))


@pytest.mark.parametrize(
    ("columns", "guard"),
    [
        ({"person_id": "P2"}, "does not add up"),
        ({"payer": "insurer-a", "treaty_id": "t1"}, "does not add up"),
        ({"payee_id": "H1"}, "instructions_set_off_kind"),
        ({"reversal_of": "PO-1"}, "instructions_set_off_kind"),
        ({"set_off_of": "PO-1"}, "does not add up"),
    ],
)
def test_only_the_debtors_own_payments_are_kept_back(owed: Engine, columns: dict[str, Any], guard: str) -> None:
    """By the payer who had paid too much; whether or not what is left falls."""
    treaty = {"sha256": "t", "treaty_id": "t1", "lead": "insurer-a", "effective_from": NOW, "schemes": ["s"]}
    more = {"source_text": "", "event_no": 1, "operator": "li.na", "published_at": NOW}
    with owed.begin() as connection:
        write(connection, (OFF, settled()), (tables.treaties, treaty | more))
    for left in (10_000, 6_000):
        with pytest.raises(DBAPIError, match=guard), owed.begin() as connection:
            keep(connection, left=left, **columns)


def test_what_is_waived_is_not_kept_back(owed: Engine) -> None:
    """Nor is anything kept back for what nobody settled."""
    with pytest.raises(DBAPIError, match="does not add up"), owed.begin() as connection:
        keep(connection)
    with owed.begin() as connection:
        write(connection, (OFF, settled(manner="waived", left=0)))
    with pytest.raises(DBAPIError, match="does not add up"), owed.begin() as connection:
        keep(connection)


def test_what_was_collected_is_not_settled(ledger: Engine) -> None:
    """Though it may be reported later that it was: then the reports are the insurer's to explain."""
    debtor = Debtor(ledger)
    debtor.report(debtor.recovery, "paid")
    row = settled(payout_id=debtor.recovery, manner="waived", amount=15_000, left=0)
    with pytest.raises(DBAPIError, match="reported as collected"), ledger.begin() as connection:
        write(connection, (OFF, row))


@pytest.mark.parametrize("reissued_first", [True, False])
def test_a_recovery_is_settled_or_reissued_never_both(ledger: Engine, reissued_first: bool) -> None:
    """Whichever a program writes second is refused at the end."""
    debtor = Debtor(ledger)
    name = debtor.recovery
    debtor.report(name, "failed")
    place = {"scheme_id": "village_mutual_aid"}
    again = (
        (ORDERS, instruction(3, 15_000, 30_000, **place, reversal_of=name)),
        (ORDERS, instruction(4, 30_000, 15_000, **place, reissue_of=name)),
    )
    row = (OFF, settled(payout_id=name, amount=15_000, left=15_000))
    first, then = (again, (row,)) if reissued_first else ((row,), again)
    with ledger.begin() as connection:
        write(connection, *first)
    with pytest.raises(DBAPIError, match=r"add up|a reissue needs"), ledger.begin() as connection:
        write(connection, *then)
