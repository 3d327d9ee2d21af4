"""`huzhu console`: the web pages for finance staff, and the threads that keep their figures up to date."""

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

from cli.servers.monitored import NOT_LISTENING, monitored
from cli.terminal.connect import STATEMENT_SECONDS_MAX, LogLevel, keyring, ledger, replica, settings_of_process
from cli.terminal.output import err, fail
from infra.clock import utc_now
from infra.keys.audit_signing import KeyUnusable, read_public_keys
from infra.ledger import digest
from infra.ledger.processes import process_name
from infra.ledger.schema import LedgerMismatch, bound_shards, connect
from infra.oidc.provider_settings import ProviderSettings
from infra.settings import Settings, SettingsError
from infra.waiting import Wait
from schemas.checkpoint import VerifierKey
from schemas.metrics import Process

if TYPE_CHECKING:
    from web.console.log_watch import Watch

EXAMPLE = "Example: huzhu people newkey console.keys && HUZHU_CONSOLE_KEY_FILE=console.keys huzhu console"
DIGEST_SECONDS = 2.0
LAG_SECONDS = 10.0
VERIFY_SECONDS = 5.0
log = logging.getLogger(__name__)


def console(
    insecure_allow_plain: Annotated[
        bool,
        typer.Option("--insecure-allow-plain", help="Serve other machines without TLS, behind a proxy that has TLS."),
    ] = False,
    log_level: LogLevel = "info",
) -> None:
    """Serve the console until stopped by a signal.

    Needs the ledger and a key file (`huzhu people newkey`). With HUZHU_KAFKA_BOOTSTRAP it also shows how far the
    workers are behind. Create users with `huzhu users create`. Exit status 2: a setting is unusable.
    """
    from web.console.console_app import Outside, create_console
    from web.console.log_watch import Watch
    from web.server import NotServed, check_address, server

    settings = settings_of_process(Process.CONSOLE, log_level)
    try:
        check_address(settings, insecure_allow_plain, "console")
        ProviderSettings.of(settings)
    except (NotServed, SettingsError) as error:
        fail(str(error))
    keys = keyring(settings)
    engine, shards = _engine(settings)
    reader = _Lag(settings, engine, shards)
    watch = Watch(_audit_keys(settings), utc_now)
    beside = replica(settings, engine, process_name("console")) if settings.database_read_url else engine
    outside = Outside(shards, reader.lag, watch, beside)
    app = create_console(engine, settings, keys, outside, utc_now)
    serving = server(app, settings, "console", lambda url: err.print(f"the console is at {url}", soft_wrap=True))
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn restores these when it stops
        signal.signal(number, lambda *_: setattr(serving, "should_exit", True))
    watched = monitored(settings, Process.CONSOLE, lambda: None if serving.started else NOT_LISTENING)
    with watched, _Background(engine, reader, watch), suppress(SystemExit):  # from uvicorn when it cannot listen
        serving.run()
    engine.dispose()
    beside.dispose()
    if not serving.started:
        address = f"{settings.console_host}:{settings.console_port}"
        fail(f"cannot listen at {address}: change HUZHU_CONSOLE_HOST or HUZHU_CONSOLE_PORT")


def _audit_keys(settings: Settings) -> list[VerifierKey]:
    """The public keys whose signatures count; empty without HUZHU_CONSOLE_AUDIT_KEYS."""
    if settings.console_audit_keys is None:
        return []
    try:
        return read_public_keys([Path(settings.console_audit_keys)])
    except KeyUnusable as error:
        fail(str(error))


def _engine(settings: Settings) -> tuple[Engine, int]:
    first = ledger(settings)
    try:
        shards = bound_shards(first)
    except LedgerMismatch as error:
        fail(str(error))
    finally:
        first.dispose()
    url = first.url.render_as_string(False)
    pool = settings.console_threads + 3  # and one for each thread in the background
    name, seconds = process_name("console"), STATEMENT_SECONDS_MAX
    return connect(url, settings.ledger_lease, name=name, pool=pool, statement_seconds=seconds), shards


class _Lag:
    """The number of events in Kafka that the ledger has not processed yet, as of the last look."""

    def __init__(self, settings: Settings, engine: Engine, shards: int) -> None:
        self._bootstrap, self._engine, self._shards = settings.kafka_bootstrap, engine, shards
        self._latest: int | None = None
        self._waiting = Wait(log, "Kafka")

    def lag(self) -> int | None:
        return self._latest

    def look(self) -> None:
        from stream.inbound.partition_reader import RangeReader
        from stream.lag import lag

        if self._bootstrap is None:
            return
        try:
            with RangeReader(self._bootstrap) as reader:
                self._latest = lag(self._engine, reader, self._shards).inbound
            self._waiting.over()
        except KafkaException as error:
            self._latest = None
            self._waiting.still(f"it does not say how far the topics are ({error.args[0].name()})")


class _Background:
    """Chains noted views, updates the figures, asks Kafka and checks the audit log, in separate threads."""

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
        jobs = ((keep_up, DIGEST_SECONDS), (reader.look, LAG_SECONDS), (verify, VERIFY_SECONDS))
        self._threads = [threading.Thread(target=self._repeat, args=job, daemon=True) for job in jobs]

    def __enter__(self) -> _Background:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _repeat(self, work: Callable[[], None], pause: float) -> None:
        waiting = Wait(log, "the ledger")
        while True:
            try:
                work()
                waiting.over()
            except SQLAlchemyError as error:
                waiting.still(f"it does not answer ({type(error).__name__}); pages show the figures of before")
            except Exception as error:  # noqa: BLE001 - pages go on; their "as of" shows that the figures are stale
                log.error("cannot update the figures: %s", type(error).__name__)
            if self._stop.wait(pause):
                return
