"""What we rely on in python-socketio and engineio beyond their documents."""

from __future__ import annotations

import pytest
import socketio
from socketio import packet

from mooring.doors.devices.socketio.audience import packet as packed
from mooring.doors.devices.socketio.engine import Engine, Json


@pytest.mark.parametrize("text", ["", "nonsense", "1e999", "[" * 5000, '"\ud800"', '{"a":}'])
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        Json.loads(text)


def test_packet_made_by_hand_is_the_librarys_own() -> None:
    ours = packed("robot_data_update", '[{"a":1}]')
    theirs = packet.Packet(packet.EVENT, data=["robot_data_update", [{"a": 1}]]).encode()
    assert ours == theirs.replace(": ", ":").replace(", ", ",")


@pytest.mark.parametrize(
    "name", ["_handle_eio_connect", "_handle_eio_disconnect", "_handle_eio_message", "_handle_connect", "_handle_event"]
)
def test_methods_we_take_over_exist_in_the_library(name: str) -> None:
    assert callable(getattr(socketio.AsyncServer, name))
    assert getattr(Engine, name) is not getattr(socketio.AsyncServer, name)
