"""The database itself refuses wrong code: what no program may write, whatever it believes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from infra.ledger import tables
from tests.support.ledger_rows import NOW, benefit, event, instruction

INSERT_ONLY = [
    tables.events,
    tables.subjects,
    tables.facts,
    tables.policies,
    tables.decisions,
    tables.instructions,
    tables.refusals,
    tables.audit_entries,
    tables.checkpoints,
]


def fact(number: int, **columns: Any) -> dict[str, Any]:
    line = {"kind": "settlement", "subject_id": "S1", "version": 1, "person_id": "P1", "content_sha256": "a" * 64}
    return {**line, "event_no": number, **columns}


def policy(number: int, start: date, end: date | None, **columns: Any) -> dict[str, Any]:
    name = f"policy-{number}"
    release = {"sha256": name, "policy_id": name, "effective_from": start, "effective_to": end}
    return {**release, "source_text": "", "event_no": number, "operator": "li.na", "published_at": NOW, **columns}


def claim(burden: int, benefits: int) -> dict[str, Any]:
    row = {"claim_id": "E1", "person_id": "P1", "shard": 0, "revision": 1, "status": "adjudicated", "fingerprint": "f"}
    return {**row, "personal_burden": burden, "total_benefit": benefits, "patient_pays": burden - benefits}


def write(ledger: Engine, *rows: tuple[Table, dict[str, Any]]) -> None:
    """Inserts rows in one transaction."""
    with ledger.begin() as connection:
        for table, row in rows:
            connection.execute(insert(table).values(row))


def refused(ledger: Engine, *rows: tuple[Table, dict[str, Any]]) -> str:
    """What the database says to rows that it must not take; nothing of them may remain."""
    counted = {table.name: count(ledger, table) for table, _ in rows}
    with pytest.raises(DBAPIError) as raised:
        write(ledger, *rows)
    assert counted == {table.name: count(ledger, table) for table, _ in rows}
    return str(raised.value.orig)


def count(ledger: Engine, table: Table) -> int:
    with ledger.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def paid(ledger: Engine) -> Engine:
    """A ledger in which 300.00 were due, and paid, for E1 under one scheme."""
    write(ledger, (tables.benefits, benefit(30_000)), (tables.instructions, instruction(1, 0, 30_000)))
    return ledger


# Instructions ---------------------------------------------------------------------------------------------


def test_a_balance_moves_by_instructions_that_follow_one_another(paid: Engine) -> None:
    """What right code writes is taken: a payment more, then everything back, each with its benefit."""
    for number, before, after in ((2, 30_000, 45_000), (3, 45_000, 0)):
        with paid.begin() as connection:
            connection.execute(insert(tables.instructions).values(instruction(number, before, after)))
            connection.execute(update(tables.benefits).values(benefit=after, released=after))
    assert 3 == count(paid, tables.instructions)


@pytest.mark.parametrize(
    ("rows", "guard"),
    [
        ([instruction(1, 0, 20_000, payout_id="PO-again")], "instructions_once"),
        ([instruction(2, 30_000, 40_000, payout_id="PO-1")], "instructions_pkey"),
        ([instruction(2, 30_000, 40_000), instruction(2, 40_000, 30_000, payout_id="PO-x")], "instructions_once"),
        ([instruction(3, 30_000, 40_000)], "instructions_follow"),
        ([instruction(2, 0, 30_000)], "instructions_follow"),
        ([instruction(2, 29_999, 30_000)], "instructions_follow"),
        ([instruction(1, 30_000, 40_000, scheme_id="t")], "instructions_start"),
        ([instruction(0, 0, 1, scheme_id="t")], "instructions_start"),
        ([instruction(2, 30_000, 40_000, amount=9_999)], "instructions_balance"),
        ([instruction(2, 30_000, 40_000, kind="recovery")], "instructions_balance"),
        ([instruction(2, 30_000, 30_000)], "instructions_positive"),
        ([instruction(2, 30_000, 0, amount=-30_000, kind="payment")], "instructions_positive"),
        ([instruction(2, 30_000, -1)], "instructions_positive"),
        ([instruction(2, 30_000, 40_000, kind="gift")], "instructions_kind"),
    ],
)
def test_an_instruction_that_does_not_continue_the_balance_is_refused(
    paid: Engine, rows: list[dict[str, Any]], guard: str
) -> None:
    """A revision twice, a gap, another balance before, an amount that does not lead from one to the other."""
    assert guard in refused(paid, *((tables.instructions, row) for row in rows))


def test_an_instruction_without_its_benefit_is_refused_at_the_end(paid: Engine) -> None:
    """A wrong payment: the transaction that would commit it does not commit."""
    said = refused(paid, (tables.instructions, instruction(2, 30_000, 30_001)))
    assert "30000 fen are released but 30001 are instructed" in said
    said = refused(paid, (tables.instructions, instruction(1, 0, 5, scheme_id="t", payout_id="PO-t")))
    assert "0 fen are released but 5 are instructed" in said


def test_a_benefit_without_its_instruction_is_refused_at_the_end(paid: Engine) -> None:
    """A lost payment: neither a new benefit nor a changed one can be committed alone."""
    assert "7 fen are released but 0 are instructed" in refused(paid, (tables.benefits, benefit(7, scheme_id="t")))
    with (
        pytest.raises(IntegrityError, match="29999 fen are released but 30000 are instructed"),
        paid.begin() as connection,
    ):
        connection.execute(update(tables.benefits).values(benefit=29_999, released=29_999))


def test_a_benefit_is_never_negative(ledger: Engine) -> None:
    """Not even in passing."""
    assert "benefits_not_negative" in refused(ledger, (tables.benefits, benefit(-1)))


@pytest.mark.parametrize(("burden", "benefits"), [(10_000, 10_001), (0, 1), (10_000, -1)])
def test_a_claim_never_gets_more_than_its_burden(ledger: Engine, burden: int, benefits: int) -> None:
    """One fen above the personal burden, or below nothing, is refused; the whole burden is taken."""
    assert "claims_never_above_burden" in refused(ledger, (tables.claims, claim(burden, benefits)))
    write(ledger, (tables.claims, claim(burden, burden)))


# What was recorded stays ----------------------------------------------------------------------------------


@pytest.fixture
def filled(paid: Engine) -> Engine:
    """A ledger with a row in every table that is only added to."""
    write(
        paid,
        (tables.events, event(1, 0)),
        (tables.subjects, {"kind": "settlement", "subject_id": "S1", "person_id": "P1", "encounter_id": "E1"}),
        (tables.facts, fact(1)),
        (tables.policies, policy(1, date(2024, 1, 1), date(2025, 1, 1))),
        (tables.decisions, {"claim_id": "E1", "revision": 1, "event_no": 1, "value": b"{}"}),
        (tables.refusals, {"event_no": 1, "code": "MALFORMED_JSON", "pointers": [], "zh": "", "en": ""}),
        (tables.audit_entries, {"shard": 0, "seq": 1, "event_no": 1, "kind": "k", "actor": "a"}
            | {"prev_hash": "0" * 64, "hash": "1" * 64, "value": b"{}"}),
        (tables.checkpoints, {"shard": 0, "size": 1, "root": "2" * 64, "key_id": "k", "made_at": NOW}
            | {"note": "", "frontier": b""}),
    )  # fmt: skip
    return paid


@pytest.mark.parametrize(
    "act",
    ['UPDATE "{table}" SET "{column}" = "{column}"', 'DELETE FROM "{table}"', 'TRUNCATE "{table}" CASCADE'],
    ids=["update", "delete", "truncate"],
)
def test_what_was_recorded_is_neither_changed_nor_deleted(filled: Engine, act: str) -> None:
    """No table of what happened can be updated, deleted from or truncated, not even by who owns it."""
    for table in INSERT_ONLY:
        statement = act.format(table=table.name, column=next(iter(table.primary_key)).name)
        with pytest.raises(DBAPIError, match="insert-only"), filled.begin() as connection:
            connection.execute(text(statement))
        assert 1 == count(filled, table)


def test_an_event_is_recorded_once(filled: Engine) -> None:
    """The same topic, partition and offset cannot be taken in twice; acts of operators have none and may be many."""
    assert "events_once" in refused(filled, (tables.events, event(2, 0)))
    write(filled, *((tables.events, event(number, number)) for number in (2, 3)))
    acts = [event(number, None, topic="operator", disposition="policy") for number in (4, 5)]
    write(filled, *((tables.events, act) for act in acts))


def test_a_disposition_is_one_of_those_there_are(ledger: Engine) -> None:
    """An event that was neither accepted nor refused nor known before does not exist."""
    assert "events_disposition" in refused(ledger, (tables.events, event(1, 0, disposition="lost")))


def test_a_version_is_accepted_once(filled: Engine) -> None:
    """The same kind, id and version cannot be accepted twice; a fact has its event."""
    write(filled, (tables.events, event(2, 1)))
    assert "facts_pkey" in refused(filled, (tables.facts, fact(2, content_sha256="b" * 64)))
    assert "facts_event_no_fkey" in refused(filled, (tables.facts, fact(99, version=2)))
    write(filled, (tables.facts, fact(2, version=2)), (tables.facts, fact(2, kind="encounter")))


def test_an_id_has_one_owner(filled: Engine) -> None:
    """An id that is bound to a person cannot be bound again."""
    stranger = {"kind": "settlement", "subject_id": "S1", "person_id": "P2", "encounter_id": "E1"}
    assert "subjects_pkey" in refused(filled, (tables.subjects, stranger))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2024, 12, 31), None),
        (date(2024, 6, 1), date(2024, 6, 2)),
        (date(2020, 1, 1), date(2024, 1, 2)),
        (date(2020, 1, 1), None),
    ],
)
def test_two_policies_are_never_in_force_on_one_day(filled: Engine, start: date, end: date | None) -> None:
    """Any common day is one too many; the day after the last one is free."""
    write(filled, (tables.events, event(2, 1)), (tables.events, event(3, 2)))
    assert "policies_one_a_day" in refused(filled, (tables.policies, policy(2, start, end)))
    write(filled, (tables.policies, policy(2, date(2025, 1, 1), None)))
    write(filled, (tables.policies, policy(3, date(2023, 1, 1), date(2024, 1, 1))))


def test_a_successor_ends_its_predecessor_and_nothing_else_does(filled: Engine) -> None:
    """The days of a policy are the database's own: shortened once, by a successor, and never by hand."""
    later = tables.policies, policy(2, date(2025, 1, 1), None)
    write(filled, (tables.events, event(2, 1)), (tables.events, event(3, 2)), later)
    succeeding = {"succeeds": "policy-2"}
    for start, named, guard in (
        (date(2024, 12, 31), "policy-2", "cannot succeed policy-2"),
        (date(2025, 1, 1), "policy-2", "cannot succeed policy-2"),
        (date(2026, 1, 1), "policy-1", "cannot succeed policy-1"),
        (date(2026, 1, 1), "policy-3", "cannot succeed policy-3"),
        (date(2026, 1, 1), "nobody", "policies_succeeds"),
    ):
        assert guard in refused(filled, (tables.policies, policy(3, start, None, succeeds=named)))
    write(filled, (tables.policies, policy(3, date(2026, 1, 1), None, **succeeding)))
    with filled.connect() as connection:
        days = connection.execute(select(tables.policy_intervals).order_by(tables.policy_intervals.c.policy_id)).all()
    assert [
        ("policy-1", date(2024, 1, 1), date(2025, 1, 1), None),
        ("policy-2", date(2025, 1, 1), date(2026, 1, 1), "policy-3"),
        ("policy-3", date(2026, 1, 1), None, None),
    ] == [tuple(row) for row in days]
    assert "policies_one_successor" in refused(
        filled, (tables.policies, policy(4, date(2027, 1, 1), None, **succeeding))
    )
    for act in (
        "UPDATE policy_intervals SET effective_to = '2030-01-01' WHERE policy_id = 'policy-3'",
        "UPDATE policy_intervals SET effective_to = '2026-02-01' WHERE policy_id = 'policy-2'",
        "UPDATE policy_intervals SET effective_to = NULL",
        "DELETE FROM policy_intervals",
        "INSERT INTO policy_intervals VALUES ('policy-3', '2030-01-01', NULL, NULL)",
        "TRUNCATE policy_intervals",
    ):
        with pytest.raises(DBAPIError, match=r"days of policy|insert-only"), filled.begin() as connection:
            connection.execute(text(act))


