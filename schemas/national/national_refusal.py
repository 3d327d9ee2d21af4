"""Why a record of the national settlement list was refused: a code, the fields, and what to do in both languages.

Codes that claims.md knows keep their meaning. No sentence quotes a value of the record.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from schemas.refusals import RefusalCode


class NationalCode(StrEnum):
    """Refusals that only the national list has."""

    FIELD_INVALID = "FIELD_INVALID"
    UNKNOWN_CODE = "UNKNOWN_CODE"
    NO_MAPPING = "NO_MAPPING"
    REFUND_UNMATCHED = "REFUND_UNMATCHED"


class NationalRefusal(BaseModel):
    """One refused record. ``fields`` are names of the national list, the most relevant first."""

    model_config = ConfigDict(frozen=True)

    code: RefusalCode | NationalCode
    fields: tuple[str, ...]
    zh: str
    en: str
