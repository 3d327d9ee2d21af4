"""Tables of the clearing between payers and payees: statements, the books, and recoveries that are not collected.

Amounts are fen. Statements, postings, closed months and settled recoveries are guarded by triggers: nothing in them is
ever changed or deleted, but what a set-off has left.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from infra.ledger.tables import metadata

statements = Table(
    "statements",
    metadata,
    Column("statement_id", Text, primary_key=True),
    Column("treaty_id", Text, ForeignKey("treaties.treaty_id"), nullable=False),
    Column("month", Date, nullable=False),
    Column("insurer", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    UniqueConstraint("treaty_id", "insurer", "number", name="statements_once"),
    CheckConstraint("number >= 1 AND extract(day FROM month) = 1", name="statements_month"),
)
"""Issued statements, as published. ``month`` is its first day. A trigger keeps the months of a treaty in order, without
a gap: number n + 1 is of the month after that of number n."""

postings = Table(
    "postings",
    metadata,
    Column("event_no", BigInteger, nullable=False),
    Column("entry", Integer, nullable=False),
    Column("leg", SmallInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("reference", Text, nullable=False),
    PrimaryKeyConstraint("event_no", "entry", "leg"),
    CheckConstraint("amount <> 0", name="postings_amount"),
    Index("postings_booked", "booked_on", postgresql_using="brin"),
)
"""The books: each entry of an event in two legs or more, debits positive, credits negative (`schemas.records.Posting`).

A trigger refuses an entry that does not sum to zero, that is not written whole, or that is booked in a closed month.
"""

book_months = Table(
    "book_months",
    metadata,
    Column("month", Date, primary_key=True),
    Column("trial_balance", LargeBinary, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("closed_at", DateTime(timezone=True), nullable=False),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    CheckConstraint("extract(day FROM month) = 1", name="book_months_month"),
    CheckConstraint("sha256 = encode(sha256(trial_balance), 'hex')", name="book_months_sha256"),
)
"""Closed months with their trial balance, as it was at closing. ``month`` is its first day.

A trigger keeps them in order, without a gap, from the month of the first posting on, and refuses one that can still be
booked in.
"""

settled_recoveries = Table(
    "settled_recoveries",
    metadata,
    Column("payout_id", Text, ForeignKey("instructions.payout_id"), primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("manner", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("left", BigInteger, nullable=False),
    Column("payer", Text, nullable=False),
    Column("treaty_id", Text),
    Column("reason", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    Column("pool_id", Text),
    CheckConstraint("manner IN ('set_off', 'waived')", name="settled_recoveries_manner"),
    CheckConstraint('amount > 0 AND "left" BETWEEN 0 AND amount', name="settled_recoveries_amount"),
    Index("settled_recoveries_open", "person_id", postgresql_where=text('"left" > 0')),
)
"""Recoveries that nobody collects any more: set off against the person's next payments, or waived.

``left`` is what of a set-off still waits for a payment. It only falls, and is 0 for what is waived.
"""

clearing_proposals = Table(
    "clearing_proposals",
    metadata,
    Column("proposal_no", BigInteger, Identity(always=True), primary_key=True),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("month", Date),
    Column("reason", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("decision", Text),
    CheckConstraint(
        "act IN ('statement', 'closing', 'set_off', 'waiver', 'pool_year', 'hold')", name="clearing_proposals_act"
    ),
    CheckConstraint("decided_by <> proposed_by", name="clearing_proposals_four_eyes"),
    CheckConstraint(
        "(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)",
        name="clearing_proposals_decided",
    ),
    CheckConstraint("decision IN ('approved', 'rejected')", name="clearing_proposals_decision"),
    Index("clearing_proposals_open", "act", "subject", unique=True, postgresql_where=text("decision IS NULL")),
)
"""What somebody wants to issue, close, set off, waive or release, and who agreed.

``subject`` is the treaty of a statement, empty for the books, the pool of a year, the claim that is held, else the
recovery's payout. ``month`` is its first day, or that of the pool's year.
"""
