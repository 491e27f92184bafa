"""Calls in flight: a question to a device and its answer, over whichever connection the device listens on.

Kept in memory: a call nobody answers in time ends with ``CallTimedOut``, and so does every call when the server stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from mooring.kernel.errors import Exhausted, Unavailable

MAX_CALLS_PER_DEVICE: Final = 100


class CallTimedOut(Unavailable):
    """The device did not answer in time; ``reached`` tells whether it was asked at all."""

    code: ClassVar[str] = "call_timed_out"

    def __init__(self, timeout_s: float, *, reached: bool) -> None:
        said = "the device did not answer" if reached else "the device was not there"
        super().__init__(f"{said} within {timeout_s:g} s")
        self.reached = reached


class TooManyCalls(Exhausted):
    """More calls wait for one device than may."""

    code: ClassVar[str] = "too_many_calls"


@dataclass(slots=True)
class Call:
    """One question; ``number`` is the device's own count, from 0. A one-way call is over once it was delivered."""

    number: int
    method: str
    params: Any
    oneway: bool = False
    delivered: bool = False
    answer: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def arrived(self) -> None:
        """Note that the device has it."""
        self.delivered = True
        if self.oneway and not self.answer.done():
            self.answer.set_result(None)


Ear = Callable[[Call], None]


class Calls:
    """All calls in flight, by device, and the ears that devices lend."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[int, Call]] = {}
        self._sent: dict[str, dict[int, Call]] = {}
        self._ears: dict[str, list[Ear]] = {}
        self._numbers: dict[str, int] = {}

    async def ask(self, device_id: str, method: str, params: Any, *, timeout_s: float, oneway: bool = False) -> Any:
        """Return the device's answer; raises CallTimedOut, TooManyCalls. It waits for a device that is away."""
        waiting = self._waiting.setdefault(device_id, {})
        sent = self._sent.setdefault(device_id, {})
        if len(waiting) + len(sent) >= MAX_CALLS_PER_DEVICE:
            raise TooManyCalls(f"more than {MAX_CALLS_PER_DEVICE} calls wait for this device", retry_after_s=1.0)
        number = self._numbers.get(device_id, 0)
        self._numbers[device_id] = (number + 1) % 2**31
        call = waiting[number] = Call(number, method, params, oneway)
        try:
            self._deliver(device_id)
            async with asyncio.timeout(timeout_s):
                return await call.answer
        except TimeoutError:
            raise CallTimedOut(timeout_s, reached=call.delivered) from None
        finally:
            waiting.pop(number, None)
            sent.pop(number, None)
            self._tidy(device_id)

    def answer(self, device_id: str, number: int, body: Any) -> bool:
        """Take a device's answer; False if it is too late or was never asked."""
        call = self._sent.get(device_id, {}).get(number)
        if call is None or call.answer.done():
            return False
        call.answer.set_result(body)
        return True

    def listen(self, device_id: str, ear: Ear) -> None:
        """Deliver to `ear` from now on, what waits first; of several ears the newest hears."""
        self._ears.setdefault(device_id, []).append(ear)
        self._deliver(device_id)

    def leave(self, device_id: str, ear: Ear) -> None:
        """Deliver no more to `ear`."""
        ears = self._ears.get(device_id)
        if ears is not None and ear in ears:
            ears.remove(ear)
            if not ears:
                del self._ears[device_id]

    def _deliver(self, device_id: str) -> None:
        waiting = self._waiting.get(device_id)
        while waiting and self._ears.get(device_id):
            ear = self._ears[device_id][-1]
            number, call = next(iter(waiting.items()))
            del waiting[number]
            self._sent.setdefault(device_id, {})[number] = call
            ear(call)

    def _tidy(self, device_id: str) -> None:
        if not self._waiting.get(device_id) and not self._sent.get(device_id):
            self._waiting.pop(device_id, None)
            self._sent.pop(device_id, None)
