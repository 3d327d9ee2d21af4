"""Part f: how fast the console's pages are on a large ledger. `python -m tests.bench.console` exports everything too.

A small town is taken in as usual; then one decided claim of it is multiplied by SQL, with its events, facts, decision,
instruction and audit entries. Milliseconds at the browser's side.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from infra.ledger.schema import connect
from infra.ledger.upgrading import upgrade
from infra.servers.resolve import resolve_postgres
from tests.bench.figures import Figure
from tests.bench.machine import load
from tests.web.desk import Desk, Visitor, open_desk
from tests.web.town import filled_ledger

PART = "f. console"

TEMPLATE = """
    SELECT c.claim_id, c.person_id, c.shard FROM claims c
    WHERE c.revision = 2 AND c.total_benefit > 0
        AND (SELECT count(*) FROM instructions i WHERE i.claim_id = c.claim_id) = 1
        AND (SELECT count(*) FROM facts f WHERE f.person_id = c.person_id AND f.kind IN ('encounter', 'settlement')) = 2
    ORDER BY c.claim_id LIMIT 1
"""
COPIES = "generate_series(1, :claims) AS k"
NUMBER = ":events + k * 2 - CASE WHEN f.kind = 'encounter' THEN 1 ELSE 0 END"
KINDS = "f.person_id = :person AND f.kind IN ('encounter', 'settlement')"


def renamed(text_: str) -> str:
    """A text with the person's own part of every id made another for each copy."""
    return f"replace({text_}, :part, :part || lpad(to_hex(k), 6, '0'))"


def rewritten(value: str) -> str:
    """Bytes, renamed, with the payout's id made another too."""
    inner = f"replace(convert_from({value}, 'UTF8'), :payout, :payout || lpad(to_hex(k), 6, '0'))"
    return f"convert_to({renamed(inner)}, 'UTF8')"


COPY = {
    "events": f"""
        SELECT {NUMBER}, v.shard, v.topic, v.partition, 2000000000000 + {NUMBER}, NULL, {rewritten("v.value")},
            v.recorded_at, v.disposition
        FROM {COPIES}, facts f JOIN events v USING (event_no) WHERE {KINDS}
    """,
    "facts": f"""
        SELECT f.kind, {renamed("f.subject_id")}, f.version, {renamed("f.person_id")}, f.content_sha256, {NUMBER}
        FROM {COPIES}, facts f WHERE {KINDS}
    """,
    "subjects": f"""
        SELECT f.kind, {renamed("f.subject_id")}, {renamed("f.person_id")}, {renamed("f.encounter_id")}
        FROM {COPIES}, subjects f WHERE {KINDS}
    """,
    "claims": f"""
        SELECT {renamed("claim_id")}, {renamed("person_id")}, shard, revision, status, fingerprint, policy_sha256,
            discharged_on, personal_burden, total_benefit
        FROM {COPIES}, claims WHERE claim_id = :claim
    """,
    "decisions": f"""
        SELECT {renamed("claim_id")}, revision, :events + k * 2, {rewritten("value")}
        FROM {COPIES}, decisions WHERE claim_id = :claim AND revision = 2
    """,
    "benefits": f"""
        SELECT {renamed("claim_id")}, scheme_id, tier, basis, measured, benefit, reason, instruction_revision,
            policy_id, policy_sha256
        FROM {COPIES}, benefits WHERE claim_id = :claim
    """,
    "instructions (payout_id, claim_id, scheme_id, revision, kind, amount, balance_before, balance_after, person_id, "
    "event_no, value)": f"""
        SELECT payout_id || lpad(to_hex(k), 6, '0'), {renamed("claim_id")}, scheme_id, revision, kind, amount,
            balance_before, balance_after, {renamed("person_id")}, :events + k * 2, {rewritten("value")}
        FROM {COPIES}, instructions WHERE claim_id = :claim
    """,
    "audit_entries": f"""
        WITH told AS (
            SELECT a.*, convert_from(a.value, 'UTF8')::json -> 'subject' AS subject FROM audit_entries a
            WHERE a.shard = :shard
        ), chosen AS (
            SELECT a.*, row_number() OVER (ORDER BY seq) AS place FROM told a
            WHERE a.kind = 'event.accepted' AND a.event_no IN (SELECT f.event_no FROM facts f WHERE {KINDS})
                OR a.kind = 'claim.decided' AND subject ->> 'claim_id' = :claim AND subject ->> 'revision' = '2'
                OR a.kind = 'payout.instructed' AND subject ->> 'payout_id' = :payout
        )
        SELECT a.shard, :audit + (k - 1) * 4 + a.place, :events + k * 2 - CASE WHEN a.place = 1 THEN 1 ELSE 0 END,
            a.kind, a.actor, a.prev_hash, a.hash, {rewritten("a.value")}
        FROM {COPIES}, chosen a
    """,
}


