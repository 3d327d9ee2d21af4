"""`huzhu facts pack`, and the commands that read what it wrote: the same results, and a sentence about bad files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from rich.progress import Progress

from cli.offline import packed_file
from cli.offline.by_person import OneByOne
from cli.offline.plan import SHORT_BYTES
from cli.offline.worker_processes import Workers, workers
from cli.simulate.asked import Simulating
from cli.simulate.simulate_columns import SimulatingColumns
from handlers.offline.columns.layout import PACKING, SCHEMA
from handlers.offline.what_if import Tally
from infra.population import generate
from schemas.policy.model import Policies
from schemas.policy.policy_file import read_policies
from tests.support.builders import bill, coverage, discharge
from tests.support.paths import WUXI
from tests.support.processes import CHINESE, facts_file, huzhu

OCCASIONS = """
[[scheme]]
id = "accidents"
title = "意外伤害补偿"
programme = "self_pay_assistance"
trigger = "incident"
incident_kinds = ["accident"]
basis = "verified_loss"
measured_on = "billed"
accumulates = "stay"

[[scheme.tier]]
name = "insured"
categories = ["ordinary", "special", "dibao", "dibao_edge"]
brackets = [{ over = "100.00", rate = "0.80" }]

[[scheme]]
id = "temporary_aid"
title = "临时救助"
trigger = "aid"
levels = { city = "6800.00", district = "4200.00" }
"""
PERSON = [coverage("C1", "ordinary", programme="self_pay_assistance"), discharge(), bill(copay=12_000)]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The facts of a made-up city, in ``facts.jsonl`` and packed in ``facts.parquet``."""
    folder = tmp_path_factory.mktemp("city")
    lines = folder / "facts.jsonl"
    lines.write_bytes(b"".join(line + b"\n" for line in generate(21, 4000)))
    done = huzhu("facts", "pack", lines, folder / "facts.parquet")
    assert 3 == done.returncode
    assert {"facts.jsonl", "facts.parquet"} == {file.name for file in folder.iterdir()}
    return folder


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("draft") / "draft.toml"
    text = WUXI.read_text("utf-8").replace('"0.60"', '"0.45"').replace('rate = "0.30"', 'rate = "0.55"')
    file.write_text(text, "utf-8")
    return file


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """One person's facts, packed."""
    file = tmp_path / "facts.parquet"
    done = huzhu("facts", "pack", facts_file(tmp_path, PERSON), file)
    assert (0, "") == (done.returncode, done.stderr)
    assert f"{file}: 3 facts packed, 0 refused\n" == done.stdout
    return file


@pytest.mark.parametrize("options", [(), ("--every-claim",)])
def test_a_simulation_of_packed_facts_is_that_of_the_facts(
    city: Path, draft: Path, options: tuple[str, ...], tmp_path: Path
) -> None:
    """The same report, tables and list of claims to the byte, the same refusals, the same exit status."""
    told = []
    for name in ("facts.jsonl", "facts.parquet"):
        words = ("--policy", draft, "--baseline", WUXI, "--facts", city / name, "--out", tmp_path / name)
        done = huzhu("simulate", *words, *options)
        files = {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}
        told.append((done.returncode, done.stdout.replace(name, "facts"), done.stderr, files))
    assert told[0] == told[1]
    assert 3 == told[0][0]
    assert bool(options) == ("claims.csv" in told[0][3])


def test_packed_facts_are_adjudicated_as_the_facts(city: Path) -> None:
    """Every claim, every sentence and every refusal, to the byte."""
    one, other = (huzhu("adjudicate", "--policy", WUXI, city / name) for name in ("facts.jsonl", "facts.parquet"))
    assert one.stdout
    assert (3, one.stdout, one.stderr) == (other.returncode, other.stdout, other.stderr)


