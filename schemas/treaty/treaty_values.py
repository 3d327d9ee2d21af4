"""The values that only a treaty file has: each function gives one, or raises SaidError with what to write instead."""

from __future__ import annotations

import re
from decimal import Decimal

from schemas.bilingual import SaidError
from schemas.number_literals import NumberLiteral
from schemas.toml_values import amount, as_written
from schemas.treaty.treaty_model import FUND

INSURER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SHARE = re.compile(r"(-?)([0-9]{1,9})(?:\.([0-9]{1,40}))?")
_SHARES = ('请写大于 0、不超过 1 的小数,60% 写成 "0.60"', 'write a decimal over 0 and up to 1, such as "0.60" for 60 %')


def insurer(value: object) -> str:
    if value == FUND:
        raise SaidError(
            f'不能是 "{FUND}":这是公共基金,没有承保协议的保障层由它支付;请写保险公司的编号',
            f'cannot be "{FUND}": that is the public fund, which pays for schemes without a treaty; '
            "write the id of an insurer",
        )
    if not isinstance(value, str) or isinstance(value, NumberLiteral) or not INSURER.fullmatch(value):
        raise SaidError(
            "不能作保险公司的编号,因为它也是主题名的一部分:请写 1 到 64 个小写字母、数字或连字符,"
            '以字母或数字开头,如 "insurer-a"',
            "cannot be the id of an insurer, which also names a topic: write 1 to 64 lower-case "
            'letters, digits and hyphens, a letter or digit first, such as "insurer-a"',
        )
    return value


def share(value: object) -> Decimal:
    match = _SHARE.fullmatch(as_written(value))
    if match is None:
        raise SaidError(f"不是份额:{_SHARES[0]}", f"is not a share: {_SHARES[1]}")
    found = Decimal(match[0])
    if found <= 0:
        raise SaidError(f"不大于 0:{_SHARES[0]}", f"is not over 0: {_SHARES[1]}")
    if found > 1:
        raise SaidError(f"大于 1:{_SHARES[0]}", f"is above 1: {_SHARES[1]}")
    if len(match[3] or "") > 6:
        raise SaidError('小数超过六位:最多写六位,如 "0.333333"', 'has more than six decimals: write "0.333333" at most')
    return found


def limit(value: object) -> int:
    fen = amount(value)
    if fen <= 0:
        raise SaidError(
            '不大于 0,超赔就什么也不承担:请写大于 "0.00" 元的金额,或删去 [treaty.stop_loss]',
            'is not over 0, so the stop-loss would bear nothing: write an amount over "0.00" yuan, '
            "or delete [treaty.stop_loss]",
        )
    return fen
