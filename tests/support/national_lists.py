"""Records of a national settlement list as a hospital exports them, and the sample mapping."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from schemas.national.mapping import NationalMappings
from schemas.national.mapping_file import parse_mapping
from tests.support.paths import MAPPING_FILE

Record = dict[str, object]
SAMPLE_MAPPING = MAPPING_FILE.read_text("utf-8")
NOW = datetime(2024, 12, 31, 4, 0, tzinfo=UTC)


def mappings(*changes: tuple[str, str]) -> NationalMappings:
    """The sample mapping with some texts replaced."""
    text = SAMPLE_MAPPING
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return NationalMappings((parse_mapping(text),))


def listed(setl_id: str = "S1", mdtrt_id: str = "E1", psn_no: str = "P1", **fields: object) -> dict[str, object]:
    """An inpatient settlement: 10,000.00, of which funds pay 5,600.00, copay 3,300.00, out of catalogue 1,100.00."""
    return {
        "setl_id": setl_id,
        "mdtrt_id": mdtrt_id,
        "psn_no": psn_no,
        "fixmedins_code": "H32020600001",
        "medfee_sumamt": "10000.00",
        "hifp_pay": "5000.00",
        "hifmi_pay": "500.50",
        "hifob_pay": "0.00",
        "maf_pay": "99.50",
        "othfund_pay": "0.00",
        "psn_selfpay": "3300.00",
        "psn_ownpay": "1100.00",
        "fulamt_ownpay_amt": "1000.00",
        "preselfpay_amt": "300.00",
        "overlmt_selfpay": "100.00",
        "acct_pay": "1400.00",
        "psn_cash_pay": "3000.00",
        "setl_time": "2024-03-10 15:00:00",
        "refd_setl_flag": "0",
        "begndate": "2024-03-01",
        "enddate": "2024-03-10",
        "med_type": "21",
        "hosp_lv": "05",
        "dise_codg": "I10",
        **fields,
    }


AMOUNTS = (
    "medfee_sumamt",
    "hifp_pay",
    "hifmi_pay",
    "hifob_pay",
    "maf_pay",
    "othfund_pay",
    "psn_selfpay",
    "psn_ownpay",
    "fulamt_ownpay_amt",
    "preselfpay_amt",
    "overlmt_selfpay",
    "acct_pay",
    "psn_cash_pay",
)


def reversal(setl_id: str = "S1-R", original: str | None = "S1", **fields: object) -> dict[str, object]:
    """The record that takes a settlement back a day later: all amounts negative."""
    negative = {name: f"-{value}" for name, value in listed().items() if name in AMOUNTS and value != "0.00"}
    flags = {"refd_setl_flag": "1", "setl_time": "2024-03-11 09:00:00"}
    named = {} if original is None else {"init_setl_id": original}
    changes: dict[str, Any] = {**negative, **flags, **named, **fields}
    return listed(setl_id, **changes)


def as_sheet(path: Path, records: Sequence[Record], sheets: Sequence[str] = ("清单",)) -> Path:
    """A workbook with amounts in number cells and all else as text, below an empty row."""
    with xlsxwriter.Workbook(path) as book:
        for name in sheets:
            sheet = book.add_worksheet(name)
            sheet.write_row(1, 0, list(records[0]))
            for row, record in enumerate(records, start=2):
                for column, (field, value) in enumerate(record.items()):
                    amount = str(value).replace(".", "").lstrip("-").isdigit() and ("pay" in field or "amt" in field)
                    if amount:
                        sheet.write_number(row, column, float(str(value)))
                    else:
                        sheet.write_string(row, column, str(value))
    return path
