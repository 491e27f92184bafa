"""The MQTT door: one port for MQTT 3.1, 3.1.1 and 5, QoS 0 and 1, PUBACK after the commit.

No broker: nothing a device says reaches another device, output is addressed to sessions. What is said on which topic is
the business of speeches (``speech``): our own topics here, those of other systems in ``doors/dialects``.
"""
