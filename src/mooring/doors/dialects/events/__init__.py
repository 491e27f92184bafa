"""Contract B, device monitoring: devices tell events on ``/ws/device``, front-ends hear them on ``/ws/frontend``.

Heard from the devices: ``{"device_id", "event_type", …}`` or ``{"meta", "type", "subtype", "payload": {"device"}}``.
"""
