"""The console's pages: a claim, a person, searching, policies."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import quote

import pytest
from sqlalchemy import text

from handlers.words.masking import mask_id, mask_name
from tests.support.acts import reissue
from tests.support.builders import SHARDS, Json, bill, coverage, death, discharge, report, void
from tests.support.succession import successor
from tests.web.desk import Desk
from tests.web.town import post, publish_text, publish_two
from tests.web.words import words

PERSON = "11010519491231002X"


@pytest.fixture
def family(desk: Desk) -> Desk:
    """A person with two stays, a corrected bill, an insurer's report, and a cap that is nearly used."""
    publish_two(desk.engine)
    ids: Json = {"person_id": PERSON}
    post(desk.engine, [coverage("C1", "member", **ids), coverage("C2", "ordinary", **ids)])
    post(
        desk.engine, [discharge("E1", **ids), bill("S1", "E1", 5000, out_of_catalogue=1000, invoice_no="INV-77", **ids)]
    )
    post(desk.engine, [bill("S1", "E1", 4500, out_of_catalogue=1000, version=2, invoice_no="INV-77", **ids)])
    post(desk.engine, [discharge("E2", "2024-05-10", admitted_on="2024-05-01", **ids), bill("S2", "E2", 400, **ids)])
    payout = desk.value("SELECT payout_id FROM instructions WHERE claim_id = 'E1' ORDER BY event_no, scheme_id LIMIT 1")
    post(desk.engine, [report(payout, **ids)])
    desk.catch_up()
    return desk


def fail_one(desk: Desk, why: str) -> str:
    """The payout of E2 fails for a reason."""
    payout = str(desk.value("SELECT payout_id FROM instructions WHERE claim_id = 'E2'"))
    post(desk.engine, [report(payout, person_id=PERSON, status="failed", reason=why)])
    return payout


def test_a_claim_tells_everything(family: Desk) -> None:
    """The bill, each scheme in sentences and in a chart, the payouts; the person only masked."""
    visitor = family.visitor("auditor")
    page = visitor.get("/claims/E1").text
    said = words(page)
    decision = json.loads(
        bytes(family.value("SELECT value FROM decisions WHERE claim_id = 'E1' ORDER BY revision DESC"))
    )
    for amount in (decision["personal_burden"], decision["total_benefit"], decision["patient_pays"]):
        whole, cents = amount.split(".")
        assert f"{int(whole):,}.{cents}" in said
    for line in decision["explanation"]:
        assert line["zh"] in said
    assert "<svg" in page
    assert mask_id(PERSON) in said
    assert PERSON not in page
    english = words(family.visitor("auditor", "en").get("/claims/E1").text)
    for line in decision["explanation"]:
        assert " ".join(line["en"].split()) in english


def test_a_reissue_takes_nothing_from_the_family(family: Desk) -> None:
    """The claim, its sheet and its history call a reversal a book entry by which no money moves, as `explain` does."""
    payout = fail_one(family, "账号不存在")
    reissue(family.engine, payout, "li.na", "account mended", SHARDS, family.now)
    for language, heading, book, taken in (
        ("zh", "办理过程", "账面冲销未到账的一笔,没有资金往来", "收回"),
        ("en", "History", "no money moves", "recover "),
    ):
        page = family.visitor("auditor", language).get("/claims/E2").text
        (row,) = re.findall(r'<tr class="book">.*?</tr>', page)
        assert book in row
        assert "state instructed" not in row
        history = words(page.split(f"<h2>{heading}")[1])
        assert book.lower() in history.lower()
        assert taken not in history
    assert "重新下达:付" in words(family.visitor("auditor").get("/claims/E2").text)


def test_why_a_payout_failed_is_for_those_who_may_know(family: Desk) -> None:
    """The insurer's reason, which may name somebody, is covered until a reason for looking is given, then in full."""
    why = f"张小明({PERSON})的账户已注销"
    fail_one(family, why)
    visitor = family.visitor("finance")
    covered = words(visitor.get("/claims/E2").text)
    assert 2 == covered.count(mask_name(why))
    assert "张小明" not in covered
    assert "保险公司报告:失败" in covered
    clear = words(visitor.post("/unmask/claims/E2", reason="the family calls").text)
    assert 2 == clear.count(why)
    english = words(family.visitor("finance", "en").post("/unmask/claims/E2", reason="the family calls").text)
    assert f"The insurer's reason: {why}" in english
    assert f"The insurer reports: failed, reason: {why}" in english


