#!/usr/bin/env bash
# Create .venv with the newest fitting Python found, or with PYTHON=… if given. Says what is missing instead of failing dimly.
set -euo pipefail
cd "$(dirname "$0")/.."

fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

chosen=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
  if fits "$candidate"; then chosen=$candidate; break; fi
done
if [ -z "$chosen" ]; then
  echo "no Python 3.11 or newer found: looked for ${PYTHON:-python3, python3.13, python3.12, python3.11}" >&2
  echo "hint: install one, or name it: make run PYTHON=/path/to/python3.12" >&2
  exit 1
fi
if ! "$chosen" -c 'import venv, ensurepip' 2>/dev/null; then
  echo "this Python cannot make virtual environments: $(command -v "$chosen")" >&2
  echo "hint: on Debian and Ubuntu, apt-get install python3-venv" >&2
  exit 1
fi
echo "-> .venv with $("$chosen" --version)"
"$chosen" -m venv .venv
