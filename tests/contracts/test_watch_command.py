"""`huzhu watch` and `huzhu watches check` as a person or program calls them: output and exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.offline.plan import POOL_BYTES
from schemas.money import parse_yuan
from schemas.watch.watch_tables import FIELDS
from tests.support.builders import POLICY, Json, coverage, encode, membership
from tests.support.paths import DOCS, WATCHES, WUXI
from tests.support.processes import huzhu
from tests.support.watches import stay, watch_text

EVENTS: list[Json] = [
    membership("M1", "H1", person_id="P1"),
    membership("M2", "H1", person_id="P2"),
    coverage("C1", person_id="P1"),
    *stay("E-b", "2024-03-10", 9000, 3000, person_id="P1"),
    *stay("E-a", "2024-04-10", 9000, person_id="P2"),
    *stay("E-é", "2024-05-10", 12_000, person_id="P3"),
]
HOUSEHOLDS = watch_text("a-home", "personal_burden", "household", 12, '"20000.00", "10000.00"')
PERSONS = watch_text("persons", "copay", "person", 12, '"10000"')


@pytest.fixture
def given(tmp_path: Path) -> list[str | Path]:
    """The options and the facts of a call that finds something of each watch."""
    policy, watches, facts = tmp_path / "policy.toml", tmp_path / "watches.toml", tmp_path / "facts.jsonl"
    policy.write_text(POLICY, "utf-8")
    watches.write_text(f'[watches]\nid = "w"\n{PERSONS}{HOUSEHOLDS}', "utf-8")
    facts.write_bytes(b"".join(encode(event) + b"\n" for event in EVENTS))
    return ["--watches", watches, "--policy", policy, facts]


FOUND = [
    '{"watch": "a-home", "claim_id": "E-a", "person_id": "P2", "unit": "H1", "step": "20000.00", "sum": "21000.00"}',
    '{"watch": "a-home", "claim_id": "E-b", "person_id": "P1", "unit": "H1", "step": "10000.00", "sum": "12000.00"}',
    '{"watch": "a-home", "claim_id": "E-é", "person_id": "P3", "unit": "P3", "step": "10000.00", "sum": "12000.00"}',
    '{"watch": "persons", "claim_id": "E-é", "person_id": "P3", "unit": "P3", "step": "10000.00", "sum": "12000.00"}',
]


def test_every_crossing_is_a_line_sorted_by_watch_claim_and_step(given: list[str | Path]) -> None:
    """The contract's members in their order, and nothing on standard error; the steps of one claim by amount."""
    told = huzhu("watch", *given)
    assert (0, "") == (told.returncode, told.stderr)
    assert FOUND == told.stdout.splitlines()
    Path(given[1]).write_text('[watches]\nid = "w"\n' + watch_text(steps='"10000.00", "9000.00", "200.00"'), "utf-8")
    steps = [json.loads(line)["step"] for line in huzhu("watch", *given).stdout.splitlines()]
    assert ["200.00", "200.00", "9000.00", "10000.00", "200.00", "9000.00", "10000.00"] == steps


def test_refused_facts_are_told_and_the_rest_is_watched(given: list[str | Path]) -> None:
    """As in `huzhu adjudicate`: one JSON object a line on standard error, exit status 3; standard input is `-`."""
    facts = Path(given[-1])
    facts.write_bytes(b"{}\n" + facts.read_bytes())
    told = huzhu("watch", *given)
    assert (3, FOUND) == (told.returncode, told.stdout.splitlines())
    (refused,) = map(json.loads, told.stderr.splitlines())
    assert (1, "SCHEMA_INVALID") == (refused["line"], refused["code"])


def test_packed_facts_and_several_processes_find_the_same(given: list[str | Path], tmp_path: Path) -> None:
    """Whichever way the facts are read."""
    facts, packed = Path(given[-1]), tmp_path / "facts.parquet"
    assert huzhu("facts", "pack", facts, packed).returncode == 0
    assert FOUND == huzhu("watch", *given[:-1], packed).stdout.splitlines()
    many = [
        encode(event)
        for number in range(4_200)
        for event in (
            *stay(f"E-{number}", "2024-03-10", 6000, person_id=f"P-{number}"),
            membership(f"M-{number}", f"H-{number % 2_100}", person_id=f"P-{number}"),
        )
    ]
    facts.write_bytes(b"\n".join(many))
    assert facts.stat().st_size > POOL_BYTES
    one, two = (huzhu("watch", *given, "--jobs", jobs).stdout for jobs in ("1", "2"))
    assert one == two
    assert 2_100 == len(one.splitlines()), "each household once"


