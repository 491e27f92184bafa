"""HTTP of this room: register, log in and out, who am I, API keys; and ``admitted``/``Caller`` for every room's routes.

A router made with ``dependencies=[admitted(guard)]`` is closed to strangers; its handlers take ``actor: Caller``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from mooring.access.guard import COOKIE, Guard
from mooring.access.model import SESSION_LIFETIME, LogIn, Origin, permissions_of, require
from mooring.access.schemas import (
    AccountOut,
    KeyCreatedOut,
    KeyIn,
    KeysOut,
    LogInIn,
    LogInOut,
    Quota,
    RefreshIn,
    RegisteredOut,
    RegisterIn,
    Used,
    key_out,
    log_in_out,
    user_out,
)
from mooring.access.service import AccessService
from mooring.kernel.actor import Actor


def admitted(guard: Guard) -> Any:
    """Return the dependency that lets only known callers into a router."""

    async def admit(request: Request) -> None:
        request.state.actor = await guard.actor_of(request.headers, request.cookies)

    return Depends(admit)


async def _caller(request: Request) -> Actor:
    actor = request.state.actor
    assert isinstance(actor, Actor)  # noqa: S101 - a router without admitted() is a fault of ours
    return actor


Caller = Annotated[Actor, Depends(_caller)]
DevicesUsed = Callable[[str], Awaitable[int]]


def routes(service: AccessService, guard: Guard, *, devices_used: DevicesUsed) -> APIRouter:
    """Return the router of ``/api/auth`` and ``/api/keys``; `devices_used` counts a person's devices."""
    router = APIRouter()
    router.include_router(_open_routes(service))
    router.include_router(_account_routes(service, guard, devices_used))
    router.include_router(_key_routes(service, guard))
    return router


def _open_routes(service: AccessService) -> APIRouter:
    router = APIRouter(prefix="/api/auth", tags=["people"])

    @router.post("/register", status_code=201, summary="Make an account")
    async def register(body: RegisterIn, request: Request, response: Response) -> RegisteredOut:
        log_in, api_key = await service.register(body.username, body.email, body.password, _origin(request))
        _set_cookie(request, response, log_in)
        shown = log_in_out(log_in, await service.keys.list(log_in.user.id))
        return RegisteredOut(**shown.model_dump(), api_key=api_key)

    @router.post("/login", summary="Log in by username or e-mail address")
    async def log_in(body: LogInIn, request: Request, response: Response) -> LogInOut:
        opened = await service.sessions.log_in(body.name, body.password, _origin(request))
        _set_cookie(request, response, opened)
        return log_in_out(opened, await service.keys.list(opened.user.id))

    @router.post("/refresh", summary="Change a refresh token for a new one and an access token")
    async def refresh(body: RefreshIn, response: Response) -> LogInOut:
        carried_on = await service.sessions.refresh(body.refresh_token)
        _no_store(response)
        return log_in_out(carried_on, await service.keys.list(carried_on.user.id))

    return router


def _account_routes(service: AccessService, guard: Guard, devices_used: DevicesUsed) -> APIRouter:
    router = APIRouter(prefix="/api/auth", tags=["people"], dependencies=[admitted(guard)])

    @router.post("/logout", status_code=204, summary="End this session and what hangs on it")
    async def log_out(actor: Caller, response: Response) -> None:
        if actor.session_id is not None:
            await service.sessions.end(actor.id, actor.session_id)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")

    @router.get("/user", summary="Who am I, and what may I do")
    async def account(actor: Caller) -> AccountOut:
        user = await service.people.by_id(actor.id)
        return AccountOut(
            user=user_out(user, await service.keys.list(actor.id)),
            quota=Quota(devices=Used(limit=user.device_quota, used=await devices_used(actor.id))),
            permissions=permissions_of(actor.role, actor.scopes),
        )

    return router


def _key_routes(service: AccessService, guard: Guard) -> APIRouter:
    router = APIRouter(prefix="/api/keys", tags=["keys"], dependencies=[admitted(guard)])

    @router.get("", summary="My API keys")
    async def list_keys(actor: Caller) -> KeysOut:
        require(actor, "keys:manage")
        keys = await service.keys.list(actor.id)
        return KeysOut(items=[key_out(key) for key in keys], total=len(keys))

    @router.post("", status_code=201, summary="Make an API key; the answer shows it once")
    async def create_key(body: KeyIn, actor: Caller, response: Response) -> KeyCreatedOut:
        require(actor, "keys:manage")
        key, secret = await service.keys.create(actor.id, body.name, scopes=body.scopes, expires_at=body.expires_at)
        _no_store(response)
        return KeyCreatedOut(**key_out(key).model_dump(), key=secret)

    @router.delete("/{key_id}", status_code=204, summary="Revoke an API key")
    async def revoke_key(key_id: str, actor: Caller) -> None:
        require(actor, "keys:manage")
        await service.keys.revoke(actor.id, key_id)

    return router


def _origin(request: Request) -> Origin:
    address = request.client.host if request.client else ""
    agent = "".join(c for c in request.headers.get("user-agent", "") if c.isprintable())
    return Origin(address=address[:64], user_agent=agent[:200])


def _set_cookie(request: Request, response: Response, log_in: LogIn) -> None:
    response.set_cookie(
        COOKIE,
        log_in.session_token or "",
        max_age=int(SESSION_LIFETIME.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    _no_store(response)


def _no_store(response: Response) -> None:
    # RFC 6749, section 5.1: answers with tokens in them are nobody's to keep.
    response.headers["Cache-Control"] = "no-store"
