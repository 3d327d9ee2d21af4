"""The office at the end of a month, with a clock that is ahead of everybody else's."""

from __future__ import annotations

import os
import sys

from sqlalchemy import Engine

from acts.book_balances import open_month
from acts.close_month import close_month
from acts.issue_statements import issue_statements, next_due
from infra.ledger import treaty_rows
from infra.ledger.schema import connect
from schemas.months import month_end

OFFICE = "office"


def end_next_month(engine: Engine, shards: int) -> bool:
    """Issues the statements of the earliest month that waits, of all treaties, and closes its books.

    As if the next month had just begun: from then on nothing is recorded before that. What another call has done is
    not done again. False while there is no treaty yet.
    """
    with engine.connect() as connection:
        due = {name: next_due(connection, name).month for name in sorted(treaty_rows.ids(connection))}
        to_close = open_month(connection)
    if not due:
        return False
    month = min([*due.values(), *([] if to_close is None else [to_close])])
    for treaty_id in [name for name, its in due.items() if its == month]:
        with engine.begin() as connection:
            issue_statements(connection, treaty_id, month, OFFICE, shards, lambda: month_end(month))
    if month == to_close:
        with engine.begin() as connection:
            close_month(connection, month, OFFICE, shards, lambda: month_end(month))
    return True


if __name__ == "__main__":
    end_next_month(connect(os.environ["HUZHU_DATABASE_URL"]), int(sys.argv[1]))
