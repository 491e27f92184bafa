// The reference client of Socket.IO, driven line by line: prints one JSON line for whatever happens.
import { createRequire } from "node:module";
const require = createRequire(process.argv[2] + "/");
const { io } = require("socket.io-client");
const [url, options] = [process.argv[3], JSON.parse(process.argv[4] ?? "{}")];
const say = (kind, value) => console.log(JSON.stringify([kind, value ?? null]));
const socket = io(url, { reconnection: false, ...options });
socket.on("connect", () => say("connect", socket.io.engine.transport.name));
socket.on("connect_error", (error) => say("connect_error", error.message));
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.onAny((event, ...args) => say(event, args));
let rest = "";
process.stdin.on("data", (chunk) => {
  rest += chunk;
  const lines = rest.split("\n");
  rest = lines.pop();
  for (const line of lines) {
    const [event, ...args] = JSON.parse(line);
    if (event === "transport") say("transport", socket.io.engine.transport.name);
    else socket.emit(event, ...args, (answer) => say("ack", answer));
  }
});
process.stdin.on("end", () => process.exit(0));
