"""The REST application: FastAPI with the rooms' routers, problem documents, and an OpenAPI page that needs no CDN."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
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
Router = APIRouter
_WORDS = {404: ("missing", "not found"), 405: ("method_not_allowed", "method not allowed")}


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
    status, headers = error.status_code, dict(error.headers or {})
    # Some paths are served elsewhere by one method alone, and of the others the framework knows one route at a time.
    if status in (404, 405) and (methods := _methods(request)):
        status, headers["allow"] = 405, ", ".join(methods)
    code, message = _WORDS.get(status, ("http", str(error.detail).lower()))
    return _problem(status, code, message, headers)


def _methods(request: Request) -> list[str]:
    """Return what the path of a request may be asked with, none if there is no such path."""
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
