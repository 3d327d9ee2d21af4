"""`huzhu demo` at addresses that somebody gave it: it asks, and never touches a ledger that is in use."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, func, select

from infra.ledger import tables
from tests.support.owed_person import OwedPerson
from tests.support.processes import huzhu


def test_a_ledger_in_use_is_left_alone(ledger: Engine, ledger_url: str, tmp_path: Path) -> None:
    """Exit status 2, also with --yes; no policy is published and no server is started."""
    OwedPerson(ledger)
    count = select(func.count()).select_from(tables.events)
    with ledger.connect() as connection:
        before = connection.scalar(count)
    done = huzhu("demo", "--yes", "--persons", "1", "--out", tmp_path / "out", HUZHU_DATABASE_URL=ledger_url)
    assert (2, True) == (done.returncode, "is in use" in done.stderr), done.stderr
    with ledger.connect() as connection:
        assert before == connection.scalar(count)


def test_an_empty_ledger_is_filled_only_if_somebody_says_so(ledger: Engine, ledger_url: str, tmp_path: Path) -> None:
    """Where nobody can be asked, --yes is needed."""
    done = huzhu("demo", "--persons", "1", "--out", tmp_path / "out", HUZHU_DATABASE_URL=ledger_url)
    assert (2, True) == (done.returncode, "--yes" in done.stderr), done.stderr
    with ledger.connect() as connection:
        assert 0 == connection.scalar(select(func.count()).select_from(tables.events))
