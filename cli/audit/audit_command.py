"""`huzhu audit keygen | sign | checkpoints | export | prove | verify`: the audit log, and proofs from it."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from acts import prove_payout
from acts.export_audit_log import checkpoints_beside, export_audit_log
from acts.make_checkpoints import Made, make_due
from cli.audit import audit_verify
from cli.audit.audit_keys import signing_key
from cli.servers.monitored import monitored
from cli.terminal.connect import LogLevel, ledger, read_settings, settings_of_process
from cli.terminal.listing import JsonOption, plain, print_json
from cli.terminal.operators import Operator, signed_in
from cli.terminal.output import SOME_REFUSED, fail, out, progress
from infra.clock import utc_now
from infra.keys.audit_signing import SigningKey, make_key, public_file
from infra.ledger import audit_log
from infra.ledger.processes import process_name
from infra.metrics.instruments import instruments
from infra.settings import Settings
from infra.waiting import Wait
from schemas.access.console_rights import Right
from schemas.checkpoint import SignedCheckpoint
from schemas.metrics import Metric, Process
from stream.deadline import INFRASTRUCTURE_GONE, deadline

app = typer.Typer(no_args_is_help=True, help="Sign, verify, export and prove the audit log.")
app.command(epilog=audit_verify.EXAMPLE)(audit_verify.verify)

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often `sign` looks for new entries: a small query, so that 1,000 new entries need not wait for a full minute."""


@app.command(epilog="Example: huzhu audit keygen /etc/huzhu/audit.key --name wuxi.example/huzhu")
def keygen(
    file: Annotated[
        Path, typer.Argument(help="File for the private key; the public key goes to the same name with .pub.")
    ],
    name: Annotated[str, typer.Option(help="The log's name. It is part of every checkpoint and must never change.")],
) -> None:
    """Make an Ed25519 key for signing checkpoints. Never overwrites a file.

    To replace a key, make a new one with the same name and keep the old public key: it still verifies old checkpoints.
    """
    try:
        public = make_key(name, file)
    except ValueError as error:
        fail(str(error))
    except FileExistsError as error:
        fail(f"{error.filename or error} already exists: choose another file")
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}")
    out.print(f"private key: {file} (mode 0600; set HUZHU_AUDIT_KEY_FILE to it for `huzhu audit sign`)")
    out.print(f"public key:  {public_file(file)} (give it to the auditors)")
    out.print(str(public), soft_wrap=True)


@app.command(epilog="Example: HUZHU_AUDIT_KEY_FILE=/etc/huzhu/audit.key huzhu audit sign")
def sign(
    once: Annotated[bool, typer.Option("--once", help="Sign what is new now, then exit.")] = False,
    log_level: LogLevel = "info",
) -> None:
    """Make signed checkpoints of the audit log until stopped by a signal. Needs a key.

    Several can run at once. Signs only logs that are consistent; reports any other and exits with status 3.
    """
    settings = settings_of_process(Process.SIGNER, log_level)
    key = signing_key(settings, "checkpoints")
    engine = ledger(settings, name=process_name("signer"))
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with nullcontext() if once else monitored(settings, Process.SIGNER):
        refused = _sign(engine, key, settings, stopping, once=once)
    if refused:
        raise typer.Exit(SOME_REFUSED)


def _sign(engine: Engine, key: SigningKey, settings: Settings, stopping: threading.Event, *, once: bool) -> bool:
    """Signs what is due until it is to stop. Returns whether a shard was refused in the last round."""
    interval = timedelta(seconds=0 if once else settings.audit_interval)
    last_success, refused, waiting = time.monotonic(), False, Wait(log, "the ledger")
    while not stopping.is_set():
        try:
            with deadline(None, "check and sign what is new"):
                made = make_due(engine, key, utc_now, settings.audit_entries, interval)
            last_success, refused = time.monotonic(), bool(made.refused)
            waiting.over()
            _tell(made)
        except DBAPIError as error:
            reason = str(error.orig).splitlines()[0]
            if once or time.monotonic() - last_success > settings.audit_interval:
                fail(f"the ledger cannot be reached: {reason}", INFRASTRUCTURE_GONE)
            waiting.still(f"{reason}; nothing is signed, trying again")
        if once:
            break
        stopping.wait(settings.audit_interval if refused else LOOK_SECONDS)
    return refused