def multiply(engine: Engine, claims: int, say: Callable[[str], None]) -> str:
    """Copies one claim so many times; returns the part of its ids that all copies begin with."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for setting in ("session_replication_role = replica", "synchronous_commit = off", "statement_timeout = 0"):
            connection.execute(text(f"SET {setting}"))
        row = connection.execute(text(TEMPLATE)).one()
        part = str(row.person_id.rpartition("-")[2])
        given = {"claims": claims, "claim": row.claim_id, "person": row.person_id, "shard": row.shard, "part": part}
        given["payout"] = _value(connection, "SELECT payout_id FROM instructions WHERE claim_id = :claim", given)
        given["events"] = _value(connection, "SELECT max(event_no) FROM events", {})
        given["audit"] = _value(connection, "SELECT audit_seq FROM shards WHERE shard = :shard", given)
        for table, rows in COPY.items():
            say(f"{table.partition(' ')[0]} x {claims:,}")
            connection.execute(text(f"INSERT INTO {table} {rows}"), given)
        connection.execute(text("UPDATE shards SET audit_seq = audit_seq + 4 * :claims WHERE shard = :shard"), given)
        connection.execute(text("SELECT setval('events_event_no_seq', :events + 2 * :claims)"), given)
        connection.execute(text("VACUUM ANALYZE"))
    return str(part)


def measure(claims: int, say: Callable[[str], None], kinds: Sequence[str] = ("parquet",)) -> list[Figure]:
    """Every page for nineteen different claims, then an export of all claims in each of some formats."""
    with _desk(claims, say) as (desk, part):
        figures = list(_pages(desk, part, claims))
        for kind in kinds:
            figures += _export(desk.visitor("finance"), kind, claims)
        return figures


@contextmanager
def _desk(claims: int, say: Callable[[str], None]) -> Iterator[tuple[Desk, str]]:
    """The console over a ledger with so many claims, and the part of ids that they begin with."""
    with resolve_postgres() as part, tempfile.TemporaryDirectory() as folder:
        admin = create_engine(part.url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE huzhu_template"))
        admin.dispose()
        template = connect(make_url(part.url).set(database="huzhu_template").render_as_string(hide_password=False))
        upgrade(template)
        template.dispose()
        with filled_ledger(part.url, 400) as engine:
            copies = multiply(engine, claims, say)
            with open_desk(engine, Path(folder)) as desk:
                began = time.perf_counter()
                desk.catch_up()
                say(f"digest: {time.perf_counter() - began:.1f} s")
                yield desk, copies


def _pages(desk: Desk, part: str, claims: int) -> Iterator[Figure]:
    visitor = desk.visitor("auditor")
    numbers = [f"{part}{number * claims // 20 + 1:06x}" for number in range(19)]
    link = f"/persons/{desk.keys.token(f'P-{numbers[3]}', 'person')}"
    claim_ids = [f"E-{number}-001" for number in numbers]
    pages: dict[str, Callable[[int], httpx.Response]] = {
        "overview": lambda at: visitor.get("/"),
        "claim, a different one each time": lambda at: visitor.get(f"/claims/{claim_ids[at]}"),
        "person": lambda at: visitor.get(link),
        "search, both requests": lambda at: visitor.search(claim_ids[at]),
        "refused events": lambda at: visitor.get("/refused"),
        "policies": lambda at: visitor.get("/policies"),
    }
    for name, page in pages.items():
        took = []
        for at in range(len(numbers)):
            began = time.perf_counter()
            answer = page(at)
            took.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                raise RuntimeError(f"{name}: status {answer.status_code}")
        note = f"{claims:,} claims; the first {took[0]:.0f} ms"
        yield Figure(PART, name, "page", "ms", "less", tuple(took[1:]), (load(),), note)


def _export(visitor: Visitor, kind: str, claims: int) -> Iterator[Figure]:
    visitor.client.timeout = httpx.Timeout(1800)
    began = time.perf_counter()
    answer = visitor.post("/exports", seen="/exports", what="claims", format=kind)
    took, resident = time.perf_counter() - began, psutil.Process().memory_info().rss
    note = f"{answer.headers['x-rows']} rows; memory of browser and server {resident >> 20} MiB"
    yield Figure(PART, f"export of {claims:,} claims", kind, "s", "less", (took,), (load(),), note)


def _value(connection: Connection, sql: str, given: dict[str, object]) -> object:
    return connection.scalar(text(sql), given)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.console", description=__doc__)
    parser.add_argument("--claims", type=int, default=1_000_000)
    figures = measure(parser.parse_args().claims, _say, ("parquet", "csv", "xlsx"))
    for each in figures:
        _say(f"| {each.subject} | {each.measure} | {each.median:.1f} {each.unit} | {each.note} |")


if __name__ == "__main__":
    main()