def test_the_timeline_leaves_nothing_out(family: Desk) -> None:
    """Every event, decision, instruction and report of a claim is listed with its own audit entry."""
    page = family.visitor("auditor").get("/claims/E1").text
    timeline = page.split("办理过程(全程留痕)")[1]
    rows = timeline.count("<tr>") - 1
    decisions = family.value("SELECT count(*) FROM decisions WHERE claim_id = 'E1'")
    orders = family.value("SELECT count(*) FROM instructions WHERE claim_id = 'E1'")
    assert rows == 2 + 1 + 2 + 1 + decisions + orders  # coverages, discharge, two versions of a bill, a report
    assert rows == timeline.count("<abbr")
    hashes = set(re.findall(r'title="SHA-256 ([0-9a-f]{64})"', timeline))
    known = {json.loads(row.value)["hash"] for row in family.rows("SELECT value FROM audit_entries")}
    assert len(hashes) == rows
    assert hashes <= known


def test_proof_states(family: Desk) -> None:
    """Chained, then proved once a checkpoint is signed and verified, and broken when somebody edits an entry."""
    visitor = family.visitor("auditor")
    assert "已入链,待签名" in visitor.get("/claims/E1").text
    family.sign_checkpoints()
    assert "检查点已签名,待核对" in visitor.get("/claims/E1").text
    family.catch_up()
    proved = visitor.get("/claims/E1").text
    assert "由签名检查点证明" in proved
    assert "已入链" not in proved
    assert "核对无误" in visitor.get("/").text
    with family.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        connection.execute(
            text(
                "UPDATE audit_entries SET value = "
                "convert_to(replace(convert_from(value, 'UTF8'), 'test-sender', 'someone'), 'UTF8') "
                "WHERE kind = 'event.accepted' AND position(CAST(:wanted AS bytea) IN value) > 0"
            ),
            {"wanted": b'"id":"S1"'},
        )
        connection.execute(text("ALTER TABLE audit_entries ENABLE TRIGGER ALL"))
    assert "与散列不符" in visitor.get("/claims/E1").text


def test_the_watch_names_a_fault(family: Desk) -> None:
    """An entry that was edited before it was looked at, a checkpoint of a stranger, a log that was cut."""
    from web.console.log_watch import Watch

    family.sign_checkpoints()
    strangers = Watch([], family.now)
    assert not strangers.look(family.engine)
    assert {"unsigned", "none"} >= {each.state for each in strangers.states()}
    with family.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        connection.execute(text("DELETE FROM audit_entries WHERE kind = 'claim.decided'"))
        connection.execute(text("ALTER TABLE audit_entries ENABLE TRIGGER ALL"))
    family.catch_up()
    assert "broken" in {each.state for each in family.watch.states()}
    assert "缺失" in family.visitor("admin").get("/").text


def test_searching_by_every_number(family: Desk) -> None:
    """Claim, settlement, invoice, payout, bank and person lead to the claim; the person's number is in no address."""
    visitor = family.visitor("operator")
    payout = family.value("SELECT payout_id FROM instructions WHERE claim_id = 'E1' LIMIT 1")
    for number in ("E1", "S1", "INV-77", payout, "bank-1", PERSON):
        answer = visitor.search(number)
        assert 200 == answer.status_code
        assert 'href="/claims/E1"' in answer.text, number
        assert PERSON not in str(answer.url) + answer.text
    assert "共 2 条" in words(visitor.search(PERSON).text)
    assert "共 0 条" in words(visitor.search("no such number").text)
    assert "没有这个编号" in visitor.search("E1%").text


