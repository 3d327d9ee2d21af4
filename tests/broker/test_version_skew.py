"""An upgrade under the program before: its processes go on until they are replaced, and nobody is paid twice."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from infra.ledger.schema import connect, known_schemas
from tests.support.builders import SHARDS, bill
from tests.support.databases import NewDatabase, migrate_to
from tests.support.earlier_program import SCHEMA, EarlierProgram, earlier_program
from tests.support.paths import WUXI
from tests.support.posting import Post, insured, person_of, post, stay, to_post
from tests.support.processes import huzhu
from tests.support.servers import await_true, query
from tests.support.spine import Spine

PROCESSES = ("worker", "relay")
STARTED_S_MAX = 60.0


@pytest.fixture
def earlier(tmp_path: Path) -> EarlierProgram:
    return earlier_program(tmp_path / "earlier")


@pytest.fixture
def spine(kafka: str, postgres_url: str, new_database: NewDatabase) -> Iterator[Spine]:
    """A ledger with the schema of the program before."""
    with Spine(kafka, postgres_url) as spine:
        spine.url = new_database()
        engine = connect(spine.url)
        migrate_to(engine, SCHEMA)
        engine.dispose()
        yield spine


def people(first: int) -> list[str]:
    return [person_of(number % SHARDS, f"P-{number}") for number in range(first, first + 8)]


def claims(persons: list[str], yuan: int) -> list[Post]:
    return [to_post(each) for one in persons for each in [*insured(one)[:1], *stay(one, f"E-{one}", yuan)]]


def paid(spine: Spine) -> dict[str, Decimal]:
    """What was ordered in all for each person, as a reader of the topic sees it; each order is there once."""
    orders = [each.value for each in spine.committed("payouts.instructions")]
    assert len(orders) == len({each["payout_id"] for each in orders})
    sums: dict[str, Decimal] = {}
    for each in orders:
        sums[each["person_id"]] = sums.get(each["person_id"], Decimal(0)) + Decimal(each["amount"])
    return sums


@pytest.mark.prove
def test_what_runs_goes_on_over_an_upgrade_and_what_starts_is_the_new_program(
    spine: Spine, earlier: EarlierProgram
) -> None:
    """Claims before, during and after the upgrade, and corrections by the new program of what the old one decided."""
    known = {"kafka_bootstrap": spine.bootstrap, "database_url": spine.url, "shards": SHARDS}
    before, during, after, new = (people(first) for first in (0, 10, 20, 30))
    spine.environment = earlier.environment()
    for name in PROCESSES:
        spine.start(name)
    assert await_true(lambda: query(spine.url, "SELECT count(*) FROM shards") == SHARDS, STARTED_S_MAX), spine.logs()
    published = earlier.huzhu("policy", "publish", WUXI, "--operator", "li.na", "--yes", **known)
    assert published.returncode == 0, published.stderr
    post(spine.bootstrap, claims(before, 3000))
    spine.await_idle()
    post(spine.bootstrap, claims(during, 3000))
    upgraded = huzhu("ledger", "upgrade", HUZHU_DATABASE_URL=spine.url)
    assert upgraded.returncode == 0, upgraded.stderr
    post(spine.bootstrap, claims(after, 3000))
    spine.await_idle()
    assert dict.fromkeys([*before, *during, *after], Decimal(300)) == paid(spine)

    refused = earlier.huzhu("worker", **known)
    assert (2, 1) == (refused.returncode, len(refused.stderr.strip().splitlines())), refused.stderr
    assert "newer" in refused.stderr
    assert all(map(spine.runs, PROCESSES)), spine.logs()

    spine.environment = {}
    for name in PROCESSES:
        spine.stop(name)
        spine.start(name, f"new {name}")
    corrected = [to_post(bill(f"S-E-{one}", f"E-{one}", 5000, version=2, person_id=one)) for one in [*before, *after]]
    post(spine.bootstrap, [*corrected, *claims(new, 3000)])
    spine.await_idle()
    due = dict.fromkeys([*before, *after], Decimal(900)) | dict.fromkeys([*during, *new], Decimal(300))
    assert due == paid(spine)
    assert known_schemas()[-1] == query(spine.url, "SELECT version_num FROM alembic_version")
    verified = huzhu("audit", "verify", "--chain-only", HUZHU_DATABASE_URL=spine.url)
    assert verified.returncode == 0, verified.stdout + verified.stderr
