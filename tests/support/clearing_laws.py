"""What statements and books must say when all is idle: what their oracles make of the same instructions and reports.

Read with plain SQL, after simulated faults and real ones alike.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from tests.oracle import books, statements

Rows = Callable[[str], list[tuple[Any, ...]]]
"""Asks the ledger."""

Comparison = tuple[str, object, object]
"""What is compared, what it should be, and what it is."""


def statements_are_the_oracles(rows: Rows, sent: Sequence[dict[str, Any]]) -> Iterator[Comparison]:
    """Each month of a treaty says what its instructions and the reports of its time come to, to every insurer.

    ``sent`` are the messages of `insurance.statements`, each shard in its order.
    """
    orders = [
        statements.Instruction(*row[:-3])._replace(of=row[-3:])
        for row in rows(
            "SELECT payout_id, treaty_id, kind, amount, recorded_at, reversal_of, reissue_of, set_off_of, "
            "claim_id, scheme_id, payee_id FROM instructions "
            "JOIN events USING (event_no) WHERE treaty_id IS NOT NULL ORDER BY event_no, revision"
        )
    ]
    reports = [
        statements.Report(told["payout_id"], told["status"], recorded_at, datetime.fromisoformat(told["reported_at"]))
        for told, recorded_at in _reports(rows)
    ]
    texts: dict[str, str] = dict(rows("SELECT treaty_id, source_text FROM treaties"))
    issued = rows("SELECT statement_id, treaty_id, month, insurer, number, value FROM statements ORDER BY 2, 3")
    for statement_id, treaty_id, month, insurer, _, value in issued:
        wanted = statements.statement(tomllib.loads(texts[treaty_id]), orders, reports, month)
        told, place = json.loads(value), (treaty_id, month, insurer)
        part = wanted.parts[insurer]
        sums = (wanted.before, wanted.after, wanted.net, wanted.cession, part.share, part.cession)
        names = ("cum_before", "cum", "net", "cession", "part", "part_of_cession")
        yield "a statement's sums", (place, sums), (place, tuple(_fen(told[name]) for name in names))
        lines = [
            line
            for chunk in sent
            if chunk["event_type"] == "statement.lines" and chunk["statement_id"] == statement_id
            for line in chunk["lines"]
        ]
        yield "a statement's lines are numbered", list(range(1, len(lines) + 1)), [each["line"] for each in lines]
        for entry, expected in (("instruction", wanted.lines), ("report", wanted.later)):
            found = [_line(each) for each in lines if each["entry"] == entry]
            yield f"a statement's lines of {entry}s", (place, sorted(expected)), (place, sorted(found))
        plain = (json.dumps(each, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for each in lines)
        digest = sha256("".join(f"{each}\n" for each in plain).encode()).hexdigest()
        yield "a statement's hash is that of its lines", (place, digest), (place, told["lines_sha256"])
    last: dict[str, tuple[date, int]] = {}
    for treaty_id, month, number in sorted({(row[1], row[2], row[4]) for row in issued}):
        before, count = last.get(treaty_id, (None, 0))
        following = None if before is None else (before + timedelta(days=31)).replace(day=1)
        yield "months without a gap", (treaty_id, following or month, count + 1), (treaty_id, month, number)
        last[treaty_id] = (month, number)
    once = Counter(each["statement_id"] for each in sent if "number" in each)
    yield "each statement is sent once", Counter(row[0] for row in issued), once


def books_are_the_oracles(rows: Rows) -> Iterator[Comparison]:
    """Each account holds what was instructed, reported and shared, and a closed month still says what it said."""
    wrong = rows("SELECT event_no, entry FROM postings GROUP BY 1, 2 HAVING sum(amount) <> 0")
    yield "each entry sums to zero", [], wrong
    movements: list[tuple[int, books.Movement]] = [
        (event_no, books.instructed_by(json.loads(value))._replace(recorded_at=recorded_at))
        for event_no, value, recorded_at in rows(
            "SELECT i.event_no, i.value, recorded_at FROM instructions i JOIN events USING (event_no) "
            "ORDER BY i.event_no, payout_id"
        )
    ]
    movements += [
        (event_no, books.reported_by(json.loads(value), recorded_at))
        for event_no, value, recorded_at in rows(_REPORTED)
    ]
    movements += [
        (event_no, books.contributed_by(json.loads(value), recorded_at))
        for event_no, value, recorded_at in rows(_CONTRIBUTED)
    ]
    for event_no, value, recorded_at in rows(
        "SELECT s.event_no, s.value, recorded_at FROM statements s JOIN events USING (event_no)"
    ):
        told = json.loads(value)
        amount = _fen(told["part"]) + _fen(told["part_of_cession"])
        place = (told["statement_id"], told["treaty_id"], told["lead"], told["insurer"])
        movements.append((event_no, books.Stated(*place, amount, recorded_at)))
    legs = books.journal(movement for _, movement in sorted(movements, key=lambda each: each[0]))
    held: dict[str, int] = dict(
        rows("SELECT account, sum(amount)::bigint FROM postings GROUP BY 1 HAVING sum(amount) <> 0")
    )
    yield "the books are the oracle's", books.balances(legs), held
    for month, value in rows("SELECT month, trial_balance FROM book_months ORDER BY month"):
        wanted = {name: tuple(row) for name, row in books.trial_balance(legs, month).items() if any(row)}
        found = {
            each["account"]: tuple(_fen(each[name]) for name in ("opening", "debit", "credit", "closing"))
            for each in json.loads(value)["accounts"]
        }
        yield "a closed month", (month, wanted), (month, {name: row for name, row in found.items() if any(row)})


_REPORTED = (
    "SELECT event_no, value, recorded_at FROM events WHERE disposition = 'accepted' "
    "AND convert_from(value, 'UTF8')::jsonb ->> 'event_type' = 'payout.reported' ORDER BY event_no"
)


_CONTRIBUTED = (
    "SELECT event_no, value, recorded_at FROM events WHERE disposition = 'accepted' "
    "AND convert_from(value, 'UTF8')::jsonb ->> 'event_type' LIKE 'contribution.%' ORDER BY event_no"
)


def _reports(rows: Rows) -> list[tuple[dict[str, Any], datetime]]:
    """The accepted reports of payouts' own persons, and when each was recorded."""
    owners: dict[str, str] = dict(rows("SELECT payout_id, person_id FROM instructions"))
    told = [(json.loads(value), recorded_at) for _, value, recorded_at in rows(_REPORTED)]
    return [each for each in told if owners.get(each[0]["payout_id"]) == each[0]["person_id"]]


def _line(told: dict[str, Any]) -> statements.Line:
    sign = 1 if told["kind"] == "payment" else -1
    return statements.Line(told["payout_id"], sign * _fen(told["amount"]), told["state"], told["corrects"])


def _fen(yuan: str) -> int:
    return int(Decimal(yuan) * 100)
