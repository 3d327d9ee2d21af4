"""Acts on a ledger, each in a transaction of its own, as a command performs them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from acts import api_keys, console_users, deal_with_alert, settle_recovery
from acts.match_deaths import TakenList, match_deaths
from acts.publish_policy import Published, publish_policy
from acts.publish_treaty import TreatyPublication, publish_treaty
from acts.publish_watches import WatchPublication, publish_watches
from acts.record_operator_acts import record_operator_acts
from acts.reissue_payout import Reissued, reissue_payout
from acts.replay_refused import replay_refused
from infra.clock import Clock
from schemas.access.callers import ApiKey, ApiRole
from schemas.access.console_rights import ConsoleRole
from schemas.records import Export, SettledRecovery


def publish(ledger: Engine, *given: Any, **named: Any) -> Published:
    with ledger.begin() as connection:
        return publish_policy(connection, *given, **named)


def publish_treaty_text(ledger: Engine, *given: Any, **named: Any) -> TreatyPublication:
    with ledger.begin() as connection:
        return publish_treaty(connection, *given, **named)


def publish_watches_text(ledger: Engine, *given: Any, **named: Any) -> WatchPublication:
    with ledger.begin() as connection:
        return publish_watches(connection, *given, **named)


def reissue(ledger: Engine, *given: Any, **named: Any) -> Reissued:
    with ledger.begin() as connection:
        return reissue_payout(connection, *given, **named)


def take_alert(ledger: Engine, *given: Any) -> None:
    with ledger.begin() as connection:
        deal_with_alert.take(connection, *given)


def close_alert(ledger: Engine, *given: Any) -> None:
    with ledger.begin() as connection:
        deal_with_alert.close(connection, *given)


def match_list(ledger: Engine, *given: Any) -> TakenList:
    with ledger.begin() as connection:
        return match_deaths(connection, *given)


def replay(ledger: Engine, *given: Any, **named: Any) -> int:
    with ledger.begin() as connection:
        return replay_refused(connection, *given, **named)


def record_export(ledger: Engine, act: Export, now: Clock) -> None:
    with ledger.begin() as connection:
        record_operator_acts(connection, now, [act])


def create_key(
    ledger: Engine, role: ApiRole, scope: Sequence[str], note: str, operator: str, now: Clock
) -> tuple[ApiKey, str]:
    with ledger.begin() as connection:
        return api_keys.create(connection, role, scope, note, operator, now)


def rotate_key(ledger: Engine, key_id: str, grace: timedelta, operator: str, now: Clock) -> tuple[ApiKey, str]:
    with ledger.begin() as connection:
        return api_keys.rotate(connection, key_id, grace, operator, now)


def revoke_key(ledger: Engine, key_id: str, reason: str, operator: str, now: Clock) -> None:
    with ledger.begin() as connection:
        api_keys.revoke(connection, key_id, reason, operator, now)


def create_user(ledger: Engine, name: str, role: ConsoleRole, password: str, operator: str, now: Clock) -> None:
    with ledger.begin() as connection:
        console_users.create(connection, name, role, password, operator, now)


def disable_user(ledger: Engine, name: str, operator: str, now: Clock) -> None:
    with ledger.begin() as connection:
        console_users.disable(connection, name, operator, now)


def reset_user(ledger: Engine, name: str, password: str, operator: str, now: Clock) -> None:
    with ledger.begin() as connection:
        console_users.reset(connection, name, password, operator, now)


def settle(ledger: Engine, *given: Any, **named: Any) -> SettledRecovery:
    with ledger.begin() as connection:
        return settle_recovery.settle(connection, *given, **named)
