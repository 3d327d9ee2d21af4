"""`huzhu explain` as a person calls it, from files and from the ledger; and the sentences that it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from acts.take_in import take_in
from handlers.offline.book import Book
from handlers.words.claim_sentences import REASON_NAMES, STATUS_NAMES, status_sentence, why_nothing
from infra.ledger.reads import take_shards
from schemas.decisions import Reason, Status
from schemas.policy.model import Scheme
from schemas.policy.policy_file import read_policies
from schemas.records import Range
from schemas.topics import TOPIC_OF_EVENT
from tests.support.acts import publish
from tests.support.builders import SHARDS, Json, bill, coverage, death, delivery, discharge, encode, report, void
from tests.support.paths import WUXI
from tests.support.processes import CHINESE, facts_file, huzhu, squeezed

NOW = datetime(2025, 3, 1, 4, tzinfo=UTC)
PERSON: list[Json] = [
    coverage("C1", "member"),
    coverage("C2", "dibao"),
    discharge("E1", "2024-03-10"),
    bill("S1", "E1", 3000, out_of_catalogue=1000, final=False),
    bill("S2", "E1", 1000, out_of_catalogue=9000),
]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_explain_tells_the_whole_claim_from_files(tmp_path: Path, language: str) -> None:
    """Bills, what is left, each scheme with its running result, what is paid in the end, and the policy."""
    told = huzhu("explain", "E1", "--facts", facts_file(tmp_path, PERSON), "--policy", WUXI, "--language", language)
    assert 0 == told.returncode
    text = squeezed(told.stdout)
    sha256 = read_policies([WUXI]).releases[0].sha256[:12]
    if language == "zh":
        expected = [
            "医院的账单(2张结算单)",
            "总费用14,000.00元",
            "医保目录内(个人自付)4,000.00元",
            "(到这一步:600.00元)",
        ]
        expected += ["各项补助合计8,600.00元", "最后您自己付5,400.00元", "编号wuxi-sample", f"前12位){sha256}"]
    else:
        expected = ["Thehospital'sbills(2)", "Totalcharge14,000.00yuan", "(copay)4,000.00yuan", "(Sofar:600.00yuan.)"]
        expected += [
            "Paidbyallschemestogether8,600.00yuan",
            "Youpay5,400.00yuan",
            "wuxi-sample",
            f"SHA-256begins{sha256}",
        ]
    assert [] == [each for each in expected if each not in text]


def test_explain_says_why_nothing_is_paid(tmp_path: Path) -> None:
    """An incomplete claim says what is missing; a claim outside a scheme says why; both say what to do."""
    course = discharge("E3", care_type="outpatient_special")
    events = [*PERSON, bill("S9", "E2", 500, final=False), course, bill("S3", "E3", 500)]
    file = facts_file(tmp_path, events)
    incomplete = squeezed(huzhu("explain", "E2", "--facts", file, "--policy", WUXI).stdout)
    assert "缺:出院记录、最后一张结算单" in incomplete
    outside = squeezed(huzhu("explain", "E3", "--facts", file, "--policy", WUXI).stdout)
    assert squeezed(why_nothing(Reason.NOT_IN_SCOPE, read_policies([WUXI]).releases[0].schemes[0]).zh) in outside


@pytest.mark.parametrize(
    ("status", "events"),
    [
        (Status.VOIDED, [*PERSON, void("S1"), void("S2")]),
        (Status.AFTER_DEATH, [*PERSON, death("2024-02-01")]),
        (Status.NO_POLICY, [discharge("E1", "2009-03-10", admitted_on="2009-03-01"), PERSON[3], PERSON[4]]),
        (Status.NOT_COVERED, PERSON[2:]),
        (Status.ADJUDICATED, PERSON),
        (Status.ADJUDICATED, [PERSON[0], discharge("E1", care_type="outpatient_special"), PERSON[4]]),
    ],
)
def test_explain_has_a_sentence_for_every_status(tmp_path: Path, status: Status, events: list[Json]) -> None:
    """Each status says what it means and what to do next; only who is not covered is told so."""
    file = facts_file(tmp_path, events)
    book = Book()
    for event in events:
        book.take(encode(event))
    (decision,) = book.decide(read_policies([WUXI]))
    assert status is decision.status
    told = huzhu("explain", "E1", "--facts", file, "--policy", WUXI, "--language", "both")
    assert 0 == told.returncode
    said = status_sentence(decision, discharged=True, final_bill=True)
    assert squeezed(said.zh) in squeezed(told.stdout)
    assert squeezed(said.en) in squeezed(told.stdout)
    assert ("参保" in said.zh) is (status is Status.NOT_COVERED)
    assert ("没有" in said.zh) is (decision.total_benefit == 0)


def test_explain_says_that_the_estate_is_paid(tmp_path: Path) -> None:
    """A person who died after the stay keeps the claim; it is paid to the heirs."""
    told = huzhu("explain", "E1", "--facts", facts_file(tmp_path, [*PERSON, death("2024-03-20")]), "--policy", WUXI)
    assert "补助付给继承人" in squeezed(told.stdout)


@pytest.mark.parametrize(
    "scheme", [None, *read_policies([WUXI]).releases[0].schemes], ids=lambda scheme: getattr(scheme, "id", "-")
)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_sentences(reason: Reason, scheme: Scheme | None) -> None:
    """In Chinese and English, whole sentences, with and without the scheme's numbers."""
    said = why_nothing(reason, scheme, 1999_99)
    assert said.zh.endswith("。")
    assert said.en.endswith(".")
    assert not CHINESE.search(said.en)
    assert REASON_NAMES[reason].zh


