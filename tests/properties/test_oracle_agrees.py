"""The product and the oracle, two programs that share no code, agree on every field of every claim and refusal.

HUZHU_TEST_PERSON_YEARS says on how many random person-years; one is a person in a policy year with at least one claim
that reached a policy.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import handlers.claims.adjudicate
from cli.main import huzhu
from handlers.offline.book import Book
from schemas.decisions import to_json
from schemas.refusals import Refusal
from tests.oracle.alerts import flagged
from tests.oracle.cases import (
    Case,
    random_case,
    random_household_case,
    random_household_years,
    random_person_years,
    write_policy,
)
from tests.properties.strategies import SHRINKS
from tests.support.builders import policies
from tests.support.compiled_core import patches_the_core
from tests.support.length import times

PERSON_YEARS = times(500, 20_000, "HUZHU_TEST_PERSON_YEARS")
IN_ONE_PROCESS_MAX = 5_000
"""Up to so many person-years no other processes are started: the start would take longer."""

CASES_AT_ONCE = 50
SHRINKING_S_MAX = 60.0 if SHRINKS else 0.0

Result = tuple[list[dict[str, Any]], list[tuple[Any, Any]]]


@dataclass(frozen=True)
class Tally:
    """What some cases held, and the first of them on which the two disagree."""

    person_years: int = 0
    claims: int = 0
    refusals: int = 0
    failing: Case | None = None

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.person_years + other.person_years,
            self.claims + other.claims,
            self.refusals + other.refusals,
            self.failing or other.failing,
        )


# The two programs ---------------------------------------------------------------------------------------------------


def by_product(case: Case) -> tuple[Result, Book]:
    """The claims without their explanations, and (line, code) of each refusal, as `huzhu adjudicate` has them."""
    book, refusals = Book(), []
    for number, line in enumerate(case.lines, start=1):
        if line.strip():
            outcome = book.take(line.rstrip(b"\r\n"))
            if isinstance(outcome, Refusal):
                refusals.append((number, str(outcome.code)))
    claims = [to_json(decision) for decision in book.decide(policies(*case.policy_texts))]
    for claim in claims:
        del claim["explanation"]
    return (claims, refusals), book


def by_oracle(case: Case) -> Result:
    claims, refusals = flagged(case.policy_texts, case.lines)
    return claims, [(refusal["line"], refusal["code"]) for refusal in refusals]


def difference(expected: Result, actual: Result) -> str | None:
    """Where the oracle's result and the product's differ first; None when they are the same."""
    if expected[1] != actual[1]:
        return f"refusals (line, code)\n  oracle  {expected[1]}\n  product {actual[1]}"
    for by_one, by_other in zip_longest(expected[0], actual[0]):
        if by_one != by_other:
            return f"a claim\n  oracle  {json.dumps(by_one)}\n  product {json.dumps(by_other)}"
    return None


def disagreement(case: Case) -> str | None:
    """Where the two programs disagree on a case, or that the product crashed; None when they agree."""
    try:
        actual, _ = by_product(case)
    except Exception as error:  # noqa: BLE001 - a crash is a disagreement like any other, and is shrunk like one
        return f"the product raised {error!r}"
    return difference(by_oracle(case), actual)


def a_case(number: int) -> Case:
    """Every fourth is full of noise, the others of years; in every second, noisy or not, persons share households."""
    by_number = (
        random_case,
        random_household_years,
        random_person_years,
        random_household_years,
        random_household_case,
        random_person_years,
        random_household_years,
        random_person_years,
    )
    return by_number[number % len(by_number)](number)


def compare(numbers: Sequence[int]) -> Tally:
    """Both programs on some cases."""
    total = Tally()
    for number in numbers:
        case = a_case(number)
        try:
            actual, book = by_product(case)
        except Exception:  # noqa: BLE001 - told apart by `disagreement`, which meets it again
            return total + Tally(failing=case)
        if difference(by_oracle(case), actual) is not None:
            return total + Tally(failing=case)
        total += Tally(_person_years(case, actual, book), len(actual[0]), len(actual[1]))
    return total


def _person_years(case: Case, result: Result, book: Book) -> int:
    released = policies(*case.policy_texts)
    years = set()
    for claim in result[0]:
        if claim["policy_id"] is not None:
            day = book.accounts[claim["person_id"]].discharges[claim["claim_id"]].discharged_on
            policy = released.on(day)
            assert policy is not None
            years.add((claim["person_id"], policy.year_of(day)))
    return len(years)


def compare_many(person_years: int) -> Tally:
    """Both programs on random cases until there are so many person-years, or they disagree."""
    batches = (range(start, start + CASES_AT_ONCE) for start in range(0, 10**9, CASES_AT_ONCE))
    total = Tally()
    with ExitStack() as stack:
        if person_years <= IN_ONE_PROCESS_MAX:
            tallies: Iterator[Tally] = map(compare, batches)
        else:
            spawn = multiprocessing.get_context("spawn")  # a fork would copy whatever threads other tests have left
            workers = os.cpu_count() or 1
            pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=spawn))
            rounds = (pool.map(compare, [next(batches) for _ in range(4 * workers)]) for _ in iter(int, 1))
            tallies = chain.from_iterable(rounds)
        for tally in tallies:
            total += tally
            if total.failing is not None or total.person_years >= person_years:
                return total
    raise AssertionError("out of cases")


# Making a disagreement small ----------------------------------------------------------------------------------------


def shrunk(case: Case, fails: Callable[[Case], bool]) -> Case:
    """A smaller case that still fails: no line and no part of a policy can be left out (or the time is over)."""
    deadline = time.monotonic() + SHRINKING_S_MAX
    smaller = True
    while smaller:
        smaller = False
        for candidate in chain(_fewer_lines(case), _simpler_policies(case)):
            if time.monotonic() > deadline:
                return case
            if _usable(candidate) and fails(candidate):
                case, smaller = candidate, True
                break
    return case


def _fewer_lines(case: Case) -> Iterator[Case]:
    """The case without each half of its lines, each quarter, and so on down to each line."""
    size = len(case.lines)
    while size > 0:
        for start in range(0, len(case.lines), size):
            yield replace(case, lines=case.lines[:start] + case.lines[start + size :])
        size //= 2


def _simpler_policies(case: Case) -> Iterator[Case]:
    """The case without each policy, scheme, optional setting, tier, category and bracket."""
    for place, text in enumerate(case.policy_texts):
        before, after = case.policy_texts[:place], case.policy_texts[place + 1 :]
        if before or after:
            yield replace(case, policy_texts=before + after)
        document = tomllib.loads(text)
        for path in list(_removable(document["scheme"])):
            copy = tomllib.loads(text)
            *above, last = path
            inside: Any = copy["scheme"]
            for step in above:
                inside = inside[step]
            del inside[last]
            yield replace(case, policy_texts=[*before, _text(copy), *after])


_KEPT = ("id", "programme", "basis", "measured_on", "accumulates", "tier", "name", "categories", "brackets")


def _removable(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all that may be taken out of the schemes: elements of lists that keep another one, and settings."""
    if isinstance(value, list):
        for index, element in enumerate(value):
            if len(value) > 1:
                yield (*path, index)
            yield from _removable(element, (*path, index))
    elif isinstance(value, dict) and "over" not in value:
        for name, inner in value.items():
            if name not in _KEPT:
                yield (*path, name)
            yield from _removable(inner, (*path, name))


