"""Checkpoints come out on their topic and verify; the commands of an auditor, from a key to a proof."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from infra.keys.audit_signing import is_signed, read_public_keys
from schemas.checkpoint import parse_notes
from tests.support.builders import SHARDS
from tests.support.paths import EXAMPLES
from tests.support.posting import insured, person_of, post, stay, to_post
from tests.support.processes import command, decoded
from tests.support.servers import await_true
from tests.support.spine import Spine

SCRIPT = EXAMPLES / "verify_proof.py"


class Auditor:
    """Runs `huzhu audit` against a spine, in a folder with a key."""

    def __init__(self, spine: Spine, folder: Path) -> None:
        self.folder, self.key = folder, folder / "audit.key"
        known = {"KAFKA_BOOTSTRAP": spine.bootstrap, "DATABASE_URL": spine.url, "SHARDS": str(SHARDS)}
        self.settings = {f"HUZHU_{name}": value for name, value in known.items()}

    def run(self, *arguments: object, status: int = 0, **settings: object) -> str:
        """What a command wrote to standard output; its exit status must be as expected."""
        given = {f"HUZHU_{name.upper()}": str(value) for name, value in settings.items()}
        done = decoded(command("audit", *map(str, arguments), environment={**self.settings, **given}))
        assert status == done.returncode, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    """A worker, a relay and a signer that run, with three paid stays."""
    with Spine(kafka, postgres_url) as spine:
        spine.publish()
        for command in ("worker", "relay"):
            spine.start(command)
        for number in range(3):
            person = person_of(number, f"P-{number}")
            post(spine.bootstrap, map(to_post, [*stay(person, f"E-{number}", 5000, 1001), *insured(person)]))
        spine.await_idle()
        yield spine


@pytest.fixture(scope="module")
def auditor(spine: Spine, tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    """With its own key, and everything signed by `huzhu audit sign` as a process that was ended by a signal."""
    made = Auditor(spine, tmp_path_factory.mktemp("auditor"))
    made.run("keygen", made.key, "--name", "wuxi.example/huzhu")
    argv = ["audit", "sign"]
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *argv],
        env={**os.environ, **made.settings, "HUZHU_AUDIT_KEY_FILE": str(made.key), "HUZHU_AUDIT_INTERVAL": "1"},
        stderr=subprocess.PIPE,
    )
    unsigned = "SELECT count(*) FROM shards WHERE audit_seq > (SELECT coalesce(max(size), 0) FROM checkpoints "
    unsigned += "WHERE checkpoints.shard = shards.shard)"
    try:
        assert await_true(lambda: spine.rows(unsigned)[0][0] == 0, 60)
    finally:
        process.terminate()
        said = process.communicate(timeout=30)[1].decode()
    assert 0 == process.returncode, said
    spine.await_idle()
    return made


def test_checkpoints_come_out_on_their_topic_and_verify(spine: Spine, auditor: Auditor) -> None:
    """Each on the partition of its shard, signed with the key, for as many entries as there are in audit.events."""
    keys = read_public_keys([auditor.folder / "audit.key.pub"])
    newest = {each.partition: each.value for each in spine.committed("audit.checkpoints")}
    entries = spine.committed("audit.events")
    for shard, value in newest.items():
        (signed,) = parse_notes(value["note"])
        assert is_signed(signed, keys)
        assert (shard, value["size"]) == (signed.checkpoint.shard, signed.checkpoint.size)
        assert value["size"] == sum(each.partition == shard for each in entries)
    assert newest.keys() == {each.partition for each in entries}


def test_ledger_topic_and_export_verify(spine: Spine, auditor: Auditor) -> None:
    """All three say good and how much is signed; so does a copy of the topic that `huzhu demo` writes."""
    key = ("--key", auditor.folder / "audit.key.pub")
    assert "good: " in auditor.run("verify", *key)
    assert "good: " in auditor.run("verify", "--topic", *key)
    file = auditor.folder / "audit.jsonl"
    assert "sha256" in auditor.run("export", file, "--operator", "li.na")
    assert "good: " in auditor.run("verify", "--file", file, audit_key_file=auditor.key)
    assert "good: " in auditor.run("verify", "--file", file, "--chain-only")
    assert [("operator:li.na",)] == [
        tuple(r) for r in spine.rows("SELECT actor FROM audit_entries WHERE kind = 'data.exported'")
    ]


def test_an_edited_export_is_named(auditor: Auditor, spine: Spine) -> None:
    """Exit status 3, with shard and entry in both languages."""
    file = auditor.folder / "edited.jsonl"
    auditor.run("export", file, "--operator", "li.na")
    lines = file.read_bytes().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if json.loads(line)["kind"] == "payout.instructed")
    entry = json.loads(lines[number])
    lines[number] = lines[number].replace(b'"actor":"huzhu"', b'"actor":"hozhu"')
    file.write_bytes(b"".join(lines))
    said = auditor.run("verify", "--file", file, "--key", auditor.folder / "audit.key.pub", status=3)
    assert f"shard {entry['shard']}, entry {entry['seq']}: edited" in said
    assert "散列不符" in said


def test_a_payout_is_proven_to_somebody_who_has_only_python(spine: Spine, auditor: Auditor) -> None:
    """`huzhu audit prove`, and the script that is shipped, against a checkpoint that was printed before."""
    kept = auditor.folder / "kept.txt"
    kept.write_text(auditor.run("checkpoints"), "utf-8")
    payout = spine.committed("payouts.instructions")[0].value
    file = auditor.folder / "proof.json"
    file.write_text(auditor.run("prove", payout["payout_id"], "--kept", kept), "utf-8")
    argv = [sys.executable, "-I", "-S", str(SCRIPT), str(file), "--key", str(auditor.folder / "audit.key.pub")]
    done = subprocess.run([*argv, "--kept", str(kept)], capture_output=True, text=True, timeout=60)
    assert 0 == done.returncode, done.stderr
    assert f"{payout['amount']} yuan, payout {payout['payout_id']}" in done.stdout
    file.write_text(file.read_text("utf-8").replace(payout["amount"], "9999.99"), "utf-8")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert (3, True) == (done.returncode, "NOT PROVEN" in done.stderr)


def test_what_cannot_be_done_is_said_plainly(auditor: Auditor, tmp_path: Path) -> None:
    """Exit status 2 and what to do: no key to sign with, none to verify with, a key in the way, no such payout."""
    assert "HUZHU_AUDIT_KEY_FILE" in auditor.run("sign", "--once", status=2)
    assert "--key" in auditor.run("verify", status=2)
    assert "already" in auditor.run("keygen", auditor.key, "--name", "wuxi.example/huzhu", status=2)
    assert "no payout PO-x" in auditor.run("prove", "PO-x", status=2)
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    key = ("--key", auditor.folder / "audit.key.pub")
    assert "no checkpoint" in auditor.run("verify", "--file", empty, *key, status=2)
    assert "cannot be read" in auditor.run("verify", "--file", tmp_path / "none", *key, status=2)
    empty.write_text("hello\n", "utf-8")
    assert "line 1" in auditor.run("verify", "--file", empty, "--checkpoint", empty, *key, status=2)


def test_a_signer_names_the_shard_that_it_will_not_sign(spine: Spine, auditor: Auditor) -> None:
    """Exit status 3; the others are signed. Last in this file: it spoils the ledger."""
    auditor.run("export", auditor.folder / "once more.jsonl", "--operator", "li.na")  # a new entry in shard 0
    with spine.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        spoilt = "SET value = value || ' ' WHERE shard = 0 AND seq = (SELECT audit_seq FROM shards WHERE shard = 0)"
        connection.execute(text(f"UPDATE audit_entries {spoilt}"))
    said = auditor.run("sign", "--once", status=3, audit_key_file=auditor.key)
    assert "shard 0 is not signed: entry " in said
