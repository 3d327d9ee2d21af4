"""Proof in reach: the file for the independent verifier from a claim's page, and checking its entries at once."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser
from sqlalchemy import text

from schemas.access.console_rights import RIGHTS, ConsoleRole, Right
from schemas.dates import SHANGHAI
from tests.support.builders import Json, bill, coverage, discharge
from tests.support.ledgers import person_of_shard
from tests.support.paths import EXAMPLES
from tests.support.processes import command
from tests.web.browsing import WIDTHS, faults_of, overhang, shoot, signed_in
from tests.web.desk import SIGNER, Desk
from tests.web.town import post, publish_two
from tests.web.words import words
from web.console.claim_check import check_claim
from web.console.claim_history import history
from web.console.log_watch import Watch, Watched
from web.console.log_words import age, log_sentences
from web.console.proof_pages import AT_ONCE, ProofPages
from web.console.rendering import moment
from web.console.visit import PageRefused

PERSON = "11010519491231002X"
OTHER = """convert_to(replace(convert_from(value, 'UTF8'), '"actor":"huzhu"', '"actor":"hozhu"'), 'UTF8')"""
PAGE = "/proofs/E1"
NOT_PROVEN = 3


@pytest.fixture
def signed(desk: Desk) -> Desk:
    """A person with two stays, whose entries are signed and were verified by the console."""
    publish_two(desk.engine)
    ids: Json = {"person_id": PERSON}
    post(desk.engine, [coverage("C1", "member", **ids), coverage("C2", "ordinary", **ids)])
    post(desk.engine, [discharge("E1", **ids), bill("S1", "E1", 5000, out_of_catalogue=1000, **ids)])
    desk.sign_checkpoints()
    desk.catch_up()
    return desk


def payouts(desk: Desk, claim_id: str = "E1") -> list[str]:
    query = "SELECT payout_id FROM instructions WHERE claim_id = :claim ORDER BY event_no, scheme_id, revision"
    return [row.payout_id for row in desk.rows(query, claim=claim_id)]


def downloaded(desk: Desk, payout: str, who: str = "auditor") -> httpx.Response:
    return desk.visitor(who).post(PAGE, seen=PAGE, payout=payout, reason="the insurer asks")


def verified(desk: Desk, folder: Path, payout: str, content: bytes) -> subprocess.CompletedProcess[str]:
    """What the script says that shares no code with the program, by the command that the page shows."""
    shown = re.search(
        rf"python3 (verify_proof.py \S+{payout}\S+ --key huzhu.pub)\n", desk.visitor("operator").get(PAGE).text
    )
    assert shown
    script, file, *rest = shown[1].split()
    shutil.copy(EXAMPLES / script, folder)
    (folder / file).write_bytes(content)
    (folder / "huzhu.pub").write_text(f"{SIGNER.verifier}\n", "utf-8")
    argv = [sys.executable, "-I", "-S", script, file, *rest]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


# The file -------------------------------------------------------------------------------------------------


def test_a_claim_leads_to_its_proofs(signed: Desk) -> None:
    """In both languages, with every payout of the claim on offer and the command that anybody verifies it with."""
    for language, link in (("zh", "核验本笔理赔、出具证明"), ("en", "Prove this claim")):
        visitor = signed.visitor("auditor", language)
        assert f'<a href="{PAGE}">{link}</a>' in visitor.get("/claims/E1").text
        page = visitor.get(PAGE).text
        assert payouts(signed) == re.findall(r'<option value="([^"]+)"', page)
        for payout in payouts(signed):
            assert f"python3 verify_proof.py huzhu-proof-{payout}.json --key huzhu.pub\n" in page


def test_the_file_is_what_the_command_writes(signed: Desk) -> None:
    """Byte for byte, for each payout; the name that the browser keeps it under is the payout's."""
    environment = {"HUZHU_DATABASE_URL": signed.engine.url.render_as_string(hide_password=False)}
    assert len(payouts(signed)) > 1
    for payout in payouts(signed):
        answer = downloaded(signed, payout)
        assert f'attachment; filename="huzhu-proof-{payout}.json"' == answer.headers["content-disposition"]
        assert command("audit", "prove", payout, environment=environment).stdout == answer.content


def test_the_independent_verifier_takes_the_file(signed: Desk, tmp_path: Path) -> None:
    """As it was downloaded it proves the payout, with the command that the page shows."""
    (payout, *_) = payouts(signed)
    done = verified(signed, tmp_path, payout, downloaded(signed, payout).content)
    assert (0, "") == (done.returncode, done.stderr)
    assert f"payout {payout}, claim E1" in done.stdout


