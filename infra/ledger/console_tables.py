"""The console's tables: users, sessions, what was looked at, proposals, people, and the digest of the ledger.

The digest makes pages fast: sums and look-ups that the console derives from the ledger, outside the workers'
transactions. It can be emptied at any time and is then rebuilt.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
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
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from infra.ledger.alert_tables import alerts
from infra.ledger.tables import metadata

console_users = Table(
    "console_users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("disabled_at", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", DateTime(timezone=True)),
    Column("person_searches", Integer, nullable=False, server_default="0"),
    Column("person_searches_since", DateTime(timezone=True)),
    CheckConstraint("role IN ('auditor', 'finance', 'operator', 'admin')", name="console_users_role"),
)
"""Who may sign in. Only the argon2id hash of the password is stored."""

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("token_sha256", Text, primary_key=True),
    Column("user_name", Text, ForeignKey("console_users.name"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("awaits_code", Boolean, nullable=False, server_default="false"),
    Column("until", DateTime(timezone=True)),
    Index("console_sessions_of_user", "user_name"),
)
"""Who is signed in, or has given the password and owes the code. Only the SHA-256 of the cookie's secret is stored."""

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_name", Text, ForeignKey("console_users.name"), primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("recovery_sha256", ARRAY(Text), nullable=False),
    Column("enrolled_at", DateTime(timezone=True), nullable=False),
)
"""The app of a user that makes one-time codes; its secret is encrypted (infra/keys)."""

