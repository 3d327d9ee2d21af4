"""What pools received and paid, in the console's books: down to its lines, and from there where it belongs."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from tests.support.book_year import BookYear
from tests.support.builders import contribution, contribution_void, pool
from tests.support.pools import POOL_POLICY, villager
from tests.web.desk import Desk
from tests.web.words import words

LINE = re.compile(r"<tr><td.*?</tr>", re.DOTALL)


@pytest.fixture
def year(desk: Desk) -> BookYear:
    """A pool of 1,000 yuan pays A 500; another contribution was voided, and one has the id of A's payout."""
    made = BookYear(desk.engine, policy=POOL_POLICY)
    made.take(pool(), contribution(yuan=1000), contribution("G2", yuan=200), *villager("A", "2024-03-01", 500))
    made.take(contribution_void("G2"), contribution(made.payouts()[0], yuan=3))
    desk.catch_up()
    return made


def lines(desk: Desk, account: str) -> list[str]:
    """The lines of an account in April."""
    page = desk.visitor("finance").get(f"/books/journal?{urlencode({'account': account, 'month': '2025-04'})}")
    assert 200 == page.status_code
    return LINE.findall(page.text.split("<tbody>")[1])


def test_a_pool_stands_in_the_trial_balance(desk: Desk, year: BookYear) -> None:
    """With what it has left, as a credit, and its name in both languages."""
    chinese = words(desk.visitor("finance").get("/books?month=2025-04").text)
    assert "资金池结余—V1 pool:V1 0.00 700.00 1,203.00 -503.00" in chinese
    assert "资金池承担(冲减支出)—village_mutual_aid funded:village_mutual_aid 0.00 0.00 500.00 -500.00" in chinese
    assert "pool: V1 pool:V1" in words(desk.visitor("auditor", "en").get("/books?month=2025-04").text)


def test_what_a_pool_paid_leads_to_the_claim_and_what_it_received_leads_nowhere(desk: Desk, year: BookYear) -> None:
    """A contribution is known by its id, and is no claim, even if its id is a payout's."""
    payout, found = year.payouts()[0], lines(desk, "pool:V1")
    assert [
        "2025-04-02 2024-01 资金池收款 G1 – 1,000.00",
        "2025-04-02 2024-01 资金池收款 G2 – 200.00",
        f"2025-04-02 2024-03 由资金池列支 {payout} E-A 500.00",
        "2025-04-02 2024-01 冲减资金池收款 G2 – 200.00",
        f"2025-04-02 2024-01 资金池收款 {payout} – 3.00",
    ] == [words(each).strip() for each in found]
    assert [[], [], ["/claims/E-A"], [], []] == [re.findall('href="([^"]+)"', each) for each in found]
