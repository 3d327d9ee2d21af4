"""`huzhu deaths match` as people use it, on a real ledger with a directory of persons."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from sqlalchemy import Engine

from schemas.canonical import derived_id
from tests.support.builders import Json, coverage, death
from tests.support.covered_person import CoveredPerson
from tests.support.processes import CHINESE, huzhu

ALERT = derived_id("AT", "DEATH_REPORTED", "P1")
WANG, LI, ZHAO = "320205195001010017", "32020519500104003X", "320205194206150027"


class Commands:
    """P1, whom the directory knows as Wang, is covered, P2 has died, and P3 is Li; and the command with a list."""

    def __init__(self, ledger: Engine, url: str, folder: Path) -> None:
        self.person = CoveredPerson(ledger, remembers=False)
        self.person.take(coverage("C2", person_id="P2"), death("2024-02-29", person_id="P2"))
        self.file, self._people, self._keys = folder / "list.csv", folder / "people.csv", folder / "keys"
        self._settings: dict[str, Any] = {"HUZHU_DATABASE_URL": url, "HUZHU_CONSOLE_KEY_FILE": str(self._keys)}
        self._people.write_text(
            f"person_id,name,phone,id_number\nP1,王某,,{WANG}\nP2,赵某,,{ZHAO}\nP3,李某,,{LI.lower()}\n", "utf-8"
        )
        huzhu("people", "newkey", self._keys)
        assert 0 == huzhu("people", "load", self._people, "--operator", "wang", **self._settings).returncode
        self.write((WANG, "2024-03-01"), (ZHAO, "2024-03-01"), (LI, "2024-03-01"), ("1", "2024-03-01"))

    def write(self, *lines: tuple[str, str]) -> None:
        rows = "".join(f"某,{number},{day}\n" for number, day in lines)
        self.file.write_text(f"三月名单\n姓名,身份证号,死亡日期\n{rows}", "utf-8")

    def run(self, *words: str) -> CompletedProcess[str]:
        done = huzhu("deaths", "match", self.file, *words, columns=240, **self._settings)
        assert "Traceback" not in done.stderr
        return done

    def forget_key(self) -> None:
        del self._settings["HUZHU_CONSOLE_KEY_FILE"]

    def listed(self) -> list[Json]:
        done = huzhu("alerts", "list", "--json", "--code", "DEATH_REPORTED", **self._settings)
        listed: list[Json] = json.loads(done.stdout)["alerts"]
        return listed

    def show(self, language: str) -> str:
        return huzhu("alerts", "show", ALERT, "--language", language, columns=240, **self._settings).stdout


@pytest.fixture
def commands(ledger: Engine, ledger_url: str, tmp_path: Path) -> Commands:
    return Commands(ledger, ledger_url, tmp_path)


TAKE = ("--list", "2024-03", "--operator", "li.na")


def test_a_list_is_compared_and_nothing_is_written(commands: Commands) -> None:
    """Exit status 3; every line says what it comes to, in both languages, and nobody is named."""
    done = commands.run("--json")
    assert 3 == done.returncode
    document = json.loads(done.stdout)
    found = [(each["line"], each["kind"], each["recorded_on"]) for each in document["found"]]
    assert [(3, "candidate", None), (4, "other_day", "2024-02-29"), (5, "no_member", None)] == found[:3]
    assert (6, "unreadable", None) == found[3]
    assert {"lines": 4, "raised": 0, "withdrawn": 0} == {
        name: document[name] for name in ("lines", "raised", "withdrawn")
    }
    assert [] == commands.listed()
    shown = commands.run("--language", "both").stdout
    for said in ("疑似死亡 reported dead", "死亡日期不符 another day recorded", "2024-02-29", "only compared"):
        assert said in shown
    assert not CHINESE.search(commands.run("--language", "en").stdout)
    for secret in (WANG, LI, ZHAO, "P1", "P2", "王某"):
        assert secret not in done.stdout + shown


def test_an_operator_takes_a_list_in_and_a_corrected_one(commands: Commands) -> None:
    """The member has an alert, once; a list without living members has exit status 0 and withdraws it."""
    for raised in ("提出或更新提醒 1 条,撤回 0 条", "提出或更新提醒 0 条,撤回 0 条"):
        done = commands.run(*TAKE)
        assert (3, True) == (done.returncode, raised in done.stdout), done.stderr
        assert ALERT in done.stdout
        assert [(ALERT, "open")] == [(each["alert_id"], each["state"]) for each in commands.listed()]
    for language, said in (("zh", "殡葬名单列有此人"), ("en", "A funeral list names this person")):
        assert said in commands.show(language)
        assert "2024-03 (2024-03-01)" in commands.show("en")
    commands.write((ZHAO, "2024-02-29"))
    done = commands.run(*TAKE, "--language", "en")
    assert (0, True) == (done.returncode, "0 alerts raised or told again, 1 withdrawn" in done.stdout)
    assert [] == commands.listed()


def test_identity_numbers_need_the_key_of_the_directory(commands: Commands) -> None:
    """Without it nobody would be found, and the list would take its own alerts back."""
    commands.run(*TAKE)
    commands.forget_key()
    for words in ((), TAKE):
        done = commands.run(*words)
        assert (2, "", True) == (done.returncode, done.stdout, "HUZHU_CONSOLE_KEY_FILE" in done.stderr)
    assert [(ALERT, "open")] == [(each["alert_id"], each["state"]) for each in commands.listed()]


def test_what_cannot_be_used_is_told(commands: Commands) -> None:
    """Exit status 2: half of the options, a column that is not there, a file without a list."""
    for words in (TAKE[:2], TAKE[2:], ("--column", "name=某"), ("--list", " ", "--operator", "li.na")):
        done = commands.run(*words)
        assert (2, "") == (done.returncode, done.stdout)
        assert CHINESE.search(done.stderr)
    commands.file.write_text("姓名\n某\n", "utf-8")
    assert 2 == commands.run().returncode
    assert [] == commands.listed()
