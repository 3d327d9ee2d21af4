"""The tables of a treaty file: which fields each has, and what is said about the tables themselves."""

from __future__ import annotations

from schemas.bilingual import Saying
from schemas.policy.remedies import TableWords
from schemas.toml_tables import TableFields

TREATY, SHARE, STOP_LOSS = "[treaty]", "[[treaty.share]]", "[treaty.stop_loss]"
FIELDS: dict[str, dict[str, str]] = {
    TREATY: {
        "id": 'id = "self-pay-2024"',
        "title": "",
        "status": 'status = "sample"',
        "effective_from": "effective_from = 2024-01-01",
        "effective_to": "",
        "schemes": 'schemes = ["self_pay_assistance"]',
        "lead": 'lead = "insurer-a"',
        "share": "[[treaty.share]]",
        "stop_loss": "",
    },
    SHARE: {"insurer": 'insurer = "insurer-a"', "share": 'share = "0.60"'},
    STOP_LOSS: {
        "attachment": 'attachment = "1000000.00"',
        "limit": 'limit = "500000.00"',
        "share": 'share = "0.90"',
        "insurer": 'insurer = "reinsurer-x"',
    },
}
"""The fields of each table, each with what to add where it is missing; nothing where it need not be there."""

OF_TREATIES = TableFields("treaty", FIELDS, "docs/treaties.md")

WORDS = TableWords(
    Saying(
        f"这张表出现了两次:{TREATY} 和 {STOP_LOSS} 只写一次,{SHARE} 用双重方括号",
        f"this table appears twice: write {TREATY} and {STOP_LOSS} once, {SHARE} with two brackets",
    ),
    Saying(
        f"表头没有结束:请写 {TREATY}、{SHARE} 或 {STOP_LOSS}",
        f"the heading of a table is not closed: write {TREATY}, {SHARE} or {STOP_LOSS}",
    ),
    Saying("这里或上面有一对花括号没有结束:请补上 }", "braces are not closed here or above: add the missing }"),
)
