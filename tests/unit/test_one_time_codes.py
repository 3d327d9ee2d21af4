"""One-time codes as RFC 6238 has them, each taken once."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from infra.keys.one_time_codes import STEP_SECONDS, code_at, new_secret, step_of

RFC = base64.b32encode(b"12345678901234567890").decode("ascii")
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """The last six digits of the table in its appendix B."""
    assert code == code_at(RFC, datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_wrong(steps: int, taken: bool) -> None:
    """The code of the step before or after is taken, and none further away."""
    secret = new_secret()
    code = code_at(secret, NOON + steps * timedelta(seconds=STEP_SECONDS))
    assert taken == (step_of(secret, code, NOON, -1) is not None)


def test_a_step_is_taken_once() -> None:
    """Neither the last step nor an earlier one, although its code would still be near enough."""
    secret = new_secret()
    step = step_of(secret, code_at(secret, NOON), NOON, -1)
    assert step is not None
    assert step_of(secret, code_at(secret, NOON), NOON, step) is None
    earlier = code_at(secret, NOON - timedelta(seconds=STEP_SECONDS))
    assert step_of(secret, earlier, NOON, step) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "\u0661\u0662\u0663\u0664\u0665\u0666", "-12345"])
def test_what_is_no_code_is_not_taken(code: str) -> None:
    """Six ASCII digits, nothing else."""
    assert step_of(RFC, code, NOON, -1) is None
