"""How pages answer when something was not proposed, approved or rejected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from acts.four_eyes import NoProposal, NotDone, OwnProposal, TooLate, Unusable
from web.console.visit import PageRefused


def status_of(refused: NotDone) -> int:
    """The HTTP status that goes with why something was not done."""
    return next(status for kind, status in _STATUSES.items() if isinstance(refused, kind))


@contextmanager
def said() -> Iterator[None]:
    """Shows the reason why something was not proposed, approved or rejected, on a page of its own."""
    try:
        yield
    except NotDone as refused:
        raise PageRefused(status_of(refused), *refused.why) from None


_STATUSES = {Unusable: 422, NoProposal: 404, TooLate: 409, OwnProposal: 403}
