"""`huzhu watches publish` and `show` as people use them, on a real ledger."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from sqlalchemy import Engine

from tests.support.builders import bill
from tests.support.covered_person import CoveredPerson
from tests.support.processes import CHINESE, huzhu
from tests.support.watches import watch_text, watches_text

FILE = watches_text(watch_text(steps='"2000.00", "90000.00"'), head="effective_to = 2030-01-01")


class Publishing:
    """A person whose stay brought 3,000.00 of burden, a file of watches, and the command."""

    def __init__(self, ledger: Engine, url: str, folder: Path) -> None:
        CoveredPerson(ledger, remembers=False).take(bill())
        self._url, self.file = url, folder / "watches.toml"
        self.file.write_text(FILE, "utf-8")

    def run(self, *words: str | Path) -> CompletedProcess[str]:
        done = huzhu(*words, columns=240, HUZHU_DATABASE_URL=self._url)
        assert "Traceback" not in done.stderr
        return done

    def publish(self, *more: str) -> CompletedProcess[str]:
        return self.run("watches", "publish", self.file, "--operator", "li.na", *more)


@pytest.fixture
def publishing(ledger: Engine, ledger_url: str, tmp_path: Path) -> Publishing:
    return Publishing(ledger, ledger_url, tmp_path)


def test_publishing_says_whom_it_finds_and_makes_alerts(publishing: Publishing) -> None:
    """How many claims cross each step, before it asks; then each has its alert, and the file is shown."""
    refused = publishing.publish("--language", "en")
    assert 2 == refused.returncode
    assert "Confirm with --yes" in refused.stderr
    counted = [line.split() for line in refused.stdout.splitlines() if line.startswith("│ w ")]
    assert [("2,000.00", "1"), ("90,000.00", "0")] == [(each[3], each[5]) for each in counted]
    assert [] == json.loads(publishing.run("alerts", "list", "--json").stdout)["alerts"]
    done = publishing.publish("--yes", "--language", "zh")
    assert (0, "") == (done.returncode, done.stderr)
    assert "已公布" in done.stdout
    (alert,) = json.loads(publishing.run("alerts", "list", "--json").stdout)["alerts"]
    assert ("SELF_PAY_HIGH", "E1") == (alert["code"], alert["claim_id"])
    assert "E1  2024-03-10  3,000.00" in publishing.run("alerts", "show", alert["alert_id"]).stdout
    assert "个人自负额较高" in publishing.run("alerts", "list").stdout
    (shown,) = json.loads(publishing.run("watches", "show", "--json").stdout)["files"]
    assert ("of-tests", ["2000.00", "90000.00"]) == (shown["watches"]["id"], shown["watch"][0]["steps"])
    english = publishing.run("watches", "show", "--language", "en").stdout
    assert "of-tests: discharges before 2030-01-01." in english
    assert not CHINESE.search(english)


def test_what_cannot_be_published_is_refused(publishing: Publishing) -> None:
    """The same again is nothing to do; another file under its id, or with its watch, says what to change."""
    assert "No watches are published." in publishing.run("watches", "show", "--language", "en").stdout
    publishing.publish("--yes")
    assert "Already published" in publishing.publish("--yes", "--language", "en").stdout
    publishing.file.write_text(FILE.replace("2000.00", "2500.00"), "utf-8")
    told = publishing.publish("--yes", "--language", "en")
    assert (2, "") == (told.returncode, told.stdout)
    assert 'watches.toml: "of-tests" is already published with other content' in told.stderr
    publishing.file.write_text(FILE.replace("of-tests", "next"), "utf-8")
    assert "let the new file start on 2030-01-01" in publishing.publish("--yes", "--language", "en").stderr
    publishing.file.write_text("x", "utf-8")
    assert 2 == publishing.publish("--yes").returncode
    assert 2 == publishing.run("watches", "publish", publishing.file, "--operator", " ", "--yes").returncode


def test_a_file_without_an_end_is_published_with_a_warning(publishing: Publishing) -> None:
    """As no other one can follow it."""
    publishing.file.write_text(watches_text(watch_text()), "utf-8")
    told = publishing.publish("--yes", "--language", "en")
    assert 0 == told.returncode
    assert "watches.toml:1: watches.effective_to: is not there" in told.stderr
