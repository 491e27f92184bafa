"""What a device may do, as it asks before it begins: ``getSessionLimits``, and other calls of devices to the server."""

from __future__ import annotations

from typing import Any, Final

from mooring.doors.devices.mqtt.session import RECEIVE_MAXIMUM
from mooring.kernel.clock import Clock
from mooring.wire.thingsboard import Question

MAX_PAYLOAD: Final = 65_536
# "capacity:seconds" lists; empty is none.
_NO_LIMITS: Final = {"messages": "", "telemetryMessages": "", "telemetryDataPoints": ""}


def session_limits(*, gateway: bool) -> dict[str, Any]:
    """Return what one session may send; without ``rateLimits`` the vendor's client ignores the answer."""
    told: dict[str, Any] = {
        "maxPayloadSize": MAX_PAYLOAD,
        "maxInflightMessages": RECEIVE_MAXIMUM,
        "rateLimits": dict(_NO_LIMITS),
    }
    return {**told, "gatewayRateLimits": dict(_NO_LIMITS)} if gateway else told


def answer_to(question: Question, clock: Clock) -> Any:
    """Return what the server answers a device's call."""
    if question.method in ("getTime", "getServerTime", "getCurrentTime"):
        return {"time": clock.now_us() // 1000}
    return {"error": f"method is not known: {question.method[:100]}"}
