"""A hospital's settlement list, from the file through Kafka to the payout, and the refund that takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.topics import INBOUND, OUTBOUND
from tests.support.builders import coverage, encode
from tests.support.national_lists import as_sheet, listed, reversal
from tests.support.paths import MAPPING_FILE
from tests.support.posting import stay
from tests.support.processes import huzhu, squeezed
from tests.support.schemas_in_force import faults, validators
from tests.support.spine import Spine


@pytest.fixture(scope="module")
def spine(kafka: str, postgres_url: str) -> Iterator[Spine]:
    """A worker and a relay with the sample policy in force."""
    with Spine(kafka, postgres_url) as running:
        running.publish()
        running.start("worker")
        running.start("relay")
        yield running


def posted(spine: Spine, file: Path, *words: str | Path, status: int = 0) -> str:
    done = huzhu("post", *words, file, HUZHU_KAFKA_BOOTSTRAP=spine.bootstrap)
    assert done.returncode == status, done.stderr
    spine.await_idle()
    return done.stdout


NATIONAL = ("--format", "national", "--mapping", MAPPING_FILE)


def test_a_settlement_list_is_paid_explained_and_refunded(spine: Spine, tmp_path: Path) -> None:
    """Good rows of a workbook are posted, the bad one is kept; sent twice it pays once; its refund takes it back."""
    people = tmp_path / "people.jsonl"
    people.write_bytes(encode(coverage(person_id="P1")))
    posted(spine, people)
    book = as_sheet(tmp_path / "list.xlsx", [listed(), listed("S2", "E2", "P2", hifp_pay="5000.01")])
    said = posted(spine, book, *NATIONAL, status=3)
    assert said == "hospital.discharges: 1 acknowledged\nhospital.expenses: 1 acknowledged\n"
    posted(spine, book, *NATIONAL, status=3)
    (decision,) = [each for each in spine.of_claim("claims.decisions", "E1") if each["status"] == "adjudicated"]
    assert (decision["personal_burden"], decision["total_benefit"]) == ("4400.00", "390.00")
    assert [each["amount"] for each in spine.of_claim("payouts.instructions", "E1")] == ["390.00"]
    counted = {row.disposition: row.count for row in spine.rows("SELECT disposition, count(*) FROM events GROUP BY 1")}
    assert counted == {"policy": 1, "accepted": 3, "duplicate": 2}

    words = ("explain", "E1", "--language", "both")
    told = squeezed(huzhu(*words, HUZHU_DATABASE_URL=spine.url).stdout)
    assert "由国家医保结算清单按对照表sample-hospital-2020(" in told
    assert "先行自付300.00元计入个人自付;超限价100.00元计入个人自费" in told
    assert squeezed("comes from the national settlement list under the mapping sample-hospital-2020") in told

    refund = as_sheet(tmp_path / "refund.xlsx", [reversal()])
    posted(spine, refund, *NATIONAL)
    assert spine.of_claim("claims.decisions", "E1")[-1]["status"] == "voided"
    instructed = spine.of_claim("payouts.instructions", "E1")
    assert [(each["kind"], each["amount"]) for each in instructed] == [("payment", "390.00"), ("recovery", "390.00")]


def test_every_message_on_the_topics_is_as_its_schema_says(spine: Spine) -> None:
    """What other programs read from Kafka keeps the published contract, and what they sent does too."""
    known = validators()
    messages = [each.value for topic in (*OUTBOUND, *INBOUND) for each in spine.committed(topic.name)]
    assert {each["event_type"] for each in messages} >= {"claim.decided", "payout.instructed", "audit.recorded"}
    assert [] == [fault for message in messages for fault in faults(known, message)]


def test_refused_events_are_sent_on_purpose_only(spine: Spine, tmp_path: Path) -> None:
    """The good line goes out by itself; with --send-refused the other one too, and its refusal is on record."""
    good, bad = stay("P-on-purpose", "E-on-purpose", 3000)
    file = tmp_path / "facts.jsonl"
    file.write_bytes(encode(good) + b"\n" + encode({**bad, "total_charge": "1.00"}) + b"\n")
    refused = "SELECT count(*) FROM refusals JOIN events USING (event_no) WHERE key = 'P-on-purpose'"
    for words, sent, known in (((), "1 acknowledged", 0), (("--send-refused",), "hospital.expenses: 1", 1)):
        done = huzhu("post", file, *words, HUZHU_KAFKA_BOOTSTRAP=spine.bootstrap)
        assert (3, True) == (done.returncode, sent in done.stdout), done.stderr
        assert "AMOUNTS_DO_NOT_BALANCE" in done.stderr
        spine.await_idle()
        assert known == spine.rows(refused)[0][0]