oidc_identities = Table(
    "oidc_identities",
    metadata,
    Column("user_name", Text, ForeignKey("console_users.name"), primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    UniqueConstraint("issuer", "subject", name="oidc_identities_once"),
)
"""Users who sign in with the identity provider, and as whom; they have no password here."""

operator_tokens = Table(
    "operator_tokens",
    metadata,
    Column("token_sha256", Text, primary_key=True),
    Column("user_name", Text, ForeignKey("console_users.name"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("operator_tokens_of_user", "user_name"),
)
"""Who is signed in on the command line. Only the SHA-256 of the token is stored."""

console_views = Table(
    "console_views",
    metadata,
    Column("view_no", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("subject", JSONB, nullable=False),
    Column("viewed_at", DateTime(timezone=True), nullable=False),
)
"""What was looked at and is not in the audit log yet. Written before the page is shown; deleted once chained."""

replay_proposals = Table(
    "replay_proposals",
    metadata,
    Column("proposal_no", BigInteger, Identity(always=True), primary_key=True),
    Column("event_no", BigInteger, ForeignKey("refusals.event_no"), nullable=False),
    Column("value", LargeBinary),
    Column("reason", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("decision", Text),
    CheckConstraint("decided_by <> proposed_by", name="replay_proposals_four_eyes"),
    CheckConstraint(
        "(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)",
        name="replay_proposals_decided",
    ),
    CheckConstraint("decision IN ('approved', 'rejected')", name="replay_proposals_decision"),
    Index("replay_proposals_open", "event_no", unique=True, postgresql_where=text("decision IS NULL")),
)
"""Refused events that somebody wants to resend, and who agreed. ``value`` is null for the original bytes."""

reissue_proposals = Table(
    "reissue_proposals",
    metadata,
    Column("proposal_no", BigInteger, Identity(always=True), primary_key=True),
    Column("payout_id", Text, ForeignKey("instructions.payout_id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("decision", Text),
    CheckConstraint("decided_by <> proposed_by", name="reissue_proposals_four_eyes"),
    CheckConstraint(
        "(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)",
        name="reissue_proposals_decided",
    ),
    CheckConstraint("decision IN ('approved', 'rejected')", name="reissue_proposals_decision"),
    Index("reissue_proposals_open", "payout_id", unique=True, postgresql_where=text("decision IS NULL")),
)
"""Failed payouts that somebody wants to order again, and who agreed."""

aid_proposals = Table(
    "aid_proposals",
    metadata,
    Column("proposal_no", BigInteger, Identity(always=True), primary_key=True),
    Column("aid_id", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("emergency", Boolean, nullable=False),
    Column("alert_id", Text, ForeignKey(alerts.c.alert_id)),
    Column("reason", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("decision", Text),
    UniqueConstraint("aid_id", name="aid_proposals_once"),
    CheckConstraint("amount > 0", name="aid_proposals_amount"),
    CheckConstraint("decided_by <> proposed_by", name="aid_proposals_four_eyes"),
    CheckConstraint(
        "(decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)",
        name="aid_proposals_decided",
    ),
    CheckConstraint("decision IN ('approved', 'rejected')", name="aid_proposals_decision"),
    Index("aid_proposals_open", "person_id", unique=True, postgresql_where=text("decision IS NULL")),
    Index("aid_proposals_of_person", "person_id"),
    Index("aid_proposals_of_alert", "alert_id", postgresql_where=text("alert_id IS NOT NULL")),
)
"""Temporary aid that somebody wants to grant, and who agreed. ``amount`` is fen."""

people = Table(
    "people",
    metadata,
    Column("person_index", LargeBinary, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("person_id", LargeBinary, nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("phone", LargeBinary, nullable=False),
    Column("id_number", LargeBinary, nullable=False),
    Column("loaded_at", DateTime(timezone=True), nullable=False),
    Index("people_of_key", "key_id"),
)
"""The identity directory: each field encrypted separately (infra/keys), found by a keyed hash of the person id."""

people_hashes = Table(
    "people_hashes",
    metadata,
    Column("person_index", LargeBinary, ForeignKey("people.person_index", ondelete="CASCADE"), primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("loaded_at", DateTime(timezone=True), nullable=False),
    Column("name", LargeBinary),
    Column("phone", LargeBinary),
    Column("id_number", LargeBinary),
    Index("people_hashes_name", "name"),
    Index("people_hashes_phone", "phone"),
    Index("people_hashes_id_number", "id_number"),
)
"""Keyed hashes of what the directory's fields say (infra/keys/blind_index.py); null where a field is empty."""

digest_marks = Table(
    "digest_marks",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("audit_seq", BigInteger, nullable=False),
    Column("as_of", DateTime(timezone=True), nullable=False),
)
"""The audit entry of each shard up to which the digest has been built, and when."""

digest_money = Table(
    "digest_money",
    metadata,
    Column("scheme_id", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("payouts", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    PrimaryKeyConstraint("scheme_id", "tier", "day", "kind", "state"),
)
"""Sums of instructions (fen) by the day in Shanghai on which they were made and by the state of their reports."""

digest_claims = Table(
    "digest_claims",
    metadata,
    Column("status", Text, primary_key=True),
    Column("claims", BigInteger, nullable=False),
)
"""How many claims have each status."""

digest_waiting = Table(
    "digest_waiting",
    metadata,
    Column("claim_id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Index("digest_waiting_since", "since", "claim_id"),
)
"""Claims that wait for a document or a policy, and since when."""

digest_invoices = Table(
    "digest_invoices",
    metadata,
    Column("invoice_no", Text, nullable=False),
    Column("settlement_id", Text, nullable=False),
    Column("claim_id", Text, nullable=False),
    PrimaryKeyConstraint("invoice_no", "settlement_id"),
)
"""The settlement and claim of each invoice."""

digest_references = Table(
    "digest_references",
    metadata,
    Column("reference", Text, nullable=False),
    Column("payout_id", Text, nullable=False),
    PrimaryKeyConstraint("reference", "payout_id"),
)
"""The payouts of each bank reference that any report named."""

digest_reference_marks = Table(
    "digest_reference_marks",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("audit_seq", BigInteger, nullable=False),
)
"""The audit entry of each shard up to which bank references have been gathered."""

digest_refused = Table(
    "digest_refused",
    metadata,
    Column("event_no", BigInteger, primary_key=True, autoincrement=False),
    Column("code", Text, nullable=False),
    Column("facility_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Index("digest_refused_code", "code", "event_no"),
    Index("digest_refused_facility", "facility_id", "event_no"),
)
"""Refused events by the facility that their bytes name; empty where they name none."""

digest_replays = Table(
    "digest_replays",
    metadata,
    Column("act_no", BigInteger, primary_key=True, autoincrement=False),
    Column("shard", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("refused_no", BigInteger, nullable=False),
    Column("sent_sha256", Text, nullable=False),
    Column("came_back_no", BigInteger),
    Column("came_back_as", Text),
    Index("digest_replays_refused", "refused_no"),
    Index("digest_replays_away", "shard", postgresql_where=text("came_back_no IS NULL")),
)
"""What was sent in place of refused events, by its SHA-256; and as which event it came in: accepted, refused, ..."""

digest_open = Table(
    "digest_open",
    metadata,
    Column("payout_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payer", Text, nullable=False),
    Column("payee_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("event_no", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Index("digest_open_by_age", "kind", "payer", "payee_id", "day", "event_no", "payout_id"),
)
"""Payouts (fen) that move money and are not reported paid nor taken off the books, by the day in Shanghai on which they
were instructed: payments are what payers owe, recoveries what they are owed."""
