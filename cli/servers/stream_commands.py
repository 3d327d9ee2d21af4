"""`huzhu worker` and `huzhu relay`: from Kafka into the ledger, and from the ledger to Kafka."""

from __future__ import annotations

import signal
import tempfile
from contextlib import ExitStack

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from cli.servers.monitored import monitored
from cli.terminal.connect import LogLevel, bound_ledger, settings_of_process
from cli.terminal.output import fail
from infra.ledger.processes import note_start, process_name
from infra.settings import Settings
from schemas.metrics import Process
from stream.deadline import INFRASTRUCTURE_GONE
from stream.retry import TROUBLE, Retry, in_one_line

WORKER_EXAMPLE = "Example: huzhu worker --log-level warning"
RELAY_EXAMPLE = "Example: huzhu relay"


def worker(log_level: LogLevel = "info") -> None:
    """Process events from Kafka into the ledger until stopped by a signal.

    Run any number of workers up to the number of partitions, which Kafka distributes among them. Exit status 75 means
    that Kafka or the ledger could not be reached: start the worker again. Exit status 78: the topics are not this
    ledger's, as after a restore; starting again does not help (docs/operations.md, "A ledger that was restored").
    """
    from stream.inbound import worker as process
    from stream.inbound.intake import Intake
    from stream.inbound.partition_reader import RangeReader
    from stream.outbound.cursors import LEDGER_REFUSED, LedgerRefused, check_all

    settings = settings_of_process(Process.WORKER, log_level)
    patiently = Retry(settings.retry_attempts, settings.retry_wait)
    intake: Intake | None = None

    def hindered() -> str | None:
        return None if intake is not None and intake.joined else "Kafka has not said yet which shards are this worker's"

    with ExitStack() as stack:
        stack.enter_context(monitored(settings, Process.WORKER, hindered))
        engine, bootstrap = _started("worker", settings, patiently)
        reader = stack.enter_context(RangeReader(bootstrap))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="huzhu-faust-"))
        try:
            promoted = settings.after_promotion == "continue"
            patiently(
                lambda: check_all(engine, reader, range(settings.shards), promoted=promoted), "see whose the topics are"
            )
        except LedgerRefused as error:
            fail(str(error), LEDGER_REFUSED)
        except TROUBLE as error:
            fail(f"the worker cannot start: {in_one_line(error)}", INFRASTRUCTURE_GONE)
        intake = Intake(engine, reader, settings)
        app = process.create_app(intake, bootstrap, settings, folder)
        process.run(app, log_level, settings.log_format)


def relay(log_level: LogLevel = "info") -> None:
    """Send the ledger's decisions and payouts to the outbound topics until stopped by a signal.

    One relay serves all shards; a second one takes over, and the first stands by until the second sends nothing more.
    Exit status 75 means that Kafka or the ledger could not be reached: start the relay again. Exit status 78: the
    topics are not this ledger's, as after a restore; starting again does not help (docs/operations.md, "A ledger that
    was restored").
    """
    from stream.outbound.cursors import LEDGER_REFUSED, LedgerRefused
    from stream.outbound.relay_process import RelayProcess

    settings = settings_of_process(Process.RELAY, log_level)
    process: RelayProcess | None = None

    def hindered() -> str | None:
        return None if process is not None and process.settled else "not every shard is taken over, or left to another"

    with monitored(settings, Process.RELAY, hindered):
        engine, bootstrap = _started("relay", settings, Retry(settings.retry_attempts, settings.retry_wait))
        process = started = RelayProcess(engine, bootstrap, range(settings.shards), settings)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: started.stop())
        try:
            started.run()
        except LedgerRefused as error:
            fail(str(error), LEDGER_REFUSED)
        except TROUBLE as error:
            fail(f"the relay stopped: {in_one_line(error)}", INFRASTRUCTURE_GONE)


def _started(kind: str, settings: Settings, patiently: Retry) -> tuple[Engine, str]:
    """The ledger and Kafka's address; the ledger knows that a process of this kind has started, and its sessions."""
    engine, bootstrap = bound_ledger(settings, patiently, process_name(kind))
    try:
        patiently(lambda: note_start(engine, kind), "note that it starts")
    except DBAPIError as error:
        fail(f"the {kind} cannot start: {in_one_line(error)}", INFRASTRUCTURE_GONE)
    return engine, bootstrap
