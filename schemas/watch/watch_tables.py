"""The tables of a file of watches: which fields each has, and what is said about the tables themselves."""

from __future__ import annotations

from schemas.bilingual import Saying
from schemas.policy.remedies import TableWords
from schemas.toml_tables import TableFields

WATCHES, WATCH = "[watches]", "[[watch]]"
FIELDS: dict[str, dict[str, str]] = {
    WATCHES: {"id": 'id = "watches-2024"', "title": "", "status": "", "effective_from": "", "effective_to": ""},
    WATCH: {
        "id": 'id = "self-pay-high"',
        "title": "",
        "measure": 'measure = "personal_burden"',
        "unit": 'unit = "person"',
        "window_months": "window_months = 12",
        "steps": 'steps = ["10000.00"]',
        "categories": "",
    },
}
"""The fields of each table, each with what to add where it is missing; nothing where it need not be there."""

OF_WATCHES = TableFields("watches", FIELDS, "docs/discovery.md")

WORDS = TableWords(
    Saying(
        f"这张表出现了两次:{WATCHES} 只写一次,{WATCH} 用双重方括号",
        f"this table appears twice: write {WATCHES} once, {WATCH} with two brackets",
    ),
    Saying(
        f"表头没有结束:请写 {WATCHES} 或 {WATCH}",
        f"the heading of a table is not closed: write {WATCHES} or {WATCH}",
    ),
    Saying("这里或上面有一对花括号没有结束:请补上 }", "braces are not closed here or above: add the missing }"),
)
