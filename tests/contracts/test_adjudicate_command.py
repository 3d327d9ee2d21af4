"""`huzhu adjudicate` as another program calls it: a process with files, standard streams and an exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.builders import VILLAGE, YEARLY, Json, bill, coverage, coverage_void, discharge, encode, policy_text
from tests.support.paths import REPOSITORY
from tests.support.succession import successor

HUZHU = [sys.executable, "-m", "cli.main", "adjudicate"]
SECTION_8 = (
    '{"claim_id":"E1","person_id":"P1","status":"adjudicated","policy_id":"wuxi-sample-2019","personal_burden":"5000.00",'
    '"benefits":[{"scheme_id":"village_mutual_aid","tier":"member","basis":"copay","measured":"3000.00",'
    '"benefit":"300.00"}],"total_benefit":"300.00","patient_pays":"4700.00","explanation":[]}'
)
CLAIM_FIELDS = list(json.loads(SECTION_8))
BENEFIT_FIELDS = ["scheme_id", "tier", "basis", "measured", "benefit"]
LINE_FIELDS = ["scheme_id", "step", "amount", "rule", "inputs", "zh", "en"]


def huzhu(
    *arguments: str | Path, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs the command with nothing of Huzhu in its environment and no terminal; anew where it gets an environment."""
    if environment is None:
        return processes.command("adjudicate", *arguments, environment={}, data=stdin)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUZHU_")}
    command = [*HUZHU, *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, capture_output=True, cwd=REPOSITORY, env=clean | environment, timeout=60
    )


def lines(stream: bytes) -> list[Json]:
    """Every line is a JSON object, in UTF-8."""
    return [json.loads(line) for line in stream.decode("utf-8").splitlines()]


def facts_file(folder: Path, events: Sequence[Json | bytes]) -> Path:
    path = folder / "facts.jsonl"
    path.write_bytes(b"".join((event if isinstance(event, bytes) else encode(event)) + b"\n" for event in events))
    return path


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """The village's mutual aid, in force from 2019 to 2026."""
    path = tmp_path / "wuxi-sample-2019.toml"
    path.write_text(policy_text("wuxi-sample-2019", "2019-01-01", "2027-01-01", VILLAGE), "utf-8")
    return path


STAY: list[Json | bytes] = [coverage(), discharge(), bill(copay=3000, out_of_catalogue=2000)]


def test_the_example_of_section_8(tmp_path: Path, policy: Path) -> None:
    """The printed claim of the contract comes out with its members in their order, the explanation filled in."""
    done = huzhu("--policy", policy, facts_file(tmp_path, STAY))
    assert (0, b"") == (done.returncode, done.stderr)
    assert 1 == done.stdout.count(b"\n")
    (claim,) = lines(done.stdout)
    (explanation,) = claim["explanation"]
    assert json.dumps(json.loads(SECTION_8)) == json.dumps({**claim, "explanation": []})
    assert LINE_FIELDS == list(explanation)
    assert ("village_mutual_aid", "bracket", "300.00") == tuple(explanation[name] for name in LINE_FIELDS[:3])
    assert "300.00" in explanation["zh"]
    assert "300.00" in explanation["en"]


MIXED: list[Json | bytes] = [
    discharge("E-covered"),
    bill("S1", "E-covered", 2000),
    coverage(),
    discharge("E-Zero"),
    bill("S2", "E-Zero", 0),
    discharge("E-no-bill"),
    bill("S3", "E-no-discharge"),
    discharge("E-\u00e9"),
    bill("S4", "E-\u00e9", 50_000, out_of_catalogue=1),
    coverage("C2", "dibao"),
    {**discharge("E-stranger"), "person_id": "P2"},
    {**bill("S5", "E-stranger"), "person_id": "P2"},
    discharge("E-old", "2018-12-31", admitted_on="2018-12-30"),
    bill("S6", "E-old", settled_at="2018-12-31T12:00:00Z"),
    {**coverage("C7"), "person_id": "P3"},
    {**coverage_void("C7"), "person_id": "P3"},
]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """The claims of many sorts, with two schemes."""
    folder = tmp_path_factory.mktemp("mixed")
    two = folder / "two.toml"
    two.write_text(policy_text("two", "2019-01-01", None, VILLAGE, YEARLY), "utf-8")
    done = huzhu("--policy", two, facts_file(folder, MIXED))
    assert (0, b"") == (done.returncode, done.stderr)
    return lines(done.stdout)


def test_every_claim_with_a_discharge_or_a_bill_is_printed_in_order_of_its_id(mixed: list[Json]) -> None:
    """Sorted by code point; a person who has only coverages has no claim."""
    names = ["E-Zero", "E-covered", "E-no-bill", "E-no-discharge", "E-old", "E-stranger", "E-\u00e9"]
    assert names == [claim["claim_id"] for claim in mixed]