@pytest.mark.parametrize("part", ["entry", "content", "path", "checkpoint"])
def test_the_independent_verifier_refuses_a_changed_byte(signed: Desk, tmp_path: Path, part: str) -> None:
    """One letter or figure in the entry, the instruction, the hashes or the checkpoint."""
    (payout, *_) = payouts(signed)
    content = downloaded(signed, payout).content
    at = content.index(b'"%s":' % part.encode())
    found = re.compile(rb"[0-9]").search(content, at + 40)
    assert found
    other = b"1" if found[0] != b"1" else b"2"
    spoilt = content[: found.start()] + other + content[found.end() :]
    done = verified(signed, tmp_path, payout, spoilt)
    assert (NOT_PROVEN, "") == (done.returncode, done.stdout)
    assert "NOT PROVEN" in done.stderr


def test_a_download_is_in_the_audit_log(signed: Desk) -> None:
    """Who took which proof, why, and the hash of the file; the reason names nobody."""
    (payout, *_) = payouts(signed)
    answer = signed.visitor("finance").post(PAGE, seen=PAGE, payout=payout, reason=f"asked for by {PERSON}")
    (entry,) = signed.audited("data.exported")
    assert "operator:finance" == entry["actor"]
    subject = entry["subject"]
    assert ("proof", payout, "1") == (subject["what"], subject["filter.payout_id"], subject["rows"])
    assert hashlib.sha256(answer.content).hexdigest() == subject["sha256"]
    assert PERSON not in str(entry)


@pytest.mark.parametrize("role", list(ConsoleRole))
def test_who_may_take_a_proof(signed: Desk, role: ConsoleRole) -> None:
    """Whoever may see claims sees the entries; the file, which names the person, is for who may export."""
    visitor, exports = signed.visitor(role.value), Right.EXPORT in RIGHTS[role]
    page = visitor.get(PAGE)
    assert (200 if Right.CLAIMS in RIGHTS[role] else 403) == page.status_code
    assert exports == ('name="payout"' in page.text)
    answer = downloaded(signed, payouts(signed)[0], role.value)
    assert (200 if exports else 403) == answer.status_code
    assert exports == (PERSON in answer.text)


def test_a_proof_needs_a_reason_and_a_payout_of_the_claim(signed: Desk) -> None:
    """Nothing is given otherwise, and nothing is recorded."""
    ids: Json = {"person_id": "P2"}
    post(signed.engine, [coverage("C3", "member", **ids), discharge("E2", **ids), bill("S2", "E2", 5000, **ids)])
    signed.sign_checkpoints()
    visitor, (payout, *_) = signed.visitor("auditor"), payouts(signed)
    assert 422 == visitor.post(PAGE, seen=PAGE, payout=payout, reason="").status_code
    for other in (*payouts(signed, "E2"), "PO-none", ""):
        assert 404 == visitor.post(PAGE, seen=PAGE, payout=other, reason="the insurer asks").status_code
    assert [] == signed.audited("data.exported")


def test_what_no_checkpoint_covers_is_not_offered_yet(signed: Desk) -> None:
    """A corrected bill's payouts wait for the next checkpoint; who asks all the same is told why not."""
    before = payouts(signed)
    post(signed.engine, [bill("S1", "E1", 6000, out_of_catalogue=1000, version=2, person_id=PERSON)])
    newer = [each for each in payouts(signed) if each not in before]
    assert newer
    page = signed.visitor("auditor").get(PAGE).text
    assert before == re.findall(r'<option value="([^"]+)"', page)
    answer = downloaded(signed, newer[0])
    assert 409 == answer.status_code
    assert "还没有检查点覆盖" in answer.text
    signed.sign_checkpoints()
    assert 200 == downloaded(signed, newer[0]).status_code


def test_the_page_names_nobody(signed: Desk) -> None:
    """Neither in its text nor in its addresses; that somebody looked at it is in the audit log, under a token."""
    answer = signed.visitor("finance").get(PAGE)
    assert PERSON not in answer.text + str(answer.url) + str(answer.headers)
    signed.catch_up()
    seen = [each["subject"] for each in signed.audited("personal.viewed") if each["subject"]["page"] == "proof"]
    assert [("E1", signed.keys.token(PERSON, "person"))] == [(each["claim_id"], each["person"]) for each in seen]


# Checking now ---------------------------------------------------------------------------------------------


