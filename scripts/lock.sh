#!/usr/bin/env bash
# Resolve pyproject.toml anew into the hashed locks: requirements*.txt, without addresses and for every platform.
# Needs uv on PATH (or UV=/path/to/uv). Run it after changing a dependency, and look at the difference.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-uv}
flags=(--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet "$@")

"$uv" pip compile pyproject.toml --group build "${flags[@]}" -o requirements.txt
"$uv" pip compile pyproject.toml --group build --group dev --extra postgres -c requirements.txt "${flags[@]}" -o requirements-dev.txt
"$uv" pip compile --group bench -c requirements-dev.txt "${flags[@]}" -o requirements-bench.txt
"$uv" pip compile --group node "${flags[@]}" -o requirements-node.txt
echo "locks written: $(ls requirements*.txt | tr '\n' ' ')"