def test_a_policy_is_published_once(filled: Engine) -> None:
    """Neither its hash nor its id can be used again."""
    write(filled, (tables.events, event(2, 1)))
    later = (date(2026, 1, 1), None)
    assert "policies_pkey" in refused(filled, (tables.policies, policy(2, *later, sha256="policy-1")))
    assert "policies_policy_id_key" in refused(filled, (tables.policies, policy(2, *later, policy_id="policy-1")))


# Sequences and offsets ------------------------------------------------------------------------------------

Change = Callable[[Connection], object]


@pytest.mark.parametrize("name", ["epoch", "audit_seq", "outbox_seq"])
def test_the_sequences_of_a_shard_only_go_forward(ledger: Engine, name: str) -> None:
    """An old epoch or number cannot come back, as from a worker that was asleep."""
    column = tables.shards.c[name]
    with ledger.begin() as connection:
        connection.execute(update(tables.shards).values({column: 7}))
    with pytest.raises(IntegrityError, match="went backwards"), ledger.begin() as connection:
        connection.execute(update(tables.shards).where(tables.shards.c.shard == 2).values({column: 6}))
    with ledger.connect() as connection:
        assert [7] * 4 == list(connection.scalars(select(column)))


@pytest.mark.parametrize("table", [tables.outbox, tables.audit_entries, tables.decisions], ids=lambda t: str(t.name))
def test_a_number_is_given_once(ledger: Engine, table: Table) -> None:
    """Two messages, audit entries or decisions of one number cannot both exist."""
    columns = {column.name: 1 if column.type.python_type is int else "x" for column in table.columns}
    row = {name: b"{}" if name == "value" else value for name, value in columns.items() if name != "key"}
    write(ledger, (table, row))
    assert f"{table.name}_pkey" in refused(ledger, (table, row))


def test_an_offset_is_not_negative(ledger: Engine) -> None:
    """No partition begins before zero."""
    row = {"topic": "hospital.expenses", "partition": 0, "next_offset": -1}
    assert "offsets_not_negative" in refused(ledger, (tables.offsets, row))
