"""The three spellings of the device's topics, and what the server says under each."""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Family(NamedTuple):
    """One spelling: topics, the filters devices subscribe to, and the beginnings that a number follows."""

    telemetry: str
    attributes: str
    attribute_request: str
    attribute_response: str
    call_to_device: str
    answer_of_device: str
    call_to_server: str
    answer_of_server: str

    @property
    def filters(self) -> tuple[str, ...]:
        """Return the filters a device may subscribe to."""
        begun = (self.attribute_response, self.call_to_device, self.answer_of_server)
        return (self.attributes, *(f"{start}+" for start in begun))


_ME: Final = "v1/devices/me/"
V1: Final = Family(
    telemetry=_ME + "telemetry",
    attributes=_ME + "attributes",
    attribute_request=_ME + "attributes/request/",
    attribute_response=_ME + "attributes/response/",
    call_to_device=_ME + "rpc/request/",
    answer_of_device=_ME + "rpc/response/",
    call_to_server=_ME + "rpc/request/",
    answer_of_server=_ME + "rpc/response/",
)


def _short(kind: str) -> Family:
    """Return the short spelling; `kind` says how payloads are packed, "" by the profile and "/j" as JSON."""
    return Family(
        telemetry=f"v2/t{kind}",
        attributes=f"v2/a{kind}",
        attribute_request=f"v2/a/req{kind}/",
        attribute_response=f"v2/a/res{kind}/",
        call_to_device=f"v2/r/req{kind}/",
        answer_of_device=f"v2/r/res{kind}/",
        call_to_server=f"v2/r/req{kind}/",
        answer_of_server=f"v2/r/res{kind}/",
    )


FAMILIES: Final = (V1, _short(""), _short("/j"))
CLAIM: Final = _ME + "claim"
CHUNK: Final = re.compile(r"v2/(fw|sw)/request/([^/]{1,64})/chunk/([0-9]{1,10})")
CHUNK_FILTERS: Final = tuple(f"v2/{kind}/{what}" for kind in ("fw", "sw") for what in ("response/+/chunk/+", "error"))
CHUNK_ERROR: Final = "v2/fw/error"


def numbered(start: str) -> re.Pattern[str]:
    """Return the pattern of topics that begin with `start` and end with a number."""
    return re.compile(re.escape(start) + r"(-?[0-9]{1,19})")
