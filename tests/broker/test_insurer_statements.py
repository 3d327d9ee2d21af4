"""The insurer of docs/examples/insurer_statements.py on a real broker: it finds its statements right, and answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from kafka import KafkaProducer

from acts.answered_statements import given_answers
from acts.take_in import take_in
from infra.kafka import topic_setup
from infra.ledger import reads
from infra.settings import Settings
from schemas.canonical import canonical_json, sha256_hex
from schemas.topics import ANSWERS, INSTRUCTIONS, STATEMENTS, insurer_topic
from stream.inbound.partition_reader import RangeReader
from tests.support.acts import reissue
from tests.support.builders import SHARDS, Json, bill, report, void
from tests.support.paths import EXAMPLES
from tests.support.spine import Spine
from tests.support.stated_town import StatedTown

INSURERS = ("insurer-a", "insurer-b", "insurer-c")


def make_topics(bootstrap: str, *insurers: str) -> None:
    wanted = [insurer_topic(each, of) for each in insurers for of in (INSTRUCTIONS, STATEMENTS)]
    topic_setup.apply(bootstrap, Settings(shards=SHARDS), wanted)


def paid(person: str, copay: str, version: int = 1) -> Json:
    """A bill of which 30 % of what is above 2,000 yuan is paid."""
    return bill(f"S-{person}", f"E-{person}", person_id=person, version=version, copay=0) | {
        "copay": copay,
        "total_charge": copay,
    }


@pytest.fixture(scope="module")
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    """Four months under a treaty with a stop-loss: one above it, one below zero, a reissue, and an empty one."""
    with Spine(kafka, postgres_url) as spine:
        make_topics(spine.bootstrap, *INSURERS)
        town = StatedTown(spine.engine)
        town.cover("P1", "P2", "P3")
        town.take(paid("P1", "3001.11"), paid("P2", "5333.00"), paid("P3", "3003.33"))
        first = {each.claim_id: each.payout_id for each in town.payouts()}
        town.set("2025-02-03T09:00:00+08:00")
        town.issue("2025-01")
        town.take(report(first["E-P3"], person_id="P3"), report(first["E-P1"], status="failed", person_id="P1"))
        town.take(paid("P2", "2500.00", 2), void("S-P3", "E-P3", person_id="P3"))
        town.set("2025-03-03T09:00:00+08:00")
        town.issue("2025-02")
        reissue(spine.engine, first["E-P1"], "li.na", "another account", SHARDS, town.clock)
        town.set("2025-04-03T09:00:00+08:00")
        town.issue("2025-03")
        town.set("2025-05-03T09:00:00+08:00")
        town.issue("2025-04")
        spine.start("relay")
        spine.await_idle()
        yield spine


def check(spine: Spine, insurer: str, *options: str) -> subprocess.CompletedProcess[str]:
    """What the example says to an insurer."""
    command = [sys.executable, str(EXAMPLES / "insurer_statements.py"), spine.bootstrap, insurer, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def take_answers(spine: Spine) -> list[tuple[str, str, str, bool]]:
    """Takes in what was written to the topic of answers; month, insurer, verdict and match of each in the ledger."""
    with spine.engine.begin() as connection:
        epochs = reads.take_shards(connection, range(SHARDS))
        reached = reads.next_offsets(connection)
    with RangeReader(spine.bootstrap) as reader:
        for place, (_, end) in reader.ends((ANSWERS.name, shard) for shard in range(SHARDS)).items():
            if end > reached.get(place, 0):
                part = reader.read(*place, reached.get(place, 0), end, 500)
                take_in(spine.engine, [part], epochs, SHARDS, lambda: datetime.now(UTC))
    with spine.engine.connect() as connection:
        given = given_answers(connection)
    return sorted((str(e.kept.month), e.kept.insurer, str(e.fact.verdict), e.matched) for e in given)


def test_every_insurer_finds_its_statements_right_and_confirms_them(spine: Spine) -> None:
    """From its own topic alone; the lead also beside its orders. A second answer of the same is the same one."""
    kept = {(row.month, row.insurer): json.loads(row.value) for row in spine.rows("SELECT * FROM statements")}
    nets = [kept[month, "insurer-a"]["net"] for month in sorted({month for month, _ in kept})]
    cessions = [kept[month, "insurer-a"]["cession"] for month in sorted({month for month, _ in kept})]
    assert ("1601.23", "-1150.90", "0.00", "0.00") == tuple(nets)
    assert ("991.11", "-991.11", "0.00", "0.00") == tuple(cessions)
    for insurer in INSURERS:
        done = check(spine, insurer, "answer=1", *["orders"] * (insurer == "insurer-a"))
        assert 0 == done.returncode, done.stdout + done.stderr
        mine = [kept[month, insurer] for month, name in sorted(kept) if name == insurer]
        assert done.stdout.splitlines() == [
            f"t1 month {each['month']} lines {each['lines']} net {each['net']} part {each['part']} "
            f"part_of_cession {each['part_of_cession']}: confirmed"
            for each in mine
        ]
    expected = sorted((str(month), insurer, "confirmed", True) for month, insurer in kept)
    assert expected == take_answers(spine)
    assert 0 == check(spine, "insurer-b", "answer=1").returncode
    assert expected == take_answers(spine)
    dispositions = [row[0] for row in spine.rows("SELECT disposition FROM events WHERE topic = 'insurance.answers'")]
    assert {"accepted": 12, "duplicate": 4} == {name: dispositions.count(name) for name in set(dispositions)}


# What is not right ----------------------------------------------------------------------------------------

Statements = list[tuple[list[Json], Json]]
"""The lines of each month, and its statement."""


def sent(spine: Spine, insurer: str = "insurer-b") -> Statements:
    """What an insurer was sent, month by month."""
    found: Statements = []
    lines: list[Json] = []
    for message in (each.value for each in spine.committed(insurer_topic(insurer, STATEMENTS).name)):
        if message["event_type"] == "statement.lines":
            lines += message["lines"]
        else:
            found.append((lines, message))
            lines = []
    return found


def send(spine: Spine, insurer: str, months: Statements) -> None:
    """Sends statements to the topic of another insurer, in the first one's place."""
    make_topics(spine.bootstrap, insurer)
    producer = KafkaProducer(bootstrap_servers=spine.bootstrap, acks="all")
    for lines, statement in months:
        shared = {name: statement[name] for name in ("statement_id", "treaty_id", "month", "insurer")}
        chunks = [{"event_type": "statement.lines", **shared, "lines": [each]} for each in lines]
        for message in (*chunks, statement):
            value = canonical_json(message).replace(f'"{statement["insurer"]}"'.encode(), f'"{insurer}"'.encode())
            value = value.replace(b'"ST-', f'"{insurer}-'.encode())
            producer.send(insurer_topic(insurer, STATEMENTS).name, key=insurer.encode(), value=value)
    producer.flush(60)
    producer.close()


