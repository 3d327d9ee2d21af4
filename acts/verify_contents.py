"""Whether the ledger still holds what the audit entries have hashed, unchanged, and nothing else."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection

from handlers.audit.log_check import AuditEntry, Fault, LogFinding
from infra.ledger import alert_rows, audit_log, statement_rows
from infra.ledger.audit_log import Ordered, StoredEntry
from infra.ledger.book_rows import closed_months
from schemas.bilingual import Saying
from schemas.canonical import sha256_hex
from schemas.money import parse_yuan
from schemas.months import format_month
from schemas.outbound import AuditKind
from schemas.treaty.treaty_model import FUND

_NAMES = {
    "events": Saying("事件", "event"),
    "decisions": Saying("理赔决定", "decision"),
    "instructions": Saying("支付指令", "payout instruction"),
    "policies": Saying("方案", "policy"),
    "treaties": Saying("承保协议", "treaty"),
    "watches": Saying("关注规则", "file of watches"),
    "statements": Saying("对账单", "statement"),
    "book_months": Saying("月结", "closed month"),
    "alerts": Saying("提醒", "alert"),
}


class ContentCheck:
    """Compares entries with the events, decisions, instructions, published files and months of the same ledger."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._policies = audit_log.policy_hashes(connection)
        self._treaties = audit_log.treaty_hashes(connection)
        self._watches = audit_log.watches_hashes(connection)
        self._months = {format_month(each.month): each.sha256 for each in closed_months(connection).values()}
        self._stated = statement_rows.kept_hashes(connection)
        self._published: set[str] = set()
        self._issued: set[tuple[str, str]] = set()
        self._audited: Counter[str] = Counter()
        self._told: dict[str, str] = {}
        self._faulty: set[int] = set()

    def check(self, rows: Sequence[tuple[AuditEntry, StoredEntry]]) -> list[LogFinding]:
        """The first of some good entries of one shard whose content is missing or changed; one per shard."""
        decisions = audit_log.decision_hashes(
            self._connection, [key for entry, _ in rows if (key := _decision(entry)) is not None]
        )
        orders = audit_log.instructions(
            self._connection, [entry.subject["payout_id"] for entry, _ in rows if "payout_id" in entry.subject]
        )
        for entry, row in rows:
            table = self._changed(entry, row, decisions, orders)
            if table is not None and entry.shard not in self._faulty:
                self._faulty.add(entry.shard)
                (zh, en), which = _NAMES[table], _which(entry)
                saying = Saying(
                    f"账本中的{zh}已不是入账时的内容:{which}", f"the {en} is not what was recorded: {which}"
                )
                return [LogFinding(entry.shard, entry.seq, Fault.CONTENT_CHANGED, saying)]
        return []

    def unaudited(self) -> list[LogFinding]:
        """Rows of the ledger that no entry accounts for; meaningful if nothing else is wrong."""
        findings = []
        for table, count in audit_log.counts(self._connection).items():
            if count != self._audited[table]:
                names = ", ".join(audit_log.unaudited(self._connection, table))
                zh, en = _NAMES[table]
                saying = Saying(
                    f"{zh}有 {count} 条,审计条目只有 {self._audited[table]} 条:{names}",
                    f"{count} {en}s are in the ledger, {self._audited[table]} in the audit log: {names}",
                )
                findings.append(LogFinding(None, None, Fault.NOT_AUDITED, saying))
        for table, kept in (
            ("policies", self._policies),
            ("treaties", self._treaties),
            ("watches", self._watches),
        ):
            for sha256 in sorted(kept.keys() - self._published):
                zh, en = _NAMES[table]
                saying = Saying(f"账本中的{zh} {sha256} 没有审计条目", f"no entry publishes the {en} {sha256}")
                findings.append(LogFinding(None, None, Fault.NOT_AUDITED, saying))
        for treaty_id, month in sorted(self._stated.keys() - self._issued):
            saying = Saying(
                f"{treaty_id} 的 {month} 对账单没有审计条目",
                f"no entry issues the statements of {treaty_id} for {month}",
            )
            findings.append(LogFinding(None, None, Fault.NOT_AUDITED, saying))
        for month in sorted(self._months.keys() - self._published):
            saying = Saying(f"{month} 的月结没有审计条目", f"no entry closes the month {month}")
            findings.append(LogFinding(None, None, Fault.NOT_AUDITED, saying))
        return findings + self._told_otherwise()

    def _told_otherwise(self) -> list[LogFinding]:
        """Alerts that are not as the audit log told them last."""
        kept, findings = alert_rows.kept_hashes(self._connection), []
        for alert_id in sorted(kept.keys() | self._told.keys()):
            if kept.get(alert_id) != self._told.get(alert_id):
                saying = Saying(
                    f"提醒 {alert_id} 与审计日志最后一次所记的不同",
                    f"the alert {alert_id} is not as the audit log has it",
                )
                findings.append(LogFinding(None, None, Fault.CONTENT_CHANGED, saying))
        return findings

    def _changed(
        self, entry: AuditEntry, row: StoredEntry, decisions: dict[tuple[str, int], str], orders: dict[str, Ordered]
    ) -> str | None:
        """The table in which an entry's content was changed."""
        subject, wanted = entry.subject, entry.content_sha256
        if entry.kind == AuditKind.CLAIM_DECIDED:
            self._audited["decisions"] += 1
            key = _decision(entry)
            return "decisions" if key is None or decisions.get(key) != wanted else None
        if entry.kind == AuditKind.PAYOUT_INSTRUCTED:
            self._audited["instructions"] += 1
            order = orders.get(subject.get("payout_id", ""))
            good = order is not None and sha256_hex(order.value) == wanted and _columns_agree(order)
            return None if good else "instructions"
        if entry.kind in (AuditKind.ALERT_RAISED, AuditKind.ALERT_WITHDRAWN):
            self._told[subject.get("alert_id", "")] = wanted  # one alert's entries are of one shard, so the last counts
            return None
        self._audited["events"] += 1
        if entry.kind in (AuditKind.POLICY_PUBLISHED, AuditKind.TREATY_PUBLISHED, AuditKind.WATCHES_PUBLISHED):
            self._published |= {subject.get(f"{what}_sha256", "") for what in ("policy", "treaty", "watches")}
        if entry.kind == AuditKind.STATEMENT_ISSUED:
            place = (subject.get("treaty_id", ""), subject.get("month", ""))
            self._issued.add(place)
            if self._stated.get(place) != subject.get("statements_sha256"):
                return "statements"
        if entry.kind == AuditKind.MONTH_CLOSED:
            month = subject.get("month", "")
            self._published.add(month)
            if self._months.get(month) != subject.get("trial_balance_sha256"):
                return "book_months"
        if row.event_sha256 is None:
            return "events"
        if entry.kind == AuditKind.EVENT_REPLAYED:
            return "events" if sha256_hex(sent_again(row.replayed or b"")) != wanted else None
        if entry.kind == AuditKind.POLICY_PUBLISHED and self._policies.get(subject.get("policy_sha256", "")) != wanted:
            return "policies"
        if entry.kind == AuditKind.TREATY_PUBLISHED and self._treaties.get(subject.get("treaty_sha256", "")) != wanted:
            return "treaties"
        if entry.kind == AuditKind.WATCHES_PUBLISHED and self._watches.get(subject.get("watches_sha256", "")) != wanted:
            return "watches"
        return "events" if row.event_sha256 != wanted else None


