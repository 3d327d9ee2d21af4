"""Messages for the author of a policy file: what is wrong with a field, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from pydantic import BaseModel

from schemas.bilingual import Saying
from schemas.policy.model import GRACE_MONTHS_MAX, Bracket, Checks, Policy, Product, Scheme, Tier
from schemas.policy.policy_values import NO_DAY

EXAMPLES = {
    "id": 'id = "village_mutual_aid"',
    "status": 'status = "sample"',
    "effective_from": "effective_from = 2024-07-01",
    "programme": 'programme = "village_mutual_aid"',
    "basis": 'basis = "copay"',
    "measured_on": 'measured_on = "billed"',
    "accumulates": 'accumulates = "stay"',
    "name": 'name = "member"',
    "categories": 'categories = ["member"]',
    "brackets": 'brackets = [{ over = "2000.00", rate = "0.30" }]',
    "over": 'over = "2000.00"',
    "rate": 'rate = "0.30"',
    "care_types": 'care_types = ["inpatient"]',
    "facility_levels": 'facility_levels = ["county", "town"]',
    "diagnoses_any": 'diagnoses_any = ["C50"]',
    "areas": 'areas = ["320206"]',
    "grace_reasons": 'grace_reasons = ["income"]',
    "incident_kinds": 'incident_kinds = ["accident"]',
    "by_degree": 'by_degree = { "1" = "10000.00", "2" = "6000.00" }',
    "levels": 'levels = { city = "6800.00", district = "4200.00" }',
    "schemes": 'schemes = ["village_mutual_aid"]',
    "title": 'title = "慈福"',
}
TABLES_TO_ADD = {
    "scheme": Saying("一个 [[scheme]] 表", "a [[scheme]] table"),
    "product": Saying("一个 [[product]] 表", "a [[product]] table"),
    "tier": Saying("一个 [[scheme.tier]] 表,写在它的 [[scheme]] 下面", "a [[scheme.tier]] table below its [[scheme]]"),
}
OUTSIDE = Saying(
    "写在了表的外面:请移到 [policy] 下面,或删去", "is outside the tables: move it below [policy], or delete it"
)
HEADING = "heading"
DATES = ("effective_from", "effective_to")
AMOUNT = Saying('请写带引号的元,如 "2000.00"', 'write yuan in quotes, such as "2000.00"')
TEXT = Saying("不是文字:请写 1 到 200 个可见字符,带引号", "is not text: write 1 to 200 printable characters in quotes")
DAYS = Saying(
    "不是天数:请写 0 到 100000 的整数,不带引号,如 365",
    "is not a number of days: write a whole number from 0 to 100000 without quotes, such as 365",
)
MONTHS = Saying(
    f"不是月数:请写 0 到 {GRACE_MONTHS_MAX} 的整数,不带引号,如 6",
    f"is not a number of months: write a whole number from 0 to {GRACE_MONTHS_MAX} without quotes, such as 6",
)
SOME_DAYS = Saying(
    "不是天数:请写 1 到 100000 的整数,不带引号,如 4",
    "is not a number of days: write a whole number from 1 to 100000 without quotes, such as 4",
)

_TABLES: dict[tuple[str, ...], tuple[Saying, type[BaseModel]]] = {
    (): (Saying("[policy]", "[policy]"), Policy),
    ("checks",): (Saying("[checks]", "[checks]"), Checks),
    ("scheme",): (Saying("[[scheme]]", "[[scheme]]"), Scheme),
    ("product",): (Saying("[[product]]", "[[product]]"), Product),
    ("scheme", "tier"): (Saying("[[scheme.tier]]", "[[scheme.tier]]"), Tier),
    ("scheme", "tier", "brackets"): (Saying("分段 { over, rate }", "a bracket { over, rate }"), Bracket),
}


class TableWords(NamedTuple):
    """What is said about the tables of a kind of file: one that comes twice, a heading or a list that does not end."""

    twice: Saying
    heading: Saying
    braces: Saying


OF_POLICIES = TableWords(
    Saying(
        "这张表出现了两次:[policy] 和 [checks] 只写一次,[[scheme]] 和 [[scheme.tier]] 用双重方括号",
        "this table appears twice: write [policy] and [checks] once, [[scheme]] and [[scheme.tier]] with two brackets",
    ),
    Saying(
        "表头没有结束:请写 [policy]、[checks]、[[scheme]] 或 [[scheme.tier]]",
        "the heading of a table is not closed: write [policy], [checks], [[scheme]] or [[scheme.tier]]",
    ),
    Saying("这里或上面有一个分段没有结束:请补上 }", "a bracket is not closed here or above: add the missing }"),
)
_SYNTAX = (
    (
        "Invalid date",
        Saying(
            "日历上没有这一天,或写法不是 2024-07-01 的样子:请改正",
            "this day is not in the calendar, or not written as 2024-07-01: correct it",
        ),
    ),
    (
        "Cannot overwrite a value",
        Saying("这一项在表里出现了两次:只保留一个", "this field appears twice in its table: keep one of the two"),
    ),
    (
        "Duplicate inline table key",
        Saying(
            "花括号里有一项出现了两次:只保留一个", "a field appears twice between these braces: keep one of the two"
        ),
    ),
    (
        "Unclosed array",
        Saying("这里或上面有一个列表没有结束:请补上 ]", "a list is not closed here or above: add the missing ]"),
    ),
    (
        "Unterminated string",
        Saying("有一段文字没有结束:请补上引号", "a string is not closed: add the missing quotation mark"),
    ),
    (
        "Illegal character",
        Saying(
            "有一段文字在本行没有结束:请补上引号", "a string is not closed on its line: add the missing quotation mark"
        ),
    ),
    (
        "Invalid value",
        Saying(
            '这不是一个值:文字、金额和比例请用英文直引号,如 "0.80"',
            'this is not a value: write strings, amounts and rates in straight quotes, such as "0.80"',
        ),
    ),
    (
        "Expected '='",
        Saying(
            "每一项写成“名称 = 值”:请补上缺少的部分,说明文字前请加 #",
            "a field is written as `name = value`: add what is missing, or put # before a comment",
        ),
    ),
    (
        "Expected newline",
        Saying(
            "值的后面还有内容:每行只写一项,说明文字前请加 #",
            "something follows the value: write one field on a line, and put # before a comment",
        ),
    ),
)
_OF_A_DAY = ("Invalid date", "Invalid value", "Expected newline")
"""What the parser says of a day that is not one, such as 2024-02-30, soon, or 2024-1-1."""


def of_syntax(message: str, field: str, tables: TableWords = OF_POLICIES) -> Saying:
    """The remedy for an error of the TOML parser; ``field`` is the key on that line."""
    if field in DATES and message.startswith(_OF_A_DAY):
        return NO_DAY
    if field == HEADING and message.startswith("Cannot"):
        return tables.twice
    for start, remedy in (("Expected ']", tables.heading), ("Unclosed inline table", tables.braces), *_SYNTAX):
        if message.startswith(start):
            return remedy
    return Saying(f"不是 TOML({message}):请改正这一行", f"is not TOML ({message}): correct this line")


def of_astray(name: str, value: object) -> Saying:
    """What to do about a field outside the tables, or a table that no policy file has."""
    tables = [names[0] for names in _TABLES if len(names) == 1]
    close = get_close_matches(name, tables, n=1) if isinstance(value, dict | list) else []
    if not close:
        return OUTSIDE
    table, _ = _TABLES[(close[0],)]
    return Saying(
        f"不是方案文件的表:是不是 {table.zh}?请改正或删去",
        f"is not a table of a policy file: did you mean {table.en}? Correct it or delete it",
    )


def of_inside(name: str) -> Saying:
    """What to do about a table that stands inside [policy]."""
    table, _ = _TABLES[(name,)]
    return Saying(f"写在了 [policy] 里面:请写成 {table.zh}", f"is inside [policy]: write it as {table.en}")


def of_field(
    kind: str, message: str, location: tuple[int | str, ...], value: object, context: Mapping[str, object]
) -> Saying:
    """What to do about one error of pydantic: its type, message, location, input and context."""
    field = str(location[-1]) if location else "policy"
    names = tuple(part for part in location if isinstance(part, str))
    match kind:
        case "extra_forbidden":
            return _unknown(field, names[:-1])
        case "missing":
            add = TABLES_TO_ADD.get(field) or Saying(EXAMPLES.get(field, field), EXAMPLES.get(field, field))
            return Saying(f"没有填写:请加上 {add.zh}", f"is missing: add {add.en}")
        case "too_short" if not isinstance(value, str):
            add = TABLES_TO_ADD.get(field) or Saying(EXAMPLES[field], EXAMPLES[field])
            return Saying(f"是空的:至少要有一个,如 {add.zh}", f"is empty: list at least one, such as {add.en}")
        case "literal_error" | "enum":
            return one_of(value, re.findall(r"'([^']*)'", str(context.get("expected", ""))))
        case "money":
            return Saying(f"不是金额:{AMOUNT.zh}", f"is not an amount ({message}): {AMOUNT.en}")
        case "int_type" | "greater_than_equal" | "less_than_equal" if field in ("from_day", "days_max"):
            return SOME_DAYS
        case "dict_type":
            return Saying(f"不是一张对照表:请写成 {EXAMPLES[field]}", f"is not a table: write it as {EXAMPLES[field]}")
        case "int_type" | "greater_than_equal" | "less_than_equal":
            return MONTHS if field == "grace_months" else DAYS
        case (
            "string_type"
            | "too_short"
            | "too_long"
            | "string_too_short"
            | "string_too_long"
            | "string_pattern_mismatch"
        ):
            return TEXT
        case "tuple_type":
            return _no_list(field)
        case "model_type":
            table, _ = _TABLES.get(names, (Saying("一张表", "a table"), Policy))
            if names == ("checks",) and isinstance(value, list):
                return Saying(
                    "写成了表的列表:只有一张,请写 [checks],用单方括号",
                    "is a list of tables: there is only one, write [checks] with single brackets",
                )
            return Saying(f"不是一张表:请写 {table.zh}", f"is not a table: write {table.en}")
        case _:
            return Saying(str(context.get("zh", message)), message)


def suggestion(field: str, names: tuple[str, ...]) -> str | None:
    """The field of the table ``names`` that an unknown field was most likely meant to be."""
    _, model = _TABLES.get(names, _TABLES[()])
    close = get_close_matches(field.lower().replace("-", "_"), _fields(model), n=1)
    return close[0] if close else None


def _unknown(field: str, names: tuple[str, ...]) -> Saying:
    table, _ = _TABLES.get(names, _TABLES[()])
    close = suggestion(field, names)
    if close is not None:
        return Saying(
            f"不是 {table.zh} 的项:是不是 {close}?请改正或删去",
            f"is not a field of {table.en}: did you mean {close}? Correct it or delete it",
        )
    for other, model in _TABLES.values():
        if field in _fields(model):
            return Saying(
                f"是 {other.zh} 的项,不是 {table.zh} 的:请移到那里",
                f"is a field of {other.en}, not of {table.en}: move it there",
            )
    return Saying(
        f"不是 {table.zh} 的项:请删去,或改正拼写;各项见 docs/policies.md",
        f"is not a field of {table.en}: delete it, or correct its spelling; docs/policies.md lists the fields",
    )


def _fields(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def one_of(value: object, allowed: Sequence[str]) -> Saying:
    """That a value is none of those allowed, and which one may be meant."""
    listed = [f'"{choice}"' for choice in allowed]
    close = get_close_matches(value, allowed, n=1) if isinstance(value, str) else []
    zh, en = (f";是不是 {close[0]}?", f"; did you mean {close[0]}?") if close else ("", "")
    shown = Saying(f'"{value}"', f'"{value}"') if isinstance(value, str) else Saying("这个值", "this")
    if len(listed) == 1:
        return Saying(
            f"{shown.zh} 不能用:只能写 {listed[0]},不用时请删去这一项",
            f"{shown.en} is not allowed: write {listed[0]}, or delete the field",
        )
    return Saying(
        f"{shown.zh} 不能用:请写 {'、'.join(listed)} 之一{zh}",
        f"{shown.en} is not allowed: write one of {', '.join(listed)}{en}",
    )


def _no_list(field: str) -> Saying:
    if field in ("scheme", "tier", "product"):
        heading = "[[scheme.tier]]" if field == "tier" else f"[[{field}]]"
        return Saying(
            f"不是表的列表:请写 {heading},用双重方括号,因为可以有多个",
            f"is not a list of tables: write {heading} with two brackets, as there may be several",
        )
    return Saying(
        f"不是列表:请写在方括号里,如 {EXAMPLES[field]}",
        f"is not a list: write it in square brackets, such as {EXAMPLES[field]}",
    )
