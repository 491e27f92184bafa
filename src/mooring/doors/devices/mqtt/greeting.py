"""The answer to CONNECT: what this server offers, and how long it waits for a sign of life."""

from __future__ import annotations

from typing import Final

from mooring.doors.devices.mqtt.session import RECEIVE_MAXIMUM
from mooring.wire.mqtt import properties as prop
from mooring.wire.mqtt.packets import Connack, Connect
from mooring.wire.mqtt.reasons import OLD_CONNACK

KEEP_ALIVE_CAP_S: Final = 1200
_FIVE = 5


def keep_alive_of(connect: Connect) -> int:
    """Return the keep-alive that holds, in seconds: nobody holds a socket for ever without a word."""
    return min(connect.keep_alive or KEEP_ALIVE_CAP_S, KEEP_ALIVE_CAP_S)


def name_for(unique: str) -> str:
    """Return a client id for a client that left the choice to the server."""
    return f"auto-{unique}"


def connack_of(connect: Connect, reason: int, client_id: str = "", max_packet: int = 0) -> Connack:
    """Return the CONNACK; no session is ever present, because none is kept."""
    if connect.level < _FIVE:
        return Connack(OLD_CONNACK.get(reason, 3))
    if reason:
        return Connack(reason)
    asked = connect.properties or {}
    offered = {
        prop.RECEIVE_MAXIMUM: RECEIVE_MAXIMUM,
        prop.MAXIMUM_QOS: 1,
        prop.MAXIMUM_PACKET_SIZE: max_packet,
        prop.SUBSCRIPTION_ID_AVAILABLE: 0,
        prop.SHARED_AVAILABLE: 0,
    }
    if asked.get(prop.SESSION_EXPIRY):
        offered[prop.SESSION_EXPIRY] = 0
    if keep_alive_of(connect) != connect.keep_alive:
        offered[prop.SERVER_KEEP_ALIVE] = keep_alive_of(connect)
    if not connect.client_id:
        return Connack(properties={**offered, prop.ASSIGNED_CLIENT_ID: client_id})
    return Connack(properties=offered)
