/** The one WebSocket of the console: subscribes to everything, comes back by itself, and says honestly how it is. */
import type { LiveMessage } from "../api/types";

export type LinkState = "connecting" | "live" | "reconnecting" | "paused";

interface Hooks {
  message(message: LiveMessage): void;
  state(state: LinkState): void;
  /** Something may have been missed (a gap, or time away): read the lists again. */
  missed(): void;
  /** The line broke: perhaps the network, perhaps the session. */
  lost(): void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const PING_EVERY = 15_000;
const SILENT_FOR = 40_000;

export class LiveSocket {
  readonly #url: string;
  readonly #hooks: Hooks;
  #socket: WebSocket | null = null;
  #wait = FIRST_WAIT;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;
  #heardAt = 0;
  #opened = false;
  #stopped = true;

  constructor(url: string, hooks: Hooks) {
    this.#url = url;
    this.#hooks = hooks;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#connect();
  }

  stop(state: LinkState = "paused"): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    clearInterval(this.#ping);
    this.#socket?.close(1000);
    this.#socket = null;
    this.#hooks.state(state);
  }

  #connect(): void {
    this.#hooks.state(this.#opened ? "reconnecting" : "connecting");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => this.#onOpen(socket);
    socket.onmessage = (event: MessageEvent<string>) => this.#onMessage(event.data);
    socket.onclose = () => this.#onClose(socket);
  }

  #onOpen(socket: WebSocket): void {
    socket.send(JSON.stringify({ type: "subscribe", devices: "*" }));
    this.#wait = FIRST_WAIT;
    this.#heardAt = Date.now();
    clearInterval(this.#ping);
    this.#ping = setInterval(() => this.#check(socket), PING_EVERY);
    this.#hooks.state("live");
    if (this.#opened) this.#hooks.missed();
    this.#opened = true;
  }

  #onMessage(text: string): void {
    this.#heardAt = Date.now();
    const message = JSON.parse(text) as LiveMessage;
    if (message.type === "gap") this.#hooks.missed();
    else this.#hooks.message(message);
  }

  #onClose(socket: WebSocket): void {
    if (socket !== this.#socket || this.#stopped) return;
    clearInterval(this.#ping);
    this.#hooks.state(this.#opened ? "reconnecting" : "connecting");
    this.#hooks.lost();
    const jitter = 0.7 + 0.6 * Math.random();
    this.#retry = setTimeout(() => this.#connect(), this.#wait * jitter);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }

  #check(socket: WebSocket): void {
    if (Date.now() - this.#heardAt > SILENT_FOR) socket.close();
    else if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
  }
}
