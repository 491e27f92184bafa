"""Which pages a request may come from."""

from __future__ import annotations

import pytest

from mooring.access.origin import origin_allowed

ALLOWED = ("http://localhost:5173",)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "mooring.example"),
        ("https://mooring.example", "mooring.example"),
        ("https://MOORING.example", "mooring.Example"),
        ("https://mooring.example", "mooring.example:443"),
        ("http://mooring.example:80", "mooring.example"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://localhost:5173", "127.0.0.1:8000"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "put", "DELETE", "WEBSOCKET"])
def test_our_own_pages_and_named_ones_may_ask(method: str, origin: str | None, host: str) -> None:
    assert origin_allowed(method, origin, host, ALLOWED)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "mooring.example"),
        ("https://mooring.example.evil.example", "mooring.example"),
        ("https://evilmooring.example", "mooring.example"),
        ("http://127.0.0.1:3000", "127.0.0.1:8000"),
        ("http://localhost:51730", "127.0.0.1:8000"),
        ("null", "mooring.example"),
        ("", "mooring.example"),
        ("file://", "mooring.example"),
        ("https://mooring.example@evil.example", "mooring.example"),
        ("https://evil.example@mooring.example", "mooring.example"),
        ("https://mooring.example:99999", "mooring.example:99999"),
        ("https://mooring.example", None),
        ("https://mooring.example", ""),
        ("https://[", "["),
    ],
)
def test_other_peoples_pages_may_not(origin: str, host: str | None) -> None:
    assert not origin_allowed("POST", origin, host, ALLOWED)
    assert not origin_allowed("WEBSOCKET", origin, host, ALLOWED)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_left_to_the_browsers_own_rules(method: str) -> None:
    assert origin_allowed(method, "https://evil.example", "mooring.example")
