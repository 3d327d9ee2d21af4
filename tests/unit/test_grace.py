"""The grace of a scheme (渐退期; time.md, section 6): its last day, its reasons, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.claims.read import Reading, read, recall
from handlers.words.claim_sentences import why_nothing
from handlers.words.policy_changes import changes
from handlers.words.policy_sentences import FIELDS, NOT_SET, scheme_rules, value_words
from schemas.bilingual import Saying
from schemas.decisions import Reason
from schemas.facts import CoverageRecorded
from schemas.policy.model import Policies
from schemas.policy.policy_file import PolicyError, parse_policy
from schemas.refusals import Refusal
from tests.properties.strategies import Body, Ledger, coverage_from, decide, policy, results, scheme, stay_of
from tests.support.builders import encode, incident

ENDED = {"valid_to": "2020-05-10", "ended_reason": "income"}


def status(text: str, discharged_on: str, **fields: Any) -> str:
    """Of a claim for a stay of one day, with one coverage."""
    decided = decide(text, coverage_from(**{**ENDED, **fields}), *stay_of("E1", discharged_on, "10.00"))
    return str(decided["E1"]["status"])


@pytest.mark.parametrize(
    ("valid_to", "months", "last_day", "next_day"),
    [
        ("2020-05-10", 1, "2020-06-09", "2020-06-10"),
        ("2020-05-10", 12, "2021-05-09", "2021-05-10"),
        ("2020-08-31", 6, "2021-02-27", "2021-02-28"),
        ("2019-08-31", 6, "2020-02-28", "2020-02-29"),
        ("2020-02-29", 12, "2021-02-27", "2021-02-28"),
        ("2020-02-29", 48, "2024-02-28", "2024-02-29"),
        ("2020-01-31", 1, "2020-02-28", "2020-02-29"),
        ("2020-12-01", 1, "2020-12-31", "2021-01-01"),
        ("2020-11-30", 3, "2021-02-27", "2021-02-28"),
        ("2020-05-10", 0, "2020-05-09", "2020-05-10"),
    ],
)
def test_a_grace_ends_on_its_day(valid_to: str, months: int, last_day: str, next_day: str) -> None:
    """Calendar months, to the same day or the last of a shorter month; the last day still counts, the next does not."""
    text = policy(scheme(grace_months=months))
    assert "adjudicated" == status(text, last_day, valid_to=valid_to)
    assert "not_covered" == status(text, next_day, valid_to=valid_to)


def test_a_grace_beyond_the_calendar_has_no_end() -> None:
    """The year 9999 is the last one."""
    text = policy(scheme(grace_months=12))
    times = {"occurred_at": "9999-12-30T12:00:00+08:00"}
    facts = [{**body, **times} for body in stay_of("E1", "9999-12-30", "10.00")]
    decided = decide(text, coverage_from(valid_to="9999-05-10"), *facts)["E1"]
    assert "adjudicated" == decided["status"]
    assert "of 12 months after that. What" in decided["explanation"][0]["en"]


@pytest.mark.parametrize(
    ("reasons", "ended_reason", "counts"),
    [
        (None, "income", True),
        (None, "fraud", True),
        (None, None, True),
        (["income"], "income", True),
        (["moved", "income"], "income", True),
        (["moved"], "income", False),
        (["moved"], None, False),
        (["income", "assets", "employment", "moved", "death", "fraud", "request"], None, False),
    ],
)
def test_a_grace_is_for_the_reasons_that_it_lists(
    reasons: list[str] | None, ended_reason: str | None, counts: bool
) -> None:
    """Without a list for all, and for coverages of which no reason is told; with one for those of the list only."""
    listed: Body = {} if reasons is None else {"grace_reasons": reasons}
    text = policy(scheme(grace_months=1, **listed))
    assert ("adjudicated" if counts else "not_covered") == status(text, "2020-05-20", ended_reason=ended_reason)


def test_without_a_grace_a_reason_changes_nothing() -> None:
    """The end of a coverage is its end."""
    assert "not_covered" == status(policy(scheme()), "2020-05-10")
    assert "adjudicated" == status(policy(scheme()), "2020-05-09")


def test_only_the_scheme_with_the_grace_counts_the_coverage() -> None:
    """The other scheme of the same programme finds none; the claim is decided all the same."""
    text = policy(scheme("a", {"0.00": "0.5"}), scheme("b", {"0.00": "0.5"}, grace_months=1))
    decision = decide(text, coverage_from(**ENDED), *stay_of("E1", "2020-05-20", "10.00"))["E1"]
    assert "adjudicated" == decision["status"]
    assert [("0.00", "0.00", "NO_COVERAGE"), ("10.00", "5.00", None)] == results(decision)


@pytest.mark.parametrize(
    ("fields", "limits", "reason"),
    [
        ({}, {"care_types": ["outpatient_special"]}, "NOT_IN_SCOPE"),
        ({"valid_from": "2020-05-01"}, {"waiting_days": 30}, "WAITING_PERIOD"),
    ],
)
def test_who_is_in_a_grace_is_covered_though_nothing_is_paid(fields: Body, limits: Body, reason: str) -> None:
    """A coverage in grace counts for the status too: the stay's scope and the waiting time are reasons, no more."""
    text = policy(scheme(grace_months=1, **limits))
    decision = decide(text, coverage_from(**{**ENDED, **fields}), *stay_of("E1", "2020-05-20", "10.00"))["E1"]
    assert ("adjudicated", [("0.00", "0.00", reason)]) == (decision["status"], results(decision))


