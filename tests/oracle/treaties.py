"""The oracle of treaties: who pays a benefit and what each insurer bears, from payers.md, sections 2 and 3, alone.

A treaty is what `tomllib` makes of its file. Money is whole fen, a share an exact fraction. It shares no code with the
program it checks.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any, Literal, NamedTuple

from .payees import fen

Treaty = Mapping[str, Any]
"""A whole file: everything is in its table `treaty`."""

FUND = "fund"


class Month(NamedTuple):
    """What a month's net comes to: each insurer's part, in the file's order, and what the reinsurer bears (fen)."""

    parts: dict[str, int]
    cession: int


class Change(NamedTuple):
    """What became due of one line (fen), and who was in force for its claim at that moment."""

    due: int
    payer: str
    treaty_id: str | None


class Order(NamedTuple):
    """One instruction: its amount is over zero."""

    kind: Literal["payment", "recovery"]
    amount: int
    payer: str
    treaty_id: str | None


# Who pays -------------------------------------------------------------------------------------------------


def payer_of(treaties: Iterable[Treaty], scheme_id: str, discharged_on: date) -> tuple[str, str | None]:
    """The lead and the id of the one published treaty that covers a scheme on a day, or the fund and no id."""
    covering = [treaty["treaty"] for treaty in treaties if covers(treaty, scheme_id, discharged_on)]
    assert len(covering) <= 1, covering
    return (covering[0]["lead"], covering[0]["id"]) if covering else (FUND, None)


def covers(treaty: Treaty, scheme_id: str, day: date) -> bool:
    """The last day is outside; a treaty without one has no end."""
    table = treaty["treaty"]
    ended = "effective_to" in table and day >= table["effective_to"]
    return scheme_id in table["schemes"] and day >= table["effective_from"] and not ended


def overlap(one: Treaty, other: Treaty) -> bool:
    """Some scheme has some day that both cover. It is enough to look at the later of the two first days."""
    day = max(one["treaty"]["effective_from"], other["treaty"]["effective_from"])
    return any(covers(one, scheme, day) and covers(other, scheme, day) for scheme in one["treaty"]["schemes"])


def orders(changes: Iterable[tuple[int, str, str | None]]) -> list[Order]:
    """What is instructed of one (claim, scheme, payee) as its due changes, from nothing.

    More is paid by who is in force. Less is recovered by those who had paid, the latest payment first, with one
    instruction for neighbouring payments of one payer and treaty; what was recovered is as if it had not been paid.
    """
    given: list[Order] = []
    standing: list[Order] = []  # payments that were not recovered, or what is left of them; no neighbours are alike
    before = 0
    for change in (Change(*change) for change in changes):
        assert change.due >= 0, change
        payer = (change.payer, change.treaty_id)
        if change.due > before:
            more = change.due - before
            given.append(Order("payment", more, *payer))
            if standing and standing[-1][2:] == payer:
                more += standing.pop().amount
            standing.append(Order("payment", more, *payer))
        too_much = max(0, before - change.due)
        while too_much > 0:
            last = standing.pop()
            back = min(too_much, last.amount)
            given.append(last._replace(kind="recovery", amount=back))
            if back < last.amount:
                standing.append(last._replace(amount=last.amount - back))
            too_much -= back
        before = change.due
    return given


def paid_by(instructions: Iterable[tuple[str, int, str, str | None]]) -> dict[tuple[str, str | None], int]:
    """Payments less recoveries of each payer and treaty, however they were split; who is even is left out."""
    net: dict[tuple[str, str | None], int] = {}
    for kind, amount, payer, treaty_id in instructions:
        signed = {"payment": amount, "recovery": -amount}[kind]
        net[payer, treaty_id] = net.get((payer, treaty_id), 0) + signed
    return {who: amount for who, amount in net.items() if amount != 0}


# Who bears it ---------------------------------------------------------------------------------------------


def alloc(total_fen: int, shares: Sequence[str | Fraction]) -> list[int]:
    """Whole fen for each share: rounded down, and what is left one fen each by largest remainder, then by order."""
    assert sum(Fraction(share) for share in shares) == 1, shares
    if total_fen < 0:
        return [-part for part in alloc(-total_fen, shares)]
    exact = [total_fen * Fraction(share) for share in shares]
    parts = [floor(amount) for amount in exact]
    left = total_fen - sum(parts)
    places = sorted(range(len(parts)), key=lambda place: (parts[place] - exact[place], place))
    for place in places[:left]:
        parts[place] += 1
    return parts


def ceded(total_fen: int, stop_loss: Mapping[str, Any] | None) -> int:
    """What the reinsurer bears of a treaty's whole net so far; nothing without a stop-loss."""
    if stop_loss is None:
        return 0
    over = max(0, total_fen - fen(stop_loss["attachment"]))
    return half_up(Fraction(stop_loss["share"]) * min(fen(stop_loss["limit"]), over))


def half_up(amount: Fraction) -> int:
    """The nearest whole number, of two the greater one; no negative amount is rounded here."""
    assert amount >= 0, amount
    return floor(amount + Fraction(1, 2))


def months(treaty: Treaty, monthly_net_fen: Iterable[int]) -> list[Month]:
    """What each month comes to, given the nets of all months from the treaty's first, those without lines as 0."""
    table = treaty["treaty"]
    insurers = [each["insurer"] for each in table["share"]]
    shares = [each["share"] for each in table["share"]]
    assert len(set(insurers)) == len(insurers), insurers

    def borne(net: int) -> tuple[list[int], int]:
        """Each insurer's part and the cession of all months together."""
        cession = ceded(net, table.get("stop_loss"))
        kept = [part - relief for part, relief in zip(alloc(net, shares), alloc(cession, shares), strict=True)]
        return kept, cession

    found = []
    net = 0
    for month in monthly_net_fen:
        parts_before, ceded_before = borne(net)
        net += month
        parts, cession = borne(net)
        difference = [now - then for now, then in zip(parts, parts_before, strict=True)]
        found.append(Month(dict(zip(insurers, difference, strict=True)), cession - ceded_before))
    return found
