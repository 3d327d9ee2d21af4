"""Refused events in the console: seen masked, corrected by one person, sent again by another."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from acts.propose_reissue import propose_reissue
from infra.ledger import digest
from tests.support.builders import SHARDS, Json, bill, discharge, encode, in_days
from tests.support.outbox import waiting_messages
from tests.support.owed_person import OwedPerson
from tests.web.desk import Desk, Visitor
from tests.web.town import post, publish_two
from tests.web.words import words

PERSON = "11010519491231002X"
WHY = "the hospital's sum was mistyped"


def unbalanced() -> Json:
    event = bill("S1", "E1", 3000, person_id=PERSON, event_id="ev-wrong")
    return {**event, "total_charge": "3001.00", "patient_name": "张小明"}


@pytest.fixture
def stuck(desk: Desk) -> Desk:
    """A bill that does not balance, bytes that are not JSON, and an event of another facility."""
    publish_two(desk.engine)
    other = {**unbalanced(), "facility_id": "H2", "settlement_id": "S2", "event_id": "ev-other"}
    post(desk.engine, [discharge("E1", person_id=PERSON), encode(unbalanced()), b"\xff\xfe no json", encode(other)])
    desk.catch_up()
    return desk


def number_of(desk: Desk, code: str) -> int:
    return int(desk.value("SELECT min(event_no) FROM refusals WHERE code = :code", code=code))


def balanced(page: str) -> str:
    """The event from the page's field, corrected."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert found
    return json.dumps({**json.loads(html.unescape(found[1])), "total_charge": "3000.00"}, ensure_ascii=False)


def reveal(visitor: Visitor, number: int) -> str:
    answer = visitor.post(f"/refused/{number}/reveal", reason=WHY)
    assert 303 == answer.status_code
    answer = visitor.get(answer.headers["location"])
    assert 200 == answer.status_code
    return answer.text


def typed(page: str) -> str:
    """What stands in the field of the corrected event."""
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    return html.unescape(found[1]) if found else ""


def count_of(visitor: Visitor, query: str) -> int:
    """How many refused events a list says that there are."""
    found = re.search(r'<b class="n">([0-9,]+)</b>', visitor.get(f"/refused{query}").text)
    assert found
    return int(found[1])


def open_on_overview(visitor: Visitor) -> str:
    """What the overview says of refused events."""
    return words(re.split("未完成的拒收事件", visitor.get("/").text)[1]).split("审计日志")[0].strip().replace(" ;", ";")


def send_again(desk: Desk, number: int, value: str | None = None) -> None:
    """Proposed by one operator and approved by another; not taken in yet."""
    fields = {} if value is None else {"value": value}
    assert 303 == desk.visitor("operator").post(f"/refused/{number}/propose", reason=WHY, **fields).status_code
    assert 303 == desk.visitor("operator2").post(f"/proposals/{open_proposal(desk)}/approve").status_code


def open_proposal(desk: Desk) -> int:
    return int(desk.value("SELECT proposal_no FROM replay_proposals WHERE decision IS NULL"))


def sent(desk: Desk) -> list[bytes]:
    """What waits for the relay on its way to an inbound topic."""
    return [row.value for row in waiting_messages(desk.engine) if row.topic.startswith("hospital.")]


def test_filtering_by_code_and_facility(stuck: Desk) -> None:
    """Exact counts, also where nothing is left."""
    visitor = stuck.visitor("operator")
    counts = {
        "": "3",
        "?code=AMOUNTS_DO_NOT_BALANCE": "2",
        "?facility=H2": "1",
        "?code=MALFORMED_JSON": "1",
        "?code=MALFORMED_JSON&facility=H2": "0",
        "?state=open": "3",
        "?state=unfinished": "3",
        "?state=waiting": "0",
        "?state=done": "0",
        "?state=mine": "0",
        "?state=nonsense": "3",
    }
    for query, count in counts.items():
        page = visitor.get(f"/refused{query}").text
        assert f'<b class="n">{count}</b>' in page, query
        assert "张小明" not in page


