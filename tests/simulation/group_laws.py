"""What must be true where money reaches over one person: caps at every commit, recoveries first, and law 7."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import psycopg
from sqlalchemy import Engine

from tests.oracle.calculator import adjudicate
from tests.simulation.witness import Broken, Evidence, expect
from tests.support.household_caps import PAID, Paid, over_the_caps
from tests.support.replayed import assert_replays

RECOVERIES_FIRST = """
    WITH ordered AS (
        SELECT event_no, instructions.kind, min(entry) AS place
        FROM events JOIN instructions USING (event_no) JOIN postings USING (event_no)
        WHERE disposition = 'group' AND reference = payout_id GROUP BY event_no, payout_id, instructions.kind
    )
    SELECT event_no FROM ordered GROUP BY event_no
    HAVING min(place) FILTER (WHERE kind = 'payment') < max(place) FILTER (WHERE kind = 'recovery')
"""


def caps_of_units(policies: Sequence[str]) -> Callable[[psycopg.Connection[Any]], None]:
    """Looks whether the caps of households hold for what is instructed now, by the units as last decided."""

    def look(ledger: psycopg.Connection[Any]) -> None:
        paid = [Paid(*row) for row in ledger.execute(PAID).fetchall()]
        expect("a unit's cap holds at every commit", [], over_the_caps(paid, policies))

    return look


def all_is_decided(ledger: psycopg.Connection[Any]) -> None:
    """Looks whether each benefit is the oracle's by what was accepted so far; not while somebody waits for others."""
    if ledger.execute("SELECT FROM group_work LIMIT 1").fetchone() is not None:
        return
    policies = [text for (text,) in ledger.execute("SELECT source_text FROM policies").fetchall()]
    accepted = ledger.execute("SELECT value FROM events WHERE disposition = 'accepted' ORDER BY event_no").fetchall()
    claims, _ = adjudicate(policies, [value for (value,) in accepted])
    due = {
        (claim["claim_id"], line["scheme_id"]): int(Decimal(line["benefit"]) * 100)
        for claim in claims
        for line in claim["benefits"]  # type: ignore[attr-defined]
        if Decimal(line["benefit"])
    }
    held = ledger.execute("SELECT claim_id, scheme_id, benefit FROM benefits WHERE benefit > 0").fetchall()
    expect("what is due after each group step", due, {tuple(place): amount for *place, amount in held})


def nobody_waits(evidence: Evidence) -> None:
    """No claim waits for those of others."""
    expect("nobody waits for a group step", [(0,)], evidence.rows("SELECT count(*) FROM group_work"))


def recoveries_come_first(evidence: Evidence) -> None:
    """Within a group step everything is taken back before anything is paid."""
    expect("a group's recoveries come first", [], evidence.rows(RECOVERIES_FIRST))


def replays(evidence: Evidence, engine: Engine) -> None:
    """Law 7: an empty ledger makes the same of these events, byte for byte. Puts back first what was sent."""
    evidence.ledger.execute("INSERT INTO outbox SELECT * FROM outbox_as_written")
    try:
        assert_replays(engine, at_once=True, shards=evidence.shards)
    except AssertionError as error:
        raise Broken("a replay gives the same", str(error)[:1200]) from error