def test_an_explanation_adds_up_to_its_sum(given: list[str | Path]) -> None:
    """With --explain each line has the claims that make its sum, and a sentence in both languages."""
    plain, told = huzhu("watch", *given), huzhu("watch", "--explain", *given)
    found = [json.loads(line) for line in told.stdout.splitlines()]
    assert [json.loads(line) for line in plain.stdout.splitlines()] == [
        {name: each[name] for name in ("watch", "claim_id", "person_id", "unit", "step", "sum")} for each in found
    ]
    for each in found:
        assert parse_yuan(each["sum"]) == sum(parse_yuan(line["amount"]) for line in each["lines"])
        assert each["claim_id"] == each["lines"][-1]["claim_id"]
    assert [
        {"claim_id": "E-b", "person_id": "P1", "discharged_on": "2024-03-10", "amount": "12000.00"},
        {"claim_id": "E-a", "person_id": "P2", "discharged_on": "2024-04-10", "amount": "9000.00"},
    ] == found[0]["lines"]
    assert (
        "该户截至 2024-04-10 的 12 个月内共就诊 2 次,个人负担(含目录内、目录外)合计 21,000.00 元,"
        "超过 20,000.00 元:请了解情况,看是否需要救助。"
    ) == found[0]["zh"]
    assert (
        "This person had 1 stay in the 12 months up to 2024-05-10: copay inside the catalogue comes to 12,000.00 yuan, "
        "over 10,000.00 yuan. Please find out whether help is needed."
    ) == found[-1]["en"]


def test_watches_that_cannot_be_used_end_the_command(given: list[str | Path]) -> None:
    """Exit status 2; file, line, field and remedy in both languages."""
    watches = Path(given[1])
    watches.write_text(watches.read_text("utf-8").replace('"person"', '"persons"'), "utf-8")
    for told in (huzhu("watch", *given), huzhu("watches", "check", watches)):
        assert (2, "") == (told.returncode, told.stdout)
        zh, en = told.stderr.splitlines()
        assert f'{watches}:6: watch.1.unit: "persons" is not allowed: write one of "person", "household"' in en
        assert zh.startswith(f'{watches}:6: watch.1.unit: "persons"')


def test_check_says_what_each_watch_looks_for() -> None:
    """In the language that is asked for."""
    told = huzhu("watches", "check", WATCHES, "--language", "en")
    assert (0, "") == (told.returncode, told.stderr)
    assert "(watches-sample): usable; whatever the day of discharge." in told.stdout
    assert (
        "dibao-copay: one person, over 6 months: copay inside the catalogue comes to more than 5,000.00 yuan; only "
        "claims of people with category dibao, tekun, dibao_edge."
    ) in told.stdout.splitlines()
    document = json.loads(huzhu("watches", "check", WATCHES, "--json").stdout)
    assert "watches-sample" == document["watches"]["id"]
    assert ["10000.00", "30000.00", "50000.00"] == document["watch"][0]["steps"]
    assert len(document["sha256"]) == 64


def test_a_comparison_says_whom_another_step_would_find(given: list[str | Path], tmp_path: Path) -> None:
    """By the id of the watch: a lower step finds more, another unit others, a watch that is gone nobody."""
    _, before, _, policy, facts = map(str, given)
    after = tmp_path / "after.toml"
    lower = PERSONS.replace("10000", "8000").replace("copay", "personal_burden")
    home = HOUSEHOLDS.replace('"household"', '"person"').replace('"20000.00", "10000.00"', '"10000.00"')
    after.write_text('[watches]\nid = "after"\n' + lower + home + watch_text("new", steps='"12000.00"'), "utf-8")
    told = huzhu("watches", "compare", before, after, facts, "--policy", policy, "--json")
    assert (0, "") == (told.returncode, told.stderr)
    document = json.loads(told.stdout)
    assert ("w", "after") == (document["before"]["id"], document["after"]["id"])
    found = {each.pop("watch"): list(each.values()) for each in document["watches"]}
    assert {
        "persons": [1, 3, 1, 2, 0, 1, 3, ["P1", "P2"], []],
        "a-home": [2, 2, 1, 1, 1, 3, 2, ["P1"], ["H1"]],
        "new": [0, 0, 0, 0, 0, 0, 0, [], []],
    } == found
    (line,) = [
        line
        for line in huzhu("watches", "compare", before, after, facts, "--policy", policy).stdout.splitlines()
        if "persons" in line
    ]
    assert ["persons", "1", "3", "1", "2", "0", "1", "3"] == line.replace("│", " ").split()
    again = huzhu("watches", "compare", before, before, facts, "--policy", policy, "--json")
    assert {0} == {each[name] for each in json.loads(again.stdout)["watches"] for name in ("gained", "lost")}


def test_every_field_of_watches_is_documented() -> None:
    """Each field stands in the table of its own table in docs/discovery.md, and the file there is usable."""
    page = (DOCS / "discovery.md").read_text("utf-8")
    for heading, fields in FIELDS.items():
        section = page.split(f"### `{heading}`")[1].partition("\n## ")[0].partition("\n### ")[0]
        assert list(fields) == [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]


def test_the_example_of_the_page_is_what_the_program_prints(tmp_path: Path) -> None:
    """docs/discovery.md: its file of watches over its stays gives its crossings."""
    page = (DOCS / "discovery.md").read_text("utf-8")
    text = page.split("```toml\n")[1].partition("```")[0]
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| E")]
    events = [
        event for claim, person, day, yuan, *_ in rows for event in stay(claim, day, int(float(yuan)), person_id=person)
    ]
    assert len(rows) > 3
    events += [membership(f"M-{person}", "H1", person_id=person) for person in ("P1", "P2")]
    watches, facts = tmp_path / "watches.toml", tmp_path / "facts.jsonl"
    watches.write_text(text, "utf-8")
    facts.write_bytes(b"\n".join(encode(event) for event in events))
    told = huzhu("watch", "--watches", watches, "--policy", WUXI, facts)
    assert page.split("```json\n")[1].partition("```")[0] == told.stdout
