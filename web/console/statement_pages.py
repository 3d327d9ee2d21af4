"""Statements to insurers: what each bears of a month, its lines, its answer; issuing them by two persons."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import date
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from acts.answered_statements import given_answers, standing_answers
from acts.four_eyes import NotDone
from acts.issue_statements import NextMonth, NotIssuable, next_due, preview_statements
from acts.issued_statements import NoSuchStatement, differs, issued_statement, issued_statements, lines_again
from acts.propose_statement import propose_statement
from acts.published_treaties import published_treaties
from acts.record_operator_acts import record_operator_acts
from acts.statement_line_files import OFFERED_FORMATS, line_row, write_lines
from handlers.treaties.statements import MonthLines
from handlers.words.answer_sentences import answer_words
from handlers.words.masking import mask_value
from handlers.words.statement_sentences import ENTRIES, statement_facts
from infra.files.export_files import MEDIA_TYPES
from infra.ledger import clearing_proposals
from schemas.access.console_rights import Right
from schemas.bilingual import SaidError
from schemas.bordereau import StatementIssued
from schemas.clearing_acts import ClearingAct
from schemas.months import format_month, month_end, parse_month
from schemas.records import Export, PayoutState
from web.console.four_eyes_forms import status_of
from web.console.visit import PageRefused, Visit, not_found, page_number

PAGE_ROWS = 50


def index(visit: Visit) -> Response:
    """The treaties, and which of their months comes next."""
    visit.require(Right.BOOKS)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        treaties = [next_due(connection, each.id) for each in published_treaties(connection).releases]
        waiting = {each.subject for each in clearing_proposals.waiting(connection, ClearingAct.STATEMENT)}
    return visit.page(
        "statements.html",
        treaties=[(due, format_month(due.month), _ended(visit, due)) for due in treaties],
        waiting=waiting,
    )


def of_treaty(visit: Visit) -> Response:
    """What was issued under a treaty, and the month that comes next."""
    visit.require(Right.BOOKS)
    return _of_treaty(visit)


def propose(visit: Visit) -> Response:
    """Proposes to issue the next month of a treaty; a second person approves."""
    visit.require(Right.CLEAR)
    month, reason = _month(visit.form.get("month", "")), visit.reason()
    try:
        with visit.engine.begin() as connection:
            propose_statement(connection, visit.path_values["treaty_id"], month, reason, visit.user, visit.now)
    except NotDone as refused:
        return _of_treaty(visit, refused)
    return visit.redirect(visit.path.removesuffix("/propose"))


def show(visit: Visit) -> Response:
    """One statement, as it was issued, and what its insurer answered."""
    visit.require(Right.BOOKS)
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        statement = _statement(connection, visit)
        answers = [each for each in given_answers(connection, statement.statement_id) if each.matched]
    standing = next((each.fact for each in answers if not each.replaced), None)
    return visit.page(
        "statement.html",
        statement=statement,
        facts=statement_facts(statement),
        month=format_month(statement.month),
        standing=standing,
        state=answer_words(standing),
        answers=[(each, answer_words(each.fact), [mask_value(why) for why in each.fact.reasons]) for each in answers],
        formats=OFFERED_FORMATS,
    )


def lines(visit: Visit) -> Response:
    """The lines of a statement, made again from the ledger up to the page that is asked for."""
    visit.require(Right.BOOKS)
    number, scheme, state = page_number(visit), visit.query.get("scheme", ""), visit.query.get("state", "")
    if state and state not in list(PayoutState):
        raise not_found()
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        statement = _statement(connection, visit)
        chosen = (
            line
            for line in lines_again(connection, statement, MonthLines(kept=False))
            if scheme in ("", line.payout.scheme_id) and state in ("", line.state)
        )
        first = (number - 1) * PAGE_ROWS
        found = [line_row(line) for line in islice(chosen, first, first + PAGE_ROWS + 1)]
    return visit.page(
        "statement_lines.html",
        statement=statement,
        month=format_month(statement.month),
        rows=found[:PAGE_ROWS],
        more=len(found) > PAGE_ROWS,
        number=number,
        scheme=scheme,
        state=state,
        entries=ENTRIES,
    )


def download(visit: Visit) -> Response:
    """All lines as a file, after writing the audit entry of the export.

    Refused if they are not those that were issued.
    """
    visit.require(Right.BOOKS)
    visit.require(Right.EXPORT)
    kind = visit.form.get("format", "")
    if kind not in OFFERED_FORMATS:
        raise PageRefused(422, "请选择文件格式。", "Choose the format of the file.")
    with tempfile.NamedTemporaryFile(prefix="huzhu-statement-", suffix=f".{kind}", delete=False) as file:
        path = Path(file.name)
    try:
        with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            statement, made = _statement(connection, visit), MonthLines(kept=False)
            write_lines(path, kind, statement, lines_again(connection, statement, made))
        if differs(statement, made):
            raise PageRefused(
                409,
                "账本今天得出的明细与签发时的不同:账本被改动过,请告诉审计人员。",
                "The ledger gives other lines today than those that were issued: it was changed. Tell an auditor.",
            )
        with path.open("rb") as written:
            sha256 = hashlib.file_digest(written, "sha256").hexdigest()
        with visit.engine.begin() as connection:
            act = Export(f"statement.{kind}", {"statement": statement.statement_id}, made.count, sha256, visit.user)
            record_operator_acts(connection, visit.now, [act])
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    headers = {"X-Content-SHA256": sha256, "X-Rows": str(made.count)}
    task = BackgroundTask(path.unlink, missing_ok=True)
    media = MEDIA_TYPES.get(kind, "application/x-ndjson")
    return FileResponse(path, 200, headers, media, task, f"{statement.statement_id}.{kind}")


def _of_treaty(visit: Visit, refused: NotDone | None = None) -> Response:
    treaty_id, expected = visit.path_values["treaty_id"], None
    with visit.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        try:
            due = next_due(connection, treaty_id)
        except NotIssuable:
            raise not_found() from None
        issued = issued_statements(connection, treaty_id)
        standing = standing_answers(connection)
        proposals = clearing_proposals.about(connection, [ClearingAct.STATEMENT], treaty_id)
        open_ = next((each for each in proposals if each.decision is None), None)
        if open_ is not None and open_.month == due.month and _ended(visit, due):
            expected = preview_statements(connection, treaty_id, due.month, visit.now)
    answered = [(each, standing.get(each.statement_id)) for each in reversed(issued)]
    return visit.page(
        "treaty_statements.html",
        200 if refused is None else status_of(refused),
        due=due,
        month=format_month(due.month),
        ended=_ended(visit, due),
        issued=[(each, format_month(each.month), said, answer_words(said)) for each, said in answered],
        proposal=open_,
        proposed_month="" if open_ is None or open_.month is None else format_month(open_.month),
        expected=expected,
        facts=[] if expected is None else statement_facts(expected),
        refused=refused,
        typed=visit.form.get("reason", ""),
    )


def _statement(connection: Connection, visit: Visit) -> StatementIssued:
    try:
        return issued_statement(connection, visit.path_values["statement_id"])
    except NoSuchStatement:
        raise not_found() from None


def _ended(visit: Visit, due: NextMonth) -> bool:
    return visit.now() >= month_end(due.month)


def _month(text: str) -> date:
    try:
        return parse_month(text)
    except SaidError:
        raise not_found() from None
