"""Which fields of a scheme and a tier go together (time.md, sections 5 and 7), looked at as the file has them.

A scheme says by its `trigger` what it looks at: stays, incidents or temporary aid. Each asks for some fields and has no
use for others. A tier has one measure: brackets, which need the scheme's basis, or a sum assured, which needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ModelWrapValidatorHandler, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from schemas.policy.policy_values import wrong

T = TypeVar("T")

MEASURES = ("brackets", "fixed", "by_degree", "per_day")
"""What a tier has exactly one of."""

_ALWAYS = {"stay": ("programme", "tier"), "incident": ("programme", "tier"), "aid": ("levels",)}
_OF_BRACKETS = ("basis", "measured_on", "accumulates")
_ONLY_STAYS = ("care_types", "facility_levels", "diagnoses_any", "file_within_days")
_OF_COVERAGES = ("programme", "areas", "waiting_days", "grace_months", "grace_reasons", "funded_by", "tier")
_UNUSED = {
    "stay": ("incident_kinds", "levels"),
    "incident": (*_ONLY_STAYS, "levels"),
    "aid": (
        *(*_ONLY_STAYS, *_OF_BRACKETS, *_OF_COVERAGES),
        *("incident_kinds", "threshold", "cap_per_stay", "floor_per_stay"),
    ),
}
"""The fields that a scheme of each trigger cannot have."""

_TRIGGERS = {"stay": ("住院或就诊", "stays"), "incident": ("事故", "incidents"), "aid": ("临时救助", "aid")}

_Document = Mapping[str, Any]
_Problems = Callable[[_Document], Iterator[InitErrorDetails]]


def checked(value: object, handler: ModelWrapValidatorHandler[T], problems: _Problems) -> T:
    """What the handler makes of a table, unless it or the problems find something wrong: then all of it."""
    found = list(problems(value)) if isinstance(value, dict) else []
    try:
        made = handler(value)
    except ValidationError as error:
        if not found:
            raise
        found = [*_told_again(error), *found]
    if found:
        raise ValidationError.from_exception_data("table", found)
    return made


def _told_again(error: ValidationError) -> list[InitErrorDetails]:
    """The errors that were found, to be raised with others."""
    return [
        InitErrorDetails(
            type=PydanticCustomError(each["type"], each["msg"], each.get("ctx")), loc=each["loc"], input=each["input"]
        )
        for each in error.errors()
    ]


def tier_problems(tier: _Document) -> Iterator[InitErrorDetails]:
    """What is missing in a tier, or too much."""
    given = [name for name in MEASURES if name in tier]
    if not given:
        yield _missing(tier, "brackets")
    for name in given[1:]:
        yield _wrong(
            tier,
            name,
            f"与 {given[0]} 不能同时用:一个档次只写 brackets、fixed、by_degree、per_day 之一",
            f"does not go with {given[0]}: a tier has one of brackets, fixed, by_degree and per_day",
        )
    if "per_day" not in tier:
        for name in ("from_day", "days_max"):
            if name in tier:
                zh = "只与 per_day 一起用:请删去,或写 per_day"
                yield _wrong(tier, name, zh, "goes only with per_day: delete it, or write per_day")


def scheme_problems(scheme: _Document) -> Iterator[InitErrorDetails]:
    """What is missing in a scheme, or too much."""
    trigger = scheme.get("trigger", "stay")
    if trigger not in _TRIGGERS:
        return  # its own error says so
    zh, en = _TRIGGERS[trigger]
    for name in _UNUSED[trigger]:
        if name in scheme:
            yield _wrong(
                scheme,
                name,
                f'不能与 trigger = "{trigger}"({zh})一起用:请删去',
                f'does not go with trigger = "{trigger}" ({en}): delete it',
            )
    tiers = [tier for tier in _listed(scheme.get("tier")) if isinstance(tier, dict)]
    measures = {name for tier in tiers for name in MEASURES if name in tier}
    needed = _ALWAYS[trigger]
    if trigger != "aid" and (measures <= {"brackets"} or "brackets" in measures):
        needed += _OF_BRACKETS
    for name in needed:
        if name not in scheme:
            yield _missing(scheme, name)
    basis = scheme.get("basis")
    if basis == "verified_loss" and trigger == "stay":
        zh = "只用于事故:请写 copay、out_of_catalogue 或 personal_burden"
        yield _wrong(scheme, "basis", zh, "is only for incidents: write copay, out_of_catalogue or personal_burden")
    if trigger == "incident" and basis in ("copay", "out_of_catalogue", "personal_burden"):
        zh = '事故只能按核定损失计算:请写 basis = "verified_loss"'
        yield _wrong(scheme, "basis", zh, 'is nothing that an incident has: write basis = "verified_loss"')
    if trigger != "aid" and "threshold" in scheme and not measures <= {"brackets"}:
        zh = "只用于各档都写 brackets 的保障层:定额没有起付线,请删去"
        en = "is only for schemes whose tiers all have brackets: a sum assured has no threshold, delete it"
        yield _wrong(scheme, "threshold", zh, en)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _missing(table: _Document, name: str) -> InitErrorDetails:
    return InitErrorDetails(type="missing", loc=(name,), input=dict(table))


def _wrong(table: _Document, name: str, zh: str, en: str) -> InitErrorDetails:
    return InitErrorDetails(type=wrong(name, zh, en), loc=(name,), input=table[name])