def test_every_status_has_a_name() -> None:
    """No status is shown as a code."""
    assert set(Status) == set(STATUS_NAMES)


@pytest.mark.parametrize(("language", "said"), [("zh", "没有理赔 E404"), ("en", "No claim E404")])
def test_explain_of_an_unknown_claim_is_one_sentence(tmp_path: Path, language: str, said: str) -> None:
    """Exit status 2, nothing on standard output."""
    told = huzhu("explain", "E404", "--facts", facts_file(tmp_path, PERSON), "--policy", WUXI, "--language", language)
    assert (2, "", 1) == (told.returncode, told.stdout, len(told.stderr.splitlines()))
    assert told.stderr.startswith(said)


def test_explain_leaves_out_what_lies_in_the_future(tmp_path: Path) -> None:
    """As of a moment more than a day before the facts occurred none of them counts, and the command says how many."""
    file = facts_file(tmp_path, PERSON)
    words = ("explain", "E1", "--facts", file, "--policy", WUXI)
    told = huzhu(*words, "--as-of", "2024-12-30T11:59:59+08:00")
    assert (2, "") == (told.returncode, told.stdout)
    assert f"{len(PERSON)} facts were refused" in told.stderr
    assert huzhu(*words).stdout == huzhu(*words, "--as-of", "2024-12-30T12:00:00+08:00").stdout


@pytest.mark.parametrize("words", [("--facts", "facts.jsonl"), ("--policy", WUXI), ("--as-of", "2024-01-01T00:00:00Z")])
def test_explain_wants_facts_and_policies_together(words: tuple[str | Path, ...]) -> None:
    """Half a call is status 2 with what to add."""
    told = huzhu("explain", "E1", *words)
    assert 2 == told.returncode
    assert f"{words[0]} needs --" in told.stderr


def fill(ledger: Engine, events: Sequence[Json], after: Sequence[Json] = ()) -> None:
    """Processes events of one person into the ledger, as a worker does; ``after`` are earlier ones."""
    with ledger.begin() as connection:
        epochs = take_shards(connection, range(SHARDS))
    taken = list(after)
    for event in events:
        topic = TOPIC_OF_EVENT[event["event_type"]]
        start = sum(TOPIC_OF_EVENT[each["event_type"]] is topic for each in taken)
        message = delivery(event, start)
        place = Range(topic.name, message.partition, start, start + 1, (message,))
        take_in(ledger, [place], epochs, SHARDS, lambda: NOW)
        taken.append(event)


