"""The API's documentation for people, at `/docs`: Swagger UI out of this package. It loads nothing from other sites."""

from __future__ import annotations

from importlib import resources

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FILES = {
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css"),
    "start.js": ("start.js", "text/javascript"),
    "docs.css": ("docs.css", "text/css"),
}
"""What the page loads, by its name under `/docs/`: the file in this package and its type."""


def add_docs(app: FastAPI) -> None:
    """Adds the page, its files, and the way to it from `/`."""

    @app.get("/", include_in_schema=False)
    async def to_docs() -> Response:
        return RedirectResponse("docs", 303)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(_file("docs.html"), 200, HEADERS, "text/html")

    for name, (file, media_type) in FILES.items():
        _add_file(app, f"/docs/{name}", file, media_type)


def _add_file(app: FastAPI, path: str, file: str, media_type: str) -> None:
    content = _file(file)

    @app.get(path, include_in_schema=False)
    async def static() -> Response:
        return Response(content, 200, HEADERS | {"Cache-Control": "max-age=3600"}, media_type)


def _file(name: str) -> bytes:
    return resources.files("web.api").joinpath("static", name).read_bytes()
