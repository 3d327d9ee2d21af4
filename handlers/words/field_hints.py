"""What is wrong with a field, in Chinese and English: the reader's hint for whoever wrote it.

A hint names what is allowed and where to look. It never repeats what was written, which may say who somebody is.
"""

from __future__ import annotations

import json

from pydantic_core import ErrorDetails

from schemas.bilingual import SaidError, Saying
from schemas.money import format_yuan

_ZH = {
    "missing": "缺少这个字段",
    "string_type": "应为字符串",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "string_pattern_mismatch": "格式应符合 '{pattern}'",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "bool_type": "应为 true 或 false",
    "list_type": "应为数组",
    "tuple_type": "应为数组",
    "model_type": "应为对象",
    "too_long": "最多 {max_length} 项",
}
"""Pydantic's own messages that events and parameters can cause, by type; our fields' errors bring both languages."""


_EN = {
    "tuple_type": "Input should be a valid list",
    "model_type": "Input should be a valid object",
    "too_long": "List should have at most {max_length} items",
}
"""Instead of pydantic's, which tell of Python's types."""


def field_hint(error: ErrorDetails) -> Saying:
    """What a field should have been."""
    context, kind = error.get("ctx", {}), error["type"]
    if "zh" in context:
        return Saying(context["zh"], context["en"])
    if kind in ("enum", "literal_error"):
        return Saying(f"应为 {context['expected'].replace(', ', '、').replace(' or ', ' 或 ')}", error["msg"])
    zh, en = _ZH.get(kind, error["msg"]), _EN.get(kind)
    return Saying(zh.format_map(context), error["msg"] if en is None else en.format_map(context))


def json_hint(error: ValueError | RecursionError) -> Saying | None:
    """Where bytes stop being JSON. Only the position: it quotes no data."""
    match error:
        case json.JSONDecodeError():
            return Saying(f"第 {error.lineno} 行第 {error.colno} 列", f"line {error.lineno} column {error.colno}")
        case UnicodeDecodeError():
            return Saying(f"第 {error.start + 1} 个字节不是 UTF-8", f"byte {error.start + 1} is not UTF-8")
        case UnicodeEncodeError():
            return Saying("有不成对的代理字符(\\ud800 至 \\udfff)", "half of a surrogate pair (\\ud800 to \\udfff)")
        case RecursionError():
            return NESTED
        case SaidError():
            return error.saying
    return None


NESTED = Saying("嵌套过深", "nested too deeply")


def imbalance(total: int, parts: int, total_is: Saying, parts_are: Saying) -> Saying:
    """Two sums that should be one, and their difference (fen). ``total_is`` and ``parts_are`` name them."""
    which = Saying("多", "too much") if total > parts else Saying("少", "too little")
    by = format_yuan(abs(total - parts))
    return Saying(
        f"{total_is.zh} {format_yuan(total)} 元,{parts_are.zh} {format_yuan(parts)} 元,前者{which.zh} {by} 元",
        f"{total_is.en} {format_yuan(total)} yuan, {parts_are.en} {format_yuan(parts)} yuan: {by} yuan {which.en}",
    )
