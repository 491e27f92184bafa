"""Provisioning: devices without a credential ask for one, showing a key they were made with.

Who has keys is somebody else's business (``Provisioner``); here is what is said on MQTT and over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple, Protocol

from mooring.doors.devices.mqtt.session import Answer, Session
from mooring.doors.devices.mqtt.speech import Handler, Pattern
from mooring.kernel.errors import Missing, MooringError
from mooring.wire import json
from mooring.wire.mqtt.packets import Connect, Publish
from mooring.wire.thingsboard import ProvisionRequest, provision_request

REQUEST: Final = "/provision/request"
RESPONSE: Final = "/provision/response"
NAME: Final = "provision"
ACCESS_TOKEN: Final = "ACCESS_TOKEN"  # noqa: S105  (the name of a kind of credential)
_KNOWN_KINDS: Final = (None, ACCESS_TOKEN)


class ProvisioningUnknown(Missing):
    """There is no such key, or its secret is another."""

    code: ClassVar[str] = "provisioning_unknown"


class Provisioned(NamedTuple):
    """A device that has its credential now."""

    device_id: str
    token: str


class Provisioner(Protocol):
    """Who judges keys and makes devices known."""

    async def provision(self, request: ProvisionRequest) -> Provisioned:
        """Return the device and its token; raises ProvisioningUnknown for a wrong key or secret, or another refusal."""


class NoKeys:
    """The provisioner of a server that has given out no provisioning keys: none is right."""

    async def provision(self, request: ProvisionRequest) -> Provisioned:
        """Refuse."""
        raise ProvisioningUnknown(f"no such provisioning key: {request.provision_device_key[:40]}")


async def answer_to(provisioner: Provisioner, data: bytes) -> dict[str, Any]:
    """Return the answer to a request, which says SUCCESS, NOT_FOUND or FAILURE; raises ``Invalid`` for no request."""
    request = provision_request(data)
    try:
        if request.credentials_type not in _KNOWN_KINDS:
            raise ProvisioningFailed(f"credentials of this type are not made: {request.credentials_type}")
        done = await provisioner.provision(request)
    except ProvisioningUnknown:
        return {"errorMsg": "Provision data was not found!", "status": "NOT_FOUND"}
    except MooringError:
        return {"errorMsg": "Failed to provision device!", "status": "FAILURE"}
    return {"credentialsValue": done.token, "credentialsType": ACCESS_TOKEN, "status": "SUCCESS"}


class ProvisioningFailed(MooringError):
    """The key is right, but no device comes of it."""

    code: ClassVar[str] = "provisioning_failed"


class ProvisionTopics:
    """What guests say: one question."""

    def __init__(self, provisioner: Provisioner) -> None:
        self._provisioner = provisioner
        self.topics: Mapping[str, Handler] = {REQUEST: self._request}
        self.patterns: Sequence[Pattern] = ()
        self.filters = frozenset({RESPONSE})

    def welcomes(self, connect: Connect) -> bool:
        """Tell whether a client says it has no credential yet."""
        return connect.username == NAME or (not connect.username and connect.client_id == NAME)

    def _request(self, session: Session, message: Publish, answer: Answer) -> None:
        session.spawn(self._answer(session, message.payload, answer), answer)

    async def _answer(self, session: Session, data: bytes, answer: Answer) -> None:
        told = await answer_to(self._provisioner, data)
        answer.done()
        session.publish(RESPONSE, json.encode(told))

    def opened(self, session: Session) -> None:
        """Nothing is due to a guest."""

    def subscribed(self, session: Session, topic_filter: str) -> None:
        """The answer comes when there is a question."""

    def unsubscribed(self, session: Session, topic_filter: str) -> None:
        """Nothing was running."""

    def closed(self, session: Session) -> None:
        """Nothing is kept."""