def test_the_bytes_are_covered_until_somebody_says_why(stuck: Desk) -> None:
    """Masked at first; unmasked with a reason, which is recorded in the audit log; never without the right."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    visitor = stuck.visitor("operator")
    covered = html.unescape(visitor.get(f"/refused/{number}").text)
    assert "110105********002X" in covered
    assert PERSON not in covered
    assert "张小明" not in covered
    assert '"total_charge": "3001.00"' in covered
    assert "总费用 3001.00 元,其余各项合计 3000.00 元,前者多 1.00 元" in covered
    assert 422 == visitor.post(f"/refused/{number}/reveal", reason=" x ").status_code
    assert "张小明" in reveal(visitor, number)
    (entry,) = stuck.audited("personal.unmasked")
    assert ("operator:operator", str(number), WHY) == (
        entry["actor"],
        entry["subject"]["refused_no"],
        entry["subject"]["reason"],
    )
    unreadable = number_of(stuck, "MALFORMED_JSON")
    assert "no json" not in visitor.get(f"/refused/{unreadable}").text
    assert "\\xff\\xfe no json" in reveal(visitor, unreadable)


def test_four_eyes(stuck: Desk) -> None:
    """One operator proposes, another approves; the proposer cannot. The corrected event is sent once."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    one, other = stuck.visitor("operator"), stuck.visitor("operator2")
    corrected = balanced(reveal(one, number))
    assert 303 == one.post(f"/refused/{number}/propose", reason=WHY, value=corrected).status_code
    assert 409 == other.post(f"/refused/{number}/propose", reason=WHY).status_code
    assert [] == sent(stuck)
    proposal = open_proposal(stuck)
    shown = html.unescape(other.get(f"/refused/{number}").text)
    assert '"3001.00"' in shown
    assert '"3000.00"' in shown
    assert "张小明" not in shown
    assert 403 == one.post(f"/proposals/{proposal}/approve").status_code
    assert [] == sent(stuck)
    assert 303 == other.post(f"/proposals/{proposal}/approve").status_code
    assert 409 == other.post(f"/proposals/{proposal}/approve").status_code
    assert [json.loads(corrected)] == [json.loads(each) for each in sent(stuck)]
    assert "ev-wrong" == json.loads(sent(stuck)[0])["event_id"]
    (replayed,) = stuck.audited("event.replayed")
    assert "operator:operator2" == replayed["actor"]
    assert "proposed by operator, approved by operator2" in replayed["subject"]["reason"]
    assert "等待接收" in other.get(f"/refused/{number}").text
    post(stuck.engine, sent(stuck))
    assert "已重发,已接收" in other.get(f"/refused/{number}").text
    assert "incomplete" != stuck.value("SELECT status FROM claims WHERE claim_id = 'E1'")


def test_an_approval_sends_and_closes_its_proposal_or_does_neither(
    stuck: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure between the two leaves nothing sent and the proposal open."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    stuck.visitor("operator").post(f"/refused/{number}/propose", reason=WHY)
    proposal = open_proposal(stuck)

    def fail(*_: object) -> None:
        raise OperationalError("decide", None, Exception("the server went away"))

    with monkeypatch.context() as patch:
        patch.setattr("infra.ledger.proposals.decide", fail)
        assert 500 <= stuck.visitor("operator2").post(f"/proposals/{proposal}/approve").status_code
    assert [] == sent(stuck)
    assert [] == stuck.audited("event.replayed")
    assert proposal == open_proposal(stuck)
    assert 303 == stuck.visitor("operator2").post(f"/proposals/{proposal}/approve").status_code
    assert 1 == len(sent(stuck))


def test_the_database_holds_four_eyes_too(stuck: Desk) -> None:
    """Wrong code could not have the proposer decide."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    stuck.visitor("operator").post(f"/refused/{number}/propose", reason=WHY)
    with pytest.raises(IntegrityError, match="four_eyes"), stuck.engine.begin() as connection:
        connection.execute(
            text("UPDATE replay_proposals SET decision = 'approved', decided_at = now(), decided_by = proposed_by")
        )


def test_a_rejected_correction_can_be_made_anew(stuck: Desk) -> None:
    """Nothing is sent; who rejected it and why is audited."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    one, other = stuck.visitor("operator"), stuck.visitor("operator2")
    one.post(f"/refused/{number}/propose", reason=WHY)
    proposal = open_proposal(stuck)
    assert 403 == one.post(f"/proposals/{proposal}/reject", reason=WHY).status_code
    assert 303 == other.post(f"/proposals/{proposal}/reject", reason="ask the hospital first").status_code
    assert [] == sent(stuck)
    assert ["ask the hospital first"] == [each["subject"]["reason"] for each in stuck.audited("replay.rejected")]
    assert 303 == one.post(f"/refused/{number}/propose", reason=WHY).status_code


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": "another"},
        {"total_charge": "9.00"},
        {"currency": "USD"},
        {"version": 0},
        {"occurred_at": in_days(2)},
    ],
    ids=["another event", "still unbalanced", "another currency", "no version", "from the future"],
)
def test_a_correction_that_would_be_refused_again_is_told_at_once(stuck: Desk, change: Json) -> None:
    """422 with what is wrong, field by field, and with all that was typed still in the form; nothing is proposed."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    visitor = stuck.visitor("operator")
    event = json.loads(balanced(reveal(visitor, number)))
    value = json.dumps({**event, **change}, indent=1)
    answer = visitor.post(f"/refused/{number}/propose", reason="retyped by Li Na", value=value)
    assert 422 == answer.status_code
    assert value == typed(answer.text)
    assert 'value="retyped by Li Na"' in answer.text
    (field,) = change
    assert f"<code>/{field}</code>" in answer.text
    assert 0 == stuck.value("SELECT count(*) FROM replay_proposals")


def test_every_field_that_is_wrong_is_named(stuck: Desk) -> None:
    """Each with what it should have been, in his language; so are a missing reason and bytes that are no JSON."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    for language, missing, hint in (("zh", "请写明理由", "第 3 行"), ("en", "Give a reason", "line 3")):
        visitor = stuck.visitor("operator", language)
        event = json.loads(balanced(reveal(visitor, number)))
        value = json.dumps({**event, "version": 0, "copay": "1.234", "final": "yes", "event_id": "another"})
        page = visitor.post(f"/refused/{number}/propose", reason=" ", value=value)
        assert 422 == page.status_code
        wrong = re.findall(r"<li>(?:<code>([^<]*)</code>)?", page.text.split('role="alert"')[1].split("</ul>")[0])
        assert ["", "/copay", "/event_id", "/final", "/version"] == sorted(wrong)
        assert missing in page.text
        assert value == typed(page.text)
        broken = '{\n"event_id": 1,\nnonsense <b>'
        page = visitor.post(f"/refused/{number}/propose", reason=WHY, value=broken)
        assert (422, broken) == (page.status_code, typed(page.text))
        assert hint in page.text.split('role="alert"')[1].split("</ul>")[0]
    unchanged = visitor.post(f"/refused/{number}/propose", reason="x")
    assert 422 == unchanged.status_code
    assert 'value="x"' in unchanged.text
    assert 0 == stuck.value("SELECT count(*) FROM replay_proposals")


