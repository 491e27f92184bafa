"""What anyone may ask of the server: health, metrics, documentation, the console's pages, and problems for the rest."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from tests.journeys.server import Person, Server

GUARDED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_health_is_told_to_everyone(server: Server) -> None:
    assert server.ask("GET", "/healthz").json() == {"status": "alive"}
    assert server.ask("GET", "/readyz").json() == {"status": "ready", "faults": {}}
    assert server.ask("GET", "/health").json() == {"status": "healthy", "database": "connected"}


def test_metrics_are_for_this_machine_and_administrators(server: Server, admin: Person, person: Person) -> None:
    text = server.ask("GET", "/metrics").text
    for name in ("mooring_frames_stored_total", "mooring_devices_online", "mooring_readings_waiting"):
        assert f"# TYPE {name} " in text
        assert any(line.split()[0] == name and float(line.split()[1]) >= 0 for line in text.splitlines())
    from_afar = {"X-Forwarded-For": "203.0.113.9"}
    assert server.ask("GET", "/metrics", headers=from_afar).status_code == 401
    assert person.ask("GET", "/metrics", headers=from_afar).status_code == 403
    assert admin.ask("GET", "/metrics", headers=from_afar).status_code == 200


def test_the_description_is_complete_and_the_page_of_it_needs_nobody_else(server: Server) -> None:
    described = server.ask("GET", "/openapi.json").json()
    assert described["openapi"].startswith("3.")
    paths = described["paths"]
    for path in ("/api/devices", "/api/devices/{device_id}/data", "/api/data", "/api/auth/login", "/api/stream"):
        assert path in paths
    assert {"get", "post"} <= set(paths["/api/devices/{device_id}/data"])
    page = server.ask("GET", "/docs", headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "https://" not in page.text.replace("https://www.w3.org", "")


def test_pages_are_guarded(server: Server) -> None:
    for path in ("/", "/devices", "/docs", "/api/auth/user", "/healthz", "/openapi.json", "/nowhere"):
        answer = server.ask("GET", path, headers=BROWSER)
        for name, value in GUARDED.items():
            assert answer.headers[name] == value, path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "unsafe-eval" not in policy
        assert "server" not in answer.headers


def test_a_browser_gets_the_console_and_a_program_a_word(server: Server) -> None:
    assert server.ask("GET", "/", headers=BROWSER).headers["content-type"].startswith("text/html")
    told = server.ask("GET", "/").json()
    assert told["message"]
    assert told["docs"] == "/docs"
    head = server.ask("HEAD", "/", headers=BROWSER)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/api", "/api/", "/api/nowhere", "/api/devices/", "/healthz/x", "/API/devices"]
)
def test_what_is_not_there_is_a_problem_document(admin: Person, path: str) -> None:
    answer = admin.ask("GET", path)
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/api/devices"), ("PATCH", "/api/overview"), ("POST", "/healthz"), ("POST", "/nowhere")],
)
def test_a_method_that_is_not_there_is_a_problem_document(admin: Person, method: str, path: str) -> None:
    answer = admin.ask(method, path)
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/../etc/passwd", "/assets/../../pages.py", "/%2e%2e/%2e%2e/etc/passwd", "/assets/%00", "//etc/passwd"]
)
def test_no_path_leads_out_of_the_console(server: Server, path: str) -> None:
    answer = server.ask("GET", path)
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_strangers_are_turned_away_from_every_route_that_knows_something(server: Server) -> None:
    described = server.ask("GET", "/openapi.json").json()
    open_to_all = {"/healthz", "/readyz", "/health", "/metrics"}
    for path, operations in described["paths"].items():
        if path in open_to_all or path.startswith("/api/auth/"):
            continue
        for method in operations:
            answer = server.ask(method.upper(), path.replace("{device_id}", "x").replace("{key_id}", "x"), json={})
            assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
            assert answer.headers["www-authenticate"] == "Bearer"


def test_a_cookie_is_for_this_server_alone_and_unreadable_to_pages(server: Server) -> None:
    from tests.journeys.server import ADMIN_PASSWORD

    account = {"username": "admin", "password": ADMIN_PASSWORD}
    with server.client() as browser:
        answer = browser.post("/api/auth/login", json=account)
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "path=/" in cookie
        assert answer.headers["cache-control"] == "no-store"
        assert browser.get("/api/auth/user").json()["user"]["username"] == "admin"
        evil = {"origin": "https://evil.example"}
        assert browser.post("/api/devices", json={"name": "forged"}, headers=evil).status_code == 403
        assert browser.post("/api/auth/logout").status_code == 204
        assert browser.get("/api/auth/user").status_code == 401


def test_no_page_of_another_origin_may_read(server: Server, person: Person) -> None:
    answer = person.ask("GET", "/api/devices", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_files_are_for_their_owner_alone(server: Server) -> None:
    assert server.folder.stat().st_mode & 0o077 == 0
    for path in Path(server.folder).rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            assert path.stat().st_mode & 0o077 == 0, path
