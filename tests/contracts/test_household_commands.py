"""Files of facts with households, and invoices that come twice: every way gives one output and one what-if."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from handlers.offline.book import Book
from schemas.decisions import to_json
from schemas.policy.model import Policies
from tests.support import processes
from tests.support.builders import Json, policies
from tests.support.processes import huzhu
from tests.support.random_households import BEFORE_TEXT, lines_of, town
from tests.support.random_households import POLICIES as TEXTS
from tests.support.repeated_invoices import minding, with_repeated_invoices

LINES = with_repeated_invoices(lines_of(town(Random(10))), 10)
POLICIES = minding(TEXTS)
LONG = b"\n" * (5 * 2**20)
"""Blank lines, which count for nothing, make a file so long that several processes share it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The facts of some households, short, long and packed; policies that count by household, and one that does not."""
    folder = tmp_path_factory.mktemp("households")
    (folder / "short.jsonl").write_bytes(b"\n".join(LINES))
    (folder / "long.jsonl").write_bytes(b"\n".join(LINES) + LONG)
    for number, text in enumerate(POLICIES):
        (folder / f"policy-{number}.toml").write_text(text, "utf-8")
    (folder / "persons.toml").write_text(BEFORE_TEXT, "utf-8")
    for name in ("short", "long"):
        done = huzhu("facts", "pack", folder / f"{name}.jsonl", folder / f"{name}.parquet", "--jobs", "2")
        assert 3 == done.returncode, done.stderr
    return folder


def decided(published: Policies) -> list[dict[str, object]]:
    book = Book()
    for line in LINES:
        book.take(line)
    return [to_json(decision) for decision in book.decide(published)]


def with_policies(folder: Path) -> list[str | Path]:
    return [word for number in range(len(POLICIES)) for word in ("--policy", folder / f"policy-{number}.toml")]


def test_every_way_gives_one_output(folder: Path) -> None:
    """Short, long, packed from either, and from standard input: to the byte what one book decides."""
    expected = decided(policies(*POLICIES))
    told = []
    for name in ("short.jsonl", "long.jsonl", "short.parquet", "long.parquet"):
        done = huzhu("adjudicate", *with_policies(folder), "--jobs", "2", folder / name)
        told.append((done.returncode, done.stdout, done.stderr))
    data = (folder / "long.jsonl").read_bytes()
    piped = processes.command("adjudicate", *with_policies(folder), "-", environment={}, data=data)
    told.append((piped.returncode, piped.stdout.decode(), piped.stderr.decode()))
    assert [told[0]] * 5 == told
    assert expected == [json.loads(line) for line in told[0][1].splitlines()]
    assert any("household" in line["step"] for claim in expected for line in listed(claim["explanation"]))
    assert any("held" in claim for claim in expected), "for an invoice that is another claim's too"


def listed(value: object) -> list[dict[str, str]]:
    assert isinstance(value, list)
    return value


def test_a_what_if_is_the_same_from_every_file(folder: Path) -> None:
    """From lines, few or many, and from packed facts: one report, whose sums are those of whole groups."""
    words = [*with_policies(folder), "--baseline", folder / "persons.toml", "--json"]
    reports = []
    for name in ("short.jsonl", "long.jsonl", "short.parquet", "long.parquet"):
        for more in ((), ("--every-claim", "--out", folder / f"out-{name}")):
            done = huzhu("simulate", *words, "--facts", folder / name, *more)
            reports.append(json.loads(done.stdout))
    assert [reports[0]] * 8 == reports
    lists = {(folder / f"out-{name}" / "claims.csv").read_bytes() for name in ("short.jsonl", "long.parquet")}
    assert 1 == len(lists)
    sums = [
        sum(cents(claim["total_benefit"]) for claim in decided(each))
        for each in (policies(BEFORE_TEXT), policies(*POLICIES))
    ]
    assert sums == [cents(reports[0][side]) for side in ("before", "after")]


def cents(amount: object) -> int:
    return round(float(str(amount)) * 100)


def _without_overlaps(printed: str) -> list[Json]:
    """The claims without the alert that several memberships hold their day."""
    claims: list[Json] = [json.loads(line) for line in printed.splitlines()]
    for claim in claims:
        alerts = [code for code in claim.pop("alerts", []) if code != "MEMBERSHIPS_OVERLAP"]
        claim |= {"alerts": alerts} if alerts else {}
    return claims


def test_without_household_schemes_memberships_change_nothing(folder: Path) -> None:
    """They are read and refused as ever, and the claims are those of a file without them, but that some overlap."""
    plain = folder / "plain.jsonl"
    plain.write_bytes(b"\n".join(line for line in LINES if b'"membership.' not in line))
    told = [
        huzhu("adjudicate", "--policy", folder / "persons.toml", folder / name)
        for name in ("short.jsonl", "long.jsonl", "short.parquet", "plain.jsonl")
    ]
    assert 1 == len({done.stdout for done in told[:3]})
    assert _without_overlaps(told[3].stdout) == _without_overlaps(told[0].stdout)
    assert 1 == len({done.stderr for done in told[:3]})
    assert '"alerts": ["DUPLICATE_INVOICE"]' in told[0].stdout