def _which(entry: AuditEntry) -> str:
    """What an entry is about, without the person: a claim, a payout, a published file, a month or a place."""
    subject = entry.subject
    for name in ("payout_id", "claim_id", "policy_id", "treaty_id", "watches_id", "month"):
        if name in subject:
            return subject[name]
    place = [subject.get(name) for name in ("topic", "partition", "offset")]
    return "{}-{}@{}".format(*place) if None not in place else entry.kind


def _decision(entry: AuditEntry) -> tuple[str, int] | None:
    """Claim and revision of a decision's entry; None for other entries, and for one that does not name them."""
    claim_id, revision = entry.subject.get("claim_id"), entry.subject.get("revision", "")
    if entry.kind != AuditKind.CLAIM_DECIDED or claim_id is None or not re.fullmatch(r"[0-9]{1,18}", revision):
        return None
    return claim_id, int(revision)


def _columns_agree(order: Ordered) -> bool:
    """Whether the columns that the program pays by agree with the published bytes."""
    try:
        fields = json.loads(order.value)
        said = [fields[name] for name in ("payout_id", "claim_id", "scheme_id", "revision", "kind", "person_id")]
        agree = said == [*order[:5], order.person_id] and fields.get("payee_id", "") == order.payee_id
        agree = agree and (fields.get("payer", FUND), fields.get("treaty_id")) == (order.payer, order.treaty_id)
        agree = agree and fields.get("pool_id") == order.pool_id
        return agree and parse_yuan(fields["amount"]) == order.amount
    except (ValueError, KeyError, TypeError):
        return False


def sent_again(act: bytes) -> bytes:
    """The bytes that a replay sent, from the act in the ledger; empty if the act cannot be read."""
    try:
        return base64.b64decode(json.loads(act)["value"] or "")
    except (ValueError, KeyError, TypeError):
        return b""
