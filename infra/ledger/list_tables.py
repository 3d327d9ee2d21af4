"""What the console's lists are read from: a row for each claim and payout, with all that filters and orders ask.

Part of the digest, with marks of its own: it follows the digest's sums, entry by entry, and can be emptied at any time.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from infra.ledger.tables import metadata

digest_list_marks = Table(
    "digest_list_marks",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("audit_seq", BigInteger, nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
)
"""The audit entry of each shard up to which the lists have been built, and when."""

digest_claim_list = Table(
    "digest_claim_list",
    metadata,
    Column("claim_id", Text, primary_key=True),
    Column("day", Date, nullable=False),
    Column("status", Text, nullable=False),
    Column("facility_id", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("schemes", ARRAY(Text), nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("waiting", BigInteger, nullable=False),
    Column("unpaid", BigInteger, nullable=False),
    Column("outstanding", BigInteger, nullable=False),
    Index("digest_claim_list_by_day", "day", "claim_id"),
    Index("digest_claim_list_by_amount", "due", "claim_id"),
    Index("digest_claim_list_by_status", "status", "day", "claim_id"),
    Index("digest_claim_list_by_facility", "facility_id", "day", "claim_id"),
    Index("digest_claim_list_by_area", "area", "day", "claim_id"),
    Index("digest_claim_list_by_scheme", "schemes", postgresql_using="gin"),
)
"""Claims as last decided, by the day of discharge (the first of January of the year 1 if there is none); sums are fen.

``schemes`` has each scheme that pays something, and again with its tier (`infra.ledger.claim_list.of_tier`). What is
``due`` is held, waits for a pool, was left ``unpaid`` by the closing of a pool's year, or has been instructed; of the
latter the open payments, less the open recoveries, are ``outstanding``.
"""

digest_payout_marks = Table(
    "digest_payout_marks",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("audit_seq", BigInteger, nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
)
"""The audit entry of each shard up to which the list of payouts has been built, and when."""

digest_payout_list = Table(
    "digest_payout_list",
    metadata,
    Column("payout_id", Text, primary_key=True),
    Column("tier", Text, primary_key=True),
    Column("day", Date, nullable=False),
    Column("claim_id", Text, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("payer", Text, nullable=False),
    Column("payee_id", Text, nullable=False),
    Column("payouts", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Index("digest_payout_list_by_day", "day", "payout_id", "tier"),
    Index("digest_payout_list_by_amount", "amount", "payout_id", "tier"),
    Index("digest_payout_list_by_state", "state", "kind", "day", "payout_id", "tier"),
    Index("digest_payout_list_by_scheme", "scheme_id", "tier", "day", "payout_id"),
    Index("digest_payout_list_by_payer", "payer", "day", "payout_id", "tier"),
)
"""Instructions by the day in Shanghai on which they were made, in the tiers whose money (fen) they move
(`infra.ledger.money_by_tier`): a recovery that falls into several tiers has a row in each, and counts in one."""
