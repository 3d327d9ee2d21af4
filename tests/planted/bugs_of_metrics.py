"""Bugs of what monitors are told."""

from __future__ import annotations

from tests.planted.bug import Bug

TOLD = "tests/ledger/test_metrics.py"
NUMBERS = "tests/unit/test_measures.py"
HELD_TOGETHER = "tests/contracts/test_monitoring.py"

BUGS = (
    Bug(
        "metrics",
        "a-repetition-is-counted",
        "acts/take_in.py",
        "batch.holds((delivery.topic for delivery, _ in fresh)",
        "batch.holds((delivery.topic for delivery, _ in events)",
        (f"{TOLD}::test_what_was_taken_in_before_is_not_counted_again",),
    ),
    Bug(
        "metrics",
        "a-batch-counts-before-its-commit",
        "acts/take_in.py",
        "            move_offsets(connection, ends)\n    batch.committed()",
        "            move_offsets(connection, ends)\n        batch.committed()",
        (f"{TOLD}::test_a_batch_whose_commit_fails_is_not_counted",),
    ),
    Bug(
        "metrics",
        "the-commit-is-the-whole-batch",
        "infra/metrics/measured_batch.py",
        "tell.record(Metric.COMMIT_SECONDS, now - self._written)",
        "tell.record(Metric.COMMIT_SECONDS, now - self._began)",
        (f"{TOLD}::test_a_batch_is_counted_once_it_is_committed",),
    ),
    Bug(
        "metrics",
        "a-label-says-anything",
        "schemas/metrics.py",
        "return text if text in TEXTS[label] else OTHER",
        "return text",
        (f"{HELD_TOGETHER}::test_a_label_has_no_value_beyond_its_set",),
    ),
    Bug(
        "metrics",
        "every-process-tells-everything",
        "infra/metrics/prometheus_page.py",
        "if process not in form.told_by:",
        "if False:",
        (f"{TOLD}::test_a_process_tells_the_metrics_of_its_kind_as_they_are_listed",),
    ),
    Bug(
        "metrics",
        "money-in-fen",
        "handlers/health/measures.py",
        "FEN = 100",
        "FEN = 1",
        (
            f"{NUMBERS}::test_money_is_told_in_yuan",
            f"{TOLD}::test_money_that_is_held_and_money_that_waits_for_a_pool",
        ),
    ),
    Bug(
        "metrics",
        "an-unknown-age-is-none",
        "handlers/health/measures.py",
        "if not outbox.messages or outbox.oldest is not None:",
        "if True:",
        (f"{NUMBERS}::test_an_unknown_age_is_left_out_and_nothing_that_waits_is_no_age",),
    ),
    Bug(
        "metrics",
        "what-was-paid-is-held",
        "infra/ledger/monitored_rows.py",
        "func.sum(benefits.c.benefit - benefits.c.released)",
        "func.sum(benefits.c.benefit)",
        (f"{TOLD}::test_money_that_is_held_and_money_that_waits_for_a_pool",),
    ),
    Bug(
        "metrics",
        "the-port-is-everybodys",
        "infra/metrics/loopback_server.py",
        'LOOPBACK = "127.0.0.1"',
        'LOOPBACK = "0.0.0.0"',
        (f"{TOLD}::test_nobody_else_reaches_the_port",),
    ),
    Bug(
        "metrics",
        "a-process-is-ready-with-its-ledger",
        "cli/servers/monitored.py",
        "_readiness(state.hindered() or hindered())",
        "_readiness(state.hindered())",
        (f"{TOLD}::test_a_process_says_what_hinders_it",),
    ),
)
