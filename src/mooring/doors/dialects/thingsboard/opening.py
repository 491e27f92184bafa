"""Putting MQTT together: our own topics and this API's on one port, this API's way over HTTP, its routes for people."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from mooring.devices.claiming.service import Claims
from mooring.devices.twin.service import Twins
from mooring.doors.devices.calls import Calls
from mooring.doors.devices.mqtt.door import MqttDoor
from mooring.doors.devices.mqtt.own import OwnTopics
from mooring.doors.dialects.arrivals import Arrivals
from mooring.doors.dialects.opening import Ground
from mooring.doors.dialects.thingsboard.attributes import Attributes
from mooring.doors.dialects.thingsboard.device import DeviceTopics
from mooring.doors.dialects.thingsboard.gateway import GatewayTopics
from mooring.doors.dialects.thingsboard.http import HttpApi
from mooring.doors.dialects.thingsboard.parts import Parts
from mooring.doors.dialects.thingsboard.provisioning import NoKeys, Provisioner, ProvisionTopics
from mooring.doors.dialects.thingsboard.routes import routes
from mooring.doors.ways import Way


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much MQTT and HTTP take."""

    max_connections: int
    max_packet: int
    max_body: int


@dataclass(frozen=True, slots=True)
class Mqtt:
    """The MQTT port, and the ways in that share its books."""

    door: MqttDoor
    way: Way
    router: APIRouter
    calls: Calls


def open_mqtt(
    ground: Ground, arrivals: Arrivals, twins: Twins, claims: Claims, *, bounds: Bounds, keys: Provisioner | None = None
) -> Mqtt:
    """Return the ways in, none of them open without a token; `keys` lets devices come without one."""
    calls, attributes = Calls(), Attributes(twins)
    parts = Parts(
        ingest=ground.ingest,
        clock=ground.clock,
        registry=ground.registry,
        admission=ground.admission,
        presence=ground.presence,
        sessions=ground.sessions,
        arrivals=arrivals,
        attributes=attributes,
        calls=calls,
        claims=claims,
        provisioner=keys or NoKeys(),
    )
    own = OwnTopics(ground.ingest, twins, calls, ground.bus)
    ground.tasks.create_task(own.run())
    ground.tasks.create_task(attributes.run(ground.bus))
    door = MqttDoor(
        ground.ingest,
        ground.admission,
        ground.presence,
        ground.sessions,
        clock=ground.clock,
        tasks=ground.tasks,
        speeches=[own, DeviceTopics(parts), GatewayTopics(parts)],
        guests=ProvisionTopics(parts.provisioner),
        max_connections=bounds.max_connections,
        max_packet=bounds.max_packet,
    )
    router = routes(parts.registry, calls, claims, ground.guard)
    return Mqtt(door, HttpApi(parts, max_body=bounds.max_body), router, calls)