def test_the_unmasked_bytes_are_for_the_session_that_said_why(stuck: Desk) -> None:
    """Their page can be gone back to, and each look is audited; its address shows nothing to others, nor for ever."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    visitor = stuck.visitor("operator")
    address = visitor.post(f"/refused/{number}/reveal", reason=WHY).headers["location"]
    assert PERSON not in address
    for _ in range(2):
        assert "张小明" in visitor.get(address).text
    assert [WHY] * 2 == [entry["subject"]["reason"] for entry in stuck.audited("personal.unmasked")]
    for name in ("operator", "operator2", "auditor"):
        assert f"/refused/{number}" == stuck.visitor(name).get(address).headers["location"]
    other = number_of(stuck, "MALFORMED_JSON")
    moved = visitor.get(address.replace(f"/refused/{number}/", f"/refused/{other}/"))
    assert (303, f"/refused/{other}") == (moved.status_code, moved.headers["location"])
    assert 403 == stuck.visitor("finance").get(address).status_code
    for _ in range(2):  # so that the session does not end unused
        stuck.ahead += timedelta(minutes=16)
        answer = visitor.get(address)
    assert (303, f"/refused/{number}") == (answer.status_code, answer.headers["location"])


def test_a_refused_event_is_done_once_it_was_sent_again_and_accepted(stuck: Desk) -> None:
    """From open over waiting to done: its state is shown, the overview counts it no more, nobody can send it again."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    one, other = stuck.visitor("operator"), stuck.visitor("operator2")
    corrected = balanced(reveal(one, number))
    assert "AMOUNTS_DO_NOT_BALANCE 2; MALFORMED_JSON 1" == open_on_overview(one)
    one.post(f"/refused/{number}/propose", reason=WHY, value=corrected)
    assert (2, 1, 0) == tuple(count_of(one, f"?state={state}") for state in ("open", "waiting", "done"))
    other.post(f"/proposals/{open_proposal(stuck)}/approve")
    stuck.catch_up()
    assert (2, 1, 0) == tuple(count_of(one, f"?state={state}") for state in ("open", "waiting", "done"))
    answer = one.post(f"/refused/{number}/propose", reason=WHY)
    assert 409 == answer.status_code
    assert "正在等待账本接收" in answer.text
    post(stuck.engine, sent(stuck))
    stuck.catch_up()
    assert (2, 0, 1, 2) == tuple(
        count_of(one, f"?state={state}") for state in ("open", "waiting", "done", "unfinished")
    )
    assert "AMOUNTS_DO_NOT_BALANCE 1; MALFORMED_JSON 1" == open_on_overview(one)
    page = one.get(f"/refused/{number}").text
    assert "已重发,已接收" in page
    assert "原样重发" not in page
    answer = one.post(f"/refused/{number}/propose", reason=WHY, value=corrected)
    assert 409 == answer.status_code
    assert "账本已接收,不必再发" in answer.text
    assert 0 == stuck.value("SELECT count(*) FROM replay_proposals WHERE decision IS NULL")