def test_searching_never_cuts_off(desk: Desk) -> None:
    """A person with 120 stays: the exact count, and every stay on one of the pages, once."""
    stays = [discharge(f"E{number:03}", person_id="P1") for number in range(120)]
    post(desk.engine, stays)
    visitor = desk.visitor("auditor")
    answer = visitor.search("P1")
    found: list[str] = []
    path: str | None = answer.url.path
    while path:
        page = visitor.get(path).text
        assert "共 120 条" in words(page)
        found += re.findall(r'href="/claims/(E\d+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = html.unescape(following[1]) if following else None
    assert sorted(found) == [f"E{number:03}" for number in range(120)]


def test_a_person_at_a_glance(family: Desk) -> None:
    """The stays, the coverages, what of the yearly cap is used and left: by the ledger's own sums."""
    visitor = family.visitor("finance")
    link = re.search(r'href="(/persons/[^"]+)"', visitor.get("/claims/E1").text)
    assert link
    said = words(visitor.get(link[1]).text)
    used = family.value("SELECT sum(benefit) FROM benefits WHERE scheme_id = 'self_pay_assistance'")
    cap = 3000_00
    row = re.search(r"2024-01-01 self_pay_assistance (\d+) ([\d,.]+) ([\d,.]+) ([\d,.]+) ([\d,.]+)", said)
    assert row
    assert ("2", f"{used / 100:,.2f}", f"{cap / 100:,.2f}", f"{(cap - used) / 100:,.2f}") == (row[1], *row.groups()[2:])
    assert mask_id(PERSON) in said
    assert PERSON not in said


def test_a_death_and_a_void_are_told(family: Desk) -> None:
    """The estate is named on the sheet, and a voided bill is counted as such."""
    post(family.engine, [death("2024-03-20", person_id=PERSON), void("S2", "E2", person_id=PERSON)])
    visitor = family.visitor("finance")
    assert "付给继承人" in visitor.get("/claims/E1").text
    assert "张作废" in visitor.get("/claims/E2").text


def test_a_number_that_is_not_there(family: Desk) -> None:
    """404 in the reader's language, in all pages that take a number."""
    visitor = family.visitor("operator", "en")
    token = family.keys.token("nobody", "person")
    for path in ("/claims/E77", "/claims/" + quote("E 1/ä"), f"/persons/{token}", "/persons/x", "/refused/99999999"):
        answer = visitor.get(path)
        assert (404, True) == (answer.status_code, "no such" in answer.text), path
    for path in ("/refused/abc", "/policies/0", "/search/zzz"):
        assert 404 == visitor.get(path).status_code


def test_policies_in_words(family: Desk) -> None:
    """What is in force when, the readable table, and the difference of two releases."""
    visitor = family.visitor("finance")
    index = visitor.get("/policies").text
    assert "现在生效" in index
    assert "已结束" in index
    shas = re.findall(r'href="/policies/([0-9a-f]{64})"', index)
    table = words(visitor.get(f"/policies/{shas[0]}").text)
    assert "超过 2,000.00 元的部分补 30%" in table
    difference = words(visitor.get(f"/policies/difference?from={shas[1]}&to={shas[0]}").text)
    assert "25%" in difference
    assert "30%" in difference
    same = words(visitor.get(f"/policies/difference?from={shas[0]}&to={shas[0]}").text)
    assert "完全相同" in same


def test_a_policy_that_was_succeeded_shows_its_end(family: Desk) -> None:
    """In the list, on its own page and on a claim's, though its file has none; the successor says what it ended."""
    assert "没有结束日期" in words(family.visitor("finance").get("/claims/E1").text)
    publish_text(family.engine, successor("from-may", "2024-05-01", "from-2024"))
    visitor = family.visitor("finance")
    index = visitor.get("/policies").text
    assert "2024 年 1 月 1 日到2024 年 4 月 30 日(含)出院的 被接替: from-may" in words(index)
    new, old = re.findall(r'href="/policies/([0-9a-f]{64})">from-', index)[:2]
    assert "被接替 2024 年 5 月 1 日起由 from-may 接替" in words(visitor.get(f"/policies/{old}").text)
    assert "接替的方案 from-2024" in words(visitor.get(f"/policies/{new}").text)
    assert "2024 年 4 月 30 日(含)出院的" in words(visitor.get("/claims/E1").text)
    assert "from-may" in words(visitor.get("/claims/E2").text)
    assert "Succeeded by" in words(family.visitor("finance", "en").get("/policies").text)