def test_incidents_and_aids_of_a_city_are_decided_alike_in_every_form(city: Path, tmp_path: Path) -> None:
    """In a long file, packed, and in short files of a few persons each: some are paid, some are not."""
    policy = tmp_path / "policy.toml"
    policy.write_text(WUXI.read_text("utf-8") + OCCASIONS, "utf-8")
    lines = (city / "facts.jsonl").read_bytes().splitlines()
    told = {name: occasions_of(policy, city / name) for name in ("facts.jsonl", "facts.parquet")}
    assert told["facts.jsonl"] == told["facts.parquet"]
    claims = [json.loads(line) for line in told["facts.jsonl"]]
    assert {"incident", "aid"} == {claim["claim_id"].split(":")[0] for claim in claims}
    assert {"adjudicated", "voided", "after_death"} <= {claim["status"] for claim in claims}
    assert {True, False} == {claim["total_benefit"] != "0.00" for claim in claims if claim["status"] == "adjudicated"}
    persons = sorted({claim["person_id"] for claim in claims})
    some = {f'"person_id":"{person}"'.encode() for person in persons[::3]}
    short = tmp_path / "short.jsonl"
    short.write_bytes(b"".join(line + b"\n" for line in lines if any(mark in line for mark in some)))
    assert short.stat().st_size < SHORT_BYTES < (city / "facts.jsonl").stat().st_size
    expected = [line for line in told["facts.jsonl"] if json.loads(line)["person_id"] in persons[::3]]
    assert expected == occasions_of(policy, short)


def occasions_of(policy: Path, facts: Path) -> list[str]:
    """What `huzhu adjudicate` prints of claims for incidents and aids."""
    printed = huzhu("adjudicate", "--policy", policy, facts).stdout.splitlines()
    return [line for line in printed if json.loads(line)["claim_id"].startswith(("incident:", "aid:"))]


def test_packed_facts_were_taken_in_when_they_were_packed(city: Path, tmp_path: Path) -> None:
    """`--as-of` goes with packing, and then refuses the same lines; with packed facts it is too late."""
    moment = ("--as-of", "2023-06-30T00:00:00+08:00")
    packed = tmp_path / "early.parquet"
    done = huzhu("facts", "pack", city / "facts.jsonl", packed, *moment)
    expected = huzhu("adjudicate", "--policy", WUXI, *moment, city / "facts.jsonl")
    told = huzhu("adjudicate", "--policy", WUXI, packed)
    assert (3, expected.stderr) == (done.returncode, done.stderr)
    assert (3, expected.stdout, expected.stderr) == (told.returncode, told.stdout, told.stderr)
    for command in (("adjudicate", packed), ("simulate", "--facts", packed)):
        assert_a_sentence(huzhu(*command, "--policy", WUXI, *moment), "give --as-of to huzhu facts pack")


def assert_a_sentence(done: object, said: str) -> None:
    """The command ended with 2 and one sentence in each language, without a traceback or a result."""
    status, told, out = (getattr(done, name) for name in ("returncode", "stderr", "stdout"))
    zh, en = told.splitlines()
    assert (2, "") == (status, out), told
    assert CHINESE.search(zh)
    assert said in en
    assert "Traceback" not in told


def written_by_another_version(file: Path) -> None:
    table = pq.read_table(file)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"huzhu.packing": b"0"}), file)


