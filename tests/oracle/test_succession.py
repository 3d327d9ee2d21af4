"""A policy that succeeds another, and policies that cannot be used together: section 4, by hand."""

from itertools import permutations
from pathlib import Path

import pytest

from .builders import coverage_from, decide, policy, results, scheme, stay_of
from .calculator import UnusableError, adjudicate, main

FACTS = [
    coverage_from(),
    *stay_of("E1", "2020-06-30", "100.00"),
    *stay_of("E2", "2020-07-01", "100.00"),
    *stay_of("E3", "2021-01-01", "100.00"),
]


def release(name: str, start: str, rate: str, settings: str = "", end: str = "", succeeds: str = "") -> str:
    """A policy that pays a rate of everything."""
    only = scheme("s", settings, f'[{{ over = "0.00", rate = "{rate}" }}]')
    return policy(only, start=start, end=end, name=name, succeeds=succeeds)


def paid(*policies: str) -> list[tuple[object, object, object]]:
    """Status, policy and benefits of each claim; the same in whatever order the policies are given."""
    claims = decide(list(policies), *FACTS)
    for order in permutations(policies):
        assert claims == decide(list(order), *FACTS)
    return [(claims[name]["status"], claims[name]["policy_id"], claims[name]["total_benefit"]) for name in claims]


def test_the_predecessor_ends_on_the_successors_first_day() -> None:
    """The stay of 30 June gets a tenth from the old policy, that of 1 July a fifth from the new one."""
    assert [
        ("adjudicated", "old", "10.00"),
        ("adjudicated", "new", "20.00"),
        ("adjudicated", "new", "20.00"),
    ] == paid(release("old", "2010-01-01", "0.1"), release("new", "2020-07-01", "0.2", succeeds="old"))


def test_a_successor_may_be_succeeded_and_may_have_an_end() -> None:
    """Three in a row, the last for one day: 2 January 2021 would have no policy, 1 January has the last."""
    old = release("old", "2010-01-01", "0.1")
    new = release("new", "2020-07-01", "0.2", succeeds="old")
    assert [
        ("adjudicated", "old", "10.00"),
        ("adjudicated", "new", "20.00"),
        ("adjudicated", "last", "30.00"),
    ] == paid(old, new, release("last", "2021-01-01", "0.3", end="2021-01-02", succeeds="new"))
    assert [
        ("adjudicated", "old", "10.00"),
        ("adjudicated", "new", "20.00"),
        ("no_policy", None, "0.00"),
    ] == paid(old, release("new", "2020-07-01", "0.2", end="2021-01-01", succeeds="old"))


def test_a_policy_that_succeeds_nothing_may_follow_a_successor() -> None:
    """The successor ends by itself, and a policy of its own takes over on that day."""
    assert [
        ("adjudicated", "old", "10.00"),
        ("adjudicated", "new", "20.00"),
        ("adjudicated", "other", "30.00"),
    ] == paid(
        release("old", "2010-01-01", "0.1"),
        release("new", "2020-07-01", "0.2", end="2021-01-01", succeeds="old"),
        release("other", "2021-01-01", "0.3"),
    )


def test_yearly_sums_follow_the_scheme_into_the_successor() -> None:
    """Of the cap of 15.00 the old policy used 10.00: the next stay gets 5.00, and the new year starts whole."""
    cap = 'cap_per_year = "15.00"'
    new = release("new", "2020-07-01", "0.2", cap, succeeds="old")
    claims = decide([release("old", "2010-01-01", "0.1", cap), new], *FACTS)
    assert [[("100.00", amount, None)] for amount in ("10.00", "5.00", "15.00")] == [
        results(claim) for claim in claims.values()
    ]


OLD = release("old", "2010-01-01", "0.1")


@pytest.mark.parametrize(
    ("policies", "place", "reason"),
    [
        ([release("new", "2020-07-01", "0.2", succeeds="old")], 0, "not there"),
        ([OLD, release("new", "2020-07-01", "0.2", succeeds="Old")], 1, "not there"),
        (
            [
                release("old", "2010-01-01", "0.1", end="2020-07-01"),
                release("new", "2020-07-01", "0.2", succeeds="old"),
            ],
            1,
            "an end already",
        ),
        (
            [
                OLD,
                release("new", "2020-07-01", "0.2", end="2020-08-01", succeeds="old"),
                release("other", "2020-08-01", "0.3", succeeds="old"),
            ],
            2,
            "another successor",
        ),
        ([OLD, release("new", "2010-01-01", "0.2", succeeds="old")], 1, "does not start before"),
        ([OLD, release("new", "2009-12-31", "0.2", succeeds="old")], 1, "does not start before"),
        ([release("old", "2010-01-01", "0.1", succeeds="old")], 0, "does not start before"),
        ([OLD, OLD.replace("2010", "2015"), release("new", "2020-07-01", "0.2", succeeds="old")], 2, "there twice"),
        ([OLD, release("new", "2020-07-01", "0.2")], 1, "in force on one day"),
        ([OLD, OLD], 1, "in force on one day"),
        ([release("new", "2020-07-01", "0.2"), release("old", "2010-01-01", "0.1", end="2020-07-02")], 1, "one day"),
        ([OLD, release("new", "2020-07-01", "0.2", succeeds="old"), release("x", "2020-06-30", "0")], 2, "one day"),
    ],
)
def test_policies_that_do_not_go_together_are_refused(policies: list[str], place: int, reason: str) -> None:
    """The one to blame is named, with its reason."""
    with pytest.raises(UnusableError, match=reason) as refused:
        adjudicate(policies, FACTS)
    assert place == refused.value.place


def test_policies_that_only_touch_go_together() -> None:
    """The old policy's end, named by itself, is the first day of the new one."""
    old = release("old", "2010-01-01", "0.1", end="2020-07-01")
    assert ["10.00", "20.00", "20.00"] == [amount for _, _, amount in paid(old, release("new", "2020-07-01", "0.2"))]


def test_the_command_line_names_the_file_of_an_unusable_policy(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Exit status 2, the file and the reason on standard error, and no claim."""
    (tmp_path / "old.toml").write_text(OLD, encoding="utf-8")
    (tmp_path / "new.toml").write_text(release("new", "2020-07-01", "0.2", succeeds="x"), encoding="utf-8")
    (tmp_path / "f.jsonl").write_bytes(b"\n".join(FACTS))
    arguments = ["--policy", str(tmp_path / "old.toml"), "--policy", str(tmp_path / "new.toml")]
    assert 2 == main([*arguments, str(tmp_path / "f.jsonl")])
    out, err = capsysbinary.readouterr()
    assert b"" == out
    assert f"{tmp_path}/new.toml: new succeeds x, which is not there\n".encode() == err
