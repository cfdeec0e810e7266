"""The API's page at `/docs`: Swagger UI shows the description, from files of the installation.

The page is open, constant and read-only: it sends nothing, and asks for no token. Swagger UI
(https://swagger.io/tools/swagger-ui/, Apache License 2.0) comes with the package fastapi-swagger
(MIT).
"""

import json
from functools import cache
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response

from flagservice.api.access.callers import ApiDep
from flagservice.api.edge.limits import Audience, peer_of

_OURS: Final = "flagservice.api.openapi"
_SWAGGER_UI: Final = "fastapi_swagger"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For the page alone: every other answer renders nothing."""
_FILES: Final = {
    "page.js": (_OURS, "assets/page.js", "text/javascript"),
    "swagger-ui.css": (_SWAGGER_UI, "resources/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": (_SWAGGER_UI, "resources/swagger-ui-bundle.js", "text/javascript"),
}
"""What the page loads, by name: its package, its place there, and its media type."""


def router_of(app: FastAPI) -> APIRouter:
    """Returns the routes of the page, its files, and the app's description."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def get_page(api: ApiDep, request: Request) -> Response:
        _count(api, request)
        headers = {"Content-Security-Policy": _POLICY}
        content = _content(_OURS, "assets/docs.html")
        return Response(content, headers=headers, media_type="text/html")

    for name in _FILES:
        _file_route(router, name)

    @cache
    def description() -> bytes:
        return json.dumps(app.openapi(), ensure_ascii=False, sort_keys=True).encode()

    @router.get("/openapi.json")
    def get_description(api: ApiDep, request: Request) -> Response:
        _count(api, request)
        return Response(description(), media_type="application/json")

    return router


def _file_route(router: APIRouter, name: str) -> None:
    package, path, media_type = _FILES[name]

    @router.get(f"/docs/{name}")
    def get_file(api: ApiDep, request: Request) -> Response:
        _count(api, request)
        return Response(_content(package, path), media_type=media_type)


def _count(api: ApiDep, request: Request) -> None:
    """Counts one request by the reader's address, since a file is large; raises Throttled."""
    peer = peer_of(request.client.host if request.client else "")
    api.limits.take(Audience.PAGE, peer)


@cache
def _content(package: str, path: str) -> bytes:
    return files(package).joinpath(path).read_bytes()
