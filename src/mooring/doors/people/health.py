"""``/healthz`` (alive), ``/readyz`` (can store), ``/health``, ``/metrics`` (Prometheus text)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from mooring.access.guard import Guard
from mooring.access.model import require
from mooring.kernel.errors import MooringError, Unauthenticated

Check = Callable[[], Awaitable[None]]
Metrics = Callable[[], Mapping[str, tuple[str, str, float]]]
_LOOPBACK = ("127.0.0.1", "::1")


def routes(checks: Mapping[str, Check], metrics: Metrics, guard: Guard) -> APIRouter:
    """Return the routes; each of `checks` raises with the reason when that part cannot do its work."""
    router = APIRouter(tags=["health"])

    async def faults() -> dict[str, str]:
        found = {}
        for name, check in checks.items():
            try:
                await check()
            except MooringError as error:
                found[name] = error.message
        return found

    @router.get("/healthz", summary="Alive")
    async def alive() -> dict[str, str]:
        """Answer as long as the process runs."""
        return {"status": "alive"}

    @router.get("/readyz", summary="Ready", responses={503: {"description": "a part cannot do its work"}})
    async def ready(response: Response) -> dict[str, Any]:
        """Answer 200 only if frames can be stored and people looked up."""
        found = await faults()
        response.status_code = 503 if found else 200
        return {"status": "unavailable" if found else "ready", "faults": found}

    @router.get("/health", summary="Health, for clients of the older systems", responses={503: {"description": "down"}})
    async def health(response: Response) -> dict[str, Any]:
        """Answer whether the database is connected."""
        if await faults():
            response.status_code = 503
            return {"detail": "Database connection failed"}
        return {"status": "healthy", "database": "connected"}

    @router.get("/metrics", summary="Metrics", response_class=Response, dependencies=[Depends(_near_or_admin(guard))])
    async def show_metrics() -> Response:
        """Return Prometheus text; for administrators, or from this machine."""
        return Response(_exposition(metrics()), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def _near_or_admin(guard: Guard) -> Callable[[Request], Awaitable[None]]:
    async def allow(request: Request) -> None:
        client = request.client.host if request.client else ""
        forwarded = "x-forwarded-for" in request.headers or "forwarded" in request.headers
        if client in _LOOPBACK and not forwarded:
            return
        try:
            actor = await guard.actor_of(request.headers, request.cookies)
        except Unauthenticated:
            raise Unauthenticated("metrics are for administrators, or for this machine itself") from None
        require(actor, "server:manage")

    return allow


def _exposition(metrics: Mapping[str, tuple[str, str, float]]) -> str:
    lines = []
    for name, (kind, help_text, value) in metrics.items():
        lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", f"{name} {value:.15g}"]
    return "\n".join(lines) + "\n"
