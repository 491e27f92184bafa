/** A first message in a few lines, for each way in that the server really has. */

export interface Snippet {
  id: string;
  label: string;
  about: string;
  code: string;
}

export interface Target {
  /** Scheme, host and port as the browser sees them. */
  origin: string;
  deviceId: string;
  token: string;
}

const curl = ({ origin, deviceId, token }: Target) => `curl -X POST ${origin}/api/devices/${deviceId}/data \\
  -H "Authorization: Bearer ${token}" \\
  -H "Content-Type: application/json" \\
  -d '{"sensor_readings": {"temperature": {"value": 21.5, "unit": "°C"}, "battery": 87}}'`;

const python = ({ origin, token }: Target) => `# pip install websockets
import asyncio, json, time
import websockets

async def main():
    url = "${origin.replace(/^http/, "ws")}/ws/device?token=${token}"
    async with websockets.connect(url) as socket:
        for seq in range(1, 1_000):
            frame = {"seq": seq, "timestamp": time.time(), "sensor_readings": {"temperature": 21.5}}
            await socket.send(json.dumps(frame))
            print(await socket.recv())  # the receipt: stored means stored on disk
            await asyncio.sleep(1)

asyncio.run(main())`;

const node = ({ origin, token }: Target) => `// Node 22 or any browser; no package needed
const socket = new WebSocket("${origin.replace(/^http/, "ws")}/ws/device?token=${token}");
let seq = 0;

socket.onopen = () =>
  setInterval(() => {
    seq += 1;
    socket.send(JSON.stringify({ seq, sensor_readings: { temperature: 21.5, battery: 87 } }));
  }, 1000);
socket.onmessage = ({ data }) => console.log(data); // the receipt`;

const arduino = ({ origin, deviceId, token }: Target) => `// ESP32, Arduino core
#include <HTTPClient.h>
#include <WiFi.h>

void setup() { WiFi.begin("network", "password"); }

void loop() {
  HTTPClient http;
  http.begin("${origin}/api/devices/${deviceId}/data");
  http.addHeader("Authorization", "Bearer ${token}");
  http.addHeader("Content-Type", "application/json");
  int status = http.POST("{\\"sensor_readings\\":{\\"temperature\\":21.5}}");
  http.end();
  delay(status == 201 ? 10000 : 2000);
}`;

export const TOKEN_PLACEHOLDER = "<device token>";

export function snippetsFor(target: Target): Snippet[] {
  return [
    { id: "curl", label: "curl", about: "One message over HTTP.", code: curl(target) },
    { id: "python", label: "Python", about: "A message a second over one WebSocket.", code: python(target) },
    { id: "node", label: "JavaScript", about: "The same from Node or a browser.", code: node(target) },
    {
      id: "arduino",
      label: "ESP32",
      about: "A message every ten seconds from a microcontroller.",
      code: arduino(target),
    },
  ];
}