def _text(document: dict[str, Any]) -> str:
    def bracket(table: dict[str, str]) -> str:
        return f'{{ over = "{table["over"]}", rate = "{table["rate"]}" }}'

    schemes = []
    for scheme in document["scheme"]:
        tiers = [tier | {"brackets": [bracket(each) for each in tier["brackets"]]} for tier in scheme.pop("tier")]
        schemes.append(scheme | {"tiers": tiers})
    return write_policy(document["policy"], schemes)


def _usable(case: Case) -> bool:
    try:
        policies(*case.policy_texts)
    except ValueError:
        return False
    return True


def explain(case: Case, folder: Path) -> str:
    """Writes a case that fails, made small, into a folder; says how to see it again."""
    small = shrunk(case, lambda candidate: disagreement(candidate) is not None)
    facts = folder / "FACTS.jsonl"
    facts.write_bytes(b"".join(line + b"\n" for line in small.lines))
    files = [folder / f"policy-{number}.toml" for number in range(1, len(small.policy_texts) + 1)]
    for file, text in zip(files, small.policy_texts, strict=True):
        file.write_text(text, encoding="utf-8")
    arguments = " ".join(f"--policy {file}" for file in files) + f" {facts}"
    return "\n".join(
        (
            f"The oracle and the product disagree on the case of seed {case.seed}, "
            f"made small ({len(small.lines)} of {len(case.lines)} lines) in {folder}:",
            disagreement(small) or "",
            f"product: huzhu adjudicate {arguments}",
            f"oracle:  python -m tests.oracle.calculator {arguments}",
        )
    )