def of_another_form(file: Path) -> None:
    table = pq.read_table(file)
    pq.write_table(table.drop_columns(["died_on"]), file)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no Parquet": (lambda file: file.write_bytes(b'{"event_type": "person.died"}\n'), "no whole Parquet file"),
    "nothing": (lambda file: file.write_bytes(b""), "no whole Parquet file"),
    "cut short": (lambda file: file.write_bytes(file.read_bytes()[:-200]), "no whole Parquet file"),
    "only begun": (lambda file: file.write_bytes(file.read_bytes()[:4]), "no whole Parquet file"),
    "of something else": (lambda file: pq.write_table(pa.table({"a": [1]}), file), "not what huzhu facts pack writes"),
    "of another form": (of_another_form, "not what huzhu facts pack writes"),
    "of another version": (written_by_another_version, f"was packed by another version (0, this one reads {PACKING})"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_packed_file_gets_a_sentence(packed: Path, bad: str) -> None:
    """In both languages, with exit status 2, from both commands that read packed facts."""
    spoil, said = BAD[bad]
    spoil(packed)
    assert_a_sentence(huzhu("simulate", "--policy", WUXI, "--facts", packed), said)
    assert_a_sentence(huzhu("adjudicate", "--policy", WUXI, packed), said)


def test_packed_facts_where_lines_are_expected_get_a_sentence(packed: Path, tmp_path: Path) -> None:
    """Packed again, explained, or packed onto the file of facts itself."""
    assert_a_sentence(huzhu("facts", "pack", packed, tmp_path / "again.parquet"), "one JSON object per line")
    assert not (tmp_path / "again.parquet").exists()
    words = ("explain", "E1", "--facts", packed, "--policy", WUXI)
    assert_a_sentence(huzhu(*words), "one JSON object per line")
    facts = tmp_path / "facts.jsonl"
    assert_a_sentence(huzhu("facts", "pack", facts, facts), "is the file of facts itself")
    assert facts.read_bytes().startswith(b"{")


def test_a_damaged_byte_is_never_decided_otherwise(packed: Path) -> None:
    """Wherever one byte of the file's data is changed, it is refused with a sentence or gives the same sums."""
    whole = packed.read_bytes()
    published = read_policies([WUXI])
    expected = simulated(packed, published)
    refused = 0
    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for place in range(4, end):
        packed.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        try:
            assert expected == simulated(packed, published), place
        except typer.Exit:
            refused += 1
    assert refused > (end - 4) / 2


def simulated(file: Path, published: Policies, pool: Workers | None = None) -> Tally:
    """The sums of a packed file with nothing to compare."""
    work = SimulatingColumns(Policies(), published)
    worked = packed_file.by_row_group(packed_file.opened(file), work, pool or Workers(None), Progress(disable=True))
    tally = Tally()
    for result, _ in worked.results:
        tally.merge(result)
    return tally


def test_groups_of_persons_add_up_in_other_processes(
    city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of many small groups gives the sums of one large group, person by person or many at once."""
    published = read_policies([WUXI])
    expected = simulated(city / "facts.parquet", published)
    monkeypatch.setattr(packed_file, "ROWS_PER_GROUP", 100)
    table = pq.read_table(city / "facts.parquet").cast(SCHEMA)
    packed_file.write(tmp_path / "small.parquet", (table.slice(at, 30) for at in range(0, len(table), 30)), 7)
    opened = packed_file.opened(tmp_path / "small.parquet")
    assert (7, True) == (opened.facts, opened.groups > 10)
    assert [line for line, _ in packed_file.opened(city / "facts.parquet").refused] == [
        line for line, _ in opened.refused
    ]
    with workers(2) as pool:
        assert expected == simulated(tmp_path / "small.parquet", published, pool)
    one_by_one = OneByOne(Simulating(Policies(), published, None))
    worked = packed_file.by_row_group(opened, one_by_one, Workers(None), Progress(disable=True))
    tally = Tally()
    for result, _ in worked.results:
        tally.merge(result)
    assert expected == tally


def test_a_file_that_could_not_be_finished_is_not_there(tmp_path: Path) -> None:
    """And what was there before stays."""
    target = tmp_path / "facts.parquet"
    target.write_bytes(b"before")

    def broken() -> pa.Table:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        packed_file.write(target, (broken() for _ in range(1)), 0)
    assert [target] == list(tmp_path.iterdir())
    assert b"before" == target.read_bytes()


def test_no_facts_at_all_can_be_packed(tmp_path: Path) -> None:
    """An empty file gives an empty report, as it does unpacked."""
    (tmp_path / "facts.jsonl").touch()
    assert 0 == huzhu("facts", "pack", tmp_path / "facts.jsonl", tmp_path / "facts.parquet").returncode
    told = [
        huzhu("simulate", "--policy", WUXI, "--facts", tmp_path / name, "--json").stdout
        for name in ("facts.jsonl", "facts.parquet")
    ]
    assert told[0] == told[1]
    assert 0 == json.loads(told[0])["claims"]
