"""API keys in a real ledger: how long they live, and who recognises them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from acts import api_keys
from acts.api_keys import KeyRefused, recognise
from infra.ledger.api_key_rows import all_keys
from schemas.access.callers import ApiRole
from tests.support.acts import create_key, revoke_key, rotate_key
from tests.support.builders import RECORDED_AT
from tests.support.ledgers import waiting_for_locks
from tests.support.servers import await_true

HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


def test_rotating_a_key_that_is_ending_does_not_lengthen_its_life(ledger: Engine) -> None:
    """It ends when the first rotation said; a second one can only bring that forward."""
    first, token = create_key(ledger, ApiRole.HOSPITAL, ["H1"], "", "li.na", lambda: RECORDED_AT)
    for grace, until in ((2 * HOUR, 2 * HOUR), (24 * HOUR, 2 * HOUR), (HOUR, HOUR)):
        rotate_key(ledger, first.key_id, grace, "li.na", lambda: RECORDED_AT)
        with ledger.connect() as connection:
            (held,) = [key for key in all_keys(connection) if key.key_id == first.key_id]
        assert RECORDED_AT + until == held.expires_at
    assert recognise(ledger, token, lambda: RECORDED_AT + HOUR - INSTANT) is not None
    assert recognise(ledger, token, lambda: RECORDED_AT + HOUR) is None
    with pytest.raises(KeyRefused, match="expired"):
        rotate_key(ledger, first.key_id, HOUR, "li.na", lambda: RECORDED_AT + HOUR)


def test_a_revoked_key_is_dead_at_once_and_for_ever(ledger: Engine) -> None:
    """Its successor lives on; it itself can be neither rotated nor revoked again."""
    first, token = create_key(ledger, ApiRole.HOSPITAL, ["H1"], "", "li.na", lambda: RECORDED_AT)
    _, successor = rotate_key(ledger, first.key_id, HOUR, "li.na", lambda: RECORDED_AT)
    revoke_key(ledger, first.key_id, "stolen", "li.na", lambda: RECORDED_AT)
    assert recognise(ledger, token, lambda: RECORDED_AT) is None
    assert recognise(ledger, successor, lambda: RECORDED_AT) is not None
    with pytest.raises(KeyRefused):
        rotate_key(ledger, first.key_id, HOUR, "li.na", lambda: RECORDED_AT)
    with pytest.raises(KeyRefused):
        revoke_key(ledger, first.key_id, "again", "li.na", lambda: RECORDED_AT)


def test_of_two_who_rotate_a_key_at_once_one_gets_a_successor(ledger: Engine) -> None:
    """The other waits, and is told that the key has ended."""
    first, _ = create_key(ledger, ApiRole.HOSPITAL, ["H1"], "", "li.na", lambda: RECORDED_AT)
    with ThreadPoolExecutor(1) as threads:
        with ledger.begin() as connection:
            api_keys.rotate(connection, first.key_id, timedelta(0), "li.na", lambda: RECORDED_AT)
            other = threads.submit(rotate_key, ledger, first.key_id, timedelta(0), "wang", lambda: RECORDED_AT)
            assert await_true(lambda: waiting_for_locks(ledger) == 1)
        with pytest.raises(KeyRefused, match="expired"):
            other.result()
    with ledger.connect() as connection:
        assert 2 == len(all_keys(connection))


@pytest.mark.parametrize("spoil", ["other_{}_{}", "HUZHU_{}_{}", "huzhu_{}_{} ", "huzhu_{}", "huzhu__{1}"])
def test_a_token_is_recognised_as_it_was_given_out(ledger: Engine, spoil: str) -> None:
    """Nothing else that holds the id and the secret is a token."""
    key, token = create_key(ledger, ApiRole.HOSPITAL, ["H1"], "", "li.na", lambda: RECORDED_AT)
    secret = token.split("_", 2)[2]
    assert recognise(ledger, f"huzhu_{key.key_id}_{secret}", lambda: RECORDED_AT) is not None
    assert recognise(ledger, spoil.format(key.key_id, secret), lambda: RECORDED_AT) is None