def test_the_sets_and_order_of_fields(mixed: list[Json]) -> None:
    """The contract's members and no others; ``reason`` comes last, and only in a benefit that pays nothing.

    So do the ``alerts`` of a claim: those of P1 overlap.
    """
    assert ["P1"] == sorted({claim["person_id"] for claim in mixed if "alerts" in claim})
    for claim in mixed:
        assert CLAIM_FIELDS == [name for name in claim if name != "alerts"]
        for benefit in claim["benefits"]:
            unpaid = ["reason"] if benefit["benefit"] == "0.00" else []
            assert BENEFIT_FIELDS + unpaid == list(benefit)
        assert all(LINE_FIELDS == list(line) for line in claim["explanation"])


def test_benefits_and_policy_stand_where_there_is_a_decision(mixed: list[Json]) -> None:
    """Adjudicated and not_covered claims list every scheme in the policy's order; the others none, and no policy."""
    found = {claim["claim_id"]: (claim["status"], claim["policy_id"], len(claim["benefits"])) for claim in mixed}
    assert {
        "E-Zero": ("adjudicated", "two", 2),
        "E-covered": ("adjudicated", "two", 2),
        "E-no-bill": ("incomplete", None, 0),
        "E-no-discharge": ("incomplete", None, 0),
        "E-old": ("no_policy", None, 0),
        "E-stranger": ("not_covered", "two", 2),
        "E-\u00e9": ("adjudicated", "two", 2),
    } == found
    order = ["village_mutual_aid", "self_pay_assistance"]
    assert all(order == [benefit["scheme_id"] for benefit in claim["benefits"]] for claim in mixed if claim["benefits"])


def test_where_a_scheme_stops_is_told(mixed: list[Json]) -> None:
    """Exactly 2,000 does not pass the threshold of 2,000; what was not reached is 0.00 and null."""
    covered, stranger = (claim["benefits"][0] for claim in mixed if claim["claim_id"] in ("E-covered", "E-stranger"))
    told = ("tier", "measured", "benefit", "reason")
    assert ("member", "2000.00", "0.00", "UNDER_THRESHOLD") == tuple(covered[name] for name in told)
    assert (None, "0.00", "0.00", "NO_COVERAGE") == tuple(stranger[name] for name in told)


def fen(yuan: str) -> int:
    assert yuan[-3] == "."
    return int(yuan.replace(".", ""))


def test_the_amounts_of_a_claim_add_up(mixed: list[Json]) -> None:
    """Explanation to benefit, benefits to total, total and the rest to the burden; all with two decimals."""
    for claim in mixed:
        for benefit in claim["benefits"]:
            steps = [fen(line["amount"]) for line in claim["explanation"] if line["scheme_id"] == benefit["scheme_id"]]
            assert fen(benefit["benefit"]) == sum(steps)
        assert fen(claim["total_benefit"]) == sum(fen(benefit["benefit"]) for benefit in claim["benefits"])
        assert fen(claim["personal_burden"]) == fen(claim["total_benefit"]) + fen(claim["patient_pays"])


REFUSED: list[Json | bytes] = [
    STAY[0],
    b"",
    b"{",
    STAY[1],
    b"   \t ",
    bill("S9", copay=1) | {"currency": "USD"},
    STAY[2],
    STAY[2],
    bill(copay=1),
    bill("S8", copay=1) | {"final": None, "copay": True},
]


def test_refused_facts_are_told_on_standard_error(tmp_path: Path, policy: Path) -> None:
    """One JSON object per line with code and line, blank lines counted but skipped; the rest is decided; status 3."""
    done = huzhu("--policy", policy, facts_file(tmp_path, REFUSED))
    assert 3 == done.returncode
    found = [(told["line"], told["code"], told["pointers"]) for told in lines(done.stderr)]
    expected = [
        (3, "MALFORMED_JSON", []),
        (6, "UNSUPPORTED_CURRENCY", ["/currency"]),
        (9, "VERSION_CONFLICT", ["/version"]),
        (10, "SCHEMA_INVALID", ["/final", "/copay"]),
    ]
    assert expected == found
    assert all(told["zh"] and told["en"] for told in lines(done.stderr))
    assert ["300.00"] == [claim["total_benefit"] for claim in lines(done.stdout)]


