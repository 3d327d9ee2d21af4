"""A batch of national settlement records, checked as a whole before the first is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from handlers.national.convert import Answer, Converted, EventJson, convert
from handlers.national.settlement_values import FieldTrouble, amount, spelled, text
from schemas.national.mapping import NationalMappings
from schemas.national.national_refusal import NationalRefusal
from schemas.refusals import RefusalCode


def convert_all(
    records: Sequence[Mapping[str, object]], mappings: NationalMappings, occurred_at: datetime
) -> list[Answer]:
    """An answer for each record of a batch, which is considered as a whole.

    A refund may name a settlement of the batch by its ``setl_id`` alone; of two records that differ under one id and
    time the first is accepted.
    """
    settled = _settled(records)
    earlier: dict[tuple[str, str, int], EventJson] = {}
    answers: list[Answer] = []
    for record in records:
        answer = convert(record, mappings, occurred_at, settled)
        if isinstance(answer, Converted):
            answer = _contradiction(answer, earlier) or answer
        if isinstance(answer, Converted):
            earlier |= {_line(event): event for event in answer.events}
        answers.append(answer)
    return answers


def _settled(records: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """The settlements among some records, refunds left out: their totals by ``setl_id``."""
    totals = {}
    for record in records:
        try:
            fields = spelled(record)
            total = amount(fields, "medfee_sumamt")
            if total is not None and total >= 0:
                totals[text(fields, "setl_id")] = total
        except FieldTrouble:
            continue  # it is refused in its turn
    return totals


def _line(event: EventJson) -> tuple[str, str, int]:
    kind = "encounter" if event["event_type"] == "encounter.discharged" else "settlement"
    return kind, event[f"{kind}_id"], event["version"]


def _contradiction(answer: Converted, earlier: Mapping[tuple[str, str, int], EventJson]) -> NationalRefusal | None:
    for event in answer.events:
        before = earlier.get(_line(event))
        if before is not None and {**before, "occurred_at": event["occurred_at"]} != event:
            fields = ("mdtrt_id" if "settlement_id" not in event else "setl_id", "setl_time", "updt_time", "version")
            return NationalRefusal(
                code=RefusalCode.VERSION_CONFLICT,
                fields=fields,
                zh="同一批中,同一编号、同一时间的另一条记录内容不同。更正请带较晚的 updt_time 或较大的 version。",
                en="Another record of this batch has the same id and time but different content. Send a correction "
                "with a later updt_time, or a higher version.",
            )
    return None
