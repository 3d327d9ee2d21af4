"""The village that the demo adds: what its pool has for one, the words for who waits, and what a contribution pays."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from cli.demo.demo_command import HOUSEHOLD_POLICY, SAMPLE_POLICY
from cli.demo.village_pool import VILLAGERS, later_stays, money_arrives, show_village, village
from infra.ledger import tables
from schemas.dates import SHANGHAI
from schemas.policy.policy_file import read_text
from tests.support.acts import publish
from tests.support.builders import SHARDS
from tests.support.ledgers import do_steps, give, held, in_order, ticking
from tests.support.paths import REPOSITORY
from tests.support.replayed import assert_replays


def released(ledger: Engine) -> list[int]:
    """What each of the three was paid so far, in fen."""
    rows = select(tables.benefits.c.claim_id, tables.benefits.c.released)
    with ledger.connect() as connection:
        found = {row.claim_id: row.released for row in connection.execute(rows)}
    return [found.get(f"E-{each.person_id}", 0) for each in VILLAGERS]


def test_the_second_is_paid_when_money_arrives(
    ledger: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1,800.00 for the first; the second waits for 1,200.00, and reads what README shows; the third goes on waiting."""
    now = ticking(datetime(2026, 2, 1, 9, tzinfo=SHANGHAI))
    for file in (SAMPLE_POLICY, HOUSEHOLD_POLICY):
        publish(ledger, read_text(file), "demo", SHARDS, now)
    held(ledger)
    posted, paid = list[bytes](), list[list[int]]()
    for part in (village(), later_stays(), money_arrives()):
        posted += part
        give(ledger, in_order([json.loads(each) for each in posted])[-len(part) :], now)
        do_steps(ledger, now)
        paid.append(released(ledger))
    assert [[180_000, 0, 0], [180_000, 0, 0], [180_000, 120_000, 0]] == paid
    with ledger.connect() as connection:
        decided = connection.scalars(select(tables.decisions.c.value).order_by(tables.decisions.c.revision)).all()
    (tmp_path / "decisions.jsonl").write_bytes(b"".join(bytes(each) + b"\n" for each in decided))
    show_village(tmp_path)
    said = capsys.readouterr().out
    assert "本村互助金暂时不足,这笔补助已排队,第 1 位,资金到账后自动发放,您不用再申请。" in said
    assert said in (REPOSITORY / "README.md").read_text("utf-8")
    assert_replays(ledger)
