"""`huzhu deadletter` and `huzhu payouts` under four eyes: one operator proposes, another one approves or rejects."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from sqlalchemy import Engine, select, text

from infra.ledger import tables
from tests.support.acts import publish
from tests.support.builders import POLICY, SHARDS, Json, bill, encode
from tests.support.ledgers import give, held, in_order
from tests.support.outbox import waiting_messages
from tests.support.owed_person import OwedPerson, standing
from tests.support.processes import CHINESE, huzhu

LI, WANG = ("--operator", "li.na"), ("--operator", "wang.wei")
WHY = ("--reason", "retyped from the paper bill")
WRONG = {**bill(event_id="ev-wrong"), "total_charge": "1.00"}


class Desk:
    """A ledger with an event that was refused, or with one person who is owed money, and the command."""

    def __init__(self, ledger: Engine, url: str, folder: Path) -> None:
        self.ledger, self._url, self.file = ledger, url, folder / "fixed.json"

    def run(self, *words: str | Path) -> CompletedProcess[str]:
        done = huzhu(*words, HUZHU_DATABASE_URL=self._url)
        assert "Traceback" not in done.stderr
        return done

    def correct(self, **fields: object) -> Path:
        self.file.write_bytes(encode({**bill(event_id="ev-wrong"), **fields}) + b"\n")
        return self.file

    @property
    def number(self) -> str:
        with self.ledger.connect() as connection:
            return str(connection.scalar(select(tables.refusals.c.event_no)))

    def sent(self) -> list[Json]:
        """What waits for the relay on its way to an inbound topic."""
        waiting = waiting_messages(self.ledger)
        return [json.loads(row.value) for row in waiting if row.topic.startswith("hospital.")]

    def kinds(self) -> list[tuple[str, str]]:
        """Who did what, of the acts under four eyes."""
        entry = tables.audit_entries
        with self.ledger.connect() as connection:
            rows = connection.execute(select(entry.c.kind, entry.c.actor).order_by(entry.c.event_no)).all()
        wanted = ("replay.", "event.replayed", "payout.reissued")
        return [(kind, actor) for kind, actor in rows if kind.startswith(wanted)]


@pytest.fixture
def desk(ledger: Engine, ledger_url: str, tmp_path: Path) -> Desk:
    publish(ledger, POLICY, "li.na", SHARDS, standing)
    held(ledger)
    give(ledger, in_order([WRONG]))
    return Desk(ledger, ledger_url, tmp_path)


def test_a_correction_is_proposed_seen_and_approved_by_somebody_else(desk: Desk) -> None:
    """Nothing is sent before; the proposer cannot approve, however the name is spelt; the second time is too late."""
    proposed = desk.run("deadletter", "replay", desk.number, "--file", desk.correct(), *LI, *WHY)
    assert (0, "approve 1 --operator" in proposed.stdout) == (proposed.returncode, True), proposed.stderr
    assert 2 == desk.run("deadletter", "replay", desk.number, *WANG, *WHY).returncode
    (listed,) = json.loads(desk.run("deadletter", "proposals", "--json").stdout)["proposals"]
    assert (1, int(desk.number), True, "li.na") == (
        listed["proposal"],
        listed["number"],
        listed["corrected"],
        listed["proposed_by"],
    )
    assert listed["proposed_at"].endswith("+08:00")
    assert bill(event_id="ev-wrong") == json.loads(desk.run("deadletter", "show", desk.number, "--proposed").stdout)
    assert WRONG == json.loads(desk.run("deadletter", "show", desk.number).stdout)
    for own in ("li.na", " Li.Na "):
        refused = desk.run("deadletter", "approve", "1", "--operator", own)
        assert (2, True) == (refused.returncode, "a second operator has to" in refused.stderr)
        assert CHINESE.search(refused.stderr)
    assert [] == desk.sent()
    assert 0 == desk.run("deadletter", "approve", "1", *WANG).returncode
    assert [bill(event_id="ev-wrong")] == desk.sent()
    assert 2 == desk.run("deadletter", "approve", "1", *WANG).returncode
    assert [("replay.proposed", "operator:li.na"), ("event.replayed", "operator:wang.wei")] == desk.kinds()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"total_charge": "2.00"}, "refused again"),
        ({"event_id": "ev-other"}, "event_id cannot change"),
        ({"event_type": "nothing.known"}, "refused again"),
    ],
)
def test_a_correction_that_is_none_is_not_taken(desk: Desk, change: Json, said: str) -> None:
    """The same rules as in the console, in both languages, with exit status 2."""
    done = desk.run("deadletter", "replay", desk.number, "--file", desk.correct(**change), *LI, *WHY)
    assert (2, True, True) == (done.returncode, said in done.stderr, CHINESE.search(done.stderr) is not None)
    assert [] == desk.kinds()


def test_bytes_that_are_no_event_are_not_taken(desk: Desk) -> None:
    """A workbook or a picture in place of the correction is refused."""
    desk.file.write_bytes(b"PK\x03\x04\xff\xfe" + bytes(200))
    done = desk.run("deadletter", "replay", desk.number, "--file", desk.file, *LI, *WHY)
    assert (2, True) == (done.returncode, "refused again" in done.stderr)
    assert [] == desk.sent()


def test_events_are_proposed_together_or_not_at_all(desk: Desk) -> None:
    """One unknown number, and none is proposed."""
    done = desk.run("deadletter", "replay", desk.number, "999999", *LI, *WHY)
    assert (2, True) == (done.returncode, "999999" in done.stderr)
    assert {"proposals": []} == json.loads(desk.run("deadletter", "proposals", "--json").stdout)


def test_a_rejected_proposal_sends_nothing_and_makes_room_for_another(desk: Desk) -> None:
    """The one who proposed cannot reject either; an unchanged event needs a second operator too."""
    desk.run("deadletter", "replay", desk.number, *LI, *WHY)
    assert 2 == desk.run("deadletter", "reject", "1", *LI, *WHY).returncode
    assert 0 == desk.run("deadletter", "reject", "1", *WANG, "--reason", "not now").returncode
    assert [] == desk.sent()
    assert 0 == desk.run("deadletter", "replay", desk.number, *LI, *WHY).returncode
    assert 0 == desk.run("deadletter", "approve", "2", *WANG).returncode
    assert [WRONG] == desk.sent()
    kinds = ["replay.proposed", "replay.rejected", "replay.proposed", "event.replayed"]
    assert kinds == [kind for kind, _ in desk.kinds()]


@pytest.fixture
def owed(ledger: Engine, ledger_url: str, tmp_path: Path) -> tuple[OwedPerson, Desk]:
    return OwedPerson(ledger), Desk(ledger, ledger_url, tmp_path)


def test_money_is_ordered_again_by_two_people(owed: tuple[OwedPerson, Desk]) -> None:
    """A proposal orders nothing; its proposer cannot approve it; the approval orders once, and both are audited."""
    person, desk = owed
    (failed,) = person.payouts
    person.report(failed, "failed")
    order = ("payouts", "reissue", failed, *LI, *WHY)
    assert 0 == desk.run(*order).returncode
    again = desk.run(*order)
    assert (2, True) == (again.returncode, "already waiting" in again.stderr)
    assert [failed] == person.payouts
    (listed,) = json.loads(desk.run("payouts", "proposals", "--json").stdout)["proposals"]
    assert (1, failed, "li.na") == (listed["proposal"], listed["payout_id"], listed["proposed_by"])
    for words in (("approve", "1", "--operator", "LI.NA"), ("reject", "1", *LI, *WHY), ("approve", "2", *WANG)):
        assert 2 == desk.run("payouts", *words).returncode, words
    assert [failed] == person.payouts
    assert 0 == desk.run("payouts", "approve", "1", *WANG).returncode
    assert 3 == len(person.payouts)
    assert 2 == desk.run("payouts", "approve", "1", *WANG).returncode
    assert 3 == len(person.payouts)
    assert [("replay.proposed", "operator:li.na"), ("payout.reissued", "operator:wang.wei")] == desk.kinds()


def test_a_proposal_that_has_become_needless_orders_nothing(owed: tuple[OwedPerson, Desk]) -> None:
    """Whether it may be ordered is asked again at the approval: the insurer says meanwhile that the money arrived."""
    person, desk = owed
    (failed,) = person.payouts
    person.report(failed, "failed")
    assert 0 == desk.run("payouts", "reissue", failed, *LI, *WHY).returncode
    person.report(failed, "paid", 2)
    before = person.payouts
    done = desk.run("payouts", "approve", "1", *WANG)
    assert (2, before) == (done.returncode, person.payouts)
    assert 0 == desk.run("payouts", "reject", "1", *WANG, *WHY).returncode
    assert ["replay.proposed", "replay.rejected"] == [kind for kind, _ in desk.kinds()]


def test_the_database_itself_wants_two_names(owed: tuple[OwedPerson, Desk]) -> None:
    """Whoever goes round the program cannot approve alone either."""
    person, desk = owed
    person.report(person.payouts[0], "failed")
    desk.run("payouts", "reissue", person.payouts[0], *LI, *WHY)
    alone = "UPDATE reissue_proposals SET decided_by = proposed_by, decided_at = now(), decision = 'approved'"
    with pytest.raises(Exception, match="four_eyes"), desk.ledger.begin() as connection:
        connection.execute(text(alone))
