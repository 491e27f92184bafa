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
                ]
            },
            "timestamp": {"$ref": "#/components/schemas/Timestamp"},
            "seq": {"type": "integer", "minimum": 0, "maximum": 9223372036854775807},
            "boot_id": {"type": "string", "maxLength": 128},
            "event_type": {"type": "string"},
            "device_status": {"type": "string"},
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
_REFUSALS = {
    "401": "nobody we recognise",
    "404": "no such device, or not yours",
    "408": "the body came too slowly",
    "409": "the same seq was stored with another content",
    "413": "the body is too large",
    "422": "the frame cannot be stored",
    "429": "slow down",
    "503": "the store has failed",
    "507": "the disk is full",
}


def describe(app: FastAPI) -> None:
    """Make `app` answer ``openapi()`` with the whole truth."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schema["paths"].setdefault("/api/devices/{device_id}/data", {})["post"] = _post_one()
            schema["paths"]["/api/data"] = {"post": _post_many()}
            schema["paths"]["/api/stream"] = {"get": _stream()}
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {}).update(SCHEMAS)
            components["securitySchemes"] = _SECURITY
            schema["security"] = [{name: []} for name in _SECURITY]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _post_one() -> dict[str, Any]:
    path = {"name": "device_id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}}
    answer = {"oneOf": [{"$ref": "#/components/schemas/Receipt"}, {"$ref": "#/components/schemas/Receipts"}]}
    return {
        "tags": ["data"],
        "summary": "Post a device's data",
        "description": "One frame, or a batch; answered once it is on disk.",
        "operationId": "post_data",
        "parameters": [path],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"oneOf": [_ONE, _BATCH]}}}},
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
        "responses": {"200": {"description": "an endless stream", "content": {"text/event-stream": {}}}}
        | _refusals("401"),
    }


def _responses(answer: dict[str, Any]) -> dict[str, Any]:
    stored = {"description": "stored", "content": {"application/json": {"schema": answer}}}
    known = {"description": "stored before", "content": {"application/json": {"schema": answer}}}
    return {"201": stored, "200": known} | _refusals(*_REFUSALS)


def _refusals(*statuses: str) -> dict[str, Any]:
    return {status: {"description": _REFUSALS[status]} for status in statuses}