def checked(desk: Desk, language: str = "zh", claim_id: str = "E1") -> str:
    answer = desk.visitor("operator", language).post(f"/verify/{claim_id}", seen=f"/proofs/{claim_id}")
    assert 200 == answer.status_code
    return words(answer.text)


def changed(desk: Desk, statement: str) -> None:
    """Does what only who owns the database can: changes rows with the triggers out of the way."""
    with desk.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        assert connection.execute(text(statement)).rowcount, "a change that changes nothing proves nothing"


def test_what_was_checked_is_said(signed: Desk) -> None:
    """How many entries, under which checkpoint of which moment, and that a known key has signed it."""
    entries = words(signed.visitor("operator").get(PAGE).text).count("已由签名检查点证明")
    shard, size, made_at = signed.rows(
        "SELECT c.shard, c.size, c.made_at FROM checkpoints c JOIN claims USING (shard) ORDER BY c.size DESC LIMIT 1"
    )[0]
    said, english = checked(signed), checked(signed, "en")
    assert f"核验通过:本笔理赔有 {entries} 条审计条目在已签名的日志里" in said
    assert f"分片 {shard}:由第 1 条到第 {size} 条重新计算树根,与 {moment(made_at)} 签名的最新检查点一致" in said
    assert "签名由已知的审计公钥核对无误" in said
    assert f"It holds: {entries} entries of this claim in the signed log" in english
    assert f"computed again from entry 1 to {size}, is that of the newest checkpoint, signed at" in english


def test_every_claim_of_a_town_holds(town: Desk) -> None:
    """No false alarm: of stays with corrections, reports and a household all entries are there and lead to the root."""
    town.sign_checkpoints()
    for row in town.rows("SELECT claim_id, person_id FROM claims ORDER BY claim_id"):
        with town.engine.connect() as connection:
            rows = history(connection, town.watch, row.claim_id, row.person_id, clear=False)
        found = check_claim(town.engine, [SIGNER.verifier], rows, town.now())
        assert (row.claim_id, "holds", 0) == (row.claim_id, found.verdict, found.waiting)
        assert found.entries == sum(len(each.entries) for each in rows) >= len(rows)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (f"UPDATE audit_entries SET value = {OTHER} WHERE kind = 'claim.decided'", "与自身散列不符的条目:"),
        ("UPDATE instructions SET value = value || ' ' WHERE claim_id = 'E1'", "账本中已不是入账时内容的:PO-"),
        ("UPDATE events SET value = value || ' ' WHERE position('\"S1\"' in convert_from(value, 'UTF8')) > 0", ":S1"),
        ("DELETE FROM audit_entries WHERE kind = 'claim.decided'", "没有审计条目的:E1"),
        ("DELETE FROM instructions WHERE claim_id = 'E1'", "账本中已不是入账时内容的:PO-"),
        ("UPDATE decisions SET value = 'x' WHERE claim_id = 'E1'", "账本中已不是入账时内容的:E1"),
        ("UPDATE audit_entries SET value = '[' WHERE kind = 'claim.decided'", "没有审计条目的:E1"),
        ("UPDATE checkpoints SET root = repeat('a', 64)", "最新的检查点本身被改动或损坏"),
        ("UPDATE checkpoints SET note = 'nonsense'", "最新的检查点本身被改动或损坏"),
    ],
)
def test_a_change_is_found_when_it_is_asked_for(signed: Desk, statement: str, found: str) -> None:
    """Of an entry, of what it is about, or of the checkpoint: it says which, and what to do."""
    changed(signed, statement)
    said = checked(signed)
    assert "核验不通过" in said
    assert found in said
    assert "It does not hold" in checked(signed, "en")


def test_an_entry_of_another_claim_that_was_changed_spoils_the_root(signed: Desk) -> None:
    """The entries of the claim are as they were, but the log between them and the checkpoint is not."""
    other = Json({"person_id": PERSON})
    post(signed.engine, [discharge("E2", "2024-05-10", admitted_on="2024-05-01", **other)])
    signed.sign_checkpoints()
    changed(signed, "DELETE FROM audit_entries WHERE position('\"E2\"' in convert_from(value, 'UTF8')) > 0")
    said = checked(signed)
    assert "核验不通过" in said
    assert "每条都与自身的散列相符" in said
    assert "由日志重新算出的树根" in said


