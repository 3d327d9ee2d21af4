"""`huzhu recoveries` as people use it, on a real ledger, and what others say of settled recoveries."""

from __future__ import annotations

import json
from subprocess import CompletedProcess

import pytest
from sqlalchemy import Engine

from schemas.records import Manner
from tests.support.builders import Json
from tests.support.debtor import Debtor
from tests.support.processes import CHINESE, huzhu

WHY = ("--operator", "li.na", "--reason", "agreed by phone")


class Office:
    """A debtor, and the command."""

    def __init__(self, ledger: Engine, url: str) -> None:
        self.debtor, self._url = Debtor(ledger), url

    def run(self, *words: str) -> CompletedProcess[str]:
        done = huzhu(*words, columns=240, HUZHU_DATABASE_URL=self._url)
        assert "Traceback" not in done.stderr
        return done

    def listed(self, *words: str) -> list[Json]:
        listed: list[Json] = json.loads(self.run("recoveries", "list", "--json", *words).stdout)["recoveries"]
        return listed


@pytest.fixture
def office(ledger: Engine, ledger_url: str) -> Office:
    return Office(ledger, ledger_url)


def test_a_recovery_is_listed_until_it_is_settled(office: Office) -> None:
    """With who owes it to whom, its age, and what it has left; `--open` leaves out what is done."""
    name = office.debtor.recovery
    (row,) = office.listed("--open")
    expected = {"payout_id": name, "claim_id": "E1", "payee": "person", "payee_id": None, "payer": "fund"}
    expected |= {"amount": "150.00", "state": "instructed", "manner": None, "left": None, "reissued_as": None}
    assert expected == {key: row[key] for key in expected}
    assert row["age_days"] > 300
    assert 0 == office.run("recoveries", "set-off", name, *WHY, "--yes").returncode
    (row,) = office.listed("--open", "--payer", "fund", "--scheme", "village_mutual_aid")
    assert ("set_off", "150.00") == (row["manner"], row["left"])
    office.debtor.stay(4)
    assert [] == office.listed("--open")
    (row,) = office.listed()
    assert ("set_off", "0.00") == (row["manner"], row["left"])
    shown = office.run("recoveries", "list", "--language", "both").stdout
    assert "已抵扣 set off" in shown
    assert "P1" not in shown.replace(name, "")


def test_an_act_is_asked_for_and_refused_with_a_reason(office: Office) -> None:
    """Nothing happens without an answer; what cannot be done is said in both languages, with exit status 2."""
    name = office.debtor.recovery
    asked = office.run("recoveries", "waive", name, *WHY)
    assert (2, {}) == (asked.returncode, office.debtor.left())
    assert "--yes" in asked.stderr
    done = office.run("recoveries", "waive", name, *WHY, "--yes")
    assert 0 == done.returncode, done.stderr
    assert "waived, 150.00 yuan" in done.stdout
    assert "请告知 fund" in done.stdout
    again = office.run("recoveries", "set-off", name, *WHY, "--yes")
    assert (2, True) == (again.returncode, "was already waived" in again.stderr)
    assert CHINESE.search(again.stderr)
    for words in (("PO-nobody", *WHY), (name, "--operator", " ", "--reason", "x")):
        assert 2 == office.run("recoveries", "waive", *words, "--yes").returncode


def test_the_family_is_told_what_was_kept_back_for_what(office: Office) -> None:
    """Where it was kept back, how much and for which claim; and where too much had been paid, what is left."""
    office.debtor.settle(Manner.SET_OFF)
    office.debtor.stay(4, 2100)
    kept, owed = (office.run("explain", claim, "--language", "both").stdout for claim in ("E4", "E1"))
    assert "抵扣 30.00 元,这笔钱没有另付:理赔 E1 以前多发的补助应退还而未退还" in kept
    assert "set off 30.00 yuan, not paid out: it is kept back for what was paid too much for claim E1" in kept
    assert "待抵扣:还有 120.00 元" in owed
    assert "waits to be set off: 120.00 yuan are kept back from later payments" in owed
    (payout,) = json.loads(office.run("explain", "E4", "--json").stdout)["payouts"]
    assert ("E1", office.debtor.recovery) == (payout["set_off_of_claim"], payout["set_off_of"])
    told = office.run("payouts", "list", "--language", "en").stdout
    assert "waits to be set off" in told
    assert f"kept back for {office.debtor.recovery}" in told
