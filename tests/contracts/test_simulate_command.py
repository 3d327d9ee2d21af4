"""`huzhu simulate` on files, as a person calls it: the report, the CSV files, the page, and what cannot be used."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import re
import signal
import sys
import time
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import psutil
import pytest

from cli.offline.worker_processes import cores, workers
from infra.population import generate
from tests.support.builders import VILLAGE, YEARLY, Json, bill, coverage, discharge, encode, policy_text
from tests.support.paths import REPOSITORY, WUXI
from tests.support.processes import CHINESE, facts_file, huzhu, squeezed
from tests.support.succession import successor
from tests.support.svg import words_of

TABLES = ["by-scheme", "by-tier", "by-area", "by-month", "distribution", "largest", "statuses", "policies"]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file by the names of its head; a spreadsheet sees from the mark that it is UTF-8."""
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def policy(folder: Path, name: str, start: str, end: str | None, *schemes: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(policy_text(name, start, end, *schemes), "utf-8")
    return path


def adjudicated(facts: Path, *files: Path) -> tuple[dict[tuple[str, str], str], dict[str, str], str]:
    """What `huzhu adjudicate` says: yuan by claim and scheme, status by claim, and the refusals as printed."""
    done = huzhu("adjudicate", *(word for file in files for word in ("--policy", file)), facts)
    claims = [json.loads(line) for line in done.stdout.splitlines()]
    paid = {(c["claim_id"], benefit["scheme_id"]): benefit["benefit"] for c in claims for benefit in c["benefits"]}
    return paid, {claim["claim_id"]: claim["status"] for claim in claims}, done.stderr


CHEAPER = VILLAGE.replace('"0.30"', '"0.10"').replace('"10000.00"', '"3000.00"')


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The facts of a made-up city, 10 MB: enough for several processes, with every kind of bad event among them."""
    file = tmp_path_factory.mktemp("city") / "facts.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in generate(21, 6000)))
    return file


def test_each_side_is_what_adjudicate_says(city: Path, tmp_path: Path) -> None:
    """Claim by claim and scheme by scheme, to the fen, for a whole city; the same facts are refused, in the same words.

    The new policy is in force in the middle of the old one, so three releases follow each other, with one yearly cap.
    """
    old = policy(tmp_path, "old", "2010-01-01", None, VILLAGE, YEARLY)
    new = policy(tmp_path, "new", "2024-03-01", "2025-02-01", YEARLY.replace('"3000.00"', '"4000.00"'), CHEAPER)
    first = policy(tmp_path, "first", "2010-01-01", "2024-03-01", VILLAGE, YEARLY)
    last = policy(tmp_path, "last", "2025-02-01", None, VILLAGE, YEARLY)
    words = ("--policy", new, "--baseline", old, "--facts", city, "--out", tmp_path / "out", "--every-claim")
    told = huzhu("simulate", *words)
    before, statuses, refused = adjudicated(city, old)
    after, statuses_after, _ = adjudicated(city, first, new, last)
    assert (3, refused) == (told.returncode, told.stderr)
    rows = rows_of(tmp_path / "out" / "claims.csv")
    assert before == {(row["claim_id"], row["scheme_id"]): row["before"] for row in rows if row["scheme_id"]}
    assert after == {(row["claim_id"], row["scheme_id"]): row["after"] for row in rows if row["scheme_id"]}
    assert statuses == {row["claim_id"]: row["status_before"] for row in rows}
    assert statuses_after == {row["claim_id"]: row["status_after"] for row in rows}
    assert before != after
    assert [row["claim_id"] for row in rows] == sorted(row["claim_id"] for row in rows)
    for table, key in (("by-area", "area"), ("by-tier", "scheme_id")):
        assert sum_of(rows, "before") == sum_of(rows_of(tmp_path / "out" / f"{table}.csv"), "before"), key
        assert sum_of(rows, "after") == sum_of(rows_of(tmp_path / "out" / f"{table}.csv"), "after"), key


def test_a_draft_that_succeeds_the_baseline_ends_it_as_publishing_would(tmp_path: Path) -> None:
    """After the draft's own end nothing is in force; without what it succeeds it cannot be tried."""
    old = policy(tmp_path, "old", "2024-01-01", None, VILLAGE)
    new = tmp_path / "new.toml"
    new.write_text(successor("new", "2024-04-01", "old", "2024-07-01"), "utf-8")
    stays = [("E1", "2024-03-31"), ("E2", "2024-04-01"), ("E3", "2024-07-01")]
    facts = facts_file(
        tmp_path,
        [coverage(), *(event for name, day in stays for event in (discharge(name, day), bill(f"S-{name}", name)))],
    )
    words = ("--policy", new, "--facts", facts, "--out", tmp_path / "out", "--every-claim")
    assert 0 == huzhu("simulate", *words, "--baseline", old).returncode
    rows = rows_of(tmp_path / "out" / "claims.csv")
    assert {"E1": "adjudicated", "E2": "adjudicated", "E3": "no_policy"} == {
        row["claim_id"]: row["status_after"] for row in rows
    }
    village = [row for row in rows if row["scheme_id"] == "village_mutual_aid"]
    assert [("300.00", "300.00"), ("300.00", "500.00"), ("300.00", "0.00")] == [
        (row["before"], row["after"]) for row in village
    ]
    days = [row["effective_to"] for row in rows_of(tmp_path / "out" / "policies.csv")]
    assert ["", "2024-04-01", "2024-07-01"] == days
    alone = huzhu("simulate", *words)
    assert 2 == alone.returncode
    assert "“old”不在这些方案之中" in alone.stderr
    ended = policy(tmp_path, "ended", "2024-01-01", "2024-12-01", VILLAGE)
    ended.write_text(ended.read_text("utf-8").replace('"ended"', '"old"'), "utf-8")
    refused = huzhu("simulate", *words, "--baseline", ended)
    assert 2 == refused.returncode
    assert "只有没有失效日的方案才能被接替" in refused.stderr


def sum_of(rows: list[dict[str, str]], name: str) -> int:
    """Fen of a column."""
    return sum(int(row[name].replace(".", "")) for row in rows)


OPEN = ("2010-01-01", None)
STAYS: list[Json] = [
    coverage("C1", "member", area="binhu"),
    discharge("E1", "2024-03-10"),
    bill("S1", "E1", 12_000),
    discharge("E2", "2024-05-10"),
    bill("S2", "E2", 3_000),
    {**coverage("C2", "member"), "person_id": "P2"},
    {**discharge("E3", "2024-05-20"), "person_id": "P2"},
    {**bill("S3", "E3", 2_000), "person_id": "P2"},
]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Three stays of two persons, under 30 % and then 10 % of what is over 2,000 yuan; the report is in ``out``."""
    old, new = (
        policy(tmp_path, "old", "2010-01-01", None, VILLAGE),
        policy(tmp_path, "new", "2010-01-01", None, CHEAPER),
    )
    told = huzhu(
        *("simulate", "--policy", new, "--baseline", old, "--facts", facts_file(tmp_path, STAYS)),
        *("--out", tmp_path / "out", "--language", "both"),
    )
    assert (0, "") == (told.returncode, told.stderr)
    (tmp_path / "told.txt").write_text(told.stdout, "utf-8")
    return tmp_path


def test_the_tables_of_a_small_case(small: Path) -> None:
    """Village, month, tier, the classes of changes for claims and persons, and the largest changes first."""
    folder = small / "out"
    assert [{"area": "binhu", "claims_before": "2", "before": "3300.00", "claims_after": "2", "after": "1100.00"}] == [
        {name: row[name] for name in ("area", "claims_before", "before", "claims_after", "after")}
        for row in rows_of(folder / "by-area.csv")
    ]
    months = [(row["month"], row["change"]) for row in rows_of(folder / "by-month.csv")]
    assert [("2024-03", "-2000.00"), ("2024-05", "-200.00")] == months
    assert [("village_mutual_aid", "member", "-2200.00", "-0.666667")] == [
        (row["scheme_id"], row["tier"], row["change"], row["change_share"]) for row in rows_of(folder / "by-tier.csv")
    ]
    classes = {row["class"]: row for row in rows_of(folder / "distribution.csv") if row["claims"] != "0"}
    found = {name: (row["claims"], row["claims_sum"], row["persons"]) for name, row in classes.items()}
    assert {
        "less: 1,000–10,000 yuan": ("1", "-2000.00", "1"),
        "less: 100–1,000 yuan": ("1", "-200.00", "0"),
        "unchanged": ("1", "0.00", "1"),
    } == found
    assert ["E1", "E2"] == [row["claim_id"] for row in rows_of(folder / "largest.csv")]
    assert ["3"] == [row["claims_after"] for row in rows_of(folder / "statuses.csv")]
    text = squeezed((small / "told.txt").read_text("utf-8"))
    for part in ("3,300.00", "1,100.00", "-2,200.00", "-66.7%", "补助减少的人数", "Personswholose", "by-area.csv"):
        assert part in text
    assert sorted([*(f"{name}.csv" for name in TABLES), "index.html"]) == sorted(p.name for p in folder.iterdir())


class Page(HTMLParser):
    """The contents of a page: tags that load or run something, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_stands_alone(small: Path) -> None:
    """No script, nothing loaded from anywhere, four charts as well-formed SVG, and every table of the CSV files."""
    text = (small / "out" / "index.html").read_text("utf-8")
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert [] == [link for link in page.links if not link.startswith("#")]
    assert [] == re.findall(r"@import|url\((?!#|&quot;#|\"#)", text)
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert 4 == len(charts)
    for chart in charts:
        ET.fromstring(chart)
    assert set(TABLES) == set(re.findall(r'<section id="([a-z-]+)">', text))
    for part in ("3,300.00", "-2,200.00", "binhu", "方案试算", "Policy simulation"):
        assert part in page.words


def test_a_month_without_claims_has_its_place_in_the_chart(small: Path) -> None:
    """March and May are two months apart: April is there, with nothing."""
    text = (small / "out" / "index.html").read_text("utf-8")
    chart = next(each for each in re.findall(r"<svg.*?</svg>", text, re.DOTALL) if "chart-months" in each)
    assert ["2024-03", "2024-04", "2024-05"] == [word for word in words_of(chart) if word.startswith("2024-")]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_one_language_is_enough(small: Path, language: str) -> None:
    """English without a Chinese character; Chinese with the same numbers."""
    words = ("--policy", small / "new.toml", "--baseline", small / "old.toml", "--facts", small / "facts.jsonl")
    told = huzhu("simulate", *words, "--language", language, "--out", small / language)
    page = (small / language / "index.html").read_text("utf-8").replace("互助</title>", "")
    assert (language == "zh") == bool(CHINESE.search(told.stdout))
    assert (language == "zh") == bool(CHINESE.search(Page(page).words))
    assert "-2,200.00" in told.stdout
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in page


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    """A village whose name is markup is shown as it is written."""
    events = [{**each, "area": "<script>alert(1)</script>"} if "coverage_id" in each else each for each in STAYS]
    words = ("--policy", WUXI, "--facts", facts_file(tmp_path, events), "--out", tmp_path / "out")
    assert 0 == huzhu("simulate", *words).returncode
    page = Page((tmp_path / "out" / "index.html").read_text("utf-8"))
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.words


def test_without_a_baseline_the_cost_is_told(tmp_path: Path) -> None:
    """No change, no winners: what the policy costs, in a table that has one amount a row; standard input is a file."""
    new = policy(tmp_path, "new", "2010-01-01", None, VILLAGE)
    facts_file(tmp_path, STAYS)
    words = ("--policy", new, "--facts", tmp_path / "facts.jsonl", "--language", "en", "--out", tmp_path / "out")
    told = huzhu("simulate", *words)
    assert 0 == told.returncode
    assert "Cost (yuan)  3,300.00" in told.stdout
    assert "before" not in told.stdout
    assert ["area", "claims", "cost"] == list(rows_of(tmp_path / "out" / "by-area.csv")[0])
    assert [("E1", "3000.00"), ("E2", "300.00")] == [
        (row["claim_id"], row["cost"]) for row in rows_of(tmp_path / "out" / "largest.csv")
    ]


def test_nobody_is_named(small: Path) -> None:
    """The report holds claim ids, for `huzhu explain`, but no person's id."""
    for file in (small / "out").iterdir():
        assert not re.search(r"\bP[12]\b", file.read_text("utf-8")), file.name


def test_no_facts_make_an_empty_report(tmp_path: Path) -> None:
    """Nothing read, nothing owed, no mistake; the page has no charts of nothing."""
    (tmp_path / "facts.jsonl").write_bytes(b"")
    told = huzhu(
        "simulate", "--policy", WUXI, "--baseline", WUXI, "--facts", tmp_path / "facts.jsonl", "--out", tmp_path
    )
    assert (0, "") == (told.returncode, told.stderr)
    assert "<svg" not in (tmp_path / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "either --facts FILE or --ledger"),
        (("--facts", "facts.jsonl", "--ledger"), "either --facts FILE or --ledger"),
        (("--facts", "nowhere.jsonl"), "nowhere.jsonl: cannot be read"),
        (("--facts", "nowhere.jsonl", "--every-claim"), "--every-claim needs --out"),
        (("--facts", "nowhere.jsonl", "--out", WUXI), "cannot be created"),
        (("--facts", "nowhere.jsonl", "--baseline", "nowhere.toml"), "nowhere.toml"),
        (("--ledger",), "HUZHU_DATABASE_URL"),
        (("--ledger", "--as-of", "2024-05-01T08:00:00Z"), "--as-of needs --facts"),
        (("--facts", "nowhere.jsonl", "--as-of", "2024-05-01"), "--as-of 2024-05-01: an instant is RFC 3339"),
    ],
)
def test_an_unusable_call_says_what_to_do(words: tuple[str | Path, ...], said: str) -> None:
    """Exit status 2, one message, no traceback."""
    told = huzhu("simulate", "--policy", WUXI, *words)
    assert (2, "") == (told.returncode, told.stdout)
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_the_lines_of_refused_facts_are_those_of_the_file(tmp_path: Path) -> None:
    """Blank lines count, as in `huzhu adjudicate`; exit status 3."""
    lines = [
        b"",
        *map(encode, STAYS),
        b"  ",
        b"{",
        encode({**bill("S1", "E1", 1)}),
        encode({**discharge("E1"), "person_id": "P9"}),
    ]
    (tmp_path / "facts.jsonl").write_bytes(b"\r\n".join(lines))
    told = huzhu("simulate", "--policy", WUXI, "--facts", tmp_path / "facts.jsonl")
    found = [(each["line"], each["code"]) for each in map(json.loads, told.stderr.splitlines())]
    assert (3, [(11, "MALFORMED_JSON"), (12, "VERSION_CONFLICT"), (13, "PERSON_MISMATCH")]) == (told.returncode, found)
    assert f"读入 {len(STAYS)} 条数据,拒收 3 条" in told.stdout.replace("\n", "")


