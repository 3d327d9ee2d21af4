"""`huzhu gateway` and `huzhu keys`: the hospital API and its keys."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Engine

from acts import api_keys
from cli.events.post_national import mappings_of
from cli.servers.operate import LogLevel, bound_ledger, kafka_address, ledger, log_to_stderr, read_settings
from cli.terminal.output import err, fail, out
from infra.clock import utc_now
from infra.ledger import api_key_rows
from infra.ledger.schema import LedgerMismatch, bound_shards, connect
from infra.settings import Settings
from schemas.access.callers import ApiKey, ApiRole

EXAMPLE = "Example: HUZHU_GATEWAY_PORT=8080 huzhu gateway"
STATEMENT_SECONDS_MAX = 10.0

app = typer.Typer(no_args_is_help=True, help="Create, list, rotate and revoke keys for the hospital API.")

Operator = Annotated[str, typer.Option(help="Who does it; recorded in the audit log.")]


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

    settings = read_settings()
    log_to_stderr(log_level)
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
        serving = server(app, settings)
        for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn restores these when it stops
            signal.signal(number, lambda *_: setattr(serving, "should_exit", True))
        with forwarder:
            scheme = "https" if settings.gateway_tls_cert else "http"
            err.print(f"the API is at {scheme}://{settings.gateway_host}:{settings.gateway_port}")
            with suppress(SystemExit):  # from uvicorn when it cannot listen; it has logged why
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
        first.url.render_as_string(False), settings.ledger_lease, pool=pool, statement_seconds=STATEMENT_SECONDS_MAX
    )


@app.command("create", epilog="Example: huzhu keys create --role hospital --facility H1 --operator li.na > h1.key")
def create(
    role: Annotated[ApiRole, typer.Option(help="Who will use the key.")],
    operator: Operator,
    facility: Annotated[list[str] | None, typer.Option(help="A hospital's facility_id; can be repeated.")] = None,
    scheme: Annotated[list[str] | None, typer.Option(help="An insurer's scheme_id; can be repeated.")] = None,
    note: Annotated[str, typer.Option(help="Whom to contact about the key.")] = "",
) -> None:
    """Create a key and write it to standard output. It cannot be shown again: the key itself is not stored."""
    _require_operator(operator)
    if (facility and role is not ApiRole.HOSPITAL) or (scheme and role is not ApiRole.INSURER):
        fail("--facility needs --role hospital, --scheme needs --role insurer")
    try:
        with ledger(read_settings()).begin() as connection:
            key, token = api_keys.create(connection, role, facility or scheme or [], note, operator, utc_now)
    except api_keys.KeyRefused as error:
        fail(str(error))
    _show(key, token)


@app.command("rotate", epilog="Example: huzhu keys rotate k7m2p9qrst --operator li.na --grace-hours 48 > h1.key")
def rotate(
    key_id: Annotated[str, typer.Argument(help="The key's id: the part between the underscores.")],
    operator: Operator,
    grace_hours: Annotated[float, typer.Option(min=0, max=24 * 90, help="How long the old key keeps working.")] = 24.0,
) -> None:
    """Replace a key by a new one with the same rights, written to standard output. The old one ends after the grace."""
    _require_operator(operator)
    try:
        with ledger(read_settings()).begin() as connection:
            key, token = api_keys.rotate(connection, key_id, timedelta(hours=grace_hours), operator, utc_now)
    except api_keys.KeyRefused as error:
        fail(str(error))
    _show(key, token)


@app.command("revoke", epilog='Example: huzhu keys revoke k7m2p9qrst --operator li.na --reason "laptop stolen"')
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id: the part between the underscores.")],
    operator: Operator,
    reason: Annotated[str, typer.Option(help="Why; recorded in the audit log.")],
) -> None:
    """Revoke a key immediately."""
    _require_operator(operator)
    if not reason.strip():
        fail("--reason must not be empty")
    try:
        with ledger(read_settings()).begin() as connection:
            api_keys.revoke(connection, key_id, reason, operator, utc_now)
    except api_keys.KeyRefused as error:
        fail(str(error))
    out.print(f"revoked key {key_id}")


@app.command("list", epilog="Example: huzhu keys list")
def list_keys() -> None:
    """List all keys, including expired and revoked ones. Secrets are never shown, as they are not stored."""
    with ledger(read_settings()).connect() as connection:
        keys = api_key_rows.all_keys(connection)
    table = Table("id", "role", "scope", "note", "created", "by", "state")
    for key in keys:
        created = f"{key.created_at:%Y-%m-%d %H:%M}"
        table.add_row(key.key_id, key.role, " ".join(key.scope), key.note, created, key.created_by, _state(key))
    out.print(table)


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d %H:%M}"
    if key.expires_at is not None:
        verb = "expires" if api_keys.is_live(key, utc_now()) else "expired"
        return f"{verb} {key.expires_at:%Y-%m-%d %H:%M}"
    return "active"


def _show(key: ApiKey, token: str) -> None:
    scope = " ".join(key.scope) or "registry"
    sys.stderr.write(f"key {key.key_id} for {key.role} {scope}. Keep it secret: it cannot be shown again\n")
    sys.stdout.write(token + "\n")


def _require_operator(operator: str) -> None:
    if not operator.strip():
        fail("--operator must not be empty")
