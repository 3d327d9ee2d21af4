"""`--json` of every command that lists or reports: one document on standard output, with the exit status as without."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from acts.make_checkpoints import make_due
from cli.main import huzhu as program
from infra.kafka import topic_setup
from infra.kafka.topic_setup import TopicDifference
from infra.keys.audit_signing import SigningKey, make_key
from tests.support.acts import publish
from tests.support.builders import SHARDS, VILLAGE, bill, coverage, discharge, policy_text
from tests.support.commands import OPTIONS
from tests.support.ledgers import give, in_order
from tests.support.owed_person import OwedPerson
from tests.support.paths import WUXI
from tests.support.processes import CHINESE, facts_file, huzhu
from tests.support.succession import successor

NOTHING_TO_LIST = {
    "facts pack",
    *("demo", "servers", "post", "worker", "relay", "gateway", "console"),
    *("adjudicate", "watch", "generate", "audit prove"),  # print JSON anyway
    *("topics apply", "policy publish", "treaty publish", "contracts write", "contracts release", "contracts register"),
    *("ledger adopt", "ledger grants", "ledger upgrade", "watches publish"),
    *("deadletter show", "deadletter replay", "deadletter approve", "deadletter reject"),
    *("payouts reissue", "payouts approve", "payouts reject", "books close", "books export"),
    *("recoveries set-off", "recoveries waive", "pools close", "alerts take", "alerts close", "day close"),
    *("holds propose", "holds approve", "holds reject"),
    *("statements issue", "statements export"),
    *("keys create", "keys rotate", "keys revoke", "audit keygen", "audit sign", "audit export"),
    *("users create", "users disable", "users enable", "users reset", "users reset-factor", "users token"),
    *("signin", "signout"),
    *("people newkey", "people load", "people rotate"),
}
"""Commands that do something and say what they did, or whose output is a document already."""

PERSON = [coverage(), discharge("E1"), bill("S1", "E1", 3000, out_of_catalogue=1000)]


def told(*words: str | Path, status: int = 0, **environment: str) -> dict[str, Any]:
    """What a command prints with ``--json``."""
    done = huzhu(*words, "--json", columns=80, **environment)
    assert (status, "") == (done.returncode, done.stderr)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_every_command_that_lists_or_reports_has_json() -> None:
    """A new command prints JSON too, or is named above as one that has nothing to list."""
    without = {name.removeprefix("huzhu ") for name, options in OPTIONS.items() if "--json" not in options}
    assert NOTHING_TO_LIST == without


def test_a_claim_from_files_is_json(tmp_path: Path) -> None:
    """The decision as `huzhu adjudicate` prints it, the stay, the bills and the policy; files know of no payouts."""
    file = facts_file(tmp_path, PERSON)
    page = told("explain", "E1", "--facts", file, "--policy", WUXI)
    assert json.loads(huzhu("adjudicate", "--policy", WUXI, file).stdout) == page["claim"]
    assert ("300.00", "2024-03-10") == (page["claim"]["total_benefit"], page["stay"]["discharged_on"])
    (posted,) = page["bills"]
    assert ("S1", "3000.00", "1000.00") == (posted["settlement_id"], posted["copay"], posted["out_of_catalogue"])
    assert re.search(r"\+08:00$", posted["settled_at"])
    assert ("wuxi-sample", "2010-01-01", None) == tuple(
        page["policy"][name] for name in ("policy_id", "first_day", "last_day")
    )
    assert page["payouts"] is None


def test_a_claim_of_the_ledger_is_json(ledger: Engine, ledger_url: str) -> None:
    """With every payout, and what the insurer reported of it."""
    owed = OwedPerson(ledger)
    owed.report(owed.payouts[0], "failed", reason="no such account")
    listed = told("payouts", "list", HUZHU_DATABASE_URL=ledger_url)["payouts"][0]
    page = told("explain", listed["claim_id"], HUZHU_DATABASE_URL=ledger_url)
    (payout,) = page["payouts"]
    assert (listed["payout_id"], listed["amount"], "failed") == (
        payout["payout_id"],
        payout["amount"],
        payout["reported"],
    )
    assert listed["instructed_at"] == payout["instructed_at"]


def test_a_claim_that_does_not_exist_is_no_document(tmp_path: Path) -> None:
    """A sentence on standard error and exit status 2."""
    done = huzhu("explain", "E404", "--facts", facts_file(tmp_path, PERSON), "--policy", WUXI, "--json")
    assert (2, "") == (done.returncode, done.stdout)


def test_a_simulation_is_json(tmp_path: Path) -> None:
    """The sums and all tables as in the CSV files; which files were written is said on standard error."""
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(policy_text("old", "2010-01-01", None, VILLAGE), "utf-8")
    new.write_text(policy_text("new", "2010-01-01", None, VILLAGE.replace('"0.30"', '"0.10"')), "utf-8")
    words = ("simulate", "--policy", new, "--facts", facts_file(tmp_path, PERSON))
    report = told(*words, "--baseline", old)
    assert ("300.00", "100.00", "-200.00") == (report["before"], report["after"], report["change"])
    (scheme,) = report["tables"]["by_scheme"]
    assert ("300.00", "100.00", "-200.00", "-0.666667", 1) == tuple(
        scheme[name] for name in ("before", "after", "change", "change_share", "claims_after")
    )
    assert ["E1"] == [row["claim_id"] for row in report["tables"]["largest"]]
    assert not CHINESE.search(json.dumps(report, ensure_ascii=False))
    alone = huzhu(*words, "--json", "--out", tmp_path / "out")
    assert (None, "100.00") == (json.loads(alone.stdout)["before"], json.loads(alone.stdout)["after"])
    assert "by-area.csv" in alone.stderr


def test_a_simulation_with_refused_facts_is_json_and_status_3(tmp_path: Path) -> None:
    """The document counts them; each one is named on standard error."""
    done = huzhu("simulate", "--policy", WUXI, "--facts", facts_file(tmp_path, [*PERSON, {"a": 1}]), "--json")
    assert (3, 1, 1) == (done.returncode, json.loads(done.stdout)["refused"], len(done.stderr.splitlines()))


def test_policies_are_json(ledger: Engine, ledger_url: str) -> None:
    """As the file spells them, with when each is in force, and worked examples; checked and published ones alike."""
    checked = told("policy", "check", WUXI)
    assert {"policies": []} == told("policy", "show", HUZHU_DATABASE_URL=ledger_url)
    publish(ledger, WUXI.read_text("utf-8"), "li.na", SHARDS, lambda: datetime(2025, 3, 1, tzinfo=UTC))
    assert checked == told("policy", "show", HUZHU_DATABASE_URL=ledger_url)
    (policy,) = checked["policies"]
    assert ("wuxi-sample", "2010-01-01", None) == (policy["policy_id"], policy["first_day"], policy["last_day"])
    village = policy["policy"]["scheme"][0]
    assert ("2000.00", "0.3") == (village["threshold"], village["tier"][0]["brackets"][0]["rate"])
    worked = [(each["amount"], each["benefit"]) for each in policy["examples"] if each["tier"] == "member"]
    assert {("2000.00", "0.00"), ("10000.00", "2400.00"), ("35333.34", "10000.00")} <= set(worked)
    stay = policy["stay"]
    assert stay["total_benefit"] == str(sum(Decimal(each["benefit"]) for each in stay["benefits"]))


def test_a_succeeded_policy_says_its_last_day(tmp_path: Path) -> None:
    """And which policy follows."""
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(policy_text("old", "2024-01-01", None, VILLAGE), "utf-8")
    new.write_text(successor("new", "2025-01-01", "old"), "utf-8")
    first, _ = told("policy", "check", old, new)["policies"]
    assert ("2024-12-31", "new") == (first["last_day"], first["succeeded_by"])


def test_what_changed_between_policies_is_json(tmp_path: Path) -> None:
    """Field by field with the values of the files, and benefits before and after; the exit status is that of a diff."""
    text = WUXI.read_text("utf-8").replace('rate = "0.60"', 'rate = "0.65"').replace("2010-01-01", "2025-01-01")
    file = tmp_path / "new.toml"
    file.write_text(text.replace('cap_per_stay = "10000.00"', "waiting_days = 90", 1), "utf-8")
    found = told("policy", "diff", WUXI, file, status=1)
    changed = {(each["tier"], each["field"]): (each["before"], each["after"]) for each in found["changes"]}
    assert {
        (None, "effective_from"): ("2010-01-01", "2025-01-01"),
        (None, "cap_per_stay"): ("10000.00", None),
        (None, "waiting_days"): (None, 90),
        ("ordinary", "brackets"): ([{"over": "0.00", "rate": "0.6"}], [{"over": "0.00", "rate": "0.65"}]),
    } == changed
    assert {"categories": ["ordinary"], "amount": "10000.00", "before": "6000.00", "after": "6500.00"} in [
        {name: value for name, value in each.items() if name != "scheme_id"} for each in found["examples"]
    ]
    same = told("policy", "diff", WUXI, WUXI)
    assert (True, [], []) == (same["same"], same["changes"], same["examples"])


def test_schemes_that_come_go_and_change_places_are_json(tmp_path: Path) -> None:
    """Of a scheme that exists on one side only the change gives its id, and the fields it sets."""
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    other, third = (VILLAGE.replace('id = "village_mutual_aid"', f'id = "{name}"', 1) for name in ("city", "fund"))
    old.write_text(policy_text("p", "2024-01-01", None, VILLAGE, other), "utf-8")
    new.write_text(policy_text("p", "2024-01-01", None, third, other, VILLAGE), "utf-8")
    found = told("policy", "diff", old, new, status=1)
    changed = {(each["scheme_id"], each["field"]): (each["before"], each["after"]) for each in found["changes"]}
    assert (None, "fund") == changed["fund", "scheme"]
    assert (["village_mutual_aid", "city"], ["fund", "city", "village_mutual_aid"]) == changed[None, "order"]
    assert (None, "10000.00") == changed["fund", "cap_per_stay"]


def test_the_contract_is_checked_in_json(tmp_path: Path) -> None:
    """The version, and what is wrong with the files: nothing, or each problem and exit status 1."""
    folder = tmp_path / "contract"
    huzhu("contracts", "write", folder)
    assert ([], None) == tuple(told("contracts", "check", folder)[name] for name in ("problems", "released"))
    (folder / "asyncapi.json").unlink()
    assert [f"{folder}/asyncapi.json: is missing"] == told("contracts", "check", folder, status=1)["problems"]


def test_checkpoints_are_json(ledger: Engine, ledger_url: str, tmp_path: Path) -> None:
    """The newest of each shard, with the note that is kept."""
    give(ledger, in_order(PERSON))
    make_key("wuxi.example/huzhu", tmp_path / "key")
    now = datetime(2027, 3, 1, tzinfo=UTC)
    make_due(ledger, SigningKey.read(tmp_path / "key"), lambda: now, 1, timedelta(0))
    notes = huzhu("audit", "checkpoints", HUZHU_DATABASE_URL=ledger_url).stdout
    found = told("audit", "checkpoints", HUZHU_DATABASE_URL=ledger_url)["checkpoints"]
    assert notes == "\n".join(each["note"] for each in found)
    assert {"2027-03-01T08:00:00+08:00"} == {each["made_at"] for each in found}
    assert [each["note"].splitlines()[1] for each in found] == [str(each["size"]) for each in found]


def test_rules_of_kafka_are_json() -> None:
    """One entry a rule, as many as lines."""
    rules = told("topics", "acl", "--role", "insurer", "--user", "picc")["rules"]
    assert len(huzhu("topics", "acl", "--role", "insurer").stdout.splitlines()) == len(rules)
    assert {"picc"} == {rule["user"] for rule in rules}


@pytest.mark.parametrize("differences", [[], [TopicDifference("claims.decisions", "retention.ms", "-1", "1000")]])
def test_differences_of_topics_are_json(differences: list[TopicDifference], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with what is declared and what was found; exit status 1 if there are any."""
    monkeypatch.setattr(topic_setup, "check", lambda bootstrap, settings, topics: differences)
    done = CliRunner().invoke(program("topics"), ["topics", "check", "--json"], env={"HUZHU_KAFKA_BOOTSTRAP": "x:1"})
    assert len(differences) == done.exit_code
    found = json.loads(done.stdout)["differences"]
    assert [(each.topic, each.declared, each.found) for each in differences] == [
        (each["topic"], each["declared"], each["found"]) for each in found
    ]
