"""The ledger's tables, as SQLAlchemy sees them. The migrations create them, with triggers on top.

Amounts are fen. Events, subjects, facts, policies, decisions, instructions, refusals
audit entries and checkpoints are guarded by triggers: nothing in them is ever changed or deleted.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from schemas.canonical import NO_HASH
from schemas.treaty.treaty_model import FUND

metadata = MetaData()

installation = Table(
    "installation",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about this ledger itself: the number of shards, the id of the Kafka cluster that its offsets belong to,
and who it is itself (`infra.ledger.identity`)."""

shards = Table(
    "shards",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("audit_seq", BigInteger, nullable=False, server_default="0"),
    Column("audit_hash", Text, nullable=False),
    Column("outbox_seq", BigInteger, nullable=False, server_default="0"),
    Column("not_before", DateTime(timezone=True)),
    Column("redated", BigInteger, nullable=False, server_default="0"),
)
"""One row per shard, locked by its writer: fencing epoch and the ends of its gap-free sequences.

``redated`` counts changes of claims' rows that no audit entry tells of (`schemas.records.ShardState`). Nothing is
recorded with a time before ``not_before``, whatever the writer's clock says: the end of the last month that was issued
or closed.
"""

relays = Table(
    "relays",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("relayed_seq", BigInteger, nullable=False, server_default="0"),
    Column("relayed_hash", Text, nullable=False, server_default=NO_HASH),
    Column("sent_by", Text),
    Column("sent_at", DateTime(timezone=True)),
)
"""How much of each shard's outbox is known to be in Kafka. A lower bound: the truth is the cursor in Kafka itself.

``relayed_hash`` is the running hash of all messages up to there (`infra.ledger.outbox_rows`). ``sent_by`` names the
relay that sent last, and ``sent_at`` when.
"""