TIERS = {"poor": {"0.00": "0.8"}, "ordinary": {"0.00": "0.5"}}


def test_a_tier_in_its_grace_comes_before_the_tier_that_is_valid() -> None:
    """Who was poor and is ordinary now has both categories for as long as the grace lasts: the first tier applies."""
    text = policy(scheme(tiers=TIERS, grace_months=1))
    facts = [
        coverage_from(category="poor", **ENDED),
        coverage_from("2020-05-10", "ordinary", coverage_id="C2"),
        *stay_of("E1", "2020-06-09", "10.00"),
        *stay_of("E2", "2020-06-10", "10.00"),
    ]
    decided = decide(text, *facts)
    assert ["8.00", "5.00"] == [decision["total_benefit"] for decision in decided.values()]
    assert ["grace" in decision["explanation"][0]["en"] for decision in decided.values()] == [True, False]


def test_what_a_valid_coverage_gives_is_no_grace() -> None:
    """A coverage that was renewed pays, and nothing is said of the one before."""
    text = policy(scheme(grace_months=1))
    facts = [
        coverage_from(**ENDED),
        coverage_from("2020-05-10", coverage_id="C2"),
        *stay_of("E1", "2020-05-20", "10.00"),
    ]
    (line,) = decide(text, *facts)["E1"]["explanation"]
    assert "grace" not in line["en"]
    assert "渐退" not in line["zh"]


