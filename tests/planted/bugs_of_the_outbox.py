"""Bugs of the outbox by the batch: its encoding, its order beside single rows, and when a batch goes."""

from __future__ import annotations

from tests.planted.bug import Bug

FORMS = "tests/ledger/test_outbox_forms.py"
MIXTURE = f"{FORMS}::test_any_mixture_of_forms_is_sent_once_in_order_and_under_one_chain"
WITHIN = f"{FORMS}::test_a_relay_that_died_within_a_batch_is_followed_by_one_that_goes_on_there"
ENCODING = "tests/properties/test_outbox_batch.py"
ROWS = "infra/ledger/outbox_rows.py"
BATCH = "infra/ledger/outbox_batch.py"
MIGRATION = "infra/ledger/migrations/versions/0012_outbox_batches.py"

BUGS = (
    Bug(
        "outbox",
        "a-batch-is-begun-again",
        ROWS,
        "            if message.seq <= after:\n",
        "            if message.seq < first:\n",
        (MIXTURE, WITHIN),
    ),
    Bug(
        "outbox",
        "new-batches-before-old-rows",
        ROWS,
        '    ORDER BY last_seq\n"""',
        '    ORDER BY topic IS NOT NULL, last_seq\n"""',
        (MIXTURE, f"{FORMS}::test_rows_of_the_release_before_go_out_first"),
    ),
    Bug(
        "outbox",
        "old-rows-are-not-read",
        ROWS,
        "WHERE shard = %(shard)s AND seq > %(after)s::bigint ORDER",
        "WHERE shard = -1 AND shard = %(shard)s AND seq > %(after)s::bigint ORDER",
        (MIXTURE, f"{FORMS}::test_rows_of_the_release_before_go_out_first"),
    ),
    Bug(
        "outbox",
        "a-batch-goes-with-its-first-message",
        ROWS,
        "(outbox_batches, outbox_batches.c.last_seq)",
        "(outbox_batches, outbox_batches.c.first_seq)",
        (WITHIN, f"{FORMS}::test_a_batch_stays_until_the_ledger_knows_its_last_message_as_sent"),
    ),
    Bug(
        "outbox",
        "what-is-not-sent-may-be-deleted",
        MIGRATION,
        "    IF OLD.last_seq > coalesce(",
        "    IF OLD.last_seq < 0 AND OLD.last_seq > coalesce(",
        (f"{FORMS}::test_a_batch_stays_until_the_ledger_knows_its_last_message_as_sent",),
    ),
    Bug(
        "outbox",
        "a-number-may-come-twice",
        MIGRATION,
        "AND last_seq >= NEW.first_seq)",
        "AND last_seq > NEW.last_seq)",
        (f"{FORMS}::test_a_number_is_given_to_one_message",),
    ),
    Bug(
        "outbox",
        "a-gap-is-passed-over",
        "stream/outbound/read_ahead.py",
        "                if row.seq != number:\n",
        "                if row.seq < number:\n",
        ("tests/ledger/test_relay_batches.py::test_a_hole_in_the_outbox_stops_the_relay",),
    ),
    Bug(
        "outbox",
        "a-batch-is-numbered-from-its-last-message",
        "infra/ledger/write.py",
        "(each[0].shard, each[0].seq, each[-1].seq, packed(each),",
        "(each[0].shard, each[-1].seq, each[-1].seq, packed(each),",
        ("tests/ledger/test_restored.py::test_a_ledger_that_stays_is_known_again",),
    ),
    Bug(
        "outbox",
        "a-cut-batch-is-read-as-far-as-it-goes",
        BATCH,
        "    if seq != last + 1:\n",
        "    if seq > last + 1:\n",
        (f"{ENCODING}::test_a_batch_that_is_cut_off_is_refused",),
    ),
    Bug(
        "outbox",
        "any-version-of-a-batch-is-read",
        BATCH,
        "    if packed_messages[:1] != VERSION:\n",
        "    if not packed_messages:\n",
        (
            f"{ENCODING}::test_a_version_that_is_not_known_is_refused",
            f"{FORMS}::test_a_batch_that_cannot_be_read_stops_the_relay",
        ),
    ),
    Bug(
        "outbox",
        "no-key-is-an-empty-key",
        BATCH,
        "key = None if key_length == NO_KEY else ",
        "key = ",
        (f"{ENCODING}::test_what_was_packed_is_unpacked", MIXTURE),
    ),
    Bug(
        "outbox",
        "batches-grow-without-bound",
        BATCH,
        "            if batch and size > PACKED_BYTES_MAX:\n",
        "            if batch and size < 0:\n",
        (f"{ENCODING}::test_batches_hold_every_message_once_and_in_order",),
    ),
    Bug(
        "outbox",
        "numbers-are-added-in-two-bytes",
        ROWS,
        "first_seq <= %(after)s::bigint + %(limit)s)",
        "first_seq <= %(after)s + %(limit)s)",
        (f"{FORMS}::test_numbers_beyond_two_bytes_are_read",),
    ),
    Bug(
        "outbox",
        "a-relay-does-not-see-that-it-is-fenced",
        "stream/outbound/relay.py",
        "                producer.poll(0)  # raises the reason",
        "                pass  # raises the reason",
        ("tests/ledger/test_relay_batches.py::test_who_is_fenced_while_producing_knows",),
    ),
)
