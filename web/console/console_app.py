"""The console application: its routes and what it needs from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources

from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.clock import Clock
from infra.keys.personal_data import Keyring
from infra.oidc.provider_settings import BACK, THERE, ProviderSettings
from infra.settings import Settings
from web.console import (
    aid_pages,
    alerts_page,
    books_pages,
    claim_page,
    claims_page,
    clearing_pages,
    contradictions_page,
    exports_page,
    holds_page,
    household_page,
    overview_page,
    payables_page,
    payouts_page,
    person_page,
    policy_pages,
    pool_pages,
    recoveries_page,
    refused_pages,
    reissue_pages,
    search_page,
    second_factor_page,
    sign_in,
    statement_pages,
    users_page,
    work_page,
)
from web.console.desk import CODE, HEADERS, LANGUAGE_COOKIE, SECOND_FACTOR, SIGN_IN, SIGN_OUT, Desk, Page, form_of
from web.console.log_watch import Watch
from web.console.proof_pages import ProofPages
from web.console.provider_pages import ProviderPages
from web.console.visit import Visit, not_found
from web.server import UNTOLD


@dataclass(frozen=True, slots=True)
class Outside:
    """What the console needs from outside: the number of shards, Kafka's lag, and the watch over the audit log.

    Exports of claims and payouts read the ``replica``.
    """

    shard_count: int
    lag: Callable[[], int | None]
    watch: Watch
    replica: Engine


def create_console(engine: Engine, settings: Settings, keys: Keyring, outside: Outside, now: Clock) -> FastAPI:
    """The console of a ledger."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, telemetry=UNTOLD)
    desk = Desk(engine, settings, keys, now)
    proofs = ProofPages(outside.watch)
    style = resources.files("web.console").joinpath("static/console.css").read_bytes()

    @app.get("/static/console.css")
    async def stylesheet() -> Response:
        headers = HEADERS | {"Cache-Control": "max-age=3600"}
        return Response(style, 200, headers, "text/css")

    routes: list[tuple[str, str, Page]] = [
        ("GET", "/", partial(overview_page.show, outside.lag, outside.watch)),
        ("GET", SIGN_IN, partial(sign_in.show, settings.oidc_issuer is not None)),
        ("POST", SIGN_IN, partial(sign_in.enter, desk.secure, settings.oidc_issuer is not None)),
        ("GET", CODE, second_factor_page.ask),
        ("POST", CODE, partial(second_factor_page.enter, desk.secure)),
        ("POST", SIGN_OUT, partial(sign_in.leave, desk.secure)),
        ("GET", SECOND_FACTOR, second_factor_page.show),
        ("POST", SECOND_FACTOR, partial(second_factor_page.set_up, desk.secure)),
        ("POST", "/second-factor/recovery-codes", second_factor_page.renew),
        ("GET", "/work", work_page.show),
        ("POST", "/search", search_page.ask),
        ("GET", "/search", search_page.show),
        ("GET", "/search/{token}", search_page.show),
        ("GET", "/claims", claims_page.index),
        ("GET", "/payouts", payouts_page.index),
        ("GET", "/claims/{claim_id:path}", partial(claim_page.show, outside.watch)),
        ("POST", "/unmask/claims/{claim_id:path}", partial(claim_page.unmask, outside.watch)),
        ("GET", "/proofs/{claim_id:path}", proofs.show),
        ("POST", "/proofs/{claim_id:path}", proofs.download),
        ("POST", "/verify/{claim_id:path}", proofs.verify),
        ("GET", "/persons/{token}", person_page.show),
        ("POST", "/unmask/persons/{token}", person_page.unmask),
        ("GET", "/persons/{token}/aid", aid_pages.ask),
        ("POST", "/persons/{token}/aid", aid_pages.propose),
        ("GET", "/households/{token}", household_page.show),
        ("POST", "/unmask/households/{token}", household_page.unmask),
        ("GET", "/refused", refused_pages.index),
        ("GET", "/refused/{number}", refused_pages.show),
        ("POST", "/refused/{number}/reveal", refused_pages.reveal),
        ("GET", "/refused/{number}/clear/{token}", refused_pages.show_clear),
        ("POST", "/refused/{number}/propose", refused_pages.propose),
        ("POST", "/proposals/{number}/approve", partial(refused_pages.approve, outside.shard_count)),
        ("POST", "/proposals/{number}/reject", refused_pages.reject),
        ("GET", "/alerts", alerts_page.index),
        ("GET", "/alerts/{alert_id}", alerts_page.show),
        ("POST", "/alerts/{alert_id}/take", partial(alerts_page.take, outside.shard_count)),
        ("POST", "/alerts/{alert_id}/close", partial(alerts_page.close, outside.shard_count)),
        ("GET", "/aids", aid_pages.index),
        ("GET", "/aids/{number}", aid_pages.show),
        ("POST", "/aids/{number}/countersign", partial(aid_pages.countersign, outside.shard_count)),
        ("POST", "/aids/{number}/reject", aid_pages.reject),
        ("GET", "/contradictions", contradictions_page.show),
        ("GET", "/books", books_pages.index),
        ("GET", "/books/journal", books_pages.journal),
        ("POST", "/books/close", books_pages.propose),
        ("GET", "/clearing", clearing_pages.index),
        ("POST", "/clearing/{number}/approve", partial(clearing_pages.approve, outside.shard_count)),
        ("POST", "/clearing/{number}/reject", clearing_pages.reject),
        ("GET", "/payables", payables_page.show),
        ("GET", "/payables/payouts", payables_page.listed),
        ("GET", "/recoveries", recoveries_page.index),
        ("GET", "/recoveries/{payout_id}", recoveries_page.show),
        ("POST", "/recoveries/{payout_id}/propose", partial(recoveries_page.propose, outside.shard_count)),
        ("GET", "/reissues", reissue_pages.index),
        ("GET", "/reissues/{payout_id}", partial(reissue_pages.show, outside.shard_count)),
        ("POST", "/reissues/{payout_id}/propose", partial(reissue_pages.propose, outside.shard_count)),
        ("POST", "/reissue-proposals/{number}/approve", partial(reissue_pages.approve, outside.shard_count)),
        ("POST", "/reissue-proposals/{number}/reject", reissue_pages.reject),
        ("GET", "/holds", holds_page.index),
        ("GET", "/holds/{claim_id:path}", partial(holds_page.show, outside.shard_count)),
        ("POST", "/release/{claim_id:path}", partial(holds_page.propose, outside.shard_count)),
        ("GET", "/pools", pool_pages.index),
        ("GET", "/pools/{pool_id:path}", pool_pages.show),
        ("POST", "/close-year/{pool_id:path}", pool_pages.propose),
        ("GET", "/statements", statement_pages.index),
        ("GET", "/statements/of/{treaty_id:path}", statement_pages.of_treaty),
        ("POST", "/statements/of/{treaty_id:path}/propose", statement_pages.propose),
        ("GET", "/statements/{statement_id}", statement_pages.show),
        ("GET", "/statements/{statement_id}/lines", statement_pages.lines),
        ("POST", "/statements/{statement_id}/download", statement_pages.download),
        ("GET", "/policies", policy_pages.index),
        ("GET", "/policies/difference", policy_pages.difference),
        ("GET", "/policies/{sha256}", policy_pages.show),
        ("GET", "/exports", exports_page.index),
        ("POST", "/exports", partial(exports_page.download, outside.replica)),
        ("GET", "/users", users_page.index),
        ("GET", "/users/{name}/disable", users_page.ask_to_disable),
        ("POST", "/users/{name}/disable", users_page.disable),
        ("POST", "/users/{name}/enable", users_page.enable),
        ("POST", "/users/{name}/unlock", users_page.unlock),
        ("GET", "/users/{name}/second-factor", users_page.ask_to_reset_factor),
        ("POST", "/users/{name}/second-factor", users_page.reset_factor),
    ]
    provider = ProviderSettings.of(settings)
    if provider is not None:
        pages = ProviderPages(provider, desk.secure)
        routes += [("GET", THERE, pages.leave), ("GET", BACK, pages.come_back)]
    for method, path, page in routes:
        app.add_api_route(path, _endpoint(desk, page, method), methods=[method], response_model=None)

    @app.get("/healthz")
    async def healthz() -> Response:
        return JSONResponse({"status": "alive"}, headers=HEADERS)

    @app.get("/favicon.ico")
    async def no_icon() -> Response:
        return Response(status_code=204, headers=HEADERS)

    @app.get("/language/{language}")
    async def choose(request: Request, language: str) -> Response:
        back = request.query_params.get("back", "/")
        response = Response(status_code=303, headers={"Location": back if _is_local(back) else "/"})
        response.set_cookie(
            LANGUAGE_COOKIE, "en" if language == "en" else "zh", max_age=31_536_000, secure=desk.secure, samesite="lax"
        )
        return desk.secured(response)

    @app.exception_handler(404)
    @app.exception_handler(405)
    async def missing(request: Request, _: Exception) -> Response:
        return await desk.answer(request, _raise_not_found, {})

    return app


def _raise_not_found(_: Visit) -> Response:
    raise not_found()


def _is_local(path: str) -> bool:
    return path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()


def _endpoint(desk: Desk, page: Page, method: str) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        form: dict[str, str] | None = {}
        if method == "POST":
            form = await form_of(request)
        return await desk.answer(request, page, form)

    return endpoint
