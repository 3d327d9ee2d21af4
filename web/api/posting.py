"""Taking a request's events: the transaction behind `POST /v1/events` and `POST /v1/settlements`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from infra.ledger import idempotency
from infra.ledger.idempotency import Answer
from schemas.access.callers import Caller
from schemas.canonical import canonical_json
from schemas.facts import Kind, Subject
from web.api.admission import Admitted, admit_all, lock_ids, read_item
from web.api.body_formats import Events
from web.api.problems import Problem, problem

ACKNOWLEDGED, SOME_REFUSED = 202, 207


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks what. ``sha256`` covers method, path, content type and body."""

    caller: Caller
    sha256: str
    idempotency_key: str | None = None


def post_events(engine: Engine, request: Request, events: Events, shard_count: int) -> tuple[Answer, bool]:
    """The answer to some events, and whether it was given before.

    A single event is acknowledged (202) or raises its Problem. Of a batch each event stands for itself: 202 when all
    are acknowledged, 207 when some are, Problem BATCH_REFUSED when none is.
    """
    candidates = [read_item(item) for item in events.items]
    with engine.begin() as connection:
        lock_ids(connection, candidates, *_answer_lock(request))
        before = _before(connection, request)
        if before is not None:
            return before, True
        results = admit_all(connection, candidates, request.caller, shard_count)
        answer = _single(request, results[0]) if events.single else _batch(request, results)
        _keep(connection, request, answer)
    return answer, False


def post_settlement(engine: Engine, request: Request, events: Events, shard_count: int) -> list[Admitted]:
    """Takes a settlement and what comes with it: all of it, or none. Raises Problem.

    A retry under the same Idempotency-Key is admitted again, which adds nothing: so it can be answered with the
    decision that was not made yet at the first time.
    """
    candidates = [read_item(item) for item in events.items]
    with engine.begin() as connection:
        lock_ids(connection, candidates, *_answer_lock(request))
        before = _before(connection, request)
        results = admit_all(connection, candidates, request.caller, shard_count)
        admitted = [_or_raise(index, each, events.single) for index, each in enumerate(results)]
        _check_settlement(admitted)
        if before is None:
            _keep(connection, request, Answer(request.sha256, ACKNOWLEDGED, b""))
    return admitted


def _check_settlement(admitted: Sequence[Admitted]) -> None:
    bills = [each for each in admitted if each.fact.subject.kind is Kind.SETTLEMENT]
    if len(bills) != 1:
        raise problem(
            "REQUEST_INVALID", "send one settlement, alone or in an array with the discharge of its encounter"
        )
    encounter = Subject(Kind.ENCOUNTER, bills[0].claim_id or "")
    if any(each is not bills[0] and each.fact.subject != encounter for each in admitted):
        raise problem("REQUEST_INVALID", "beside the settlement only the discharge of its own encounter may stand")


def _or_raise(index: int, each: Admitted | Problem, single: bool) -> Admitted:
    if isinstance(each, Problem):
        if not single:
            each.pointers = tuple(f"/{index}{pointer}" for pointer in each.pointers) or (f"/{index}",)
        raise each
    return each


def _single(request: Request, result: Admitted | Problem) -> Answer:
    if isinstance(result, Problem):
        raise result
    return Answer(request.sha256, ACKNOWLEDGED, canonical_json(result.receipt()))


def _batch(request: Request, results: Sequence[Admitted | Problem]) -> Answer:
    items = [_item(index, each) for index, each in enumerate(results)]
    refused = sum(isinstance(each, Problem) for each in results)
    counts: dict[str, object] = {"acknowledged": len(results) - refused, "refused": refused, "items": items}
    if refused == len(results):
        raise problem("BATCH_REFUSED", more=counts)
    status = SOME_REFUSED if refused else ACKNOWLEDGED
    return Answer(request.sha256, status, canonical_json(counts))


def _item(index: int, each: Admitted | Problem) -> dict[str, object]:
    if isinstance(each, Problem):
        return {"index": index, "status": each.status, "problem": each.document()}
    return {"index": index, "status": ACKNOWLEDGED, "receipt": each.receipt()}


def _answer_lock(request: Request) -> list[str]:
    if request.idempotency_key is None:
        return []
    return [f"answer {request.caller.lineage} {request.idempotency_key}"]


def _before(connection: Connection, request: Request) -> Answer | None:
    if request.idempotency_key is None:
        return None
    answer = idempotency.find(connection, request.caller.lineage, request.idempotency_key)
    if answer is not None and answer.request_sha256 != request.sha256:
        raise problem("IDEMPOTENCY_KEY_REUSED")
    return answer


def _keep(connection: Connection, request: Request, answer: Answer) -> None:
    if request.idempotency_key is not None:
        idempotency.keep(connection, request.caller.lineage, request.idempotency_key, answer)
