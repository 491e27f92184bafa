"""The OpenAPI file: FastAPI's own, the routes that are plain ASGI, and how callers identify themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_VALUE = {"description": "number, integer, boolean, text or JSON; null is no reading"}
_RICH = {
    "type": "object",
    "required": ["value"],
    "properties": {
        "value": _VALUE,
        "unit": {"type": "string", "maxLength": 128},
        "timestamp": {"$ref": "#/components/schemas/Timestamp"},
        "quality_score": {"type": "number", "minimum": 0, "maximum": 1},
    },
}
SCHEMAS: dict[str, Any] = {
    "Timestamp": {
        "description": "ISO 8601, or epoch seconds or milliseconds",
        "oneOf": [{"type": "string"}, {"type": "number"}],
    },
    "Frame": {
        "type": "object",
        "properties": {
            "sensor_readings": {
                "oneOf": [
                    {"type": "object", "additionalProperties": True, "maxProperties": 1000},
                    {
                        "type": "array",
                        "maxItems": 1000,
                        "items": {
                            "allOf": [
                                _RICH,
                                {
                                    "type": "object",
                                    "required": ["sensor_type"],
                                    "properties": {"sensor_type": {"type": "string", "minLength": 1, "maxLength": 128}},
                                },
                            ]
                        },
                    },
                    {"type": "null"},
                ]
            },
            "timestamp": {"oneOf": [{"$ref": "#/components/schemas/Timestamp"}, {"type": "null"}]},
            "seq": {"type": ["integer", "null"], "minimum": 0, "maximum": 9223372036854775807},
            "boot_id": {"type": "string", "maxLength": 128},
            "event_type": {"type": ["string", "null"]},
            "device_status": {"type": ["string", "null"]},
        },
        "example": {"seq": 1, "boot_id": "a1", "sensor_readings": {"temperature": 21.5}},
    },
    "Receipt": {
        "type": "object",
        "required": ["seq", "status"],
        "properties": {
            "seq": {"type": ["integer", "null"]},
            "status": {"enum": ["stored", "duplicate", "rejected", "throttled"]},
            "reason": {"type": "string"},
            "retry_after_s": {"type": "number"},
            "stored": {"type": "integer", "description": "how many readings"},
        },
    },
    "Receipts": {
        "type": "object",
        "required": ["stored", "receipts"],
        "properties": {
            "stored": {"type": "integer"},
            "receipts": {"type": "array", "items": {"$ref": "#/components/schemas/Receipt"}},
        },
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "error", "message", "request_id"],
        "properties": {
            name: {"type": "integer" if name == "status" else "string"}
            for name in ("type", "title", "status", "detail", "code", "error", "message", "request_id", "hint")
        },
    },
}
_ONE = {"$ref": "#/components/schemas/Frame"}
_BATCH = {
    "type": "object",
    "required": ["frames"],
    "properties": {"frames": {"type": "array", "items": _ONE, "maxItems": 10_000}},
}
_MANY_BATCH = {
    "type": "object",
    "required": ["frames"],
    "properties": {
        "frames": {
            "type": "array",
            "maxItems": 10_000,
            "items": {
                "allOf": [
                    _ONE,
                    {"type": "object", "required": ["device_id"], "properties": {"device_id": {"type": "string"}}},
                ]
            },
        }
    },
}
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "access token, API key, or a device's own token"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "session": {"type": "apiKey", "in": "cookie", "name": "mooring_session"},
}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSALS = {
    "400": "no HTTP we understand, or an address too long",
    "401": "nobody we recognise",
    "403": "not allowed to you, or sent by a page of another origin",
    "404": "no such thing, or not yours",
    "408": "the body came too slowly",
    "409": "contradicts what is already so, such as the same seq with another content",
    "413": "the body is too large",
    "415": "the body is packed",
    "422": "what was sent cannot be understood or breaks a bound",
    "429": "slow down",
    "503": "the store has failed",
    "507": "the disk is full",
}
_OPEN = {"/healthz", "/readyz", "/health", "/api/auth/register", "/api/auth/login", "/api/auth/refresh"}
# Devices are told by a receipt why a frame was not stored, and by a problem what was wrong with the request.
_WITH_RECEIPT = ("409", "422", "429", "503", "507")
_WITH_BODY = ("403", "408", "409", "413", "415", "422", "429", "503", "507")


def describe(app: FastAPI) -> None:
    """Make `app` answer ``openapi()`` with the whole truth."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schema["paths"].setdefault("/api/devices/{device_id}/data", {})["post"] = _post_one()
            schema["paths"]["/api/data"] = {"post": _post_many()}
            schema["paths"]["/api/stream"] = {"get": _stream()}
            _tell_refusals(schema["paths"])
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {}).update(SCHEMAS)
            for name in ("HTTPValidationError", "ValidationError"):
                components["schemas"].pop(name, None)
            components["securitySchemes"] = _SECURITY
            schema["security"] = [{name: []} for name in _SECURITY]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _tell_refusals(paths: dict[str, Any]) -> None:
    """Add to every operation the refusals it may answer with, all of them problem documents."""
    for path, operations in paths.items():
        for method, operation in operations.items():
            if path in _OPEN:
                operation["security"] = []
            for status in _refused_with(path, method):
                told = operation["responses"].setdefault(status, {"description": _REFUSALS[status]})
                told["content"] = _PROBLEM | _own(told.get("content", {}))
            if path.startswith("/api/"):
                told = operation["responses"].setdefault("400", {"description": _REFUSALS["400"]})
                told["content"] = {"text/plain": {}} | told.get("content", {})
    data = paths["/api/devices/{device_id}/data"]["get"]["responses"]["200"]["content"]
    data |= {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/x-ndjson")}
    paths["/metrics"]["get"]["security"] = [{}, *({name: []} for name in _SECURITY)]
    paths["/metrics"]["get"]["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}


def _own(content: dict[str, Any]) -> dict[str, Any]:
    """Return what a route itself says it answers, without what the framework says for it."""
    framework = {"$ref": "#/components/schemas/HTTPValidationError"}
    return {kind: answer for kind, answer in content.items() if answer.get("schema") != framework}


def _refused_with(path: str, method: str) -> list[str]:
    if path in ("/healthz", "/readyz", "/health"):
        return []
    statuses = {"503"} | (set() if path in _OPEN else {"401", "403"})
    statuses |= {"404"} if "{" in path else set()
    statuses |= {"422"} if method == "get" and path.startswith("/api/") else set()
    statuses |= {"401", *_WITH_BODY} if method != "get" else set()
    return sorted(statuses)


def _post_one() -> dict[str, Any]:
    path = {"name": "device_id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}}
    answer = {"oneOf": [{"$ref": "#/components/schemas/Receipt"}, {"$ref": "#/components/schemas/Receipts"}]}
    return {
        "tags": ["data"],
        "summary": "Post a device's data",
        "description": "One frame, or a batch; answered once it is on disk.",
        "operationId": "post_data",
        "parameters": [path],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"anyOf": [_ONE, _BATCH]}}}},
        "responses": _responses(answer),
    }


def _post_many() -> dict[str, Any]:
    content = {"application/json": {"schema": _MANY_BATCH}, "application/x-ndjson": {"schema": {"type": "string"}}}
    return {
        "tags": ["data"],
        "summary": "Post data of many devices",
        "description": "For gateways: every frame names its device.",
        "operationId": "post_data_of_many",
        "requestBody": {"required": True, "content": content},
        "responses": _responses({"$ref": "#/components/schemas/Receipts"}),
    }


def _stream() -> dict[str, Any]:
    def many(name: str) -> dict[str, Any]:
        return {"name": name, "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}

    return {
        "tags": ["live"],
        "summary": "Live updates as server-sent events",
        "operationId": "stream",
        "parameters": [many("device_id"), many("key")],
        "responses": {"200": {"description": "an endless stream", "content": {"text/event-stream": {}}}},
    }


def _responses(answer: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}}
    refused = {status: {"description": _REFUSALS[status], "content": content} for status in _WITH_RECEIPT}
    return {
        "201": {"description": "stored", "content": content},
        "200": {"description": "stored before", "content": content},
        **refused,
    }
