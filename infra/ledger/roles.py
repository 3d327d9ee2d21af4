"""Who may do what in the ledger: the least that each kind of process needs, as GRANTs for PostgreSQL.

Guards in the database hold for every role that owns no table: only the owner of a table can disable its triggers. So
only `huzhu ledger upgrade` runs as the owner. Rows of insert-only tables are nobody's to update or delete, with one
exception that their triggers stop: see `_PUBLISHES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class LedgerRole(StrEnum):
    """A kind of process, or who migrates (``owner``) or acts on the command line (``operator``).

    An ``auditor`` signs checkpoints and checks the audit log.
    """

    OWNER = "owner"
    WORKER = "worker"
    RELAY = "relay"
    GATEWAY = "gateway"
    CONSOLE = "console"
    AUDITOR = "auditor"
    OPERATOR = "operator"


class _Rights(NamedTuple):
    """The names of tables in which a role may do something, separated by blanks."""

    select: str = ""
    insert: str = ""
    update: str = ""
    delete: str = ""

    def and_also(self, *others: _Rights) -> _Rights:
        return _Rights(*(" ".join(each) for each in zip(self, *others, strict=True)))


_OPENS = _Rights(select="alembic_version installation")
_STARTS = _Rights(  # worker and relay: the first one makes a new ledger its shards' and its cluster's
    select="process_starts relays shards treaties",
    insert="installation process_starts relays shards",
    update="installation process_starts",
    delete="installation process_starts",
)
_RECORDS = _Rights(  # every act: an event, entries in the audit log and messages, under the locks of shards
    select="events outbox outbox_batches shards",
    insert="audit_entries events outbox_batches shards",
    update="shards",
)
_DECIDES = _Rights(  # whatever can change what is due or released
    select="alerts benefits book_months claims decisions facility_shares facts group_work instructions invoices "
    "memberships payout_states policies pool_sums pool_work pools settled_recoveries shared_invoices subjects treaties "
    "watches",
    insert="alerts benefits claims decisions facility_shares instructions payout_states pool_sums pool_work postings "
    "settled_recoveries",
    update="alerts benefits claims facility_shares payout_states pool_sums pool_work settled_recoveries",
    delete="group_work pool_work",
)
_TAKES_IN = _Rights(
    select="closed_days contributions offsets relays statements",
    insert="closed_days contributions facts group_work invoices memberships offsets pools refusals shared_invoices "
    "subjects",
    update="contributions memberships offsets pools",
)
_SENDS = _Rights(
    select="outbox outbox_batches sent_before",
    insert="relays",
    update="relays",
    delete="outbox outbox_batches",
)
_SERVES_HOSPITALS = _Rights(
    select="answers api_keys benefits claims decisions events facility_shares facts group_work inbox instructions "
    "invoices memberships payout_states policies pools refusals settled_recoveries shared_invoices statements subjects "
    "treaties",
    insert="answers inbox",
    update="inbox",
    delete="answers inbox",
)
_SERVES_STAFF = _Rights(
    select="aid_proposals audit_entries checkpoints clearing_proposals console_sessions console_users "
    "console_views contributions digest_claim_list digest_claims digest_invoices digest_list_marks "
    "digest_marks digest_money digest_open digest_payout_list digest_payout_marks "
    "digest_reference_marks digest_references digest_refused digest_replays digest_waiting inbox "
    "offsets oidc_identities operator_tokens people people_hashes pool_years postings refusals "
    "reissue_proposals relays replay_proposals second_factors statements",
    insert="aid_proposals book_months clearing_proposals console_sessions console_users console_views "
    "digest_claim_list digest_claims digest_invoices digest_list_marks digest_marks digest_money "
    "digest_open digest_payout_list digest_payout_marks digest_reference_marks digest_references "
    "digest_refused digest_replays digest_waiting oidc_identities pool_years reissue_proposals "
    "replay_proposals second_factors statements",
    update="aid_proposals clearing_proposals console_sessions console_users console_views digest_claim_list "
    "digest_claims digest_list_marks digest_marks digest_money digest_open digest_payout_list "
    "digest_payout_marks digest_reference_marks digest_replays digest_waiting reissue_proposals "
    "replay_proposals second_factors",
    delete="console_sessions console_views digest_open digest_waiting operator_tokens second_factors",
)
_AUDITS = _Rights(
    select="alerts audit_entries benefits book_months checkpoints claims contributions decisions events facts "
    "instructions outbox outbox_batches payout_states policies pool_sums pool_work pools postings settled_recoveries "
    "shards statements treaties watches",
    insert="checkpoints outbox_batches shards",
    update="shards",
)
# To lock `treaties` and `watches`, so that two publications come one after the other, PostgreSQL wants a right to
# change rows; the trigger `insert_only` refuses the change itself.
_PUBLISHES = _Rights(
    select="api_keys closed_days policy_intervals process_starts sent_before",
    insert="api_keys console_users installation operator_tokens people people_hashes policies policy_intervals "
    "sent_before treaties watches",
    update="api_keys installation people people_hashes policy_intervals sent_before treaties watches",
    delete="installation people",
)

_RIGHTS = {
    LedgerRole.WORKER: _OPENS.and_also(_STARTS, _RECORDS, _DECIDES, _TAKES_IN),
    LedgerRole.RELAY: _OPENS.and_also(_STARTS, _SENDS),
    LedgerRole.GATEWAY: _OPENS.and_also(_SERVES_HOSPITALS),
    LedgerRole.CONSOLE: _OPENS.and_also(_RECORDS, _DECIDES, _SERVES_STAFF),
    LedgerRole.AUDITOR: _OPENS.and_also(_AUDITS),
    LedgerRole.OPERATOR: _OPENS.and_also(_RECORDS, _DECIDES, _SERVES_STAFF, _PUBLISHES),
}
EVENT_NUMBERS = "events_event_no_seq"


def default_user(role: LedgerRole) -> str:
    """The name of a role in PostgreSQL, unless somebody gives it another."""
    return f"huzhu_{role.value}"


def rights_of(role: LedgerRole) -> dict[str, list[str]]:
    """The tables in which a role may SELECT, INSERT, UPDATE and DELETE, in order; the owner has its own tables."""
    if role is LedgerRole.OWNER:
        return {}
    return {kind.upper(): sorted(set(names.split())) for kind, names in _RIGHTS[role]._asdict().items()}


def grants(role: LedgerRole, user: str) -> Iterator[str]:
    """The GRANTs for a user of a role, each a statement; granting again is harmless."""
    whom = user if re.fullmatch(r"[a-z_][a-z0-9_]*", user) else '"' + user.replace('"', '""') + '"'
    yield f"GRANT {'USAGE, CREATE' if role is LedgerRole.OWNER else 'USAGE'} ON SCHEMA public TO {whom};"
    rights = rights_of(role)
    for kind, tables in rights.items():
        if tables:
            yield f"GRANT {kind} ON {', '.join(tables)} TO {whom};"
    if "events" in rights.get("INSERT", ()):
        yield f"GRANT USAGE ON SEQUENCE {EVENT_NUMBERS} TO {whom};"
