"""An event that says it was sent after it was taken in: FUTURE_DATED of section 3, by hand."""

import json
from pathlib import Path

import pytest

from .builders import SECTION_5, bill_of, coverage_from, discharge_of, fact, policy, scheme, stay_of, void_of
from .calculator import adjudicate, instant_of, main

POLICY = policy(scheme(*SECTION_5))
SENT = "2030-01-01T00:00:00Z"  # by all events here, unless they say something else

EVENTS = [
    discharge_of("E1", "2020-01-01"),
    bill_of("E1", "1.00"),
    void_of("E2", 1),
    coverage_from(),
    fact("coverage.voided", coverage_id="C2", reason="r"),
    fact("person.died", died_on="2020-01-01"),
    fact("payout.reported", payout_id="PO", status="paid", reported_at="2020-01-01T00:00:00Z", reference="r"),
]


def codes_as_of(instant: str | None, *facts: bytes) -> list[object]:
    as_of = None if instant is None else instant_of(instant)
    return [refusal["code"] for refusal in adjudicate([POLICY], list(facts), as_of)[1]]


@pytest.mark.parametrize(
    ("as_of", "refused"),
    [
        (None, False),
        ("2030-01-01T00:00:00Z", False),
        ("2099-01-01T00:00:00Z", False),
        ("2029-12-31T00:00:00Z", False),  # one day, not more
        ("2029-12-31T08:00:00+08:00", False),  # the same instant
        ("2029-12-30T23:59:59.999Z", True),
        ("2029-12-31T07:59:59+08:00", True),
        ("2029-12-31T00:00:00+00:01", True),
        ("2000-01-01T00:00:00Z", True),
    ],
)
def test_an_event_sent_more_than_a_day_later_is_refused(as_of: str | None, refused: bool) -> None:
    """Whatever its type: the day is 24 hours between two instants, not a calendar day."""
    assert ["FUTURE_DATED"] * (len(EVENTS) if refused else 0) == codes_as_of(as_of, *EVENTS)


def test_the_events_own_dates_are_held_against_its_own_clock() -> None:
    """Sent a day ahead and dated a day after that is accepted; two days after it was sent never is."""
    assert [] == codes_as_of("2029-12-31T00:00:00Z", discharge_of("E1", "2030-01-02"))
    assert [] == codes_as_of("2029-12-31T00:00:00Z", bill_of("E1", "1.00", settled_at="2030-01-02T00:00:00Z"))
    assert ["FUTURE_DATED"] == codes_as_of("2099-01-01T00:00:00Z", discharge_of("E1", "2030-01-03"))


def test_a_coverage_may_begin_in_the_future() -> None:
    """No rule holds valid_from against a clock."""
    assert [] == codes_as_of(SENT, coverage_from("2050-01-01", valid_to="2051-01-01"))


def test_a_refused_event_leaves_no_trace() -> None:
    """The bill from the future is not counted, and the same version with other content is no conflict."""
    early = {"occurred_at": "2029-01-01T00:00:00Z"}
    facts = [bill_of("E1", "9.00"), discharge_of("E1", "2020-01-01", **early), bill_of("E1", "5.00", **early)]
    claims, refusals = adjudicate([POLICY], facts, instant_of("2029-06-01T00:00:00Z"))
    assert [(1, "FUTURE_DATED")] == [(refusal["line"], refusal["code"]) for refusal in refusals]
    assert [("not_covered", "5.00")] == [(claim["status"], claim["personal_burden"]) for claim in claims]


def test_the_command_line_takes_an_instant(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """With it the facts are refused, without it all are accepted, and a day alone is no instant."""
    (tmp_path / "p.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "f.jsonl").write_bytes(b"\n".join(stay_of("E1", "2020-01-01", "1.00")))
    arguments = ["--policy", str(tmp_path / "p.toml"), str(tmp_path / "f.jsonl")]
    assert 0 == main(arguments)
    assert 0 == main([*arguments, "--as-of", SENT])
    capsysbinary.readouterr()
    assert 3 == main([*arguments, "--as-of", "2029-12-30T23:59:59Z"])
    out, err = capsysbinary.readouterr()
    assert b"" == out
    assert [(1, "FUTURE_DATED"), (2, "FUTURE_DATED")] == [
        (e["line"], e["code"]) for e in map(json.loads, err.splitlines())
    ]
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--as-of", "2029-12-30"])
    assert 2 == left.value.code
