"""Flask + sqlite3 as written by hand: a post is checked against its token, its readings inserted, one commit.

Run by gunicorn (``gunicorn bench.peers.flask_sqlite:app``) or, without it, by ``python -m bench.peers.flask_sqlite``.
``PEER_DB`` names the database file. Durable as Mooring is: ``synchronous=FULL``, SQLite's own default; the journal
is the default too, unless ``PEER_JOURNAL=wal`` asks for the write-ahead log.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from typing import Any

from flask import Flask, Response, g, request

DATABASE = os.environ.get("PEER_DB", "peer.db")
SCHEMA = """
CREATE TABLE IF NOT EXISTS devices (id TEXT PRIMARY KEY, auth_token TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sensor_data (
    id INTEGER PRIMARY KEY, device_id TEXT NOT NULL REFERENCES devices(id), sensor_type TEXT NOT NULL,
    value REAL, timestamp REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS sensor_data_by_time ON sensor_data (device_id, sensor_type, timestamp);
"""

app = Flask(__name__)


def database() -> sqlite3.Connection:
    """Return this request's connection."""
    if "db" not in g:
        g.db = sqlite3.connect(DATABASE, timeout=30)
        g.db.execute("PRAGMA synchronous=FULL")
    connection: sqlite3.Connection = g.db
    return connection


@app.teardown_appcontext
def close(_: BaseException | None) -> None:
    """Close the request's connection."""
    connection = g.pop("db", None)
    if connection is not None:
        connection.close()


@app.post("/api/devices/<device_id>/data")
def data(device_id: str) -> tuple[Response, int]:
    """Store the readings of one frame, one row each, in one commit."""
    db = database()
    row = db.execute("SELECT auth_token FROM devices WHERE id = ?", (device_id,)).fetchone()
    if row is None or request.headers.get("Authorization") != f"Bearer {row[0]}":
        return answer({"error": "unauthorized"}), 401
    body: dict[str, Any] = request.get_json()
    stamp = body.get("timestamp") or time.time() * 1000
    readings = body["sensor_readings"]
    for key, value in readings.items():
        db.execute(
            "INSERT INTO sensor_data (device_id, sensor_type, value, timestamp) VALUES (?, ?, ?, ?)",
            (device_id, key, float(value), stamp),
        )
    db.commit()
    return answer({"seq": body.get("seq"), "status": "stored", "stored": len(readings)}), 201


@app.get("/readyz")
def ready() -> Response:
    """Say that it serves."""
    return answer({})


def answer(body: dict[str, Any]) -> Response:
    """Return JSON in the compact form the loader counts."""
    return Response(json.dumps(body, separators=(",", ":")), content_type="application/json")


def prepare(tokens: dict[str, str]) -> None:
    """Create the database and its devices."""
    db = sqlite3.connect(DATABASE)
    db.execute(f"PRAGMA journal_mode={'wal' if os.environ.get('PEER_JOURNAL') == 'wal' else 'delete'}")
    db.executescript(SCHEMA)
    db.executemany("INSERT OR REPLACE INTO devices VALUES (?, ?)", tokens.items())
    db.commit()
    db.close()


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PEER_PORT", "5000")), threaded=True)