def test_the_explanation_says_that_it_is_grace() -> None:
    """With the last day of the coverage and of the grace, once, before the first step; the longest grace is told."""
    text = policy(scheme(brackets={"0.00": "0.5", "5.00": "1"}, grace_months=2))
    earlier = coverage_from(valid_to="2020-05-01", coverage_id="C2")
    first, second = decide(text, coverage_from(**ENDED), earlier, *stay_of("E1", "2020-05-20", "10.00"))["E1"][
        "explanation"
    ]
    assert first["zh"].startswith(
        "您参加这一项到 2020 年 5 月 9 日为止,退出后有 2 个月的渐退期,到 2020 年 7 月 9 日为止,渐退期内照样补。"
        "您自己付的钱"
    )
    assert first["en"].startswith(
        "You belonged to this scheme until 2020-05-09; it still pays in the grace of 2 months after that, until "
        "2020-07-09. What you paid yourself"
    )
    assert "grace" not in second["en"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"grace_months": 1}, "(渐退期 1 个月内也没有)。| (nor in the grace of 1 month after its end). "),
        (
            {"grace_months": 6, "areas": ["A1", "A2"]},
            "(限地区 A1、A2;渐退期 6 个月内也没有)。| (areas: A1, A2; nor in the grace of 6 months after its end). ",
        ),
        ({"areas": ["A1"]}, "(限地区 A1)。| (areas: A1). "),
        ({"grace_months": 0}, "记录。|discharge. "),
    ],
)
def test_who_has_no_coverage_is_told_of_the_grace(fields: Body, said: str) -> None:
    """Beside the areas, in both languages."""
    (found,) = parse_policy(policy(scheme(**fields))).schemes
    words, (zh, en) = why_nothing(Reason.NO_COVERAGE, found), said.split("|")
    assert zh in words.zh
    assert en in words.en


def test_a_policy_says_its_grace_in_words() -> None:
    """In both languages, with the reasons if not all count, right after whom the scheme is for."""
    listed = {"grace_months": 6, "grace_reasons": ["income", "moved"]}
    for fields, zh, en in (
        (
            {"grace_months": 1},
            "退出后 1 个月内出院的也算,不论退出原因。",
            "for 1 month after its end, whatever the reason.",
        ),
        (
            listed,
            "限退出原因是:收入超过标准、户籍或居住地迁出。",
            "the reason is one of: income over the limit, moved away.",
        ),
    ):
        (found,) = parse_policy(policy(scheme(**fields))).schemes
        label, sentence = scheme_rules(found)[1]
        assert ("渐退期", "Grace") == (label.zh, label.en)
        assert sentence.zh.endswith(zh)
        assert sentence.en.endswith(en)
    (plain,) = parse_policy(policy(scheme(grace_months=0))).schemes
    assert "渐退期" not in [label.zh for label, _ in scheme_rules(plain)]


def test_a_change_of_the_grace_is_told_in_words() -> None:
    """Months as a number, reasons by their names, and what is not set as such."""
    before = parse_policy(policy(scheme(grace_months=6, grace_reasons=["income", "request"])))
    changed = changes(before, parse_policy(policy(scheme(grace_months=3))))
    told = [(FIELDS[each.field].en, *(value_words(each.field, value) for value in each[2:])) for each in changed]
    assert [
        ("grace in months", Saying("6", "6"), Saying("3", "3")),
        ("grace after", Saying("收入超过标准、本人申请退出", "income over the limit, own request"), NOT_SET),
    ] == told


def test_one_month_is_no_months() -> None:
    """In English."""
    (line,) = decide(policy(scheme(grace_months=1)), coverage_from(**ENDED), *stay_of("E1", "2020-05-20", "10.00"))[
        "E1"
    ]["explanation"]
    assert "the grace of 1 month after that" in line["en"]


def test_the_pool_of_a_coverage_in_its_grace_pays() -> None:
    """As while it was valid; a coverage that began later and gives the tier too comes first."""
    text = policy(scheme(grace_months=1, funded_by="pool"))
    facts = [coverage_from(pool_id="V1", **ENDED), *stay_of("E1", "2020-05-20", "10.00")]
    later = coverage_from("2020-05-12", coverage_id="C0", pool_id="V2")
    for held, pool_id in ((facts, "V1"), ([*facts, later], "V2")):
        (benefit,) = decide(text, *held)["E1"]["benefits"]
        assert pool_id == benefit["pool_id"]


GIFT = """
[[scheme]]
id = "gift"
programme = "aid"
trigger = "incident"
grace_months = 1
[[scheme.tier]]
name = "member"
categories = ["member"]
fixed = "50.00"
"""


