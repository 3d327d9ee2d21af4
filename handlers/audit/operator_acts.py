"""How operators' acts are recorded: an event without an offset, and its audit entry.

The ledger keeps the bytes of each act, so that replaying the ledger repeats the acts too.
"""

from __future__ import annotations

import json

from handlers.audit.journal import Journal
from schemas.access.callers import KeyAct
from schemas.access.console_rights import ConsoleAct
from schemas.alert_records import AlertAct, AlertChange, AlertState
from schemas.books import Closing
from schemas.bordereau import StatementAct
from schemas.canonical import base64_text, canonical_json, sha256_hex
from schemas.funeral_lists import MatchDeaths
from schemas.ids import claim_of_aid
from schemas.money import format_yuan
from schemas.outbound import AuditKind
from schemas.policy.model import Policy
from schemas.pool_records import PoolYear
from schemas.records import (
    Export,
    InstructionRow,
    Manner,
    Reissue,
    ReleaseHold,
    Replay,
    SettleRecovery,
)
from schemas.topics import AIDS
from schemas.treaty.treaty_model import Treaty
from schemas.watch.watch_model import Watches

AUDIT_SHARD = 0
"""The shard whose audit chain records acts that concern no single person."""


def policy_published(journal: Journal, text: bytes, policy: Policy, operator: str) -> int:
    """An operator publishes a policy file; returns the number of the act in the journal."""
    subject = {"policy_id": policy.id, "policy_sha256": policy.sha256}
    subject |= {} if policy.succeeds is None else {"succeeds": policy.succeeds}
    return _act(journal, AUDIT_SHARD, operator, text, "policy", AuditKind.POLICY_PUBLISHED, subject)


def treaty_published(journal: Journal, text: bytes, treaty: Treaty, operator: str) -> int:
    """An operator publishes a treaty file; returns the number of the act in the journal."""
    subject = {"treaty_id": treaty.id, "treaty_sha256": treaty.sha256, "lead": treaty.lead}
    return _act(journal, AUDIT_SHARD, operator, text, "treaty", AuditKind.TREATY_PUBLISHED, subject)


def watches_published(journal: Journal, text: bytes, watches: Watches, operator: str) -> int:
    """An operator publishes a file of watches; returns the number of the act in the journal."""
    subject = {"watches_id": watches.id, "watches_sha256": watches.sha256}
    return _act(journal, AUDIT_SHARD, operator, text, "watches", AuditKind.WATCHES_PUBLISHED, subject)


def month_closed(journal: Journal, act: Closing) -> int:
    """An operator closes a month of the books; returns the number of the act in the journal."""
    value = canonical_json(act._asdict())
    subject = {"month": act.month, "trial_balance_sha256": act.trial_balance_sha256}
    subject |= {"reason": act.reason} if act.reason else {}
    return _act(journal, AUDIT_SHARD, act.operator, value, "closing", AuditKind.MONTH_CLOSED, subject)


def pool_year_closed(journal: Journal, shard: int, act: PoolYear) -> int:
    """An operator closes a pool's year; returns the number of the act in the journal."""
    subject = {"pool_id": act.pool_id, "year": str(act.year), "claims": str(len(act.left)), "reason": act.reason}
    value = canonical_json(act._asdict())
    return _act(journal, shard, act.operator, value, "pool", AuditKind.POOL_YEAR_CLOSED, subject)


def hold_released(journal: Journal, shard: int, act: ReleaseHold) -> int:
    """An operator releases a claim that was held; returns the number of the act in the journal."""
    subject = {"claim_id": act.claim_id, "findings": str(len(act.released)), "reason": act.reason}
    return _act(journal, shard, act.operator, canonical_json(act._asdict()), "hold", AuditKind.HOLD_RELEASED, subject)


def deaths_matched(journal: Journal, act: MatchDeaths) -> int:
    """An operator compares a funeral list with the living members; returns the number of the act in the journal."""
    counts = {"lines": str(act.lines), "found": str(len(act.found))}
    subject = {"list_id": act.list_id, "file_sha256": act.sha256} | counts
    value = canonical_json(act._asdict())
    return _act(journal, AUDIT_SHARD, act.operator, value, "deaths", AuditKind.DEATHS_MATCHED, subject)


def aid_countersigned(journal: Journal, shard: int, value: bytes) -> None:
    """A second person agrees to an aid: the relay carries its event to its topic, where it arrives like any other.

    ``value`` are the event's bytes. The ledger keeps them as the act, as they name both persons.
    """
    told = json.loads(value)
    number = journal.act(shard, told["countersigned_by"], value, "aid")
    journal.send(shard, AIDS.name, told["person_id"].encode(), value)
    subject = {
        name: told[name] for name in ("aid_id", "level", "amount", "decided_by", "reason", "alert_id") if name in told
    }
    subject["claim_id"] = claim_of_aid(told["aid_id"])
    journal.audit(shard, number, AuditKind.AID_COUNTERSIGNED, f"operator:{told['countersigned_by']}", subject, value)


