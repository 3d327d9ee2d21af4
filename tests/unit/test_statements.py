"""Statements as insurers write them, read to the fen; and every kind of difference to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from handlers.claims.reconcile import differences
from infra.files.headed_tables import HEADING_ROWS_MAX, UnusableTable
from infra.files.statement_files import read_statement
from schemas.ids import ClaimId, PayoutId
from schemas.records import PayoutRecord, PayoutState
from schemas.statement import Issued, Scope, Statement
from tests.support.builders import unhurried

HEAD = ["支付编号", "金额(元)", "状态"]


def excel(path: Path, *rows: Sequence[Any]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


def text(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def read(path: Path, **columns: str) -> list[tuple[int, str, int, str | None]]:
    statement = read_statement(path, columns)
    assert [] == statement.unreadable
    return [line[:4] for line in statement.lines]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_of_china_is_read(tmp_path: Path, encoding: str) -> None:
    """Chinese headings below a title, GB18030 as Excel saves it, quoted thousands, full-width signs."""
    content = '三月对账单\n支付编号,金额(元),状态\nPO-1,"1,234.50",支付成功\n\nPO-2,¥0.5,退票\n'
    assert [(3, "PO-1", 123_450, "paid"), (5, "PO-2", 50, "returned")] == read(
        text(tmp_path / "s.csv", content, encoding)
    )


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_separators_and_english_headings_are_read(tmp_path: Path, mark: str) -> None:
    """The separator is the one that stands there; a column of kinds gives the sign."""
    lines = ["Payout ID", "Amount", "Kind"], ["PO-1", "1,000", "payment"], ["PO-2", "20.00", "recovery"]
    path = text(tmp_path / "s.csv", "\n".join(mark.join(line) for line in lines))
    assert [(2, "PO-1", 100_000, None), (3, "PO-2", -2000, None)] == read(path)


def test_an_excel_file_is_read_to_the_fen(tmp_path: Path) -> None:
    """Numbers as Excel keeps them, which are floats; numeric ids; text that looks like a number."""
    rows: list[list[Any]] = [
        ["对账单"],
        HEAD,
        ["PO-1", 1234.56, "已支付"],
        [4711, 300, "失败"],
        ["PO-3", "0.07", "处理中"],
    ]
    expected = [(3, "PO-1", 123_456, "paid"), (4, "4711", 30_000, "failed"), (5, "PO-3", 7, "instructed")]
    assert expected == read(excel(tmp_path / "s.xlsx", *rows))


@unhurried
@given(st.integers(-(10**13), 10**13))
def test_every_amount_of_whole_fen_survives_excel(tmp_path_factory: pytest.TempPathFactory, fen: int) -> None:
    """What is a float in the cell comes back as the same fen, up to a hundred thousand million yuan."""
    path = tmp_path_factory.mktemp("excel") / "s.xlsx"
    assert [(2, "PO-1", fen, None)] == read(excel(path, HEAD[:2], ["PO-1", fen / 100]))


@pytest.mark.parametrize(
    "cell", [0.301, 1.005, "1.005", "", "12,34", "1e3", "1_000", "-", "abc", True, 1e15, "NaN", "1 000"]
)
def test_what_is_no_whole_fen_is_an_unreadable_line(tmp_path: Path, cell: object) -> None:
    """Never rounded, never guessed: the line is named."""
    statement = read_statement(excel(tmp_path / "s.xlsx", HEAD[:2], ["PO-1", cell], ["PO-2", 1]), {})
    assert ([2], [3]) == ([each.number for each in statement.unreadable], [each.number for each in statement.lines])


@pytest.mark.parametrize(
    "row", [["", "1.00", "paid"], ["PO-1", "1.00", "perhaps"], ["PO-1", "1.00", ""], ["PO-1"]], ids=str
)
def test_a_line_without_id_or_with_an_unknown_state_is_unreadable(tmp_path: Path, row: list[str]) -> None:
    """Each with its number, and the others are read."""
    statement = read_statement(excel(tmp_path / "s.xlsx", HEAD, row, ["PO-2", 1, "paid"]), {})
    assert ([2], ["PO-2"]) == ([e.number for e in statement.unreadable], [e.payout_id for e in statement.lines])


@pytest.mark.parametrize("word", ["unsuccessful", "未成功", "部分失败", "支付成功率", "paid?", "not paid"])
def test_a_state_is_a_whole_word(tmp_path: Path, word: str) -> None:
    """What only holds a known word may mean the opposite: the line is named, and nobody counts as paid."""
    statement = read_statement(excel(tmp_path / "s.xlsx", HEAD, ["PO-1", 1, word]), {})
    assert ([2], []) == ([each.number for each in statement.unreadable], statement.lines)


@pytest.mark.parametrize(("above", "found"), [(HEADING_ROWS_MAX - 1, True), (HEADING_ROWS_MAX, False)])
def test_the_headings_are_looked_for_in_the_first_lines(tmp_path: Path, above: int, found: bool) -> None:
    """In as many as the message says."""
    path = excel(tmp_path / "s.xlsx", *[["对账单"]] * above, HEAD, ["PO-1", 1, "paid"])
    if found:
        assert [(above + 2, "PO-1", 100, "paid")] == read(path)
    else:
        with pytest.raises(UnusableTable, match=f"first {HEADING_ROWS_MAX} lines"):
            read_statement(path, {})


def test_a_heading_can_be_named(tmp_path: Path) -> None:
    """What is not known by itself; a name that is not there is refused with what was looked for."""
    path = text(tmp_path / "s.csv", "单据,实际,状态\nPO-1,1.00,成功\n")
    assert [(2, "PO-1", 100, "paid")] == read(path, payout_id="单据", amount="实际")
    with pytest.raises(UnusableTable, match="payout_id: 别的"):
        read_statement(path, {"payout_id": "别的", "amount": "实际"})


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"a,b\n1,2\n", b"\xff\xfe\xff", b'x,"y\n'])
def test_what_is_no_statement_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty, broken or other file says so, in one message."""
    path = tmp_path / "s.csv"
    path.write_bytes(content)
    with pytest.raises(UnusableTable, match=r"s\.csv"):
        read_statement(path, {})


