"""`huzhu gateway` and `huzhu keys`: the hospital API, and who may use it."""

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
from cli.servers.operate import LogLevel, bound_ledger, kafka_address, ledger, log_to_stderr, settings
from cli.terminal.output import err, fail, out
from infra.clock import utc_now
from infra.ledger import api_key_rows
from infra.ledger.schema import LedgerMismatch, bound_shards, connect
from infra.settings import Settings
from schemas.access.callers import ApiKey, ApiRole

EXAMPLE = "Example: HUZHU_GATEWAY_PORT=8080 huzhu gateway"
STATEMENT_SECONDS_MAX = 10.0

app = typer.Typer(no_args_is_help=True, help="Make, list, rotate and revoke the keys of the hospital API.")

Operator = Annotated[str, typer.Option(help="Who does it; stands in the audit log.")]


def gateway(
    insecure_allow_plain: Annotated[
        bool, typer.Option("--insecure-allow-plain", help="Serve other machines without TLS, behind a proxy with TLS.")
    ] = False,
    log_level: LogLevel = "info",
) -> None:
    """Serve the hospital API until a signal ends it, and send what it acknowledges to Kafka.

    Starts, and acknowledges posts, also while Kafka is away. As many may run as you like. Exit status 2: a setting is
    unusable.
    """
    from stream.inbound.forwarder import Forwarder
    from web.api.api_app import create_app
    from web.api.decision_waiters import Waiters
    from web.server import NotServed, check_address, server

    known = settings()
    log_to_stderr(log_level)
    try:
        check_address(known, insecure_allow_plain)
    except NotServed as error:
        fail(str(error))
    mappings = mappings_of(None, known.national_mappings) if known.national_mappings else None
    engine = _engine(known)
    with Waiters(engine) as waiters:
        forwarder = Forwarder(engine, kafka_address(known), known, lambda: setattr(serving, "should_exit", True))
        app = create_app(
            engine,
            known,
            waiters,
            on_posted=forwarder.ring,
            kafka_answers=lambda: forwarder.kafka_answers,
            mappings=mappings,
        )
        serving = server(app, known)
        for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn's own give way to these at its end
            signal.signal(number, lambda *_: setattr(serving, "should_exit", True))
        with forwarder:
            scheme = "https" if known.gateway_tls_cert else "http"
            err.print(f"the API is at {scheme}://{known.gateway_host}:{known.gateway_port}")
            with suppress(SystemExit):  # uvicorn's, when it cannot listen: it has logged why
                serving.run()
    engine.dispose()
    if forwarder.mismatch is not None:
        fail(str(forwarder.mismatch))
    if not serving.started:
        fail(f"nothing can listen at {known.gateway_host}:{known.gateway_port}: correct HUZHU_GATEWAY_HOST or _PORT")


def _engine(known: Settings) -> Engine:
    """The ledger with as many connections as there are threads. A new ledger is bound first, which takes Kafka."""
    kafka_address(known)
    first = ledger(known)
    try:
        shards = bound_shards(first)
    except LedgerMismatch:
        bound_ledger(known)[0].dispose()
        shards = known.shards
    finally:
        first.dispose()
    if shards != known.shards:
        fail(f"this ledger has {shards} shards: correct HUZHU_SHARDS ({known.shards}) or HUZHU_DATABASE_URL")
    pool = known.gateway_threads + 2
    return connect(
        first.url.render_as_string(False), known.ledger_lease, pool=pool, statement_seconds=STATEMENT_SECONDS_MAX
    )


@app.command("create", epilog="Example: huzhu keys create --role hospital --facility H1 --operator li.na > h1.key")
def create(
    role: Annotated[ApiRole, typer.Option(help="Whose key it is.")],
    operator: Operator,
    facility: Annotated[list[str] | None, typer.Option(help="A hospital's facility_id; may be given again.")] = None,
    scheme: Annotated[list[str] | None, typer.Option(help="An insurer's scheme_id; may be given again.")] = None,
    note: Annotated[str, typer.Option(help="Whom to call about it.")] = "",
) -> None:
    """Make a key and write it to standard output, once: it is stored nowhere."""
    _named(operator)
    if (facility and role is not ApiRole.HOSPITAL) or (scheme and role is not ApiRole.INSURER):
        fail("--facility goes with --role hospital, --scheme with --role insurer")
    try:
        with ledger(settings()).begin() as connection:
            key, token = api_keys.create(connection, role, facility or scheme or [], note, operator, utc_now)
    except api_keys.KeyRefused as error:
        fail(str(error))
    _show(key, token)


@app.command("rotate", epilog="Example: huzhu keys rotate k7m2p9qrst --operator li.na --grace-hours 48 > h1.key")
def rotate(
    key_id: Annotated[str, typer.Argument(help="Id of the key: the part between the underscores.")],
    operator: Operator,
    grace_hours: Annotated[float, typer.Option(min=0, max=24 * 90, help="How long the old key still works.")] = 24.0,
) -> None:
    """Make a successor with the same rights and write it to standard output, once; the old key ends after the grace."""
    _named(operator)
    try:
        with ledger(settings()).begin() as connection:
            key, token = api_keys.rotate(connection, key_id, timedelta(hours=grace_hours), operator, utc_now)
    except api_keys.KeyRefused as error:
        fail(str(error))
    _show(key, token)


@app.command("revoke", epilog='Example: huzhu keys revoke k7m2p9qrst --operator li.na --reason "laptop stolen"')
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key: the part between the underscores.")],
    operator: Operator,
    reason: Annotated[str, typer.Option(help="Why; stands in the audit log.")],
) -> None:
    """End a key at once."""
    _named(operator)
    if not reason.strip():
        fail("--reason says why: it may not be empty")
    try:
        with ledger(settings()).begin() as connection:
            api_keys.revoke(connection, key_id, reason, operator, utc_now)
    except api_keys.KeyRefused as error:
        fail(str(error))
    out.print(f"key {key_id} is revoked")


@app.command("list", epilog="Example: huzhu keys list")
def list_keys() -> None:
    """List all keys, also those that have ended. No secrets are shown: none are stored."""
    with ledger(settings()).connect() as connection:
        found = api_key_rows.all_keys(connection)
    table = Table("id", "role", "scope", "note", "made", "by", "state")
    for key in found:
        made = f"{key.created_at:%Y-%m-%d %H:%M}"
        table.add_row(key.key_id, key.role, " ".join(key.scope), key.note, made, key.created_by, _state(key))
    out.print(table)


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d %H:%M}"
    if key.expires_at is not None:
        verb = "ends" if api_keys.is_live(key, utc_now()) else "ended"
        return f"{verb} {key.expires_at:%Y-%m-%d %H:%M}"
    return "live"


def _show(key: ApiKey, token: str) -> None:
    scope = " ".join(key.scope) or "registry"
    sys.stderr.write(f"key {key.key_id} for {key.role} {scope}; keep it secret: it cannot be shown again\n")
    sys.stdout.write(token + "\n")


def _named(operator: str) -> None:
    if not operator.strip():
        fail("--operator says who: it may not be empty")
