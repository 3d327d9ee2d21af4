"""Bugs of the traceparents that go along with events and messages."""

from __future__ import annotations

from tests.planted.bug import Bug

FORM = "tests/unit/test_traceparent.py"
SPANS = "tests/unit/test_tracing.py"
LINES = "tests/unit/test_json_log.py"
LEDGER = "tests/ledger/test_traces.py"
SERVERS = "tests/web/test_traces.py"

BUGS = (
    Bug(
        "traces",
        "anything-may-follow-a-traceparent",
        "schemas/traceparent.py",
        "_FORM.fullmatch(text)",
        "_FORM.match(text)",
        (
            f"{FORM}::test_what_is_malformed_is_ignored",
            f"{SERVERS}::test_a_request_without_a_readable_traceparent_gets_one",
        ),
    ),
    Bug(
        "traces",
        "the-first-of-two-counts",
        "schemas/traceparent.py",
        "if len(found) == 1 else None",
        "if found else None",
        (f"{FORM}::test_of_two_none_counts",),
    ),
    Bug(
        "traces",
        "a-traceparent-stays-for-the-next-event",
        "handlers/audit/journal.py",
        "self.traceparent = delivery.traceparent\n",
        "self.traceparent = delivery.traceparent or self.traceparent\n",
        (f"{LEDGER}::test_an_event_without_one_causes_nothing_that_has_one",),
    ),
    Bug(
        "traces",
        "the-audit-log-quotes-the-traceparent",
        "handlers/audit/journal.py",
        'digest = sha256_hex(content or b"")',
        'digest = sha256_hex((content or b"") + (self.traceparent or "").encode())',
        (f"{LEDGER}::test_nothing_else_differs",),
    ),
    Bug(
        "traces",
        "lines-for-messages-without-one",
        "infra/ledger/outbox_batch.py",
        'return "\\n".join(lines) if any(lines) else None',
        'return "\\n".join(lines)',
        (f"{LEDGER}::test_where_none_came_none_is_stored",),
    ),
    Bug(
        "traces",
        "a-message-has-its-neighbours",
        "infra/ledger/outbox_batch.py",
        'lines = [message.traceparent or "" for message in batch]',
        "lines = [message.traceparent for message in batch if message.traceparent]",
        (f"{LEDGER}::test_an_event_without_one_causes_nothing_that_has_one",),
    ),
    Bug(
        "traces",
        "a-household-forgets-whose-event-it-was",
        "handlers/claims/process.py",
        "sorted(links), moved, self.journal.traceparent)",
        "sorted(links), moved)",
        (f"{LEDGER}::test_a_household_is_decided_under_the_newest_traceparent_of_its_events",),
    ),
    Bug(
        "traces",
        "the-oldest-of-a-household-counts",
        "acts/recompute_groups.py",
        "max(traced).traceparent",
        "min(traced).traceparent",
        (f"{LEDGER}::test_a_household_is_decided_under_the_newest_traceparent_of_its_events",),
    ),
    Bug(
        "traces",
        "the-forwarder-drops-it",
        "stream/inbound/forwarder.py",
        "headers=[(TRACEPARENT, row.traceparent)] if row.traceparent else None",
        "headers=None",
        (f"{SERVERS}::test_the_instruction_has_the_trace_id_of_the_request_and_nothing_else_of_its_headers",),
    ),
    Bug(
        "traces",
        "faust-drops-it",
        "stream/inbound/worker.py",
        "traceparent_in(message.headers)",
        "traceparent_in(())",
        (f"{FORM}::test_what_faust_delivers_has_it_from_its_headers",),
    ),
    Bug(
        "traces",
        "who-reads-directly-drops-it",
        "stream/inbound/partition_reader.py",
        "if isinstance(headers, list) else None",
        "if isinstance(headers, dict) else None",
        (f"{SERVERS}::test_what_a_hospital_posts_to_kafka_has_its_traceparent_from_the_header",),
    ),
    Bug(
        "traces",
        "the-relay-drops-it",
        "stream/outbound/relay.py",
        "if traceparent is not None:",
        "if False:",
        (f"{SERVERS}::test_the_instruction_has_the_trace_id_of_the_request_and_nothing_else_of_its_headers",),
    ),
    Bug(
        "traces",
        "every-batch-is-of-its-first-trace",
        "infra/tracing.py",
        "same = distinct[0] if len(distinct) == 1 else None",
        "same = distinct[0] if distinct else None",
        (
            f"{SPANS}::test_a_batch_of_several_traces_is_of_none",
            f"{SPANS}::test_an_sdk_sees_links_to_the_messages_of_a_batch",
        ),
    ),
    Bug(
        "traces",
        "a-span-records-errors",
        "infra/tracing.py",
        "record_exception=False",
        "record_exception=True",
        (f"{SPANS}::test_a_span_does_not_say_what_an_error_says",),
    ),
    Bug(
        "traces",
        "a-line-without-its-trace",
        "infra/json_lines_log.py",
        "if traceparent is not None:",
        "if False:",
        (
            f"{SPANS}::test_what_all_messages_have_is_the_batchs_without_an_sdk",
            f"{SERVERS}::test_what_goes_wrong_in_a_request_is_logged_with_its_trace_id",
        ),
    ),
    Bug(
        "traces",
        "a-traceback-with-its-variables",
        "infra/json_lines_log.py",
        "import JSONRenderer, format_exc_info",
        "import JSONRenderer, dict_tracebacks as format_exc_info",
        (f"{LINES}::test_a_traceback_does_not_say_what_variables_hold",),
    ),
    Bug(
        "traces",
        "a-line-with-all-that-came",
        "infra/json_lines_log.py",
        "return {ours:",
        "return dict(line) | {ours:",
        (f"{LINES}::test_what_else_comes_with_a_message_is_left_out",),
    ),
    Bug(
        "traces",
        "a-line-of-when-it-was-written",
        "infra/json_lines_log.py",
        "datetime.fromtimestamp(said.created, UTC)",
        "datetime.now(UTC)",
        (f"{LINES}::test_a_line_is_of_the_moment_in_which_something_was_said",),
    ),
    Bug(
        "traces",
        "fastapi-tells-the-address",
        "web/server.py",
        'UNTOLD: TelemetryConfig = {"tracing": False,',
        'UNTOLD: TelemetryConfig = {"tracing": True,',
        ("tests/web/test_sent_spans.py::test_fastapi_tells_nothing_by_itself",),
    ),
)
