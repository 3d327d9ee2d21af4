"""Pools as tables and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from acts.pool_account import PoolAccount
from cli.terminal.language import OutputLanguage, translator
from cli.terminal.listing import moment, print_table
from cli.terminal.output import out
from cli.terminal.prose import Prose
from handlers.claims.restrictions import schemes_of
from handlers.words import pool_sentences
from handlers.words.claim_sentences import STATUS_NAMES, yuan
from handlers.words.masking import mask_value
from infra.ledger.pool_figures import PoolFigures
from schemas.bilingual import Saying
from schemas.dates import format_instant
from schemas.decisions import Status
from schemas.facts import ContributionKind, OnShortage
from schemas.money import format_yuan
from schemas.months import format_month
from schemas.outbound import AlertCode
from schemas.pool_records import ContributionRow, WaitingNow

Say = Callable[[Saying], str]
_RECEIVED, _RELEASED = Saying("收入(元)", "received"), Saying("已发放(元)", "released")
_BALANCE, _WAITS = Saying("余额(元)", "balance"), Saying("等待(元)", "waiting")


def show_list(pools: Sequence[PoolFigures], language: OutputLanguage) -> None:
    """Pools in a table, with totals."""
    say = translator(language, " ")
    heads = (
        Saying("资金池", "pool"),
        Saying("名称", "title"),
        Saying("资金不足时", "when short"),
        _RECEIVED,
        _RELEASED,
        _BALANCE,
        _WAITS,
        Saying("等待笔数", "benefits"),
        Saying("提醒", "alerts"),
    )
    rows = [
        (
            each.pool_id,
            say(pool_sentences.title_words(each.row)),
            say(pool_sentences.rule_words(each.row)),
            *map(yuan, (each.received, each.released, each.balance, each.waiting)),
            str(each.benefits),
            ", ".join(say(pool_sentences.ALERTS[AlertCode(code)]) for code in each.alerts),
        )
        for each in pools
    ]
    sums = [sum(getattr(each, name) for each in pools) for name in ("received", "released", "balance", "waiting")]
    totals = ("", say(Saying("合计", "total")), "", *map(yuan, sums), str(sum(each.benefits for each in pools)), "")
    print_table([say(head) for head in heads], [*rows, totals], right=(3, 4, 5, 6, 7))
    out.print(say(Saying("余额 = 收入 - 已发放(扣除收回)。", "balance = received - released (net of recoveries).")))


def show_pool(account: PoolAccount, language: OutputLanguage) -> None:
    """One pool: what it is, its money, its contributions, its months, and who waits for it."""
    say, figures = translator(language, " "), account.figures
    row = figures.row
    out.print(f"{figures.pool_id} {say(pool_sentences.title_words(row))}", style="bold")
    if row is not None:
        out.print(Prose(translator(language)(pool_sentences.RULES[OnShortage(row.on_shortage)])))
        out.print(say(Saying(f"设立于 {row.opened_on}", f"opened on {row.opened_on}")))
    for code in figures.alerts:
        out.print(say(pool_sentences.ALERTS[AlertCode(code)]), style="bold")
    sums = zip((_RECEIVED, _RELEASED, _BALANCE, _WAITS), _sums(figures), strict=True)
    names = [*((say(name), yuan(amount)) for name, amount in sums)]
    lasts = (say(Saying("可支撑", "lasts")), say(pool_sentences.cover_words(account.cover)))
    print_table([say(Saying("项目", "figure")), ""], [*names, lasts], right=(1,))
    _table(say, Saying("收入来源", "received from"), (_KIND, _AMOUNT), _kinds(account, say), (1,))
    heads: Sequence[Saying] = (Saying("可用于", "may pay for"), _RECEIVED, Saying("剩余(元)", "left"))
    _table(say, Saying("限定用途", "restrictions"), heads, _restrictions(account, say), (1, 2))
    heads = (
        Saying("收款编号", "contribution"),
        _KIND,
        _DAY,
        _AMOUNT,
        _HEADS,
        _PAYER,
        Saying("可用于", "may pay for"),
        _STATE,
    )
    _table(
        say, Saying("收入明细", "contributions"), heads, [_line(each, say) for each in account.contributions], (3, 4)
    )
    months = [
        (format_month(each.month), *map(yuan, (each.received, each.released, each.balance))) for each in account.months
    ]
    heads = (Saying("月份", "month"), _RECEIVED, _RELEASED, Saying("月末余额(元)", "balance at the end"))
    _table(say, Saying("逐月余额", "month by month"), heads, months, (1, 2, 3))
    heads = (
        Saying("顺序", "place"),
        Saying("理赔", "claim"),
        Saying("保障层", "scheme"),
        Saying("出院日", "discharged"),
        _AMOUNT,
    )
    _table(say, Saying("等待发放", "who waits"), heads, [_waits(each, say) for each in account.waiting], (4,))
    heads = (
        Saying("年度", "year"),
        Saying("可用(元)", "available"),
        Saying("应付(元)", "due"),
        _RELEASED,
        Saying("笔数", "benefits"),
        Saying("结算", "closed"),
    )
    years = [
        (
            str(each.year),
            *map(yuan, (each.available, each.due, each.released)),
            str(each.claims),
            f"{moment(each.closed_at)} {each.operator}",
        )
        for each in account.years
    ]
    _table(say, Saying("已结年度", "closed years"), heads, years, (1, 2, 3, 4))


def list_document(figures: PoolFigures) -> dict[str, Any]:
    """A pool in a list, as JSON."""
    row = figures.row
    received, released, balance, waiting = map(format_yuan, _sums(figures))
    return {
        "pool_id": figures.pool_id,
        "title": None if row is None else row.title,
        "area": None if row is None else row.area,
        "on_shortage": None if row is None else row.on_shortage,
        "opened_on": None if row is None else row.opened_on.isoformat(),
        "received": received,
        "released": released,
        "balance": balance,
        "waiting": waiting,
        "benefits_waiting": figures.benefits,
        "alerts": list(figures.alerts),
    }


def pool_document(account: PoolAccount) -> dict[str, Any]:
    """One pool as JSON."""
    return {
        **list_document(account.figures),
        "received_by_kind": {kind: format_yuan(fen) for kind, fen in sorted(account.by_kind.items())},
        "restrictions": [
            {
                "schemes": sorted(schemes_of(each.restriction)),
                "received": format_yuan(each.received),
                "left": format_yuan(each.left),
            }
            for each in account.sums
        ],
        "contributions": [_contribution(each) for each in account.contributions],
        "months": [
            {
                "month": format_month(each.month),
                "received": format_yuan(each.received),
                "released": format_yuan(each.released),
                "balance": format_yuan(each.balance),
            }
            for each in account.months
        ],
        "queue": [waiting_document(each) for each in account.waiting],
        "years": [
            {
                "year": each.year,
                "available": format_yuan(each.available),
                "due": format_yuan(each.due),
                "released": format_yuan(each.released),
                "benefits": each.claims,
                "operator": each.operator,
                "closed_at": format_instant(each.closed_at),
            }
            for each in account.years
        ],
        "months_of_cover": None if account.cover is None else f"{int(account.cover * 10) / 10:.1f}",
    }


def waiting_document(waiting: WaitingNow) -> dict[str, Any]:
    """A benefit that waits, as JSON."""
    return {
        "position": waiting.position,
        "claim_id": waiting.claim_id,
        "scheme_id": waiting.scheme_id,
        "discharged_on": waiting.discharged_on.isoformat(),
        "amount": format_yuan(waiting.amount),
        "left_by_close": format_yuan(waiting.left),
    }


_KIND, _DAY, _AMOUNT = Saying("来源", "kind"), Saying("收款日", "received on"), Saying("金额(元)", "yuan")
_HEADS, _PAYER, _STATE = Saying("人数", "heads"), Saying("缴款人", "payer"), Saying("状态", "state")


def _table(
    say: Say, title: Saying, heads: Iterable[Saying], rows: Sequence[Sequence[str]], right: tuple[int, ...]
) -> None:
    if rows:
        out.print()
        out.print(say(title), style="bold")
        print_table([say(head) for head in heads], rows, right)


def _sums(figures: PoolFigures) -> tuple[int, int, int, int]:
    return figures.received, figures.released, figures.balance, figures.waiting


def _kinds(account: PoolAccount, say: Say) -> list[tuple[str, str]]:
    words = pool_sentences.CONTRIBUTION_KINDS
    return [(say(words[kind]), yuan(account.by_kind[kind])) for kind in ContributionKind if kind in account.by_kind]


def _restrictions(account: PoolAccount, say: Say) -> list[tuple[str, str, str]]:
    return [
        (say(pool_sentences.restriction_words(schemes_of(each.restriction))), yuan(each.received), yuan(each.left))
        for each in account.sums
    ]


def _line(each: ContributionRow, say: Say) -> tuple[str, ...]:
    return (
        each.contribution_id,
        "" if not each.kind else say(pool_sentences.CONTRIBUTION_KINDS[ContributionKind(each.kind)]),
        each.received_on.isoformat(),
        yuan(each.amount),
        "" if each.heads is None else str(each.heads),
        "" if each.payer is None else mask_value(each.payer),
        say(pool_sentences.restriction_words(each.restricted_to)),
        say(STATUS_NAMES[Status.VOIDED]) if each.voided else "",
    )


def _waits(each: WaitingNow, say: Say) -> tuple[str, ...]:
    place = say(pool_sentences.position_words(each))
    return place, each.claim_id, each.scheme_id, each.discharged_on.isoformat(), yuan(each.amount)


def _contribution(each: ContributionRow) -> dict[str, Any]:
    return {
        "contribution_id": each.contribution_id,
        "kind": each.kind or None,
        "amount": format_yuan(each.amount),
        "received_on": each.received_on.isoformat(),
        "heads": each.heads,
        "restricted_to": each.restricted_to,
        "reference": each.reference,
        "voided": each.voided,
    }