# Differences ----------------------------------------------------------------------------------------------


def payout(payout_id: str, amount: int = 30_000, **fields: Any) -> PayoutRecord:
    told = datetime(2025, 3, 10, 20, tzinfo=UTC)
    row = PayoutRecord(
        payout_id=PayoutId(payout_id),
        claim_id=ClaimId("E1"),
        scheme_id="s",
        revision=1,
        kind="payment",
        amount=amount,
        instructed_at=told,
        state=PayoutState.PAID,
        reported_at=None,
        reference=None,
        reports=1,
        contradictions=0,
        reissue_of=None,
        reversal_of=None,
        reissued_as=None,
    )
    return row._replace(**fields)


def statement(tmp_path: Path, *rows: list[Any], head: list[str] = HEAD) -> Statement:
    return read_statement(excel(tmp_path / "s.xlsx", head, *rows), {})


def test_equal_is_equal(tmp_path: Path) -> None:
    """No difference, also where a payout of another month stands in the statement, and for a book entry outside it."""
    told = statement(tmp_path, ["PO-1", 300, "已支付"], ["PO-2", 1, "失败"])
    books = [payout("PO-1"), payout("PO-2", 100, state=PayoutState.FAILED), payout("PO-3", state=PayoutState.BOOK)]
    assert [] == differences(told, books, Scope())
    assert [] == differences(told, books, Scope("another", date(2024, 1, 1), date(2024, 2, 1)))


def test_every_kind_of_difference_is_found(tmp_path: Path) -> None:
    """One of each, in the order of the lines, then what is missing; the sums of both sides are shown."""
    told = statement(
        tmp_path,
        ["PO-1", 300.01, "成功"],
        ["PO-2", 300, "失败"],
        ["PO-9", 5, "成功"],
        ["PO-1", 300.01, "成功"],
        ["PO-4", "x", "成功"],
    )
    found = differences(told, [payout("PO-1"), payout("PO-2"), payout("PO-3", 7)], Scope())
    assert [
        (str(each.kind), each.line, each.payout_id, each.ledger_amount, each.statement_amount) for each in found
    ] == [
        ("amount_differs", 2, "PO-1", "300.00", "300.01"),
        ("state_differs", 3, "PO-2", "300.00", "300.00"),
        ("missing_in_ledger", 4, "PO-9", None, "5.00"),
        ("duplicate_in_statement", 5, "PO-1", "300.00", "300.01"),
        ("unreadable_line", 6, "PO-4", None, None),
        ("missing_in_statement", None, "PO-3", "0.07", None),
    ]
    assert ("paid", "failed") == (found[1].ledger_state, found[1].statement_state)