def test_facts_from_the_future_do_not_count(tmp_path: Path) -> None:
    """With --as-of, a fact that occurred more than a day after it is refused, as in `huzhu adjudicate`."""
    file = facts_file(tmp_path, STAYS)
    words = ("--as-of", "2024-12-30T11:59:59+08:00")
    told = huzhu("simulate", "--policy", WUXI, "--facts", file, *words)
    refused = huzhu("adjudicate", "--policy", WUXI, file, *words).stderr
    assert (3, refused) == (told.returncode, told.stderr)
    assert {"FUTURE_DATED"} == {json.loads(line)["code"] for line in refused.splitlines()}
    assert len(STAYS) == len(refused.splitlines())
    assert 0 == huzhu("simulate", "--policy", WUXI, "--facts", file, "--as-of", "2024-12-30T12:00:00+08:00").returncode


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_signal_leaves_nothing_behind(city: Path, tmp_path: Path, number: int, status: int) -> None:
    """No process goes on, and no traceback; but for kill -9 the temporary files are gone too."""
    spool = tmp_path / "spool"
    spool.mkdir()
    words = [sys.executable, "-m", "cli.main", "simulate", "--policy", str(WUXI), "--facts", str(city)]
    with Popen(words, cwd=REPOSITORY, env=os.environ | {"TMPDIR": str(spool)}, stdout=DEVNULL, stderr=PIPE) as process:
        parent = psutil.Process(process.pid)
        while len(children := parent.children()) < min(2, cores()) or not list(spool.glob("*/chunk-*")):
            assert process.poll() is None, "it was to be ended in the middle"
            time.sleep(0.01)
        process.send_signal(number)
        told = process.communicate(timeout=60)[1]
    _, left = psutil.wait_procs(children, timeout=60)
    assert [] == left
    assert (status, False) == (process.returncode, b"Traceback" in told)
    assert number == signal.SIGKILL or [] == list(spool.iterdir())


def test_a_computation_that_is_ended_has_ended_when_its_files_are_removed() -> None:
    """Whatever ends it, no process of it goes on to write into a folder that is being removed."""

    def computation() -> None:
        with workers(2) as pool:
            next(pool.map(_long, range(4)))
            raise SystemExit(143)

    with pytest.raises(SystemExit):
        computation()
    assert [] == multiprocessing.active_children()


def _long(number: int) -> int:
    return sum(range(2 * 10**7)) if number else 0
