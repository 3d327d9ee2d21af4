"""The values of a treaty file: each function gives the value, or raises SaidError with what to write instead."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from schemas.bilingual import SaidError
from schemas.money import parse_yuan
from schemas.number_literals import NumberLiteral
from schemas.policy.policy_values import NO_DAY, toml_day
from schemas.policy.remedies import AMOUNT, TEXT, one_of
from schemas.treaty.treaty_model import FUND

STATUSES = ("sample", "enacted")
"""As those of policies."""

INSURER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_SHARE = re.compile(r"(-?)([0-9]{1,9})(?:\.([0-9]{1,40}))?")
_SHARES = ('请写大于 0、不超过 1 的小数,60% 写成 "0.60"', 'write a decimal over 0 and up to 1, such as "0.60" for 60 %')


def text(value: object) -> str:
    if not isinstance(value, str) or isinstance(value, NumberLiteral) or not _TEXT.fullmatch(value):
        raise SaidError(*TEXT)
    return value


def title(value: object) -> str:
    return "" if value == "" else text(value)


def status(value: object) -> str:
    if not isinstance(value, str) or value not in STATUSES:
        raise SaidError(*one_of(value, STATUSES))
    return value


def day(value: object) -> date:
    found = toml_day(value)
    if found is None:
        raise SaidError(*NO_DAY)
    return found


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
    match = _SHARE.fullmatch(_written(value))
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


def attachment(value: object) -> int:
    fen = _fen(value)
    if fen < 0:
        raise SaidError('小于 0:金额请写 "0.00" 元或以上', 'is below 0: write an amount of "0.00" yuan or more')
    return fen


def limit(value: object) -> int:
    fen = _fen(value)
    if fen <= 0:
        raise SaidError(
            '不大于 0,超赔就什么也不承担:请写大于 "0.00" 元的金额,或删去 [treaty.stop_loss]',
            'is not over 0, so the stop-loss would bear nothing: write an amount over "0.00" yuan, '
            "or delete [treaty.stop_loss]",
        )
    return fen


def _fen(value: object) -> int:
    try:
        return parse_yuan(_written(value))
    except SaidError as error:
        said = error.saying
        raise SaidError(f"不是金额({said.zh}):{AMOUNT.zh}", f"is not an amount ({said.en}): {AMOUNT.en}") from None


def _written(value: object) -> str:
    """A number as it is written, in quotes or without; nothing if it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return str(value) if isinstance(value, str) else ""
