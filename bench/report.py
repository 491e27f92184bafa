"""The record of a run: what machine, which versions, the table in Markdown, a JSON file, docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from bench.run import Run
from bench.server import LOADER_CORE, REPO, SERVER_CORE

RESULTS = REPO / "bench" / "results"
PAGE = REPO / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
PACKAGES = ["duckdb", "numpy", "msgspec", "uvicorn", "uvloop", "httptools", "websockets", "starlette", "flask"]


def versions() -> dict[str, str]:
    """Return Python's version and those of the packages that matter here."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """Return the commit measured, with ``+`` if the work tree differs from it."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=REPO, capture_output=True, text=True, check=False, timeout=10)
        return done.stdout.strip()

    return (git("rev-parse", "--short", "HEAD") or "none") + ("+" if git("status", "--porcelain", "src") else "")


def machine() -> str:
    """Return processor, cores, memory and system in one line."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = names[0].split(":", 1)[1].strip() if names else platform.processor()
    memory = psutil.virtual_memory().total / 2**30
    return f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def page(run: Run, begun: float) -> str:
    """Return the table with its circumstances."""
    at = datetime.fromtimestamp(begun, UTC)
    lines = [
        f"Measured {at:%Y-%m-%d %H:%M} UTC at commit `{commit()}`{', short turns' if run.quick else ''}.",
        "",
        f"- machine: {machine()}; server on core {SERVER_CORE}, loader on core {LOADER_CORE}",
        f"- versions: {', '.join(f'{name} {number}' for name, number in versions().items())}",
        "",
        "| figure | measured | target | met | with |",
        "|---|---|---|---|---|",
        *(figure.row for figure in run.figures),
    ]
    if run.doubts:
        lines += ["", "Said by the run itself:", "", *(f"- {doubt}" for doubt in run.doubts)]
    return "\n".join(lines)


def keep(run: Run, begun: float) -> Path:
    """Write the run as JSON under bench/results and return the file."""
    RESULTS.mkdir(exist_ok=True)
    at = datetime.fromtimestamp(begun, UTC)
    record = {
        "at": at.isoformat(),
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
        "quick": run.quick,
        "figures": [figure.as_json() for figure in run.figures],
        "doubts": run.doubts,
    }
    path = RESULTS / f"{at:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return path


def write_page(text: str) -> None:
    """Replace the measured part of docs/benchmarks.md; what people wrote around it stays."""
    old = PAGE.read_text() if PAGE.exists() else f"# Benchmarks\n\n{BEGIN}\n{END}\n"
    head, _, rest = old.partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}")
