"""Reading an insurer's statement, CSV or Excel, whatever its columns are called: amounts to the fen or not at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.files.headed_tables import cell_text, plain, read_headed
from schemas.bilingual import Saying
from schemas.ids import PayoutId
from schemas.money import FEN_PER_YUAN
from schemas.records import PayoutState
from schemas.statement import Statement, StatementLine, Unreadable

HEADINGS = {
    "payout_id": (
        "payout_id",
        "payout id",
        "payout",
        "instruction id",
        "支付编号",
        "支付指令号",
        "指令编号",
        "支付单号",
    ),
    "amount": ("amount", "yuan", "金额", "金额(元)", "支付金额", "给付金额", "实付金额", "交易金额"),
    "state": ("state", "status", "result", "状态", "支付状态", "支付结果", "结果", "处理结果"),
    "kind": ("kind", "type", "direction", "类型", "收付", "收付类型", "业务类型", "方向"),
}
"""What insurers call the columns; compared without case, spaces and width."""

STATES = {
    PayoutState.PAID: ("paid", "success", "succeeded", "settled", "已支付", "支付成功", "成功", "已到账", "已付"),
    PayoutState.FAILED: ("failed", "failure", "rejected", "失败", "支付失败", "付款失败", "已拒绝"),
    PayoutState.RETURNED: ("returned", "bounced", "退回", "已退回", "退票", "退汇"),
    PayoutState.INSTRUCTED: ("instructed", "pending", "processing", "待支付", "处理中", "支付中", "未支付", "已发指令"),
}
KINDS = {
    1: ("payment", "pay", "发放", "支付", "给付", "付款"),
    -1: ("recovery", "recover", "收回", "追回", "扣回", "收款"),
}
_AMOUNT = re.compile(r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)(\.[0-9]*)?")
_FEN_MAX = 10**14  # 10^12 yuan, as everywhere


def read_statement(path: Path, columns: Mapping[str, str]) -> Statement:
    """The lines of a statement. ``columns`` gives headings that are not known here, by column.

    Raises UnusableTable when the file cannot be read, or has no heading for the payout or the amount.
    """
    table = read_headed(path, HEADINGS, columns, (["payout_id"], ["amount"]))
    lines: list[StatementLine] = []
    unreadable: list[Unreadable] = []
    for number, cells in table.lines:
        read = _line(number, cells)
        (lines if isinstance(read, StatementLine) else unreadable).append(read)  # type: ignore[arg-type]
    return Statement(lines, unreadable, table.columns)


def _line(number: int, cells: dict[str, Any]) -> StatementLine | Unreadable:
    payout_id = cell_text(cells["payout_id"])
    if not payout_id:
        return Unreadable(number, Saying("没有支付编号", "no payout id"))
    amount = _fen(cells["amount"])
    if amount is None:
        why = Saying("金额不是以分为最小单位的数", "the amount is not a whole number of fen")
        return Unreadable(number, why, PayoutId(payout_id))
    state = kind = None
    if "state" in cells:
        state = _meaning(STATES, cells["state"])
        if state is None:
            return Unreadable(number, Saying("不认识的支付状态", "unknown state"), PayoutId(payout_id))
    if "kind" in cells:
        kind = _meaning(KINDS, cells["kind"])
        if kind is None or amount < 0:
            return Unreadable(
                number,
                Saying("收付类型不明,或类型与负数金额并用", "unknown kind, or a kind together with a negative amount"),
                PayoutId(payout_id),
            )
    return StatementLine(number, PayoutId(payout_id), amount * (kind or 1), state, kind is not None or amount < 0)


def _meaning(meanings: Mapping[Any, tuple[str, ...]], cell: object) -> Any:
    word = plain(cell_text(cell))
    return next((meaning for meaning, words in meanings.items() if word in words), None)


def _fen(cell: object) -> int | None:
    """Whole fen. A float from Excel is read as its shortest decimal, never rounded to the fen."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return None
    text = repr(cell) if isinstance(cell, float) else unicodedata.normalize("NFKC", str(cell)).strip()
    text = text.removeprefix("¥").removesuffix("元").strip()
    if not _AMOUNT.fullmatch(text):
        return None
    fen = Decimal(text.replace(",", "")) * FEN_PER_YUAN
    return int(fen) if abs(fen) < _FEN_MAX and fen == fen.to_integral_value() else None
