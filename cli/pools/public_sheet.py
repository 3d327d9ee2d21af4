"""The village's public sheet (资金公示): one page of HTML to print and hang up, without anybody's name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from importlib import resources

import jinja2

from acts.pool_account import PoolAccount
from handlers.pools.public_cells import FEW, Cell, cells_by_kind, cells_by_month, merged, whole
from handlers.words import pool_sentences
from handlers.words.claim_sentences import yuan
from infra.ledger.pool_figures import PaidPerson
from schemas.bilingual import Saying
from schemas.facts import ContributionKind, OnShortage
from schemas.months import format_month

FEW_PERSONS = Saying(f"少于 {FEW} 人", f"fewer than {FEW}")
NOT_TOLD = Saying("不公布", "not published")


def sheet_page(account: PoolAccount, paid: Iterable[PaidPerson], waiting_persons: int, today: date) -> str:
    """The page: received by kind, paid by month and to how many, the balance, and how many wait for how much.

    What fewer than three persons gave or got stands together with the next line; where that is all there is, it is not
    told, and neither is the balance, from which it could be reckoned.
    """
    figures, row = account.figures, account.figures.row
    kinds = merged(cells_by_kind(account.contributions))
    months = merged(cells_by_month((format_month(each.month), each.person_id, each.amount) for each in paid))
    received, released = whole(kinds), whole(months)
    hidden = received.few or released.few
    few_wait = 0 < waiting_persons < FEW
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        resources.files("cli.pools").joinpath("templates/pool_sheet.html").read_text("utf-8")
    )
    return template.render(
        title=pool_sentences.title_words(row),
        today=today.isoformat(),
        rule=None if row is None else pool_sentences.RULES[OnShortage(row.on_shortage)],
        headline=[
            (Saying("累计收入", "Received"), _amount(received), None),
            (Saying("累计发放", "Paid"), _amount(released), _people(released)),
            (Saying("余额", "Balance"), NOT_TOLD if hidden else _yuan(figures.balance), None),
            (
                Saying("等待发放", "Waiting"),
                NOT_TOLD if few_wait else _yuan(figures.waiting),
                FEW_PERSONS if few_wait else _persons(waiting_persons),
            ),
        ],
        kinds=[(_kinds(each), _amount(each)) for each in kinds],
        months=[(_months(each), _amount(each), _people(each)) for each in months],
        few=FEW,
    )


def _amount(cell: Cell) -> Saying:
    return NOT_TOLD if cell.few else _yuan(cell.amount)


def _people(cell: Cell) -> Saying:
    return FEW_PERSONS if cell.few else _persons(cell.people)


def _yuan(fen: int) -> Saying:
    return Saying(f"{yuan(fen)} 元", f"{yuan(fen)} yuan")


def _persons(number: int) -> Saying:
    return Saying(f"{number} 人", "1 person" if number == 1 else f"{number} persons")


def _kinds(cell: Cell) -> Saying:
    words = [pool_sentences.CONTRIBUTION_KINDS[ContributionKind(kind)] for kind in cell.labels]
    return Saying("、".join(each.zh for each in words), ", ".join(each.en for each in words))


def _months(cell: Cell) -> str:
    first, last = cell.labels[0], cell.labels[-1]
    return first if first == last else f"{first} – {last}"
