"""`huzhu console`: the pages for finance staff, and the threads that keep their figures up to date."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from confluent_kafka import KafkaException
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from cli.servers.gateway_command import STATEMENT_SECONDS_MAX
from cli.servers.operate import LogLevel, ledger, log_to_stderr, settings
from cli.terminal.output import err, fail
from infra.clock import utc_now
from infra.keys.audit_signing import KeyUnusable, read_public_keys
from infra.keys.personal_data import Keyring, KeyringUnusable, read_keyring
from infra.ledger import digest
from infra.ledger.schema import LedgerMismatch, bound_shards, connect
from infra.settings import Settings
from schemas.checkpoint import VerifierKey

if TYPE_CHECKING:
    from web.console.log_watch import Watch

EXAMPLE = "Example: huzhu people newkey console.keys && HUZHU_CONSOLE_KEY_FILE=console.keys huzhu console"
DIGEST_SECONDS = 2.0
LAG_SECONDS = 10.0
VERIFY_SECONDS = 5.0
log = logging.getLogger(__name__)


def console(
    insecure_allow_plain: Annotated[
        bool, typer.Option("--insecure-allow-plain", help="Serve other machines without TLS, behind a proxy with TLS.")
    ] = False,
    log_level: LogLevel = "info",
) -> None:
    """Serve the console until a signal ends it.

    Needs the ledger, and a key file (`huzhu people newkey`); with HUZHU_KAFKA_BOOTSTRAP it also shows how far the
    workers are behind. Make users with `huzhu users create`. Exit status 2: a setting is unusable.
    """
    from web.console.console_app import Outside, create_console
    from web.console.log_watch import Watch
    from web.server import Address, NotServed, check_address, server

    known = settings()
    log_to_stderr(log_level)
    try:
        check_address(known, insecure_allow_plain, "console")
    except NotServed as error:
        fail(str(error))
    keys = keyring(known)
    engine, shards = _engine(known)
    reader = _Lag(known, engine, shards)
    watch = Watch(_audit_keys(known), utc_now)
    outside = Outside(shards, reader.lag, watch)
    serving = server(create_console(engine, known, keys, outside, utc_now), known, "console")
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn's own give way to these at its end
        signal.signal(number, lambda *_: setattr(serving, "should_exit", True))
    with _Background(engine, reader, watch):
        err.print(f"the console is at {Address.of(known, 'console').url}")
        with suppress(SystemExit):  # uvicorn's, when it cannot listen: it has logged why
            serving.run()
    engine.dispose()
    if not serving.started:
        fail(f"nothing can listen at {known.console_host}:{known.console_port}: correct HUZHU_CONSOLE_HOST or _PORT")


def keyring(known: Settings) -> Keyring:
    """The keys of personal data; ends the command when there are none."""
    if known.console_key_file is None:
        fail("set HUZHU_CONSOLE_KEY_FILE to a file of keys; `huzhu people newkey FILE` makes one")
    try:
        return read_keyring(Path(known.console_key_file))
    except KeyringUnusable as error:
        fail(str(error))


def _audit_keys(known: Settings) -> list[VerifierKey]:
    """The public keys whose checkpoints count; none when none are given."""
    if known.console_audit_keys is None:
        return []
    try:
        return read_public_keys([Path(known.console_audit_keys)])
    except KeyUnusable as error:
        fail(str(error))


def _engine(known: Settings) -> tuple[Engine, int]:
    first = ledger(known)
    try:
        shards = bound_shards(first)
    except LedgerMismatch as error:
        fail(str(error))
    finally:
        first.dispose()
    url = first.url.render_as_string(False)
    pool = known.console_threads + 3  # and one for each thread in the background
    return connect(url, known.ledger_lease, pool=pool, statement_seconds=STATEMENT_SECONDS_MAX), shards


class _Lag:
    """How many events stand in Kafka that the ledger has not taken in, as it was a moment ago."""

    def __init__(self, known: Settings, engine: Engine, shards: int) -> None:
        self._bootstrap, self._engine, self._shards = known.kafka_bootstrap, engine, shards
        self._known: int | None = None

    def lag(self) -> int | None:
        return self._known

    def look(self) -> None:
        from stream.inbound.partition_reader import RangeReader
        from stream.lag import lag

        if self._bootstrap is None:
            return
        try:
            with RangeReader(self._bootstrap) as reader:
                self._known = lag(self._engine, reader, self._shards).inbound
        except KafkaException:
            self._known = None


class _Background:
    """Chains what was looked at and brings the figures forward, and asks Kafka, each in a thread of its own."""

    def __init__(self, engine: Engine, reader: _Lag, watch: Watch) -> None:
        from acts.personal_data_views import chain_views

        def keep_up() -> None:
            while chain_views(engine, utc_now):
                pass
            digest.bring_forward(engine, utc_now())

        def verify() -> None:
            while watch.look(engine) and not self._stop.is_set():
                pass

        self._stop = threading.Event()
        works = ((keep_up, DIGEST_SECONDS), (reader.look, LAG_SECONDS), (verify, VERIFY_SECONDS))
        self._threads = [threading.Thread(target=self._repeat, args=each, daemon=True) for each in works]

    def __enter__(self) -> _Background:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _repeat(self, work: Callable[[], None], pause: float) -> None:
        while True:
            try:
                work()
            except SQLAlchemyError as error:
                log.warning("the ledger did not answer: %s", type(error).__name__)
            except Exception as error:  # noqa: BLE001 - pages go on; "as of" shows that their figures do not
                log.error("keeping figures up to date failed: %s", type(error).__name__)
            if self._stop.wait(pause):
                return
