"""What is open between payers and payees, on the console's pages and in the books."""

from __future__ import annotations

import html
import re

from schemas.outbound import InstructionKind
from tests.web.desk import Desk

LINKS = re.compile(r'href="(/payables/payouts[^"]*)"')


def links(page: str) -> list[str]:
    return [html.unescape(each) for each in LINKS.findall(page)]


BOOKS = (
    "SELECT account, sum(amount) AS amount FROM postings WHERE account LIKE :kind GROUP BY 1 HAVING sum(amount) <> 0"
)
OPEN = """
    SELECT format('%s:%s:%s', CASE kind WHEN 'payment' THEN 'payable' ELSE 'receivable' END, payer,
            CASE payee_id WHEN '' THEN 'person' ELSE 'facility:' || payee_id END) AS account,
        sum(CASE kind WHEN 'payment' THEN -amount ELSE amount END) AS amount
    FROM digest_open WHERE kind = :kind GROUP BY 1
"""


def check_books(desk: Desk) -> None:
    """What is open is what the books say is payable, and receivable, account by account."""
    for kind, account in ((InstructionKind.PAYMENT, "payable:%"), (InstructionKind.RECOVERY, "receivable:%")):
        assert sorted(desk.rows(BOOKS, kind=account)) == sorted(desk.rows(OPEN, kind=kind.value))