process_starts = Table(
    "process_starts",
    metadata,
    Column("start_no", BigInteger, Identity(always=True), primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Index("process_starts_at", "started_at"),
)
"""The starts of workers and relays within the last day: a process that is started again and again shows here."""

sent_before = Table(
    "sent_before",
    metadata,
    Column("shard", Integer, nullable=False, autoincrement=False),
    Column("mark", Text, nullable=False),
    Column("value", LargeBinary),
    PrimaryKeyConstraint("shard", "mark"),
)
"""What the topics held when this ledger was adopted and might send again: the relay leaves it out.

``mark`` is a payout's id, and ``value`` the instruction as it was sent; or the hash of a whole message, without a
value.
"""

offsets = Table(
    "offsets",
    metadata,
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    PrimaryKeyConstraint("topic", "partition"),
    CheckConstraint("next_offset >= 0", name="offsets_not_negative"),
)
"""The first offset of each inbound partition that has not been taken in."""

events = Table(
    "events",
    metadata,
    Column("event_no", BigInteger, primary_key=True),
    Column("shard", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("disposition", Text, nullable=False),
    UniqueConstraint("topic", "partition", "offset", name="events_once"),
    CheckConstraint(
        "disposition IN ('accepted', 'duplicate', 'stale', 'refused', 'policy', 'replay', 'key', 'reissue', 'export', "
        "'console', 'treaty', 'statement', 'closing', 'recovery', 'group', 'pool', 'alert', 'hold', 'deaths', "
        "'watches', 'aid')",
        name="events_disposition",
    ),
    Index("events_recorded", "recorded_at", postgresql_using="brin"),
)
"""Every event as it was taken in, in the ledger's order, whatever became of it. The original bytes, for ever."""

subjects = Table(
    "subjects",
    metadata,
    Column("kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("encounter_id", Text),
    PrimaryKeyConstraint("kind", "subject_id"),
)
"""Whose an id is: an encounter, settlement or coverage belongs to one person for ever."""

facts = Table(
    "facts",
    metadata,
    Column("kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    PrimaryKeyConstraint("kind", "subject_id", "version"),
    Index("facts_of_person", "person_id"),
)
"""The accepted events: one content for each version of each id."""

policies = Table(
    "policies",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("policy_id", Text, nullable=False, unique=True),
    Column("effective_from", Date, nullable=False),
    Column("effective_to", Date),
    Column("source_text", Text, nullable=False),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    Column("operator", Text, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
    Column("succeeds", Text, ForeignKey("policies.policy_id", name="policies_succeeds")),
    UniqueConstraint("succeeds", name="policies_one_successor"),
)
"""Published policies, as their files say."""

policy_intervals = Table(
    "policy_intervals",
    metadata,
    Column("policy_id", Text, ForeignKey("policies.policy_id"), primary_key=True),
    Column("effective_from", Date, nullable=False),
    Column("effective_to", Date),
    Column("succeeded_by", Text, ForeignKey("policies.policy_id")),
)
"""The days on which each policy is in force. The database writes them when a policy is published, and shortens them
once, when another policy succeeds it. A constraint of the migration keeps two policies from sharing a day."""

treaties = Table(
    "treaties",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("treaty_id", Text, nullable=False, unique=True),
    Column("lead", Text, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("effective_to", Date),
    Column("schemes", ARRAY(Text), nullable=False),
    Column("source_text", Text, nullable=False),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    Column("operator", Text, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("lead <> 'fund' AND cardinality(schemes) > 0", name="treaties_lead"),
    CheckConstraint("effective_to > effective_from", name="treaties_days"),
)
"""Published treaties, as their files say. A trigger keeps two of them from sharing a day of a scheme."""

watches = Table(
    "watches",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("watches_id", Text, nullable=False, unique=True),
    Column("effective_from", Date),
    Column("effective_to", Date),
    Column("watch_ids", ARRAY(Text), nullable=False),
    Column("source_text", Text, nullable=False),
    Column("event_no", BigInteger, ForeignKey("events.event_no"), nullable=False),
    Column("operator", Text, nullable=False),
    Column("published_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("cardinality(watch_ids) > 0", name="watches_some"),
    CheckConstraint("effective_to > effective_from", name="watches_days"),
)
"""Published files of watches, as they say. A trigger keeps two of them from having one watch on one day."""

claims = Table(
    "claims",
    metadata,
    Column("claim_id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("shard", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("policy_sha256", Text),
    Column("discharged_on", Date),
    Column("personal_burden", BigInteger, nullable=False),
    Column("total_benefit", BigInteger, nullable=False),
    Column("advanced", Boolean, nullable=False, server_default=text("false")),
    Column("household_id", Text),
    Column("overlapping", Boolean, nullable=False, server_default=text("false")),
    Column("twice", Text, nullable=False, server_default=""),
    Column("held", Boolean, nullable=False, server_default=text("false")),
    Column("hold_released", Text, nullable=False, server_default=""),
    Column("patient_pays", BigInteger, nullable=False),
    Column("crossings", Text, nullable=False, server_default=""),
    CheckConstraint(
        "patient_pays BETWEEN 0 AND personal_burden AND total_benefit >= personal_burden - patient_pays",
        name="claims_never_above_burden",
    ),
    Index("claims_of_person", "person_id"),
    Index("claims_held", "claim_id", postgresql_where=text("held")),
    Index("claims_without_policy", "discharged_on", postgresql_where="status = 'no_policy'"),
)
"""Each claim as last decided. Sums assured pay beside the burden, so they leave the patient what they left before."""

decisions = Table(
    "decisions",
    metadata,
    Column("claim_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("event_no", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
    PrimaryKeyConstraint("claim_id", "revision"),
)
"""Every decision ever made, as published."""

benefits = Table(
    "benefits",
    metadata,
    Column("claim_id", Text, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("tier", Text),
    Column("basis", Text),
    Column("measured", BigInteger, nullable=False),
    Column("benefit", BigInteger, nullable=False),
    Column("reason", Text),
    Column("instruction_revision", BigInteger, nullable=False),
    Column("policy_id", Text),
    Column("policy_sha256", Text),
    Column("paid_by", Text, nullable=False, server_default=""),
    Column("released", BigInteger, nullable=False),
    Column("pool_id", Text),
    Column("discharged_on", Date),
    Column("place", SmallInteger, nullable=False, server_default="0"),
    Column("told", BigInteger, nullable=False, server_default="0"),
    Column("left_by_close", BigInteger, nullable=False, server_default="0"),
    Column("held", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("claim_id", "scheme_id"),
    CheckConstraint("benefit >= 0", name="benefits_not_negative"),
    CheckConstraint(
        "released BETWEEN 0 AND benefit "
        "AND (released = benefit OR held OR (pool_id <> '' AND discharged_on IS NOT NULL))",
        name="benefits_released",
    ),
    CheckConstraint("told >= 0 AND left_by_close >= 0", name="benefits_waiting"),
    Index(
        "benefits_waiting_for_pool",
        "pool_id",
        "discharged_on",
        text('claim_id COLLATE "C"'),
        "place",
        postgresql_where=text("NOT held AND released + left_by_close < benefit"),
    ),
    Index(
        "benefits_untold",
        "pool_id",
        postgresql_where=text("told <> CASE WHEN held THEN 0 ELSE benefit - released END"),
    ),
)
"""What each scheme owes for each claim now, and what of it is released. A trigger holds that equal to the net sum of
its instructions. Only where a pool pays, less may be released than is due (`schemas.records.BenefitRow`)."""

facility_shares = Table(
    "facility_shares",
    metadata,
    Column("claim_id", Text, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("facility_id", Text, nullable=False),
    Column("advanced", BigInteger, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("instruction_revision", BigInteger, nullable=False),
    Column("known", Boolean, nullable=False),
    Column("paid_by", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("claim_id", "scheme_id", "facility_id"),
    CheckConstraint("amount >= 0 AND amount <= advanced AND facility_id <> ''", name="facility_shares_not_over"),
)
"""What each facility advanced for a claim and scheme, and its part of the benefit (`schemas.records.FacilityRow`).

A trigger holds ``amount`` equal to the net sum of the instructions to the facility.
"""

instructions = Table(
    "instructions",
    metadata,
    Column("payout_id", Text, primary_key=True),
    Column("claim_id", Text, nullable=False),
    Column("scheme_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("balance_before", BigInteger, nullable=False),
    Column("balance_after", BigInteger, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("event_no", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("revision_before", BigInteger, Computed("NULLIF(revision - 1, 0)", persisted=True)),
    Column("reissue_of", Text, ForeignKey("instructions.payout_id"), unique=True),
    Column("reversal_of", Text, ForeignKey("instructions.payout_id"), unique=True),
    Column("payee_id", Text, nullable=False, server_default=""),
    Column("payer", Text, nullable=False, server_default=FUND),
    Column("treaty_id", Text, ForeignKey("treaties.treaty_id", name="instructions_treaty")),
    Column("set_off_of", Text, ForeignKey("instructions.payout_id", name="instructions_set_off")),
    Column("pool_id", Text),
    UniqueConstraint("claim_id", "scheme_id", "payee_id", "revision", "balance_after", name="instructions_chain"),
    UniqueConstraint("claim_id", "scheme_id", "payee_id", "revision", name="instructions_once"),
    ForeignKeyConstraint(
        ["claim_id", "scheme_id", "payee_id", "revision_before", "balance_before"],
        [
            "instructions.claim_id",
            "instructions.scheme_id",
            "instructions.payee_id",
            "instructions.revision",
            "instructions.balance_after",
        ],
        name="instructions_follow",
    ),
    CheckConstraint("revision >= 1 AND (revision > 1 OR balance_before = 0)", name="instructions_start"),
    CheckConstraint("amount > 0 AND balance_after >= 0", name="instructions_positive"),
    CheckConstraint(
        "balance_after = balance_before + CASE kind WHEN 'payment' THEN amount WHEN 'recovery' THEN -amount END",
        name="instructions_balance",
    ),
    CheckConstraint("kind IN ('payment', 'recovery')", name="instructions_kind"),
    CheckConstraint(f"(payer = '{FUND}') = (treaty_id IS NULL)", name="instructions_payer"),
    CheckConstraint(
        "set_off_of IS NULL OR (kind = 'payment' AND payee_id = '' AND reissue_of IS NULL AND reversal_of IS NULL)",
        name="instructions_set_off_kind",
    ),
    Index("instructions_of_scheme", "scheme_id", "event_no"),
    Index("instructions_of_insurer", "payer", "event_no", postgresql_where=text(f"payer <> '{FUND}'")),
    Index("instructions_of_pool", "pool_id", "event_no", postgresql_where=text("pool_id IS NOT NULL")),
    Index("instructions_setting_off", "set_off_of", postgresql_where=text("set_off_of IS NOT NULL")),
)
"""Every payout instruction ever made. Each continues the balance of the revision before: none is lost or doubled.

Revisions count for each payee of a claim and scheme: a facility by its id, the person or the estate under an empty one.

``payer`` is the fund, or the lead of the treaty; a trigger keeps what is recovered for it at most what it had paid.

A payout is reissued at most once: taken off the books by one instruction and ordered anew by another, never one alone.
``set_off_of`` names the recovery against which a payment is set off: no money moves by it.
"""

payout_states = Table(
    "payout_states",
    metadata,
    Column("payout_id", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("last_status", Text, nullable=False),
    Column("reported_at", DateTime(timezone=True), nullable=False),
    Column("reference", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("reports", BigInteger, nullable=False),
    Column("contradictions", BigInteger, nullable=False),
    Column("matched", Boolean, nullable=False, server_default=text("true")),
    PrimaryKeyConstraint("payout_id", "person_id"),
    CheckConstraint("state IN ('paid', 'failed', 'returned')", name="payout_states_state"),
    Index("payout_states_by_state", "state"),
    Index("payout_states_contradicted", "payout_id", postgresql_where=text("contradictions > 0")),
    Index("payout_states_unmatched", "person_id", postgresql_where=text("NOT matched")),
)
"""What the reports of each payout come to, by the person under whom they came; made from `facts` and nothing else.

``matched``: the person's instruction is there; reports may come before it.
"""

refusals = Table(
    "refusals",
    metadata,
    Column("event_no", BigInteger, ForeignKey("events.event_no"), primary_key=True),
    Column("code", Text, nullable=False),
    Column("pointers", ARRAY(Text), nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
)
"""Why an event was refused."""

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event_no", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("prev_hash", Text),
    Column("hash", Text),
    Column("value", LargeBinary, nullable=False),
    PrimaryKeyConstraint("shard", "seq"),
)
"""The audit chain of each shard. Its hashes are in ``value``; releases before schema 0028 kept them here too."""

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("note", Text, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    PrimaryKeyConstraint("shard", "size"),
)
"""What the audit chain of a shard was at a moment, signed."""

outbox = Table(
    "outbox",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary, nullable=False),
    PrimaryKeyConstraint("shard", "seq"),
)
"""Messages waiting for the relay, one a row, as releases before 1.1 wrote them: a relay sends what is left of them."""

outbox_batches = Table(
    "outbox_batches",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("messages", LargeBinary, nullable=False),
    Column("traceparents", Text),
    Column("written_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("shard", "last_seq"),
    CheckConstraint("first_seq BETWEEN 1 AND last_seq", name="outbox_batches_numbers"),
)
"""Messages waiting for the relay, those of a batch and shard in one row (`infra.ledger.outbox_batch`).

The relay deletes a row when Kafka has committed its last message. Triggers keep numbers from coming twice, and rows
from being changed, or deleted before the ledger knows them as sent.
"""