def hashed_again(lines: list[Json], statement: Json) -> None:
    statement["lines_sha256"] = sha256_hex(b"".join(canonical_json(each) + b"\n" for each in lines))


def an_amount(months: Statements) -> None:
    months[0][0][1]["amount"] = "1.00"


def an_amount_and_its_hash(months: Statements) -> None:
    an_amount(months)
    hashed_again(*months[0])


def a_state_and_its_hash(months: Statements) -> None:
    months[0][0][1]["state"] = "returned"
    hashed_again(*months[0])


def a_line_less(months: Statements) -> None:
    del months[0][0][-1]
    hashed_again(*months[0])


def a_fen_between_insurers(months: Statements) -> None:
    parts = months[1][1]["parts"]
    for place, fen in ((0, 1), (1, -1)):
        cents = int(parts[place]["part"].replace(".", "")) + fen
        parts[place]["part"] = f"{'-' * (cents < 0)}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def a_cession(months: Statements) -> None:
    months[0][1]["cession"] = "991.10"


def a_month_less(months: Statements) -> None:
    del months[1]


def a_payout_again(months: Statements) -> None:
    again = {**months[0][0][0], "line": months[1][1]["lines"] + 1}
    months[1][0].append(again)
    months[1][1]["lines"] += 1
    hashed_again(*months[1])