def test_only_the_log_from_the_claim_on_is_read(signed: Desk) -> None:
    """From the last checkpoint before its first entry; what is stored of that checkpoint need not be trusted."""
    shard, before = signed.rows("SELECT shard, size FROM checkpoints JOIN claims USING (shard)")[0]
    neighbour = person_of_shard(shard)
    post(signed.engine, [coverage("C7", "member", person_id=neighbour), discharge("E7", person_id=neighbour)])
    signed.sign_checkpoints()
    assert f"由第 {before + 1} 条到第" in checked(signed, claim_id="E7")
    forged = "UPDATE checkpoints SET frontier = sha256('x') || substring(frontier from 33)"
    changed(signed, f"{forged} WHERE shard = {shard} AND size = {before}")
    said = checked(signed, claim_id="E7")
    assert "核验通过" in said
    assert "由第 1 条到第" in said


def test_what_is_not_signed_yet_is_not_called_proved(signed: Desk) -> None:
    """All of a claim, or its newest entries; after the next checkpoint it holds."""
    ids: Json = {"person_id": PERSON}
    post(signed.engine, [discharge("E2", "2024-05-10", admitted_on="2024-05-01", **ids)])
    post(signed.engine, [bill("S1", "E1", 6000, out_of_catalogue=1000, version=2, **ids)])
    assert re.search(r"核验通过.+另有 \d+ 条等待下一个检查点签名", checked(signed))
    signed.sign_checkpoints()
    assert "等待下一个检查点" not in checked(signed)


def test_a_claim_without_a_checkpoint_is_not_signed_yet(desk: Desk) -> None:
    """Nothing holds and nothing is broken."""
    publish_two(desk.engine)
    post(desk.engine, [coverage("C1", person_id=PERSON), discharge("E1", person_id=PERSON)])
    for language, verdict in (("zh", "还没有签名:"), ("en", "Not signed yet:")):
        assert verdict in checked(desk, language)


def test_a_checkpoint_of_a_stranger_proves_nothing(signed: Desk) -> None:
    """The root is right, but none of the keys that the console knows has signed it."""
    signed.watch.keys.clear()
    for language, verdict in (("zh", "签名未能核对"), ("en", "The signature could not be checked")):
        said = checked(signed, language)
        assert verdict in said
        assert "核验通过" not in said


def test_only_so_many_are_proved_at_a_time(signed: Desk) -> None:
    """The next one is asked to come again, and gets in once a turn has ended; showing the page costs no turn."""
    pages = ProofPages(signed.watch)
    with ExitStack() as others:
        for _ in range(AT_ONCE):
            others.enter_context(pages.turn())
        with pytest.raises(PageRefused) as refused, pages.turn():
            pass
        assert 503 == refused.value.status
    with pages.turn():
        pass


def test_the_language_is_changed_on_the_page_itself(signed: Desk) -> None:
    """What was asked for by a form is not asked for again: the link leads to the page."""
    answer = signed.visitor("operator").post("/verify/E1", seen=PAGE)
    assert 'href="/language/en?back=/proofs/E1"' in answer.text


# The state of the whole log -------------------------------------------------------------------------------


def overview(desk: Desk, language: str = "zh") -> str:
    return words(desk.visitor("admin", language).get("/").text.split('id="audit-log"')[1])


def test_the_state_of_the_log_is_said_in_plain_words(signed: Desk) -> None:
    """Whether the last check held and when, the newest checkpoint and its age, what is covered and what is not."""
    post(signed.engine, [coverage("C7", "member", person_id="P7")])
    signed.watch.look(signed.engine)
    covered = signed.value("SELECT sum(size) FROM (SELECT max(size) AS size FROM checkpoints GROUP BY shard) AS newest")
    uncovered = signed.value("SELECT sum(audit_seq) FROM shards") - covered
    newest = moment(signed.value("SELECT max(made_at) FROM checkpoints"))
    last = moment(max(each.checked_at for each in signed.watch.states() if each.checked_at))
    assert 0 < uncovered < covered
    signed.ahead += timedelta(hours=3)
    said, english = overview(signed), overview(signed, "en")
    assert f"最近一次核对({last})无误" in said
    assert f"The last check ({last}) held" in english
    assert f"最新的已签名检查点:{newest}(3 小时前)。" in said
    assert f"The newest signed checkpoint: {newest}, 3 hours ago." in english
    assert f"检查点共覆盖 {covered:,} 条审计条目,还有 {uncovered:,} 条没有覆盖。" in said
    assert f"Checkpoints cover {covered:,} entries; {uncovered:,} are not covered yet." in english
    assert "请确认 huzhu audit sign 在运行" in said