def _tell(made: Made) -> None:
    tell = instruments()
    for signed in made.checkpoints:
        tell.count(Metric.CHECKPOINTS, 1, signed.checkpoint.shard)
        log.info("shard %s: signed %s entries", signed.checkpoint.shard, signed.checkpoint.size)
    for finding in made.refused:
        tell.count(Metric.NOT_SIGNED, 1, str(finding.shard))
        log.error(
            "shard %s is not signed: entry %s, %s: %s; run `huzhu audit verify`",
            finding.shard,
            finding.seq,
            finding.fault,
            finding.saying.en,
        )


@app.command(epilog="Example: huzhu audit checkpoints > checkpoints-2027-03-01.txt")
def checkpoints(as_json: JsonOption = False) -> None:
    """Print the newest checkpoint of each shard. Keep it where the people who run Huzhu cannot change it."""
    with _ledger().connect() as connection:
        newest = [end.newest for end in audit_log.shard_ends(connection) if end.newest is not None]
    if not newest:
        fail("no checkpoints yet: run `huzhu audit sign`")
    if as_json:
        print_json({"checkpoints": [plain(checkpoint._asdict(), "frontier") for checkpoint in newest]})
        return
    sys.stdout.write("\n".join(checkpoint.note for checkpoint in newest))


@app.command(epilog="Example: huzhu audit export audit-2027-03.jsonl --operator li.na")
def export(
    file: Annotated[Path, typer.Argument(help="File for the entries, one JSON object per line.")],
    operator: Operator,
    shard: Annotated[int | None, typer.Option(min=0, help="Only this shard.")] = None,
) -> None:
    """Write the audit log to a file and its checkpoints to FILE.checkpoints. The export itself is audited."""
    operator = signed_in(operator, Right.EXPORT)
    engine = _ledger()
    with progress() as bar:
        task = bar.add_task("exporting entries", total=None)
        try:
            done = export_audit_log(engine, file, operator, utc_now, shard, lambda count: bar.advance(task, count))
        except OSError as error:
            fail(f"{file}: cannot be written: {error.strerror}")
        except ValueError as error:
            fail(str(error))
    out.print(f"{done.rows} entries in {file} (sha256 {done.sha256})", soft_wrap=True)
    out.print(f"{done.checkpoints} checkpoints in {checkpoints_beside(file)}", soft_wrap=True)


@app.command(epilog="Example: huzhu audit prove PO-5f0c... --kept checkpoints-2027-03-01.txt > proof.json")
def prove(
    payout: Annotated[str, typer.Argument(help="The payout's id.")],
    kept: Annotated[Path | None, typer.Option(help="File with kept checkpoints that the proof should lead to.")] = None,
) -> None:
    """Write a proof that a payout is in the audit log, unchanged; docs/examples/verify_proof.py verifies it.

    The proof contains the payout instruction, including the person's id.
    """
    engine = _ledger()
    try:
        proof = _prove(engine, payout, [] if kept is None else audit_verify.checkpoints_in(kept))
    except prove_payout.NotProvable as error:
        fail(str(error))
    sys.stdout.write(prove_payout.proof_file(proof).decode())


def _prove(engine: Engine, payout: str, kept: list[SignedCheckpoint]) -> dict[str, Any]:
    """Proves against the newest kept checkpoint of the payout's shard."""
    with engine.connect() as connection:
        shard = prove_payout.shard_of_payout(connection, payout)
    of_shard = sorted((note for note in kept if note.checkpoint.shard == shard), key=lambda note: note.checkpoint.size)
    if kept and not of_shard:
        raise prove_payout.NotProvable(
            f"该笔支付在分片 {shard},所存检查点中没有这个分片",
            f"the payout is in shard {shard}, but no checkpoint of that shard was kept",
        )
    return prove_payout.prove(engine, payout, of_shard[-1] if of_shard else None)


def _ledger() -> Engine:
    return ledger(read_settings())
