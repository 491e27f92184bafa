"""What can go wrong before or while a fleet runs, in words for the person who started it."""

from __future__ import annotations

from mooring.kernel.errors import Denied, Invalid, MooringError, Unavailable


class RecordingInvalid(Invalid):
    """A CSV file cannot be replayed."""

    code = "recording_invalid"


class FleetOptionsInvalid(Invalid):
    """A fleet was asked for that cannot be."""

    code = "fleet_options_invalid"


class ServerUnreachable(Unavailable):
    """Nobody answers at the address, or not in the way a server of ours does."""

    code = "server_unreachable"


class KeyRefused(Denied):
    """The server does not take the API key."""

    code = "key_refused"


class RegistrationRefused(MooringError):
    """The server knows us but will not have this device."""

    code = "registration_refused"


class RunStopped(Unavailable):
    """The run ended while a request was still being tried."""

    code = "run_stopped"


class TokenRefused(Denied):
    """The server no longer takes a device's token."""

    code = "token_refused"
