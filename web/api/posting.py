"""The transactions behind `POST /v1/events` and `POST /v1/settlements`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from infra.clock import utc_now
from infra.ledger import idempotency
from infra.ledger.idempotency import Answer
from infra.metrics.instruments import instruments
from schemas.access.callers import Caller
from schemas.bilingual import Saying
from schemas.canonical import canonical_json
from schemas.facts import Kind, Subject
from schemas.metrics import Metric
from web.accept_language import Language
from web.api.admission import Admitted, admit_all, lock_ids, read_item
from web.api.body_formats import Events
from web.api.problems import Problem, problem

ACKNOWLEDGED, SOME_REFUSED = 202, 207


@dataclass(frozen=True, slots=True)
class PostRequest:
    """A request, who sent it, and the language of the answer. ``sha256`` covers method, path, content type and body."""

    caller: Caller
    sha256: str
    language: Language
    idempotency_key: str | None = None


def post_events(engine: Engine, request: PostRequest, events: Events, shard_count: int) -> tuple[Answer, bool]:
    """The answer to some events, and whether it is a repeated answer to the same Idempotency-Key.

    A single event is acknowledged (202) or raises its Problem. The events of a batch are judged independently: 202 when
    all are acknowledged, 207 when only some are, Problem BATCH_REFUSED when none are.
    """
    moment = utc_now()
    candidates = [read_item(item, moment) for item in events.items]
    with engine.begin() as connection:
        lock_ids(connection, candidates, *_answer_lock(request))
        earlier_answer = _earlier_answer(connection, request)
        if earlier_answer is not None:
            return earlier_answer, True
        results = admit_all(connection, candidates, request.caller, shard_count)
        _tell(results)
        answer = _single(request, results[0]) if events.single else _batch(request, results)
        _keep(connection, request, answer)
    return answer, False


def post_settlement(engine: Engine, request: PostRequest, events: Events, shard_count: int) -> list[Admitted]:
    """Accepts a settlement and the discharge sent with it: both or neither. Raises Problem.

    A retry with the same Idempotency-Key is admitted again, which adds nothing. That way it can be answered with the
    decision, even if there was none yet when the first request was answered.
    """
    moment = utc_now()
    candidates = [read_item(item, moment) for item in events.items]
    with engine.begin() as connection:
        lock_ids(connection, candidates, *_answer_lock(request))
        earlier_answer = _earlier_answer(connection, request)
        results = admit_all(connection, candidates, request.caller, shard_count)
        _tell(results)
        admitted = [_or_raise(index, result, events.single) for index, result in enumerate(results)]
        _check_settlement(admitted)
        if earlier_answer is None:
            _keep(connection, request, Answer(request.sha256, ACKNOWLEDGED, b""))
    return admitted


def _tell(results: Sequence[Admitted | Problem]) -> None:
    """Counts for monitors what was judged."""
    tell = instruments()
    tell.count(Metric.POSTED, len(results))
    for code, events in Counter(result.code for result in results if isinstance(result, Problem)).items():
        tell.count(Metric.POSTS_REFUSED, events, code)


def _check_settlement(admitted: Sequence[Admitted]) -> None:
    settlements = [event for event in admitted if event.fact.subject.kind is Kind.SETTLEMENT]
    if len(settlements) != 1:
        hint = Saying(
            "请发送一张结算单,单独发送,或与同一次就诊的出院记录放在一个数组里",
            "send one settlement, alone or in an array with the discharge of its encounter",
        )
        raise problem("REQUEST_INVALID", hint)
    encounter = Subject(Kind.ENCOUNTER, settlements[0].claim_id or "")
    if any(event is not settlements[0] and event.fact.subject != encounter for event in admitted):
        hint = Saying(
            "与结算单一起发送的,只能是同一次就诊的出院记录",
            "only the discharge of the same encounter can be sent with a settlement",
        )
        raise problem("REQUEST_INVALID", hint)


def _or_raise(index: int, result: Admitted | Problem, single: bool) -> Admitted:
    if isinstance(result, Problem):
        if not single:
            result.pointers = tuple(f"/{index}{pointer}" for pointer in result.pointers) or (f"/{index}",)
        raise result
    return result


def _single(request: PostRequest, result: Admitted | Problem) -> Answer:
    if isinstance(result, Problem):
        raise result
    return Answer(request.sha256, ACKNOWLEDGED, canonical_json(result.receipt()))


def _batch(request: PostRequest, results: Sequence[Admitted | Problem]) -> Answer:
    items = [_item(index, result, request.language) for index, result in enumerate(results)]
    refused = sum(isinstance(result, Problem) for result in results)
    counts: dict[str, object] = {"acknowledged": len(results) - refused, "refused": refused, "items": items}
    if refused == len(results):
        raise problem("BATCH_REFUSED", more=counts)
    status = SOME_REFUSED if refused else ACKNOWLEDGED
    return Answer(request.sha256, status, canonical_json(counts))


def _item(index: int, result: Admitted | Problem, language: Language) -> dict[str, object]:
    if isinstance(result, Problem):
        return {"index": index, "status": result.status, "problem": result.document(language)}
    return {"index": index, "status": ACKNOWLEDGED, "receipt": result.receipt()}


def _answer_lock(request: PostRequest) -> list[str]:
    if request.idempotency_key is None:
        return []
    return [f"answer {request.caller.lineage} {request.idempotency_key}"]


def _earlier_answer(connection: Connection, request: PostRequest) -> Answer | None:
    if request.idempotency_key is None:
        return None
    answer = idempotency.find(connection, request.caller.lineage, request.idempotency_key)
    if answer is not None and answer.request_sha256 != request.sha256:
        raise problem("IDEMPOTENCY_KEY_REUSED")
    return answer


def _keep(connection: Connection, request: PostRequest, answer: Answer) -> None:
    if request.idempotency_key is not None:
        idempotency.keep(connection, request.caller.lineage, request.idempotency_key, answer)
