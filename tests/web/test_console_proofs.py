"""Proof in reach: the file for the independent verifier from a claim's page, and checking its entries at once."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from schemas.access.console_rights import RIGHTS, ConsoleRole, Right
from tests.support.builders import Json, bill, coverage, discharge
from tests.support.paths import EXAMPLES
from tests.support.processes import command
from tests.web.desk import SIGNER, Desk
from tests.web.town import post, publish_two

PERSON = "11010519491231002X"
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