def a_report_on_nothing(months: Statements) -> None:
    line = next(each for each in months[1][0] if each["entry"] == "report")
    line["payout_id"] = "PO-nowhere"
    hashed_again(*months[1])


def other_shares(months: Statements) -> None:
    months[1][1]["shares"][0]["share"], months[1][1]["shares"][1]["share"] = "0.3", "0.5"


@pytest.mark.parametrize(
    ("number", "change", "said"),
    [
        (0, lambda months: None, []),
        (1, an_amount, ["line -: lines_sha256 is not that of the lines", "line -: net is"]),
        (2, an_amount_and_its_hash, ["line -: net is", "line -: by_scheme is"]),
        (3, a_state_and_its_hash, ["line -: by_state is"]),
        (4, a_line_less, ["line -: the lines are not numbered", "line -: net is"]),
        (5, a_fen_between_insurers, ["line -: parts is"]),
        (6, a_cession, ["line -: cession is"]),
        (7, a_month_less, ["line -: number does not follow", "line -: month does not follow"]),
        (8, a_payout_again, [" is a line of 2025-01"]),
        (9, a_report_on_nothing, [" is a line of no month"]),
        (10, other_shares, ["line -: shares does not follow", "line -: parts is"]),
    ],
    ids=lambda given: getattr(given, "__name__", None),
)
def test_what_was_tampered_with_is_disputed(
    spine: Spine, number: int, change: Callable[[Statements], None], said: list[str]
) -> None:
    """A changed, missing or repeated line, a wrong sum or part, a gap; what was not touched is confirmed."""
    months, insurer = sent(spine), f"insurer-{number}"
    change(months)
    send(spine, insurer, months)
    done = check(spine, insurer)
    assert bool(said) == done.returncode, done.stdout + done.stderr
    assert ("disputed" in done.stdout) is bool(said)
    assert [] == [each for each in said if each not in done.stdout], done.stdout


def test_a_lead_disputes_what_it_was_not_ordered(spine: Spine) -> None:
    """Statements that are right by themselves, beside a topic in which none of their orders stands."""
    send(spine, "insurer-l", sent(spine, "insurer-a"))
    assert 0 == check(spine, "insurer-l").returncode
    done = check(spine, "insurer-l", "orders")
    assert (1, True) == (done.returncode, "  line 1: is not as it was ordered\n" in done.stdout), done.stdout
    assert "line -:" not in done.stdout


def test_a_dispute_is_an_answer_that_names_its_lines(spine: Spine) -> None:
    """With a reason for each; and where something is wrong with the whole, reasons alone. No such topic is said."""
    months = sent(spine)
    a_report_on_nothing(months)
    a_cession(months)
    send(spine, "insurer-d", months)
    assert 1 == check(spine, "insurer-d", "answer=3").returncode
    take_answers(spine)
    with spine.engine.connect() as connection:
        given = [each for each in given_answers(connection) if each.kept.insurer == "insurer-d"]
    assert [False] * 4 == [each.matched for each in given]
    facts = [each.fact for each in given]
    assert ["disputed", "disputed", "confirmed", "confirmed"] == [str(each.verdict) for each in facts]
    assert ((), 1) == (facts[0].lines, len(facts[0].reasons))
    assert (1, ("is a line of no month",)) == (len(facts[1].lines), facts[1].reasons)
    assert "there is no topic" in check(spine, "insurer-nobody").stderr