def test_standard_input_is_read_like_a_file(policy: Path) -> None:
    """With ``-``, CRLF at the ends of lines, and no newline at the end of the last one."""
    text = b"\r\n".join(event if isinstance(event, bytes) else encode(event) for event in STAY)
    done = huzhu("--policy", policy, "-", stdin=text)
    assert (0, b"") == (done.returncode, done.stderr)
    assert ["300.00"] == [claim["total_benefit"] for claim in lines(done.stdout)]


def test_no_facts_are_no_claims(policy: Path) -> None:
    """An empty input is not an error."""
    done = huzhu("--policy", policy, "-")
    assert (0, b"", b"") == (done.returncode, done.stdout, done.stderr)


def test_a_long_file_prints_nothing_but_claims(tmp_path: Path, policy: Path) -> None:
    """Progress is for terminals: with streams that are none, standard error stays empty over thousands of lines."""
    events: list[Json | bytes] = [coverage(), *(discharge(f"E{number}") for number in range(2500))]
    done = huzhu("--policy", policy, facts_file(tmp_path, events), environment={"TERM": "xterm-256color"})
    assert (0, b"") == (done.returncode, done.stderr)
    assert 2500 == len(lines(done.stdout))
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "gb18030"])
def test_the_output_is_utf_8_whatever_the_locale(tmp_path: Path, policy: Path, encoding: str) -> None:
    """Another program reads it: the locale of the hospital's machine must not change or break the JSON."""
    events: list[Json | bytes] = [coverage(person_id="😀"), discharge(person_id="😀"), bill(person_id="😀"), b'{"x']
    done = huzhu("--policy", policy, facts_file(tmp_path, events), environment={"PYTHONIOENCODING": encoding})
    assert 3 == done.returncode
    assert [("😀", "300.00")] == [(claim["person_id"], claim["total_benefit"]) for claim in lines(done.stdout)]
    assert ["MALFORMED_JSON"] == [told["code"] for told in lines(done.stderr)]


# Unusable calls: status 2, nothing on standard output, the file and the reason on standard error -----------


def unusable(*arguments: str | Path) -> str:
    """What a call that cannot be used says."""
    done = huzhu(*arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    said = done.stderr.decode("utf-8")
    assert "Traceback" not in said
    return said


def test_overlapping_policies_cannot_be_used(tmp_path: Path, policy: Path) -> None:
    """The message names both files, both policies and the first day on which both are in force."""
    other = tmp_path / "other-policy.toml"
    other.write_text(policy_text("reform", "2025-01-01", None, VILLAGE), "utf-8")
    said = unusable("--policy", policy, "--policy", other, facts_file(tmp_path, STAY))
    for part in (str(policy), str(other), "wuxi-sample-2019", "reform", "2025-01-01"):
        assert part in said


def test_a_policy_ends_where_the_one_that_succeeds_it_begins(tmp_path: Path) -> None:
    """In whatever order the files are given; without what it succeeds, the second one cannot be used."""
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(policy_text("old", "2019-01-01", None, VILLAGE), "utf-8")
    new.write_text(successor("new", "2024-04-01", "old"), "utf-8")
    facts = facts_file(
        tmp_path,
        [coverage(), discharge(), bill(), discharge("E2", "2024-04-01"), bill("S2", "E2")],
    )
    done = [huzhu("--policy", one, "--policy", other, facts) for one, other in ((old, new), (new, old))]
    assert done[0].stdout == done[1].stdout
    found = {each["claim_id"]: (each["policy_id"], each["total_benefit"]) for each in lines(done[0].stdout)}
    assert {"E1": ("old", "300.00"), "E2": ("new", "500.00")} == found
    said = unusable("--policy", new, facts)
    assert f'{new}:5: succeeds: "old" is not among the policies here' in said


def test_a_broken_policy_cannot_be_used(tmp_path: Path, policy: Path) -> None:
    """The message names the file, the line and the field."""
    policy.write_text(policy.read_text("utf-8").replace('"0.30"', '"30"'), "utf-8")
    number = next(n for n, line in enumerate(policy.read_text("utf-8").splitlines(), start=1) if '"30"' in line)
    said = unusable("--policy", policy, facts_file(tmp_path, STAY))
    assert f"{policy}:{number}" in said
    assert "rate" in said


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, policy: Path) -> None:
    """Facts or a policy that are not there, or a folder in their place."""
    facts = facts_file(tmp_path, STAY)
    assert "nowhere.jsonl" in unusable("--policy", policy, tmp_path / "nowhere.jsonl")
    assert str(tmp_path) in unusable("--policy", policy, tmp_path)
    assert "nowhere.toml" in unusable("--policy", tmp_path / "nowhere.toml", facts)


def test_a_call_without_a_policy_is_unusable(tmp_path: Path) -> None:
    """The option is missed by its name."""
    assert "--policy" in unusable(facts_file(tmp_path, STAY))
