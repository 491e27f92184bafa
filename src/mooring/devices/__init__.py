"""The devices room: what exists, who may reach it, whether it is there, and what happened to it.

Words: device, credential (a device's token, kept as its digest), presence (online, offline, never), event, log, group.
Sends ``DeviceChanged``, ``CredentialRevoked``, ``PresenceChanged``, ``DeviceEventRecorded``; hears nothing: doors and
telemetry call ``Admission``, ``Presence`` and ``Journal`` directly.
"""
