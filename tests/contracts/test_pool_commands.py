"""`huzhu pools` as an office uses it, on a real ledger, and what a villager reads who waits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support.builders import Json, contribution, contribution_void
from tests.support.pools import villager
from tests.support.processes import CHINESE, huzhu
from tests.support.village_pool import sharing_village, short_village

WHY = ("--operator", "li.na", "--reason", "the year has ended")


class Counter:
    """The command, in front of one ledger."""

    def __init__(self, url: str) -> None:
        self._url = url

    def run(self, *words: str) -> CompletedProcess[str]:
        done = huzhu(*words, columns=240, HUZHU_DATABASE_URL=self._url)
        assert "Traceback" not in done.stderr
        return done

    def told(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def counter(ledger_url: str) -> Counter:
    return Counter(ledger_url)


def cells(text: str) -> list[list[str]]:
    return [re.split(r"\s*│\s*", line.strip("│ ")) for line in text.splitlines()]


def test_pools_are_listed_with_what_they_have(ledger: Engine, counter: Counter) -> None:
    """Received less released is the balance, in the lines and in the totals; also a pool that nobody recorded."""
    village = short_village(ledger)
    village.take(*villager("P9", "2024-05-01", 40, "V-unknown"))
    unknown, known = counter.told("pools", "list")["pools"]
    expected: Json = {"pool_id": "V1", "title": "Lihu village", "on_shortage": "queue", "received": "700.00"}
    expected |= {"released": "500.00", "balance": "200.00", "waiting": "400.00", "benefits_waiting": 2, "alerts": []}
    assert expected == {name: known[name] for name in expected}
    assert (None, "40.00", ["NO_POOL"]) == (unknown["title"], unknown["waiting"], unknown["alerts"])
    shown = counter.run("pools", "list", "--language", "en").stdout
    assert ["total", "", "700.00", "500.00", "200.00", "440.00", "3"] in cells(shown)
    assert "not recorded" in shown
    assert CHINESE.search(counter.run("pools", "list").stdout)


def test_one_pool_adds_up(ledger: Engine, counter: Counter) -> None:
    """By kind, by restriction, by contribution and by month; and who waits, in order."""
    village = short_village(ledger)
    village.take(contribution("G3", yuan=5), contribution_void("G3"))
    told = counter.told("pools", "show", "V1")
    assert {"villager": "600.00", "government": "100.00"} == told["received_by_kind"]
    assert [("", "200.00"), ("village_mutual_aid", "0.00")] == [
        ("".join(each["schemes"]), each["left"]) for each in told["restrictions"]
    ]
    assert {"G1": "600.00", "G2": "100.00", "G3": "0.00"} == {
        each["contribution_id"]: each["amount"] for each in told["contributions"]
    }
    assert ("200.00", "500.00") == (told["months"][-1]["balance"], told["months"][-1]["released"])
    assert [(1, "E-P2", "300.00"), (2, "E-P3", "100.00")] == [
        (each["position"], each["claim_id"], each["amount"]) for each in told["queue"]
    ]
    shown = counter.run("pools", "show", "V1", "--language", "both").stdout
    assert "第 1 位 number 1" in shown
    assert "Qian Duoduo" not in shown
    wrong = counter.run("pools", "show", "V9")
    assert (2, True) == (wrong.returncode, "there is no pool V9; there are: V1" in wrong.stderr)


def test_the_public_sheet_names_nobody(ledger: Engine, counter: Counter, tmp_path: Path) -> None:
    """Sums by kind and month with how many persons, in Chinese first; no id, claim, scheme, payer or diagnosis."""
    village = short_village(ledger)
    village.take(contribution("G4", yuan=600), *villager("P4", "2024-06-01", 100))
    file = tmp_path / "village.html"
    assert 0 == counter.run("pools", "show", "V1", "--sheet", str(file)).returncode
    page = file.read_text("utf-8")
    said = " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())
    assert "Lihu village 互助资金公示" in said
    assert "累计收入 Received 1,300.00 元 1,300.00 yuan" in said
    assert "累计发放 Paid 1,000.00 元 1,000.00 yuan 4 人 4 persons" in said
    assert "余额 Balance 300.00 元 300.00 yuan" in said
    assert "等待发放 Waiting 0.00 元 0.00 yuan 0 人 0 persons" in said
    assert "不插队" in said
    assert [] == [each for each in ("P1", "E-P", "S-P", "G1", "Duoduo", "I10", "village_mutual_aid") if each in page]
    assert not re.search(r"(src|href)=", page)


def test_the_public_sheet_does_not_tell_what_one_person_got(ledger: Engine, counter: Counter, tmp_path: Path) -> None:
    """One was paid and two wait: neither amount is there, nor the balance from which it could be reckoned."""
    short_village(ledger)
    file = tmp_path / "village.html"
    assert 0 == counter.run("pools", "show", "V1", "--sheet", str(file)).returncode
    page = file.read_text("utf-8")
    assert 4 == page.count("不公布")  # paid, the balance, who waits, and the one month
    assert "少于 3 人" in page
    assert [] == [each for each in ("500.00", "200.00", "400.00") if each in page]
    assert 2 == counter.run("pools", "show", "V1", "--sheet", str(tmp_path)).returncode


def test_a_year_is_closed_once(ledger: Engine, counter: Counter) -> None:
    """Half of what is due where there is money for half; asked for first, and refused afterwards."""
    sharing_village(ledger)
    asked = counter.run("pools", "close", "V1", "2024", *WHY)
    assert (2, True) == (asked.returncode, "--yes" in asked.stderr)
    done = counter.run("pools", "close", "V1", "2024", *WHY, "--yes")
    assert 0 == done.returncode, done.stderr
    assert "900.00 yuan are due for 3 benefits, 450.00 yuan are paid, 450.00 yuan are left unpaid" in done.stdout
    told = counter.told("pools", "show", "V1")
    (year,) = told["years"]
    assert (2024, "450.00", "900.00", "450.00", "li.na") == (
        *(year[name] for name in ("year", "available", "due", "released", "operator")),
    )
    assert ("0.00", [None] * 3) == (told["balance"], [each["position"] for each in told["queue"]])
    again = counter.run("pools", "close", "V1", "2024", *WHY, "--yes")
    assert 2 == again.returncode
    assert "was closed up to 2024" in again.stderr
    assert CHINESE.search(again.stderr)
    for words in (("V9", "2024"), ("V1", "2099")):
        assert 2 == counter.run("pools", "close", *words, *WHY, "--yes").returncode


def test_a_villager_who_waits_is_told_where(ledger: Engine, counter: Counter) -> None:
    """The place is that of now, not of the decision; once paid, nothing waits."""
    village = short_village(ledger)
    shown = counter.run("explain", "E-P3", "--language", "both").stdout
    assert "这笔补助已排队,第 2 位,资金到账后自动发放,您不用再申请" in shown
    assert "number 2 in the queue" in shown
    (line,) = counter.told("explain", "E-P3")["waiting"]
    assert ("100.00", 2, "V1") == (line["amount"], line["position"], line["pool_id"])
    village.take(contribution("G5", yuan=100))
    assert "第 1 位" in counter.run("explain", "E-P3").stdout
    assert [] == counter.told("explain", "E-P2")["waiting"]
    assert "排队" not in counter.run("explain", "E-P2").stdout