def test_a_payout_whose_line_cannot_be_read_is_not_missing_as_well(tmp_path: Path) -> None:
    """It is found once, under its id."""
    told = statement(tmp_path, ["PO-1", "1.005", "成功"], ["PO-2", 300, "?"])
    found = differences(told, [payout("PO-1"), payout("PO-2")], Scope())
    assert [("unreadable_line", "PO-1"), ("unreadable_line", "PO-2")] == [(str(e.kind), e.payout_id) for e in found]


def test_amounts_are_written_without_separators(tmp_path: Path) -> None:
    """So that other programs read them as numbers."""
    found = differences(statement(tmp_path, ["PO-1", 5200, "成功"]), [payout("PO-1", 520_001)], Scope())
    assert [("5200.01", "5200.00")] == [(each.ledger_amount, each.statement_amount) for each in found]


@pytest.mark.parametrize(
    ("head", "row", "agrees"),
    [
        (["支付编号", "金额"], ["PO-1", 300], True),  # a list of amounts, without signs
        (["支付编号", "金额"], ["PO-1", -300], True),
        (["支付编号", "金额", "类型"], ["PO-1", 300, "收回"], True),
        (["支付编号", "金额", "类型"], ["PO-1", 300, "发放"], False),
    ],
)
def test_a_recovery_is_compared_with_its_sign_where_there_is_one(
    tmp_path: Path, head: list[str], row: list[Any], agrees: bool
) -> None:
    """Minus, a column of kinds, or neither."""
    found = differences(statement(tmp_path, row, head=head), [payout("PO-1", kind="recovery")], Scope())
    assert agrees == (not found)


def test_a_payout_that_somebody_else_pays_is_found(tmp_path: Path) -> None:
    """It may be paid twice; and what others pay is not missing in a payer's statement."""
    books = [payout("PO-1"), payout("PO-2", payer="insurer-a", treaty_id="t1"), payout("PO-3")]
    told = statement(tmp_path, ["PO-1", 300, "成功"], ["PO-2", 300, "成功"])
    for payer, kinds in {
        "fund": [("other_payer", "PO-2"), ("missing_in_statement", "PO-3")],
        "insurer-a": [("other_payer", "PO-1")],
        None: [("missing_in_statement", "PO-3")],
    }.items():
        found = differences(told, books, Scope(payer=payer))
        assert kinds == [(str(each.kind), each.payout_id) for each in found]


def test_a_list_is_compared_with_the_statement_that_was_issued(tmp_path: Path) -> None:
    """With the states at the end of its month, and with no payout of another month missing or passed over."""
    later = [payout(f"PO-{number}", state=PayoutState.RETURNED) for number in range(1, 6)]
    books = [*later, payout("PO-6", state=PayoutState.BOOK)]
    ordered = {PayoutId(name): PayoutState.PAID for name in ("PO-1", "PO-2", "PO-3")}
    issued = Issued(ordered, {PayoutId("PO-4"): PayoutState.RETURNED, PayoutId("PO-6"): PayoutState.BOOK})
    told = statement(
        tmp_path,
        ["PO-1", 300, "成功"],
        ["PO-2", 300, "退票"],
        ["PO-4", 300, "退票"],
        ["PO-5", 300, "退票"],
        ["PO-6", 300, "成功"],
    )
    assert [
        ("state_differs", 3, "PO-2"),
        ("other_statement", 5, "PO-5"),
        ("state_differs", 6, "PO-6"),
        ("missing_in_statement", None, "PO-3"),
    ] == [(str(each.kind), each.line, each.payout_id) for each in differences(told, books, Scope(issued=issued))]


@pytest.mark.parametrize(
    ("scope", "missing"),
    [
        (Scope(), True),
        (Scope("s", date(2025, 3, 11), date(2025, 3, 12)), True),  # 20:00 UTC is the next day in Shanghai
        (Scope("s", date(2025, 3, 10), date(2025, 3, 11)), False),
        (Scope("t"), False),
        (Scope(None, date(2025, 3, 12)), False),
    ],
)
def test_only_payouts_in_scope_are_missing(tmp_path: Path, scope: Scope, missing: bool) -> None:
    """Of the scheme, and instructed on the half-open days, by the calendar of Shanghai."""
    found = differences(statement(tmp_path, ["PO-1", 300, "成功"]), [payout("PO-1"), payout("PO-2")], scope)
    assert ([("missing_in_statement", "PO-2")] if missing else []) == [(str(e.kind), e.payout_id) for e in found]
