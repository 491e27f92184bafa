"""The doors people use: REST with its OpenAPI page, the live feed over WebSocket and SSE, health and metrics."""
