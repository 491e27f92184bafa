#!/usr/bin/env bash
# What the full test run needs from the system on Debian: a browser, and strace for the test that watches the disk.
# Does nothing where both are there; asks nothing; needs root only if something is missing.
set -euo pipefail

missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v strace >/dev/null || missing+=(strace)
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

if ! command -v apt-get >/dev/null; then
  echo "please install by hand: ${missing[*]}" >&2
  exit 1
fi
echo "-> apt-get install ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
for step in "apt-get update -q" "apt-get install -q -y --no-install-recommends ${missing[*]}"; do
  $step >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
done
rm -f "$log"
