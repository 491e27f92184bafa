"""Get a device known to the server: register it, or find the one of that name and renew its token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from mooring.simulator.errors import KeyRefused, RegistrationRefused, RunStopped, ServerUnreachable
from mooring.simulator.http_client import Answer, HttpClient
from mooring.simulator.waiting import Patience

TRIES = 6
MOST_PAGES = 20
PASSING = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Application:
    """What a device says about itself when it asks to be known."""

    name: str
    device_type: str
    description: str = ""
    firmware_version: str = "1.0.0"
    group: str | None = None
    configuration: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Credential:
    """What the server gave: the device's id and its token."""

    device_id: str
    token: str


class Registrar:
    """Registers devices with one API key."""

    def __init__(self, client: HttpClient, patience: Patience, *, on_wait: Callable[[str], None] | None = None) -> None:
        self._client = client
        self._patience = patience
        self._on_wait = on_wait

    async def admit(self, application: Application, group_id: str | None = None) -> Credential:
        """Return a credential for the device; raises KeyRefused, RegistrationRefused or ServerUnreachable."""
        body: dict[str, Any] = {
            "name": application.name,
            "device_type": application.device_type,
            "description": application.description,
            "firmware_version": application.firmware_version,
            "configuration": application.configuration,
        }
        if group_id is not None:
            body["group_id"] = group_id
        answer = await self.ask("POST", "/api/devices", body)
        if answer.status == 409:
            return await self._renew(application.name)
        return self._credential(application.name, answer, answer.body)

    async def groups(self, names: list[str]) -> dict[str, str]:
        """Return group ids by name, making those that are missing; empty where the server knows no groups."""
        answer = await self.ask("GET", "/api/groups?limit=200")
        if not answer.ok or not isinstance(answer.body, dict):
            return {}
        known = {item["name"]: str(item["id"]) for item in answer.body.get("items", []) if "name" in item}
        for name in names:
            if name not in known:
                made = await self.ask("POST", "/api/groups", {"name": name})
                if made.ok and isinstance(made.body, dict) and "id" in made.body:
                    known[name] = str(made.body["id"])
        return known

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request, again and again while the trouble is a passing one."""
        for attempt in range(TRIES):
            told_s = None
            try:
                answer = await self._client.request(method, path, body)
            except ServerUnreachable as failure:
                if attempt + 1 == TRIES:
                    raise
                reason = failure.message
            else:
                if answer.status in (401, 403) and not _is_quota(answer):
                    raise KeyRefused(
                        f"the server does not take this API key: {answer.reason}",
                        hint="make one in the console or with `mooring key create`",
                    )
                if answer.status not in PASSING or _is_quota(answer) or attempt + 1 == TRIES:
                    return answer
                reason, told_s = answer.reason, answer.retry_after_s
            if self._on_wait is not None:
                self._on_wait(reason)
            if not await self._patience.wait(attempt, told_s):
                break
        raise RunStopped("stopped while the server was being asked")

    async def _renew(self, name: str) -> Credential:
        device_id = await self._find(name)
        if device_id is None:
            raise RegistrationRefused(
                f"the name is taken by a device this key cannot see: {name}", hint="choose another --prefix"
            )
        answer = await self.ask("POST", f"/api/devices/{quote(device_id)}/token")
        body = {"id": device_id, **answer.body} if isinstance(answer.body, dict) else None
        return self._credential(name, answer, body)

    async def _find(self, name: str) -> str | None:
        path = f"/api/devices?limit=100&q={quote(name)}"
        cursor = ""
        for _ in range(MOST_PAGES):
            answer = await self.ask("GET", path + cursor)
            if not answer.ok or not isinstance(answer.body, dict):
                return None
            for item in answer.body.get("items", []):
                if item.get("name") == name:
                    return str(item["id"])
            if not answer.body.get("next"):
                return None
            cursor = f"&cursor={quote(str(answer.body['next']))}"
        return None

    def _credential(self, name: str, answer: Answer, body: Any) -> Credential:
        if not answer.ok:
            raise RegistrationRefused(f"the server did not register {name}: {answer.reason}")
        if not isinstance(body, dict) or "id" not in body or "auth_token" not in body:
            raise ServerUnreachable(f"not a server of ours at {self._client.address}: no auth_token in its answer")
        return Credential(str(body["id"]), str(body["auth_token"]))


def _is_quota(answer: Answer) -> bool:
    code = answer.body.get("code", "") if isinstance(answer.body, dict) else ""
    return "quota" in str(code)