@pytest.mark.parametrize("chunk", [1, 5000])
def test_an_event_that_is_refused_again_is_open_as_the_new_refusal(stuck: Desk, chunk: int) -> None:
    """The old one is done and leads to the new one, however the digest came to it."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    send_again(stuck, number)
    post(stuck.engine, sent(stuck))
    digest.bring_forward(stuck.engine, stuck.now(), chunk)
    again = int(stuck.value("SELECT max(event_no) FROM refusals"))
    visitor = stuck.visitor("operator", "en")
    page = visitor.get(f"/refused/{number}").text
    assert f'<a href="/refused/{again}">{again}</a>' in page
    assert 409 == visitor.post(f"/refused/{number}/propose", reason=WHY).status_code
    assert (3, 1) == (count_of(visitor, "?state=open"), count_of(visitor, "?state=done"))
    assert "AMOUNTS_DO_NOT_BALANCE 2; MALFORMED_JSON 1" == open_on_overview(stuck.visitor("operator"))
    send_again(stuck, again, balanced(reveal(visitor, again)))
    post(stuck.engine, sent(stuck)[-1:])
    digest.bring_forward(stuck.engine, stuck.now(), chunk)
    assert (2, 2) == (count_of(visitor, "?state=open"), count_of(visitor, "?state=done"))


def test_who_can_approve_sees_what_waits(stuck: Desk) -> None:
    """In the menu and on the overview, for operators other than the proposer; not for roles without the right."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    one, other = stuck.visitor("operator"), stuck.visitor("operator2")
    one.post(f"/refused/{number}/propose", reason=WHY)
    for path in ("/", "/policies", "/nowhere"):
        assert 'href="/refused?state=mine" aria-label="等待您批准:1"' in other.get(path).text
        assert "state=mine" not in one.get(path).text
        assert "state=mine" not in stuck.visitor("auditor").get(path).text
    assert "有 1 个更正等待您批准" in other.get("/").text
    assert "1 correction waits for your approval" in stuck.visitor("operator2", "en").get("/").text
    assert (0, 1) == (count_of(one, "?state=mine"), count_of(other, "?state=mine"))
    other.post(f"/proposals/{open_proposal(stuck)}/reject", reason="ask the hospital first")
    assert "state=mine" not in other.get("/").text


def test_who_only_audits_sends_nothing(stuck: Desk) -> None:
    """An auditor sees refused events, proposes none and decides about none; finance does not see them."""
    number = number_of(stuck, "AMOUNTS_DO_NOT_BALANCE")
    auditor = stuck.visitor("auditor")
    assert 200 == auditor.get(f"/refused/{number}").status_code
    assert 403 == auditor.post(f"/refused/{number}/propose", reason=WHY).status_code
    assert 403 == stuck.visitor("finance").get("/refused").status_code
    assert 303 == stuck.visitor("operator").post(f"/refused/{number}/propose", reason=WHY).status_code
    proposal = open_proposal(stuck)
    for decision in ("approve", "reject"):
        assert 403 == auditor.post(f"/proposals/{proposal}/{decision}", reason=WHY).status_code
    assert proposal == open_proposal(stuck)


def test_a_reissue_that_waits_is_on_the_overview(desk: Desk) -> None:
    """For those other than who proposed it who may approve it."""
    owed = OwedPerson(desk.engine)
    owed.report(owed.payouts[0], "failed")
    with desk.engine.begin() as connection:
        propose_reissue(connection, owed.payouts[0], "the account was mended", "Operator", SHARDS, desk.now)
    assert "有 1 笔重新下达等待您批准" in desk.visitor("operator2").get("/").text
    assert "1 reissue waits" in desk.visitor("operator2", "en").get("/").text
    for name in ("operator", "auditor"):
        assert "重新下达等待" not in desk.visitor(name).get("/").text
