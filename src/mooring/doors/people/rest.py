"""The REST application: FastAPI with the rooms' routers, problem documents, and an OpenAPI page that needs no CDN."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from mooring import __version__
from mooring.doors.people.openapi import describe
from mooring.doors.problems import PROBLEM_JSON, problem, problem_of
from mooring.kernel.errors import MooringError
from mooring.wire import json

log = logging.getLogger(__name__)


def application(routers: Sequence[APIRouter]) -> FastAPI:
    """Return the application with `routers`; its pages of documentation are served by the console door."""
    app = FastAPI(
        title="Mooring",
        version=__version__,
        description="Backend for fleets of devices and robots.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(MooringError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)
    describe(app)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, MooringError)  # noqa: S101 (registered for this kind only)
    status, headers, body = problem_of(error)
    return Response(body, status, headers)


async def _malformed(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    first: dict[str, Any] = dict(error.errors()[0])
    where = ".".join(str(part) for part in first["loc"][1:]) or "body"
    message = f"{where}: {first['msg'][:1].lower()}{first['msg'][1:200]}"
    return _problem(422, "invalid", message)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    codes = {404: "missing", 405: "method_not_allowed"}
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["allow"] = ", ".join(_methods(request))
    return _problem(error.status_code, codes.get(error.status_code, "http"), str(error.detail).lower(), headers)


def _methods(request: Request) -> list[str]:
    """Return what the path of a request may be asked with; the framework knows only one route of a path at a time."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    found = {
        method.upper()
        for path, operations in paths.items()
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)), request.url.path)
        for method in operations
    }
    return sorted(found)


async def _failed(request: Request, error: Exception) -> Response:
    body = problem(500, "internal", "something went wrong on the server")
    log.error("request %s failed: %s %s", body["request_id"], request.method, request.url.path, exc_info=error)
    return Response(json.encode(body), 500, media_type=PROBLEM_JSON)


def _problem(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(json.encode(problem(status, code, message)), status, headers, media_type=PROBLEM_JSON)
