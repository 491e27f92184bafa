"""Write the pages that the program itself knows best: docs/settings.md, docs/routes.md and console/openapi.json.

Run it by `make docs`; a test holds the files against what it would write.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from mooring.app import running
from mooring.settings import Settings, variable_of

ROOT = Path(__file__).resolve().parents[1]
METHODS = ("get", "post", "put", "patch", "delete")

SETTINGS_HEAD = """# Settings

Written by `make docs`; `mooring config` prints the same with the values in force. Set them as environment variables.

| Variable | Default | What it does |
| --- | --- | --- |
"""
ROUTES_HEAD = """# Routes

Written by `make docs` from the server's own OpenAPI description, served at `/openapi.json` and shown at `/docs`.
How frames, receipts and the live feed look is told in [api.md](api.md).

| Route | What it does |
| --- | --- |
"""
SOCKETS = """
Beside these, two WebSockets, which OpenAPI cannot describe: `/ws/device` for devices and `/ws/live` for people.
"""


def settings_page() -> str:
    """Return docs/settings.md."""
    rows = [_setting_row(name, field) for name, field in Settings.model_fields.items()]
    return SETTINGS_HEAD + "".join(rows)


def _setting_row(name: str, field: FieldInfo) -> str:
    variable = variable_of(name)
    choices = field.validation_alias.choices if isinstance(field.validation_alias, AliasChoices) else []
    others = [f"`{each}`" for each in choices if isinstance(each, str) and each not in (name, variable)]
    also = f" Also read from {', '.join(others)}." if others else ""
    sentence = (field.description or "").replace("|", "\\|")
    return f"| `{variable}` | {_shown(field.default)} | {sentence}{also} |\n"


def _shown(default: Any) -> str:
    if default in (None, "", []) or isinstance(default, SecretStr):
        return "–"
    if isinstance(default, bool):
        return "`true`" if default else "`false`"
    return f"`{default}`"


@cache
def openapi() -> dict[str, Any]:
    """Return the description of the HTTP API, asked of a server over an empty folder."""
    return asyncio.run(_ask())


async def _ask() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mooring-") as folder:
        async with running(Settings(data_dir=Path(folder), database_url="")) as server:
            transport = httpx.ASGITransport(cast(Any, server.app))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return cast(dict[str, Any], (await client.get("/openapi.json")).json())


def openapi_file() -> str:
    """Return console/openapi.json."""
    return json.dumps(openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def routes_page() -> str:
    """Return docs/routes.md."""
    rows = [
        f"| `{method.upper()} {path}` | {operation.get('summary', '')} |\n"
        for path, operations in sorted(openapi()["paths"].items())
        for method, operation in sorted(operations.items(), key=lambda item: METHODS.index(item[0]))
    ]
    return ROUTES_HEAD + "".join(rows) + SOCKETS


PAGES = {
    "docs/settings.md": settings_page,
    "docs/routes.md": routes_page,
    "console/openapi.json": openapi_file,
}


def main() -> int:
    """Write every page that has changed."""
    for name, write in PAGES.items():
        path, text = ROOT / name, write()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