def statements_issued(journal: Journal, act: StatementAct) -> int:
    """An operator issues the statements of a treaty's month; returns the number of the act in the journal."""
    subject = {"treaty_id": act.treaty_id, "month": act.month, "number": str(act.number), "lines": str(act.lines)}
    subject |= {"lines_sha256": act.lines_sha256, "statements_sha256": sha256_hex(canonical_json(act.statements))}
    subject |= {"reason": act.reason} if act.reason else {}
    value = canonical_json(act._asdict())
    return _act(journal, AUDIT_SHARD, act.operator, value, "statement", AuditKind.STATEMENT_ISSUED, subject)


def event_replayed(journal: Journal, act: Replay) -> None:
    """An operator sends a refused event again: the relay carries it to its topic, where it arrives like any other.

    It cannot pay twice: the same id, version and content is a duplicate.
    """
    fields = act._asdict() | {"key": base64_text(act.key), "value": base64_text(act.value)}
    number = journal.act(act.shard, act.operator, canonical_json(fields), "replay")
    journal.send(act.shard, act.topic, act.key, act.value)
    subject = {"refused_no": str(act.refused_no), "topic": act.topic, "reason": act.reason}
    journal.audit(act.shard, number, AuditKind.EVENT_REPLAYED, f"operator:{act.operator}", subject, act.value)


def payout_reissued(journal: Journal, shard: int, act: Reissue, failed: InstructionRow) -> int:
    """An operator orders a failed payout again; returns the number of the act in the journal."""
    value = canonical_json(act._asdict())
    place = {"claim_id": failed.claim_id, "scheme_id": failed.scheme_id}
    subject = {"payout_id": act.payout_id, **place, "reason": act.reason}
    return _act(journal, shard, act.operator, value, "reissue", AuditKind.PAYOUT_REISSUED, subject)


def recovery_settled(journal: Journal, shard: int, act: SettleRecovery, recovery: InstructionRow) -> int:
    """An operator sets a recovery off or waives it; returns the number of the act in the journal."""
    value = canonical_json(act._asdict())
    kind = AuditKind.RECOVERY_SET_OFF if act.manner == Manner.SET_OFF else AuditKind.RECOVERY_WAIVED
    place = {"claim_id": recovery.claim_id, "scheme_id": recovery.scheme_id}
    subject = {"payout_id": act.payout_id, **place, "amount": format_yuan(recovery.amount), "reason": act.reason}
    return _act(journal, shard, act.operator, value, "recovery", kind, subject)


def alert_dealt_with(journal: Journal, shard: int, act: AlertAct) -> None:
    """An operator takes an alert, or closes it with what was done."""
    subject = {"alert_id": act.alert_id} | ({"outcome": act.outcome} if act.outcome else {})
    number = _act(journal, shard, act.by, canonical_json(act._asdict()), "alert", AuditKind(act.event_type), subject)
    to = AlertState.RESOLVED if act.event_type == AuditKind.ALERT_CLOSED else AlertState.ACKNOWLEDGED
    change = AlertChange(act.alert_id, number, to, journal.recorded_at, None, act.by, act.outcome)
    journal.outcome.alerts.append(change)


def data_exported(journal: Journal, act: Export) -> None:
    """An operator took data out of the ledger."""
    subject = {"what": act.what, "rows": str(act.rows), "sha256": act.sha256}
    subject |= {f"filter.{name}": value for name, value in act.filter.items()}
    value = canonical_json(act._asdict())
    _act(journal, AUDIT_SHARD, act.operator, value, "export", AuditKind.DATA_EXPORTED, subject)


def done_in_console(journal: Journal, act: ConsoleAct) -> None:
    """Somebody did or looked at something in the console."""
    value = canonical_json(act._asdict())
    _act(journal, AUDIT_SHARD, act.operator, value, "console", AuditKind(act.kind), act.subject)


def key_changed(journal: Journal, kind: AuditKind, act: KeyAct) -> None:
    """An operator created, rotated or revoked an API key."""
    subject = {"key_id": act.key_id, "role": act.role.value, "scope": " ".join(act.scope)}
    extra = {"successor": act.successor, "reason": act.reason}
    subject |= {name: value for name, value in extra.items() if value}
    _act(journal, AUDIT_SHARD, act.operator, canonical_json(act._asdict()), "key", kind, subject)


def _act(
    journal: Journal,
    shard: int,
    operator: str,
    value: bytes,
    disposition: str,
    kind: AuditKind,
    subject: dict[str, str],
) -> int:
    number = journal.act(shard, operator, value, disposition)
    journal.audit(shard, number, kind, f"operator:{operator}", subject, value)
    return number
