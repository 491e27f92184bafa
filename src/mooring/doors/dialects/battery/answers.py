"""The battery door's answers: its own shapes for refusals, and the headers that let the dashboard's pages read them."""

from __future__ import annotations

from typing import Any

from starlette.types import Send

from mooring.doors.dialects.battery.model import RecordInvalid
from mooring.doors.problems import problem_of
from mooring.doors.request import reply
from mooring.kernel.errors import MooringError
from mooring.wire import json

JSON = {"content-type": "application/json"}


class FieldWrong(RecordInvalid):
    """A parameter of the query is not what it has to be."""

    code = "query_invalid"


async def say(send: Send, status: int, body: Any, headers: dict[str, str]) -> None:
    """Send JSON."""
    await reply(send, status, {**JSON, **headers}, json.encode(body))


async def refuse(send: Send, error: MooringError, headers: dict[str, str]) -> None:
    """Send a refusal in the words of the earlier system: a sentence, or a list of fields."""
    status, own, _ = problem_of(error)
    await say(send, status, {"detail": _detail(error)}, {**own, **JSON, **headers})


def _detail(error: MooringError) -> Any:
    if not isinstance(error, RecordInvalid):
        return error.message
    where = "query" if isinstance(error, FieldWrong) else "body"
    kind = "missing" if error.said == "Field required" else "value_error"
    return [{"type": kind, "loc": [where, error.field], "msg": error.said}]