# The tests ----------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_oracle_agrees_on_many_person_years(capsys: pytest.CaptureFixture[str]) -> None:
    """Every field of every claim and every refusal is the same, on random policies, people, corrections and noise."""
    started = time.perf_counter()
    total = compare_many(PERSON_YEARS)
    elapsed = time.perf_counter() - started
    if total.failing is not None:
        pytest.fail(explain(total.failing, Path(tempfile.mkdtemp(prefix="huzhu-disagreement-"))), pytrace=False)
    assert total.person_years >= PERSON_YEARS
    with capsys.disabled():
        said = f"{total.person_years} person-years, {total.claims} claims, {total.refusals} refusals"
        print(f"\n{said} agree; {total.person_years / elapsed:.0f} person-years/s", end="")  # noqa: T201


@pytest.mark.parametrize("random_of", [random_case, random_household_case])
@pytest.mark.parametrize("seed", range(6))
def test_the_command_agrees(random_of: Callable[[int], Case], seed: int, tmp_path: Path) -> None:
    """`huzhu adjudicate` itself prints what the oracle says, claims, refusals and exit status."""
    case = random_of(seed)
    facts = tmp_path / "FACTS.jsonl"
    facts.write_bytes(b"\n".join(case.lines))
    arguments = ["adjudicate", str(facts)]
    for number, text in enumerate(case.policy_texts):
        file = tmp_path / f"policy-{number}.toml"
        file.write_text(text, encoding="utf-8")
        arguments += ["--policy", str(file)]
    ran = CliRunner().invoke(huzhu("adjudicate"), arguments)
    claims = [json.loads(line) for line in ran.stdout.splitlines()]
    refusals = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith("{")]
    for claim in claims:
        del claim["explanation"]
    expected = by_oracle(case)
    assert expected == (claims, [(refusal["line"], refusal["code"]) for refusal in refusals])
    assert (3 if expected[1] else 0) == ran.exit_code


@patches_the_core
def test_a_disagreement_is_found_made_small_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a bug planted in the rounding, the comparison fails with a few lines that show it."""
    monkeypatch.setattr(
        handlers.claims.adjudicate, "round_half_up", lambda numerator, denominator: numerator // denominator
    )
    failing = compare(range(20)).failing
    assert failing is not None
    message = explain(failing, tmp_path)
    lines = (tmp_path / "FACTS.jsonl").read_bytes().splitlines()
    types = sorted(json.loads(line)["event_type"] for line in lines)
    assert ["coverage.recorded", "encounter.discharged", "settlement.posted"] == types
    assert f"product: huzhu adjudicate --policy {tmp_path}/policy-1.toml {tmp_path}/FACTS.jsonl" in message
    assert 1 == len(tomllib.loads((tmp_path / "policy-1.toml").read_text("utf-8"))["scheme"])
    again = Case(0, [(tmp_path / "policy-1.toml").read_text("utf-8")], lines)
    assert disagreement(again) is not None
    monkeypatch.undo()
    assert disagreement(again) is None
