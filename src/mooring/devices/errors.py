"""What can be wrong with a request about devices; each has a code that never changes."""

from __future__ import annotations

from mooring.kernel.errors import Conflict, Denied, Exhausted, Invalid, Missing


class DeviceUnknown(Missing):
    """There is no such device, or it is not the caller's to see."""

    code = "device_unknown"

    def __init__(self) -> None:
        super().__init__("there is no such device")


class ActionDenied(Denied):
    """The caller may see the device but not do this with it."""

    code = "action_denied"


class NameTaken(Conflict):
    """The owner has a device of this name already."""

    code = "device_name_taken"


class TokenTaken(Conflict):
    """The token given for a device has been used before."""

    code = "device_token_taken"


class QuotaExceeded(Exhausted):
    """The owner has as many devices as he may have."""

    code = "device_quota_exceeded"


class FieldInvalid(Invalid):
    """A field of a device breaks a stated bound."""

    code = "device_field_invalid"


class GroupUnknown(Invalid):
    """The group does not exist or belongs to somebody else."""

    code = "device_group_unknown"


class QueryInvalid(Invalid):
    """A filter, sort, limit or cursor cannot be understood."""

    code = "query_invalid"
