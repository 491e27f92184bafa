"""``python -m bench [ROW …] [--quick] [--write]``: measure, print the table, keep the record."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from bench.report import keep, page, write_page
from bench.rows import footprint, latency, peers, rates, tcp
from bench.run import Run
from bench.server import take_loader_core, take_precedence

ROWS: dict[str, Callable[[Run], None]] = {
    "ws": rates.ws,
    "http": rates.http,
    "batch": rates.batch,
    "peers": peers.peers,
    "latency": latency.latency,
    "live": latency.live,
    "memory": footprint.memory,
    "tcp": tcp.tcp,
    "start": footprint.start,
}


def main() -> int:
    """Measure the rows asked for; 0 if every target is met, 1 if one is missed, 2 if one could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", help=f"which rows: {' '.join(ROWS)}; all if left out")
    parser.add_argument("--quick", action="store_true", help="shorter turns, 1,000 sockets, 1 M readings: for a look")
    parser.add_argument("--write", action="store_true", help="rewrite docs/benchmarks.md from this run")
    parser.add_argument(
        "--precedence", action="store_true", help="run before other programs (on a shared machine, as root)"
    )
    asked = parser.parse_args()
    unknown = set(asked.rows) - set(ROWS)
    if unknown:
        parser.error(f"no such row: {' '.join(sorted(unknown))}")
    take_loader_core()
    if asked.precedence:
        take_precedence()
    run, begun, failed = Run(quick=asked.quick), time.time(), False
    for name in asked.rows or ROWS:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            ROWS[name](run)
        except Exception as error:  # one row that fails must not cost the others
            failed = True
            run.doubts.append(f"{name}: not measured: {error}")
            print(f"{name}: not measured: {error}", file=sys.stderr, flush=True)
    text = page(run, begun)
    print("\n" + text)
    keep(run, begun)
    if asked.write:
        write_page(text)
    return 2 if failed else 0 if all(figure.met for figure in run.figures) else 1


if __name__ == "__main__":
    sys.exit(main())
