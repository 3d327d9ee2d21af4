"""Proof in reach of a claim: its audit entries, the file that the independent verifier takes, and checking them now.

Only showing the entries costs as little as the claim's page. Proving and checking read the log of a whole shard, so
they are done when somebody asks, and only a few at a time.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import Response

from acts.prove_payout import NotProvable, proof_file, prove
from acts.record_operator_acts import record_operator_acts
from handlers.words.masking import mask_text
from infra.ledger import timeline
from schemas.access.console_rights import Right
from schemas.records import Export
from web.console.claim_check import ClaimChecked, check_claim
from web.console.claim_history import HistoryRow, history
from web.console.log_watch import Watch
from web.console.proof_words import findings, verdict_words
from web.console.visit import PageRefused, Visit, not_found

AT_ONCE = 2
"""So many proofs and checks at a time: each holds one of the console's threads and reads a shard's log."""

PROVABLE = ("signed", "proved")
"""The states of an entry that a checkpoint covers."""


def address(claim_id: str) -> str:
    """The page about a claim's entries and proofs."""
    return f"/proofs/{quote(claim_id, safe='')}"


class ProofPages:
    """The page of a claim's proofs, and what can be asked for there."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def show(self, visit: Visit) -> Response:
        visit.require(Right.CLAIMS)
        claim_id = visit.path_values["claim_id"]
        with visit.engine.begin() as connection:
            rows = self._rows(connection, visit, claim_id)
        return self._page(visit, claim_id, rows)

    def verify(self, visit: Visit) -> Response:
        """The same page with what came out when the claim's entries were checked now."""
        visit.require(Right.CLAIMS)
        claim_id = visit.path_values["claim_id"]
        with visit.engine.begin() as connection:
            rows = self._rows(connection, visit, claim_id)
        with self.turn():
            checked = check_claim(visit.engine, self._watch.keys, rows, visit.now())
        return self._page(visit, claim_id, rows, checked)

    def download(self, visit: Visit) -> Response:
        """The proof of a payout as `huzhu audit prove` writes it, after writing the audit entry of the export.

        It names the person, so it takes the right to see who somebody is, and a reason.
        """
        visit.require(Right.EXPORT)
        visit.require(Right.UNMASK)
        reason, payout_id = visit.reason(), visit.form.get("payout", "")
        with visit.engine.begin() as connection:
            rows = self._rows(connection, visit, visit.path_values["claim_id"])
        events = [row.event for row in rows if row.event is not None]
        if payout_id not in [event.subject_id for event in events if event.kind == "instruction"]:
            raise not_found()
        try:
            with self.turn():
                content = proof_file(prove(visit.engine, payout_id))
        except NotProvable as error:
            raise PageRefused(409, f"{error.saying.zh}。", f"{_sentence(error.saying.en)}.") from None
        sha256 = hashlib.sha256(content).hexdigest()
        act = Export("proof", {"payout_id": payout_id, "reason": mask_text(reason)}, 1, sha256, visit.user)
        with visit.engine.begin() as connection:
            record_operator_acts(connection, visit.now, [act])
        named = {"Content-Disposition": f'attachment; filename="{file_name(payout_id)}"', "X-Content-SHA256": sha256}
        return Response(content, 200, named, "application/json")

    def _page(
        self, visit: Visit, claim_id: str, rows: list[HistoryRow], checked: ClaimChecked | None = None
    ) -> Response:
        orders = [row for row in rows if row.event is not None and row.event.kind == "instruction"]
        return visit.page(
            "proofs.html",
            claim_id=claim_id,
            action=quote(claim_id, safe=""),
            rows=rows,
            checked=checked,
            verdict=None if checked is None else verdict_words(checked),
            found=[] if checked is None else findings(checked),
            orders=orders,
            provable=[row for row in orders if any(state in PROVABLE for _, state in row.entries)],
            file_name=file_name,
        )

    def _rows(self, connection: Connection, visit: Visit, claim_id: str) -> list[HistoryRow]:
        """The claim's history, masked; notes that it is looked at."""
        person_id = timeline.person_of(connection, claim_id)
        if person_id is None:
            raise not_found()
        visit.note_view(connection, "proof", claim_id=claim_id, person=visit.token(person_id))
        return history(connection, self._watch, claim_id, person_id, clear=False)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Held while somebody proves or checks. Raises PageRefused while as many as may do so are at it."""
        if not self._turns.acquire(blocking=False):
            raise PageRefused(
                503,
                "其他人正在核验或出具证明,请稍后再试。",
                "Others are verifying or proving at the moment. Try again shortly.",
            )
        try:
            yield
        finally:
            self._turns.release()


def file_name(payout_id: str) -> str:
    """What the proof of a payout is called; names nobody."""
    return f"huzhu-proof-{payout_id}.json"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