def test_a_log_that_is_broken_is_called_so(signed: Desk) -> None:
    """With the shard, what is wrong there, and what to do."""
    shard = signed.value("SELECT shard FROM claims")
    fresh = Watch([SIGNER.verifier], signed.now)
    changed(signed, "DELETE FROM audit_entries WHERE kind = 'claim.decided'")
    fresh.look(signed.engine)
    for at, beginning in ((0, "最近一次核对没有通过"), (1, "The last check did not hold")):
        (good, said), *_ = log_sentences(fresh.states(), signed.now())
        assert not good
        assert beginning in said[at]
        assert f" {shard} " in said[at]


NOON = datetime(2027, 3, 1, 12, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("states", "zh", "good"),
    [
        ([], "控制台刚启动,还没有核对。", True),
        ([Watched(0, 7, "none")], "还没有检查点,没有可核对的。", True),
        ([Watched(0, 70, "checking", 50, NOON, 20)], "正在核对:已签名的 50 条中核对了 20 条,至今没有发现问题。", True),
        (
            [Watched(0, 7, "verified", 7, NOON, 7, NOON), Watched(1, 7, "unsigned", 7, NOON, 7, NOON)],
            "最近一次核对(2027-03-01 12:00:00):条目与检查点相符,但有的检查点不是由已知的公钥签名的。",
            False,
        ),
        (
            [Watched(0, 7, "verified", 7, NOON, 7, NOON), Watched(1, 7, "none")],
            "最近一次核对(2027-03-01 12:00:00)无误:控制台启动以来,已签名的审计条目每条都核对过,与签名时一字不差。",
            True,
        ),
    ],
)
def test_each_state_of_the_log_has_its_words(states: list[Watched], zh: str, good: bool) -> None:
    """Nothing is called good that was not checked, and nothing bad that was not found."""
    (said, *_) = log_sentences(states, NOON)
    assert good == said[0]
    assert said[1].zh.startswith(zh)


def test_a_late_checkpoint_is_asked_about_only_while_something_waits_for_it() -> None:
    """An idle log may have an old checkpoint; one with new entries and an old checkpoint has perhaps no signer."""
    for entries, minutes, asked in ((7, 600, False), (8, 5, False), (8, 600, True)):
        seen = Watched(0, entries, "verified", 7, NOON, 7, NOON)
        *_, (good, said) = log_sentences([seen], NOON + timedelta(minutes=minutes))
        assert (asked, asked) == (not good, "huzhu audit sign" in said.en)


def test_ages_are_said_in_whole_units() -> None:
    """Minutes up to two hours, hours up to two days, then days; never more than has passed."""
    ages = {
        0: "less than a minute",
        1: "1 minute",
        119: "119 minutes",
        120: "2 hours",
        2879: "47 hours",
        2880: "2 days",
    }
    assert ages == {minutes: age(timedelta(minutes=minutes, seconds=59)).en for minutes in ages}


# In a browser ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "width", "link"), [("zh", "wide", "核验本笔理赔、出具证明"), ("en", "narrow", "Prove this claim")]
)
def test_proof_in_a_browser(
    browser: Browser, signed: Desk, tmp_path: Path, language: str, width: str, link: str
) -> None:
    """From the claim over a check to the file, by hand: everything fits, and axe finds nothing serious."""
    context, page, complaints = signed_in(browser, signed, "auditor", language, WIDTHS[width], checked=True)
    shoot(page, f"log-{language}-{width}")
    page.goto(f"{signed.address}/claims/E1")
    page.click(f"text={link}")
    page.click("form[action^='/verify/'] button")
    assert page.locator("p.done[role=status]").is_visible()
    shoot(page, f"checked-{language}-{width}")
    assert (0, []) == (overhang(page), faults_of(page))
    page.fill("#reason", "the insurer asks")
    with page.expect_download() as started:
        page.click("form[action^='/proofs/'] button")
    payout = payouts(signed)[0]
    assert f"huzhu-proof-{payout}.json" == started.value.suggested_filename
    assert 0 == verified(signed, tmp_path, payout, started.value.path().read_bytes()).returncode
    changed(signed, f"UPDATE audit_entries SET value = {OTHER} WHERE kind = 'claim.decided'")
    page.goto(f"{signed.address}{PAGE}")
    page.click("form[action^='/verify/'] button")
    assert page.locator("p.alert[role=status]").is_visible()
    shoot(page, f"broken-{language}-{width}")
    assert (0, [], []) == (overhang(page), faults_of(page), complaints)
    context.close()