@pytest.mark.parametrize(("occurred_on", "paid"), [("2020-06-09", "50.00"), ("2020-06-10", "0.00")])
def test_an_incident_in_a_grace_is_paid_and_told(occurred_on: str, paid: str) -> None:
    """By the day on which it occurred; what is assured in a sum is explained like what is worked out by brackets."""
    decision = decide(policy(GIFT), coverage_from(**ENDED), incident(occurred_on=occurred_on))["incident:I1"]
    assert paid == decision["total_benefit"]
    assert ["until 2020-06-09. " in line["en"] for line in decision["explanation"]] == [True] * (paid != "0.00")


@pytest.mark.parametrize("field", ["grace_months = 1", 'grace_months = 1\ngrace_reasons = ["income"]'])
def test_temporary_aid_has_no_grace(field: str) -> None:
    """It looks at no coverage."""
    text = f'[[scheme]]\nid = "aid"\ntrigger = "aid"\nlevels = {{ city = "10.00" }}\n{field}\n'
    with pytest.raises(PolicyError) as refused:
        parse_policy(policy(text))
    told = str(refused.value).splitlines()
    assert len(field.splitlines()) == len(told)
    assert 'grace_months: does not go with trigger = "aid" (aid): delete it' in told[0]


def test_an_end_that_is_corrected_within_the_grace_is_decided_anew() -> None:
    """No money moves, but the family is told other days."""
    ledger = Ledger(policy(scheme(grace_months=1)))
    ledger.take(coverage_from(**ENDED), *stay_of("E1", "2020-05-20", "10.00"))
    before = ledger.decisions()["E1"]
    assert [] == ledger.take(coverage_from(version=2, **{**ENDED, "valid_to": "2020-05-11"}))
    after = ledger.decisions()["E1"]
    assert before["total_benefit"] == after["total_benefit"]
    assert "until 2020-05-10;" in after["explanation"][0]["en"]


def test_a_coverage_that_ended_for_another_reason_takes_its_money_back() -> None:
    """A correction of the reason decides the claim again."""
    ledger = Ledger(policy(scheme(grace_months=1, grace_reasons=["income"])))
    ledger.take(coverage_from(**ENDED), *stay_of("E1", "2020-05-20", "10.00"))
    (order,) = ledger.take(coverage_from(version=2, **{**ENDED, "ended_reason": "fraud"}))
    assert ("recovery", 1000) == (order.kind, order.amount)


def test_a_reason_that_nobody_knows_is_refused() -> None:
    """With the pointer to the field and the reasons that there are."""
    refusal = read(encode(coverage_from(**{**ENDED, "ended_reason": "tired"})))
    assert isinstance(refusal, Refusal)
    assert ("SCHEMA_INVALID", ("/ended_reason",)) == (refusal.code, refusal.pointers)
    assert "income" in refusal.en


@pytest.mark.parametrize("told", ["tired", 5, ["income"], {"as": "income"}, ""])
def test_what_an_earlier_release_kept_under_the_name_counts_as_no_reason(told: object) -> None:
    """Such an event is in the ledger already: it can be recalled, and says nothing of why the coverage ended."""
    fact = recall(encode({**coverage_from(valid_to="2020-05-10"), "ended_reason": told}))
    assert isinstance(fact, CoverageRecorded)
    assert (None, "2020-05-10") == (fact.ended_reason, str(fact.valid_to))


def test_a_coverage_without_a_reason_has_the_content_that_it_always_had() -> None:
    """Or what was accepted before would conflict with itself when it is sent again."""
    reading = read(encode(coverage_from(valid_to="2020-05-10")))
    assert isinstance(reading, Reading)
    assert "445c88f2" == reading.content_sha256[:8]


def test_a_policy_without_a_grace_is_identified_as_before() -> None:
    """Its SHA-256 does not name the fields."""
    plain = parse_policy(policy(scheme()))
    assert b"grace" not in plain.canonical
    assert not plain.has_grace
    assert parse_policy(policy(scheme(grace_months=3))).has_grace
    assert 1 == len(Policies((plain, plain)).releases)
