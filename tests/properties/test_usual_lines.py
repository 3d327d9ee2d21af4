"""Lines in the usual form are read into tables as the models read them, many at once; all others are left to these."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.read import Reading, read
from handlers.offline.columns.fact_tables import Tables, tables_of
from handlers.offline.columns.reading import read_lines, recall_lines
from handlers.offline.columns.texts import LINE_BYTES_MAX
from handlers.offline.columns.usual_lines import read_usual_lines
from infra.population import generate
from schemas.dates import parse_instant
from schemas.refusals import Refusal
from tests.oracle.cases import any_case
from tests.properties.bent_events import EVENTS, UNKNOWN, VALUES, as_bytes, bent_events, members, without_pools, written
from tests.properties.strategies import tried
from tests.support.builders import Json, bill, coverage, discharge, encode
from tests.support.length import times
from tests.support.paths import REPOSITORY

CASES = times(30, 150, "HUZHU_TEST_EXAMPLES")
DECIDING = [event for event in EVENTS if event["event_type"] != "payout.reported"]


def rows(tables: Tables) -> list[list[dict[str, Any]]]:
    """What the tables hold, by where it was read."""
    return [sorted(table.to_pylist(), key=lambda row: row["position"]) for table in tables]


def read_alike(lines: list[bytes], as_of: datetime | None = None) -> int:
    """Holds both ways together over some lines, and says how many of them are usual."""
    positions = np.arange(len(lines)) * 1000
    usual = read_usual_lines(lines, positions, as_of)
    others = set(usual.others)
    facts, all_facts, refused = [], [], []
    for number, line in enumerate(lines):
        reading, position = read(line, as_of=as_of), number * 1000
        if isinstance(reading, Refusal):
            assert number in others, (line, reading)
            refused.append((position, reading))
            continue
        all_facts.append((position, reading.fact))
        if number not in others:
            facts.append((position, reading.fact))
    assert rows(tables_of(facts)) == rows(usual.tables)
    found = read_lines(lines, positions, as_of)
    assert (len(all_facts), refused) == (found.facts, found.refused)
    assert rows(tables_of(all_facts)) == rows(found.tables)
    if not refused:
        assert rows(found.tables) == rows(recall_lines(lines, positions))
    return len(lines) - len(others)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event["event_type"])
def test_a_line_with_one_bent_member_is_read_alike(event: Json) -> None:
    """Each member in turn takes each of many awkward values, is missing, or comes twice, amid lines that are usual."""
    parts = members(event)
    for name in [*event, UNKNOWN]:
        quoted = json.dumps(name)
        rest = [part for part in parts if part[0] != quoted]
        bent = [written(rest), *(written([*rest, (quoted, value)]) for value in VALUES)]
        twice = []
        for blank in ("", " ", "\t", "\r", "\n", "\u00a0", "\x0b"):
            again = (quoted + blank, '"1.00"')
            twice += [written([*parts, again, (quoted, '"2.00"')]), written([again, *parts, (quoted, "1")])]
            bent.append(written([*rest, again], colon=blank + ":" + blank, comma=blank + "," + blank))
        assert len(bent) > read_alike(bent)
        assert 0 == read_alike(twice)
        read_alike([line for number in range(0, len(bent), 7) for line in (bent[number], written(parts))])


@tried
@given(
    st.lists(bent_events() | st.binary(max_size=60) | st.sampled_from([*map(encode, EVENTS)]), min_size=1, max_size=30)
)
def test_any_lines_are_read_alike_together(lines: list[bytes]) -> None:
    """Whatever stands beside a line, it is read as if it stood alone."""
    read_alike(lines)


@tried
@given(st.lists(st.text().map(as_bytes), max_size=10))
def test_any_texts_are_read_alike(lines: list[bytes]) -> None:
    assert 0 == read_alike(lines)


def test_random_cases_are_read_alike() -> None:
    """Events of every kind, bent in every way, as of no moment and as of one amid them."""
    moment = parse_instant("2024-06-30T09:30:00+08:00")
    for seed in range(CASES):
        lines = any_case(seed).lines
        read_alike(lines)
        read_alike(lines, moment)


def test_nearly_all_lines_are_usual() -> None:
    """Of a made-up city and of the synthetic patients in tests/data, also as of a later moment: or nothing is won."""
    sample = (REPOSITORY / "tests" / "data" / "synthea-sample.jsonl").read_bytes().splitlines()
    for lines in (without_pools(generate(3, 400)), sample):
        assert read_alike(lines) > 0.97 * len(lines)
        assert read_alike(lines, parse_instant("2100-01-01T00:00:00Z")) > 0.97 * len(lines)


@pytest.mark.parametrize("event", DECIDING, ids=lambda event: event["event_type"])
def test_every_type_that_decides_something_has_a_usual_form(event: Json) -> None:
    """As any JSON library writes it, with a field of the sender's own, times in other forms, and nothing optional."""
    optional = {"pool_id", "area", "valid_to", "ended_reason", "invoice_no", "role"}
    optional |= {"household_id"} if event["event_type"] == "coverage.recorded" else set()
    forms = [
        event,
        {**event, UNKNOWN: "神经内科", "beds": 12, "private": False, "note": None, "share": 0.5},
        {**event, "occurred_at": "2024-12-31T04:00:00.250Z"},
        {name: value for name, value in event.items() if name not in optional},
        {name: (None if name in optional else value) for name, value in event.items()},
    ]
    if "copay" in event:
        forms += [{**event, "copay": float(str(event["copay"]))}, {**event, "copay": int(float(str(event["copay"])))}]
    assert len(forms) == read_alike([encode(form) for form in forms])
    compact = [json.dumps(form, separators=(",", ":"), ensure_ascii=False).encode() for form in forms]
    assert len(forms) == read_alike(compact)


def test_an_amount_that_is_too_large_is_refused_though_it_balances() -> None:
    """Up to 999,999,999,999.99 yuan a bill is usual."""
    parts = dict.fromkeys(("basic_insurance_paid", "serious_illness_paid", "medical_assistance_paid"), "0.00")
    lines = [
        encode(
            {**bill(), **parts, "other_fund_paid": "0.00", "out_of_catalogue": "0.00", "total_charge": it, "copay": it}
        )
        for it in ("999999999999.99", "0999999999999.99", "1000000000000.00")
    ]
    assert 2 == read_alike(lines)


def test_a_moment_of_intake_is_minded_to_the_microsecond() -> None:
    """What occurred later is left to the rules, which forgive a day."""
    moment = parse_instant("2024-12-31T12:00:00.000001Z")
    lines = [
        encode(coverage(occurred_at=(moment + timedelta(microseconds=ahead, days=days)).isoformat()))
        for days in (-1, 0, 1)
        for ahead in (-1, 0, 1)
    ]
    assert 5 == read_alike(lines, moment)


def test_long_lines_are_left_to_the_models() -> None:
    """They may be too large for an event."""
    note = "x" * LINE_BYTES_MAX
    assert 1 == read_alike([encode({**discharge(), "note": note}), encode(bill())])


def test_lines_in_any_order_give_the_same_facts() -> None:
    """Each at the place where it was read."""
    lines = list(generate(5, 120))
    order = list(range(len(lines)))
    Random(3).shuffle(order)
    one = read_lines(lines, np.arange(len(lines)))
    other = read_lines([lines[number] for number in order], np.array(order))
    assert rows(one.tables) == rows(other.tables)
    assert one.refused == sorted(other.refused, key=lambda line: line[0])
    assert isinstance(read(lines[0]), Reading)