def test_explain_reads_the_ledger(ledger: Engine, ledger_url: str) -> None:
    """The newest decision, the bills behind it, the policy, and every instruction with the insurer's report."""
    publish(ledger, WUXI.read_text("utf-8"), "li.na", SHARDS, lambda: NOW)
    fill(ledger, PERSON)
    before = huzhu("explain", "E1", HUZHU_DATABASE_URL=ledger_url)
    assert (0, "") == (before.returncode, before.stderr)
    payouts = re.findall(r"PO-[0-9a-f]{32}", before.stdout)
    assert 2 == len(payouts)
    assert 2 == squeezed(before.stdout).count("已发指令,尚无结果")
    fill(ledger, [report(payouts[0]), bill("S2", "E1", 1000, out_of_catalogue=4000, version=2)], PERSON)
    after = huzhu("explain", "E1", "--language", "en", HUZHU_DATABASE_URL=ledger_url)
    text = squeezed(after.stdout)
    assert squeezed("Paid by all schemes together 4,600.00 yuan") in text
    assert squeezed("recover 4,000.00 yuan") in text
    assert 1 == text.count(",paid.")
    assert 3 == len(re.findall(r"PO-[0-9a-f]{32}", after.stdout))


def test_explain_knows_no_claim_that_the_ledger_does_not_hold(ledger_url: str) -> None:
    """One sentence, exit status 2."""
    told = huzhu("explain", "E404", HUZHU_DATABASE_URL=ledger_url)
    assert (2, "") == (told.returncode, told.stdout)
    assert told.stderr.startswith("没有理赔 E404:账本里还没有")


def test_explain_needs_a_ledger_or_files() -> None:
    """Without either the setting to give is named."""
    told = huzhu("explain", "E1")
    assert 2 == told.returncode
    assert "HUZHU_DATABASE_URL" in told.stderr


TWICE: list[Json] = [
    *PERSON,
    bill("S3", "E1", 0, invoice_no="INV-7"),
    discharge("SECRET-9", "2024-05-10", admitted_on="2024-05-01", person_id="P9"),
    bill("S9", "SECRET-9", 100, invoice_no="INV-7", person_id="P9"),
]
"""One invoice in the claims of two persons."""


def test_explain_says_that_a_claim_is_held_and_names_nobody_else(tmp_path: Path) -> None:
    """To the family: what is held, why, who checks it and what to do; not whose the other claim is. The due stays."""
    held = tmp_path / "held.toml"
    held.write_text(WUXI.read_text("utf-8") + '[checks]\nduplicate_invoice = "hold"\n', "utf-8")
    facts = facts_file(tmp_path, TWICE)
    told = huzhu("explain", "E1", "--facts", facts, "--policy", held, "--language", "both")
    assert 0 == told.returncode
    for sentence in (
        "补助暂缓支付:医院的同一张发票在不止一次看病里用到",
        "由两位工作人员核对,核对属实后自动支付,您不用再申请",
        "For now nothing is paid for this treatment: an invoice of the hospital was used for more than one treatment.",
        "you need not apply again",
        "8,600.00",
    ):
        assert squeezed(sentence) in squeezed(told.stdout)
    assert [] == [name for name in ("SECRET-9", "INV-7", "P9") if name in told.stdout]
    claim = json.loads(huzhu("explain", "E1", "--facts", facts, "--policy", held, "--json").stdout)["claim"]
    assert (["DUPLICATE_INVOICE"], True) == (claim["alerts"], claim["held"])


def test_explain_says_that_staff_check_a_claim_that_is_paid(tmp_path: Path) -> None:
    """Where the policy only alerts: the payment does not wait."""
    told = squeezed(huzhu("explain", "E1", "--facts", facts_file(tmp_path, TWICE), "--policy", WUXI).stdout)
    assert squeezed("医院的同一张发票在不止一次看病里用到,工作人员会核对;不影响发放,您不用办手续。") in told
    assert "暂缓" not in told


def test_both_reasons_are_told_and_stays_alone_say_nothing_of_invoices(tmp_path: Path) -> None:
    """Overlapping stays have their own words, beside those of an invoice."""
    file = facts_file(tmp_path, [*PERSON, discharge("E2"), bill("S9", "E2", 100)])
    told = squeezed(huzhu("explain", "E1", "--facts", file, "--policy", WUXI).stdout)
    assert "登记的两次住院有同一晚" in told
    assert "发票" not in told
    both = facts_file(tmp_path, [*TWICE, discharge("E2"), bill("S8", "E2", 100)])
    told = squeezed(huzhu("explain", "E1", "--facts", both, "--policy", WUXI).stdout)
    assert "医院的同一张发票在不止一次看病里用到,登记的两次住院有同一晚" in told
