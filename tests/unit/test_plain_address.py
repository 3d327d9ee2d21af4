"""The address of a ledger for psycopg alone, which listens for notices."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from infra.ledger.schema import connect, plain_address


@pytest.mark.parametrize("password", ["plain", "two words", "a@b/c?d=e&f", "100%20", "quo'te\\\"", "密码"])
def test_whatever_characters_a_password_has(password: str) -> None:
    """Both clients sign in with the same one, at the same place."""
    url = make_url("postgresql+psycopg://huzhu@db.example:5433/ledger?sslmode=require").set(password=password)
    engine = connect(url.render_as_string(hide_password=False))
    read = conninfo_to_dict(plain_address(engine))
    assert password == engine.url.password == read["password"]
    assert ("huzhu", "db.example", "5433", "ledger", "require") == tuple(
        str(read[name]) for name in ("user", "host", "port", "dbname", "sslmode")
    )
