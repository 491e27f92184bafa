"""The ThingsBoard device API: JSON over MQTT, over HTTP, and for gateways, on the same devices as every other door.

Telemetry becomes readings; client attributes are the twin's reported side, shared ones its desired side.
"""
