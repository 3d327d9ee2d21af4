"""`huzhu alerts` as people use it, on a real ledger."""

from __future__ import annotations

import json
from subprocess import CompletedProcess

import pytest
from sqlalchemy import Engine

from schemas.canonical import derived_id
from tests.support.builders import Json, bill, coverage, death, report
from tests.support.covered_person import CoveredPerson
from tests.support.processes import CHINESE, huzhu

AFTER_DEATH = derived_id("AT", "AFTER_DEATH", "E1")
CLOSE = ("alerts", "close", AFTER_DEATH, "--operator", "li.na", "--outcome")


class Commands:
    """A person with two alerts, and the command."""

    def __init__(self, ledger: Engine, url: str) -> None:
        self.person, self._url = CoveredPerson(ledger, remembers=False), url
        self.person.take(coverage("C9", area="binhu"), bill(), death("2024-02-29"), report("PO-nobody"))

    def run(self, *words: str) -> CompletedProcess[str]:
        done = huzhu("alerts", *words, columns=240, HUZHU_DATABASE_URL=self._url)
        assert "Traceback" not in done.stderr
        return done

    def listed(self, *words: str) -> list[Json]:
        listed: list[Json] = json.loads(self.run("list", "--json", *words).stdout)["alerts"]
        return listed


@pytest.fixture
def commands(ledger: Engine, ledger_url: str) -> Commands:
    return Commands(ledger, ledger_url)


def codes(found: list[Json]) -> list[str]:
    return sorted(each["code"] for each in found)


def test_alerts_are_listed_by_code_area_claim_age_and_taker(commands: Commands) -> None:
    """JSON says all but whom it is about; the table says it in both languages."""
    assert ["AFTER_DEATH", "REPORT_UNMATCHED"] == codes(commands.listed())
    (row,) = commands.listed("--code", "AFTER_DEATH")
    expected = {"alert_id": AFTER_DEATH, "claim_id": "E1", "area": "binhu", "state": "open", "taken_by": None}
    assert expected == {name: row[name] for name in expected}
    assert row["age_days"] > 300
    assert "person_id" not in row
    assert ["AFTER_DEATH"] == codes(commands.listed("--claim", "E1"))
    assert [] == commands.listed("--area", "xishan")
    assert [] == commands.listed("--days", "36500")
    assert 2 == len(commands.listed("--days", "300", "--taken-by", "-"))
    shown = commands.run("list", "--language", "both").stdout
    assert "死亡日期之后的理赔 claim after death" in shown
    assert not CHINESE.search(commands.run("list", "--language", "en").stdout)


def test_an_alert_is_taken_and_closed_once(commands: Commands) -> None:
    """All or none are taken; a second closing is refused with exit status 2, in both languages."""
    assert 2 == commands.run("take", AFTER_DEATH, "AT-nobody", "--operator", "wang.fang").returncode
    assert [] == commands.listed("--taken-by", "wang.fang")
    assert 0 == commands.run("take", AFTER_DEATH, "--operator", "wang.fang").returncode
    assert ["AFTER_DEATH"] == codes(commands.listed("--taken-by", "wang.fang"))
    assert 2 == commands.run(*CLOSE[1:], " ").returncode
    done = commands.run(*CLOSE[1:], "the record was wrong")
    assert (0, True) == (done.returncode, "已办结" in done.stdout)
    assert ["REPORT_UNMATCHED"] == codes(commands.listed())
    assert ["AFTER_DEATH", "REPORT_UNMATCHED"] == codes(commands.listed("--all"))
    again = commands.run(*CLOSE[1:], "once more")
    assert (2, True, True) == (again.returncode, "已办结" in again.stderr, "is closed" in again.stderr)


def test_one_alert_says_what_it_is_about_and_what_was_done(commands: Commands) -> None:
    """With the person for who works on it; an unknown one is exit status 2."""
    commands.run(*CLOSE[1:], "the record was wrong")
    shown = commands.run("show", AFTER_DEATH, "--language", "en").stdout
    for said in ("stolen identity", "Claim: E1", "Person: P1", "Closed by: li.na", "Outcome: the record was wrong"):
        assert said in shown
    assert not CHINESE.search(shown)
    assert "P1" == json.loads(commands.run("show", AFTER_DEATH, "--json").stdout)["person_id"]
    assert 2 == commands.run("show", "AT-nobody").returncode
