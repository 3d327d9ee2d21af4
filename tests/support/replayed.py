"""Law 7: what a ledger has published is what an empty one makes of its events, byte for byte."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, select

from acts.rebuild_books import repeat
from handlers.audit.operator_acts import (
    aid_countersigned,
    alert_dealt_with,
    data_exported,
    done_in_console,
    event_replayed,
    month_closed,
)
from handlers.books.trial_balance import trial_balance_bytes, trial_balances
from handlers.deaths.report_deaths import report_deaths
from infra.ledger import alert_rows, clearing_tables, day_tables, pool_checks, tables
from infra.ledger.book_rows import PostingEvent
from schemas.access.console_rights import ConsoleAct
from schemas.alert_records import AlertAct, AlertRow, changed
from schemas.books import Closing, MonthlySum
from schemas.canonical import sha256_hex
from schemas.closed_days import ClosedDay
from schemas.funeral_lists import MatchDeaths
from schemas.ids import PayoutId, PersonId
from schemas.months import month_of, next_month, parse_month
from schemas.policy.model import Policies
from schemas.pool_records import ContributionRow, PoolRow
from schemas.records import (
    Export,
    Outcome,
    PayoutStateRow,
    Posting,
    Replay,
)
from schemas.treaty.treaty_file import parse_treaty
from tests.support.builders import SHARDS, empty_world
from tests.support.ledgers import dispositions
from tests.support.outbox import waiting_messages
from tests.support.stated_past import StatedPast


@dataclass
class Journal:
    """All that went out and was chained, by its key: what two ledgers must have in common, byte for byte."""

    dispositions: list[str] = field(default_factory=list)
    decisions: dict[tuple[str, int], bytes] = field(default_factory=dict)
    instructions: dict[str, bytes] = field(default_factory=dict)
    audit: dict[tuple[int, int], bytes] = field(default_factory=dict)
    outbox: dict[tuple[int, int], tuple[str, bytes | None, bytes]] = field(default_factory=dict)
    benefits: dict[tuple[str, str], int] = field(default_factory=dict)
    waiting: dict[tuple[str, str], tuple[object, ...]] = field(default_factory=dict)
    pools: dict[str, PoolRow] = field(default_factory=dict)
    contributions: dict[str, ContributionRow] = field(default_factory=dict)
    claims: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    payouts: dict[tuple[PayoutId, PersonId], PayoutStateRow] = field(default_factory=dict)
    postings: list[Posting] = field(default_factory=list)
    alerts: dict[str, AlertRow] = field(default_factory=dict)
    closed_days: list[ClosedDay] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.dispositions += [row.disposition for row in outcome.events]
        self.decisions |= {(row.claim_id, row.revision): row.value for row in outcome.decisions}
        self.instructions |= {row.payout_id: row.value for row in outcome.instructions}
        self.audit |= {(row.shard, row.seq): row.value for row in outcome.audit}
        self.outbox |= {(row.shard, row.seq): (row.topic, row.key, row.value) for row in outcome.outbox}
        self.benefits |= {place: row.benefit for place, row in outcome.benefits.items()}
        self.waiting |= {place: _waiting(row) for place, row in outcome.benefits.items()}
        self.pools |= outcome.pools
        self.contributions |= outcome.contributions
        self.claims |= {row.claim_id: (row.revision, row.status, row.total_benefit) for row in outcome.claims.values()}
        self.payouts |= outcome.payout_states
        self.postings += outcome.postings
        for each in outcome.alerts:
            self.alerts[each.alert_id] = changed(self.alerts.get(each.alert_id), each)
        self.closed_days += outcome.closed_days


def recorded(ledger: Engine) -> Journal:
    """The journal of a ledger whose outbox nobody has relayed."""
    with ledger.connect() as connection:
        of = {t.name: connection.execute(select(t)).all() for t in (tables.decisions, tables.instructions)}
        audit = connection.execute(select(tables.audit_entries)).all()
        benefits = connection.execute(select(tables.benefits)).all()
        claims = connection.execute(select(tables.claims)).all()
        payouts = [PayoutStateRow(*row) for row in connection.execute(select(tables.payout_states))]
        postings = connection.execute(select(clearing_tables.postings)).all()
        of_pools, of_contributions = pool_checks.rows_kept(connection)
        days = connection.execute(select(day_tables.closed_days).order_by(day_tables.closed_days.c.event_no)).all()
        pools = {row.pool_id: row for row in of_pools}
        contributions = {row.contribution_id: row for row in of_contributions}
        alerts = alert_rows.every(connection)
    return Journal(
        dispositions(ledger),
        {(row.claim_id, row.revision): bytes(row.value) for row in of["decisions"]},
        {row.payout_id: bytes(row.value) for row in of["instructions"]},
        {(row.shard, row.seq): bytes(row.value) for row in audit},
        {(row.shard, row.seq): (row.topic, row.key, row.value) for row in waiting_messages(ledger)},
        {(row.claim_id, row.scheme_id): row.benefit for row in benefits},
        {(row.claim_id, row.scheme_id): _waiting(row) for row in benefits},
        pools,
        contributions,
        {row.claim_id: (row.revision, row.status, row.total_benefit) for row in claims},
        {(row.payout_id, row.person_id): row for row in payouts},
        sorted(Posting(*row) for row in postings),
        {row.alert_id: row for row in alerts},
        [ClosedDay(*row) for row in days],
    )


def _waiting(row: Any) -> tuple[object, ...]:
    """What of a benefit is released, and how what is not waits for its pool."""
    return row.released, row.pool_id, row.discharged_on, row.place, row.told, row.left_by_close


def replayed(ledger: Engine, shards: int = SHARDS) -> Journal:
    """What an empty ledger makes of the events of this one, taken one by one in their recorded order."""
    world, journal, past = empty_world(Policies(), shards), Journal(), StatedPast(shards)
    published: dict[str, datetime] = {}
    with ledger.connect() as connection:
        rows = connection.execute(select(tables.events).order_by(tables.events.c.event_no)).all()
    for row in rows:
        processor = world.batch(row.recorded_at)
        key, value = (None if part is None else bytes(part) for part in (row.key, row.value))
        if row.disposition == "treaty":
            published[parse_treaty((value or b"").decode()).id] = row.recorded_at
        if row.disposition == "statement":
            act = json.loads(value or b"")
            world.statements |= past.issue(processor.journal, world.treaties, published, journal.audit, act)
        elif row.disposition == "replay":
            event_replayed(processor.journal, _order(json.loads(value or b"")))
        elif row.disposition == "closing":
            month_closed(processor.journal, _closed_again(journal.postings, Closing(**json.loads(value or b""))))
        elif row.disposition == "export":
            data_exported(processor.journal, Export(**json.loads(value or b"")))
        elif row.disposition == "alert":
            alert_dealt_with(processor.journal, row.shard, AlertAct(**json.loads(value or b"")))
        elif row.disposition == "deaths":
            report_deaths(processor, MatchDeaths(**json.loads(value or b"")))
        elif row.disposition == "aid":
            aid_countersigned(processor.journal, row.shard, value or b"")
        elif row.disposition == "console":
            done_in_console(processor.journal, ConsoleAct(**json.loads(value or b"")))
        else:
            repeat(
                world, processor, PostingEvent(row.event_no, row.topic, row.partition, row.offset, key, value, *row[7:])
            )
        numbered = [each._replace(number=row.event_no) for each in processor.outcome.postings]
        processor.outcome.postings[:] = numbered
        processor.outcome.alerts[:] = [each._replace(number=row.event_no) for each in processor.outcome.alerts]
        processor.outcome.closed_days[:] = [e._replace(number=row.event_no) for e in processor.outcome.closed_days]
        journal.add(processor.outcome)
        past.add(row.event_no, row.recorded_at, processor.outcome, world)
    return journal


def _closed_again(postings: Iterable[Posting], act: Closing) -> Closing:
    """The act with the hash of the trial balance that the repeated postings give."""
    month, sums = parse_month(act.month), defaultdict[tuple[str, date], list[int]](lambda: [0, 0])
    for each in postings:
        if each.booked_on < next_month(month):
            sums[each.account, month_of(each.booked_on)][each.amount < 0] += abs(each.amount)
    moved = [MonthlySum(*place, *amounts) for place, amounts in sums.items()]
    *_, balance = trial_balances(moved, min(each.month for each in moved), month)
    return act._replace(trial_balance_sha256=sha256_hex(trial_balance_bytes(balance)))


def _order(fields: dict[str, Any]) -> Replay:
    coded = {name: None if fields[name] is None else base64.b64decode(fields[name]) for name in ("key", "value")}
    return Replay(**{**fields, **coded})


def code_alone(outbox: dict[tuple[int, int], tuple[str, bytes | None, bytes]]) -> dict[tuple[int, int], object]:
    """The outbox with the pointers and sentences of PERSON_MISMATCH left out of the dead letters.

    Two ids of one event may both belong to somebody else. Which of them a worker had heard of when it refused the
    event, while another one was binding them, is not recorded; the code, and that it was refused, is.
    """
    plain: dict[tuple[int, int], object] = {}
    for place, (topic, key, value) in outbox.items():
        letter = json.loads(value)
        if letter.get("code") == "PERSON_MISMATCH":
            plain[place] = {name: part for name, part in letter.items() if name not in ("pointers", "zh", "en")}
        else:
            plain[place] = (topic, key, value)
    return plain


def assert_replays(ledger: Engine, *, at_once: bool = False, older: bool = False, shards: int = SHARDS) -> Journal:
    """Compares part by part, so that a difference shows where it lies.

    ``at_once``: several workers wrote it. ``older``: a release wrote it that kept no alerts, and they are not compared.
    """
    expected, actual = recorded(ledger), replayed(ledger, shards)
    assert expected.dispositions == actual.dispositions
    assert expected.claims == actual.claims
    assert expected.benefits == actual.benefits
    assert expected.waiting == actual.waiting
    assert expected.pools == actual.pools
    assert expected.contributions == actual.contributions
    assert expected.payouts == actual.payouts
    assert expected.instructions == actual.instructions
    assert expected.decisions == actual.decisions
    assert expected.postings == actual.postings
    assert older or expected.alerts == actual.alerts
    assert expected.closed_days == actual.closed_days
    assert expected.audit == actual.audit
    if at_once:
        assert code_alone(expected.outbox) == code_alone(actual.outbox)
    else:
        assert expected.outbox == actual.outbox
    return expected
