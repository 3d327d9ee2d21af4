"""`huzhu gateway`: the hospital API."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Annotated

import typer
from sqlalchemy import Engine

from cli.events.post_national import mappings_of
from cli.servers.monitored import NOT_LISTENING, monitored
from cli.terminal.connect import (
    STATEMENT_SECONDS_MAX,
    LogLevel,
    bound_ledger,
    kafka_address,
    ledger,
    settings_of_process,
)
from cli.terminal.output import err, fail
from infra.ledger.processes import process_name
from infra.ledger.schema import LedgerMismatch, bound_shards, connect
from infra.settings import Settings
from schemas.metrics import Process

EXAMPLE = "Example: HUZHU_GATEWAY_PORT=8080 huzhu gateway"


def gateway(
    insecure_allow_plain: Annotated[
        bool,
        typer.Option("--insecure-allow-plain", help="Serve other machines without TLS, behind a proxy that has TLS."),
    ] = False,
    log_level: LogLevel = "info",
) -> None:
    """Serve the hospital API until stopped by a signal, and send acknowledged events to Kafka.

    Starts and acknowledges events even while Kafka is down. Any number of gateways can run at once. Exit status 2: a
    setting is unusable.
    """
    from stream.inbound.forwarder import Forwarder
    from web.api.api_app import create_app
    from web.api.decision_waiters import Waiters
    from web.server import NotServed, check_address, server

    settings = settings_of_process(Process.GATEWAY, log_level)
    try:
        check_address(settings, insecure_allow_plain)
    except NotServed as error:
        fail(str(error))
    mappings = mappings_of(None, settings.national_mappings) if settings.national_mappings else None
    engine = _engine(settings)
    with Waiters(engine) as waiters:
        forwarder = Forwarder(engine, kafka_address(settings), settings, lambda: setattr(serving, "should_exit", True))
        app = create_app(
            engine,
            settings,
            waiters,
            on_posted=forwarder.ring,
            kafka_answers=lambda: forwarder.kafka_answers,
            mappings=mappings,
        )
        serving = server(app, settings, "gateway", lambda url: err.print(f"the API is at {url}", soft_wrap=True))
        for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn restores these when it stops
            signal.signal(number, lambda *_: setattr(serving, "should_exit", True))
        watched = monitored(settings, Process.GATEWAY, lambda: None if serving.started else NOT_LISTENING)
        with watched, forwarder, suppress(SystemExit):  # from uvicorn when it cannot listen; it has logged why
            serving.run()
    engine.dispose()
    if forwarder.mismatch is not None:
        fail(str(forwarder.mismatch))
    if not serving.started:
        address = f"{settings.gateway_host}:{settings.gateway_port}"
        fail(f"cannot listen at {address}: change HUZHU_GATEWAY_HOST or HUZHU_GATEWAY_PORT")


def _engine(settings: Settings) -> Engine:
    """The ledger, with a connection per thread. Binds a new ledger to Kafka first, which needs Kafka to be up."""
    kafka_address(settings)
    first = ledger(settings)
    try:
        shards = bound_shards(first)
    except LedgerMismatch:
        bound_ledger(settings)[0].dispose()
        shards = settings.shards
    finally:
        first.dispose()
    if shards != settings.shards:
        fail(f"this ledger has {shards} shards: correct HUZHU_SHARDS ({settings.shards}) or HUZHU_DATABASE_URL")
    pool = settings.gateway_threads + 2
    return connect(
        first.url.render_as_string(False),
        settings.ledger_lease,
        name=process_name("gateway"),
        pool=pool,
        statement_seconds=STATEMENT_SECONDS_MAX,
    )
