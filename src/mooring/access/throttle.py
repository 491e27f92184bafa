"""How often somebody may guess: failures by account and by network, bounded in memory, forgiven with time."""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from typing import Final

from mooring.access.errors import LogInThrottled
from mooring.kernel.clock import Clock

ACCOUNT_FAILURES: Final = 10
ACCOUNT_REFILL_S: Final = 60.0
NETWORK_FAILURES: Final = 100
NETWORK_REFILL_S: Final = 6.0
REGISTRATIONS: Final = 30
REGISTRATION_REFILL_S: Final = 60.0
_REMEMBERED: Final = 20_000


class Buckets:
    """Token buckets by name; a bucket nobody touched for long is forgotten, the oldest when there are too many."""

    def __init__(self, clock: Clock, *, size: int, refill_s: float, most: int = _REMEMBERED) -> None:
        """Give each name `size` uses, one more every `refill_s` seconds."""
        self._clock = clock
        self._size = size
        self._refill_s = refill_s
        self._most = most
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str) -> float:
        """Return the seconds until `name` has a use left; 0 when it has one now."""
        return max(0.0, (self._level(name) - (self._size - 1)) * self._refill_s)

    def spend(self, name: str) -> None:
        """Take one use from `name`."""
        self._used[name] = (self._level(name) + 1, self._clock.monotonic())
        self._used.move_to_end(name)
        while len(self._used) > self._most:
            self._used.popitem(last=False)

    def forgive(self, name: str) -> None:
        """Give `name` all its uses back."""
        self._used.pop(name, None)

    def __len__(self) -> int:
        """Return how many names are remembered."""
        return len(self._used)

    def _level(self, name: str) -> float:
        used, at = self._used.get(name, (0.0, 0.0))
        return max(0.0, used - (self._clock.monotonic() - at) / self._refill_s) if used else 0.0


class Throttle:
    """Judges log-ins and registrations; unknown accounts count like known ones, so nothing is told by it."""

    def __init__(self, clock: Clock) -> None:
        """Begin with a clean slate."""
        self._accounts = Buckets(clock, size=ACCOUNT_FAILURES, refill_s=ACCOUNT_REFILL_S)
        self._networks = Buckets(clock, size=NETWORK_FAILURES, refill_s=NETWORK_REFILL_S)
        self._registrations = Buckets(clock, size=REGISTRATIONS, refill_s=REGISTRATION_REFILL_S)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def check(self, account: str, address: str) -> None:
        """Raise LogInThrottled while this account or network has too many failures."""
        network = network_of(address)
        wait_s = max(self._accounts.wait_s(self._bucket(account, network)), self._networks.wait_s(network))
        if wait_s > 0:
            raise _throttled("too many failed log-ins", wait_s)

    def failed(self, account: str, address: str) -> None:
        """Count a failed log-in."""
        network = network_of(address)
        self._accounts.spend(self._bucket(account, network))
        self._networks.spend(network)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the account's failures, and remember that its owner comes from this network."""
        network = network_of(address)
        self._accounts.forgive(self._bucket(account, network))
        self._known[(account, network)] = None
        self._known.move_to_end((account, network))
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def registering(self, address: str) -> None:
        """Count a registration; raises LogInThrottled when a network makes too many."""
        network = network_of(address)
        wait_s = self._registrations.wait_s(network)
        if wait_s > 0:
            raise _throttled("too many registrations from this network", wait_s)
        self._registrations.spend(network)

    def _bucket(self, account: str, network: str) -> str:
        # A stranger's guesses must not lock the owner out where he has logged in before.
        return f"{account}\0{network}" if (account, network) in self._known else account


def network_of(address: str) -> str:
    """Return the network an address belongs to: /24 in IPv4, /64 in IPv6, the text itself when it is neither."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 64}", strict=False))


def _throttled(message: str, wait_s: float) -> LogInThrottled:
    whole_s = float(math.ceil(wait_s))
    return LogInThrottled(message, hint=f"try again in {whole_s:.0f} seconds", retry_after_s=whole_s)
