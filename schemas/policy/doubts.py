"""What is allowed in policy files but looks unintended: each doubt says where, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from schemas.bilingual import Saying
from schemas.policy.model import Check, Policy
from schemas.policy.policy_file import BYTE_ORDER_MARK, FileProblem, field_name
from schemas.toml_lines import line_of, lines_of

SIGNS_MIN = 4
"""Shorter categories are not compared: too many of them differ in one sign and are meant so."""


class SeenCoverages(NamedTuple):
    """Words of the ledger's coverages: categories, programmes, and the programmes in which one names a pool.

    ``with_reasons`` are those in which one says why it ended.
    """

    categories: set[str]
    programmes: set[str]
    with_pools: set[str]
    with_reasons: set[str]

    @classmethod
    def none(cls) -> SeenCoverages:
        """Those of a ledger without coverages."""
        return cls(set(), set(), set(), set())


def warnings(policy: Policy, text: str, file: str = "policy") -> list[FileProblem]:
    """Tiers that share a category or a name, categories that may be one misspelt, limits without an effect."""
    lines = lines_of(text.removeprefix(BYTE_ORDER_MARK))
    found = []

    def warn(path: tuple[str | int, ...], message: Saying) -> None:
        found.append(FileProblem(file, line_of(lines, path), field_name(path), message))

    for index, scheme in enumerate(policy.schemes):
        first_place: dict[str, tuple[int, int]] = {}
        names: dict[str, int] = {}
        for position, tier in enumerate(scheme.tiers):
            location = ("scheme", index, "tier", position)
            for place, category in enumerate(tier.categories):
                earlier, at = first_place.setdefault(category, (position, place))
                if earlier != position:
                    line = line_of(lines, ("scheme", index, "tier", earlier, "categories", at))
                    other = scheme.tiers[earlier].name
                    warn(
                        (*location, "categories", place),
                        Saying(
                            f"类别“{category}”也在第 {line} 行的档次“{other}”里,按前一档计算:请删去其中一处",
                            f'category "{category}" is also in tier "{other}" on line {line}, and '
                            "the first tier applies: delete it in one of the two",
                        ),
                    )
            if names.setdefault(tier.name, position) != position:
                warn(
                    (*location, "name"),
                    Saying(
                        f"另一个档次也叫“{tier.name}”:报表按名称显示,请改名",
                        f'another tier is also called "{tier.name}": rename one, reports show the name',
                    ),
                )
        for cap in (scheme.cap_per_stay, scheme.cap_per_year, scheme.cap_per_household_year):
            if cap is not None and scheme.floor_per_stay > cap:
                message = Saying("高于上限,永远不会发放:请调低", "is above the cap, so nothing is ever paid: lower it")
                warn(("scheme", index, "floor_per_stay"), message)
                break
        if scheme.grace_months == 0:
            message = Saying(
                "是 0 个月,等于没有渐退期:请写月数,或删去本项",
                "is 0, which is no grace: write how many months, or delete it",
            )
            warn(("scheme", index, "grace_months"), message)
        of_person, of_household = scheme.cap_per_year, scheme.cap_per_household_year
        if of_person is not None and of_household is not None and of_household < of_person:
            message = Saying(
                "低于每人的年度上限 cap_per_year,后者永远用不到:请调高本项,或删去 cap_per_year",
                "is below cap_per_year, which then never applies: raise it, or delete cap_per_year",
            )
            warn(("scheme", index, "cap_per_household_year"), message)
    for field, check in policy.checks:
        if check is Check.OFF:
            message = Saying(
                '是 "off":有了也没有人知道。如要照常支付但有人核对,请写 "alert"',
                'is "off", so nobody will know of it: write "alert" if somebody should look while the claim is paid',
            )
            warn(("checks", field), message)
    if ("checks",) in lines and not policy.checks.model_fields_set:
        message = Saying(
            '是空的,等于没有写:请写明怎么办,如 duplicate_invoice = "hold",或删去',
            'is empty, as if it were not there: say what follows, such as duplicate_invoice = "hold", or delete it',
        )
        warn(("checks",), message)
    for path, category, other, line in _misspelt(policy, lines):
        message = Saying(
            f"类别“{category}”只在这里出现,第 {line} 行写的是“{other}”:是不是“{other}”?",
            f'category "{category}" is only here, and line {line} has "{other}": did you mean "{other}"?',
        )
        warn(path, message)
    return found


Lines = dict[tuple[str | int, ...], int]
CategoryPlace = tuple[str | int, ...]


def _misspelt(policy: Policy, lines: Lines) -> Iterator[tuple[CategoryPlace, str, str, int]]:
    """Categories that one place has, each with a more frequent or earlier one that is spelt almost alike."""
    places: dict[str, list[CategoryPlace]] = {}
    for path, category in category_places(policy):
        places.setdefault(category, []).append(path)
    earlier: list[str] = []
    for category, found in places.items():
        if len(found) == 1:
            others = [name for name in places if name != category and (name in earlier or len(places[name]) > 1)]
            other = next((name for name in others if one_slip(category, name)), None)
            if other is not None:
                yield found[0], category, other, line_of(lines, places[other][0])
        earlier.append(category)


def category_places(policy: Policy) -> Iterator[tuple[CategoryPlace, str]]:
    """Every category of a policy with the way to it, in order."""
    for index, scheme in enumerate(policy.schemes):
        for position, tier in enumerate(scheme.tiers):
            for place, category in enumerate(tier.categories):
                yield ("scheme", index, "tier", position, "categories", place), category


def one_slip(category: str, other: str) -> bool:
    """Whether two names differ by one letter: wrong, left out, doubled, or two that changed places.

    Numbers and single letters that tell groups apart (member_a, member_b) are no slips, nor is anything in Chinese,
    where one sign makes another word.
    """
    if min(len(category), len(other)) < SIGNS_MIN or not (category + other).isascii():
        return False
    if _words(category) == _words(other):
        return False
    first = next((i for i, (one, two) in enumerate(zip(category, other, strict=False)) if one != two), None)
    if first is None:
        return abs(len(category) - len(other)) == 1
    one, two = category[first:], other[first:]
    swapped = one[:2] == two[:2][::-1] and one[2:] == two[2:]
    return swapped or one[1:] == two[1:] or one[1:] == two or one == two[1:]


def _words(category: str) -> list[str]:
    return [word for word in re.split(r"[^A-Za-z]+", category) if len(word) > 1]


def unknown_categories(
    policy: Policy, text: str, file: str, seen: SeenCoverages, published: Sequence[Policy]
) -> list[FileProblem]:
    """Categories that no coverage of the ledger and no published policy has ever had.

    None while there is neither a coverage nor a policy to compare with.
    """
    lines = lines_of(text.removeprefix(BYTE_ORDER_MARK))
    known = seen.categories | {category for other in published for _, category in category_places(other)}
    found = []
    for path, category in category_places(policy):
        if category in known or not known:
            continue
        close = get_close_matches(category, sorted(known), n=1)
        zh, en = (f":是不是“{close[0]}”?", f': did you mean "{close[0]}"?') if close else ("", "")
        message = Saying(
            f"类别“{category}”在账本的参保记录和其他方案里都没有出现过{zh}",
            f'category "{category}" is in no coverage of the ledger and in no other policy{en}',
        )
        found.append(FileProblem(file, line_of(lines, path), field_name(path), message))
    return found


def missing_pools(policy: Policy, text: str, file: str, seen: SeenCoverages) -> list[FileProblem]:
    """Schemes that pools fund, though no coverage of their programme has ever named one."""
    lines = lines_of(text.removeprefix(BYTE_ORDER_MARK))
    found = []
    for index, scheme in enumerate(policy.schemes):
        programme = scheme.programme
        if scheme.funded_by is None or programme not in seen.programmes - seen.with_pools:
            continue
        path = ("scheme", index, "funded_by")
        message = Saying(
            f"账本里“{programme}”的参保记录都没有写资金池(pool_id),每笔补助都会立即支付并提醒 NO_POOL:"
            "请先更正参保记录,或删去本项",
            f"no coverage of {programme} in the ledger names a pool (pool_id), so each benefit is paid at once with "
            "the alert NO_POOL: have the coverages corrected first, or delete the field",
        )
        found.append(FileProblem(file, line_of(lines, path), field_name(path), message))
    return found


def missing_reasons(policy: Policy, text: str, file: str, seen: SeenCoverages) -> list[FileProblem]:
    """Schemes whose grace is for some reasons, though no coverage of their programme has ever said why it ended."""
    lines = lines_of(text.removeprefix(BYTE_ORDER_MARK))
    found = []
    for index, scheme in enumerate(policy.schemes):
        programme = scheme.programme
        if scheme.grace_reasons is None or programme not in seen.programmes - seen.with_reasons:
            continue
        path = ("scheme", index, "grace_reasons")
        message = Saying(
            f"账本里“{programme}”的参保记录都没有写退出原因(ended_reason),没有人能享受渐退期:"
            "请登记部门补写原因,或删去本项(不论原因)",
            f"no coverage of {programme} in the ledger says why it ended (ended_reason), so nobody has a grace: have "
            "the registry send the reasons, or delete the field to count them all",
        )
        found.append(FileProblem(file, line_of(lines, path), field_name(path), message))
    return found
