#!/usr/bin/env bash
# Clients nobody here wrote, for the journeys that talk to them: Socket.IO and MQTT for Node, and the device SDK that
# shares a folder with paho and so wants an environment of its own. Tests without them skip and say so.
set -euo pipefail
cd "$(dirname "$0")/.."
home=.foreign
if command -v npm >/dev/null && [ ! -d "$home/node/node_modules/mqtt" ]; then
  echo "-> clients for Node"
  npm install --silent --no-audit --no-fund --no-save --no-package-lock --prefix "$home/node" socket.io-client@4 mqtt@5 ||
    echo "   not to be had: their tests will skip" >&2
fi
if [ ! -x "$home/tb/bin/python" ]; then
  echo "-> device SDK"
  python3 -m venv "$home/tb"
  "$home/tb/bin/python" -m pip --disable-pip-version-check install -qq --no-input mmh3 tb-mqtt-client ||
    { rm -rf "$home/tb"; echo "   not to be had: its tests will skip" >&2; }
fi
