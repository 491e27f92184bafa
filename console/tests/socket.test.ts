import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LiveSocket } from "../src/live/socket";

class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = 1;
  sent: string[] = [];
  onopen: () => void = () => undefined;
  onclose: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = 3;
    this.onclose();
  }
}

function newest(): FakeSocket {
  const socket = FakeSocket.made.at(-1);
  if (!socket) throw new Error("no socket was made");
  return socket;
}

describe("the live socket", () => {
  const states: string[] = [];
  const hooks = {
    message: vi.fn(),
    missed: vi.fn(),
    lost: vi.fn(),
    state: (state: string) => states.push(state),
  };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("WebSocket", FakeSocket);
    FakeSocket.made = [];
    states.length = 0;
    vi.clearAllMocks();
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test("subscribes to everything when it opens", () => {
    new LiveSocket("ws://x/ws/live", hooks).start();
    newest().onopen();
    expect(JSON.parse(newest().sent[0] ?? "")).toEqual({ type: "subscribe", devices: "*" });
    expect(states).toEqual(["connecting", "live"]);
    expect(hooks.missed).not.toHaveBeenCalled();
  });

  test("comes back after a drop, and asks for the lists again", () => {
    new LiveSocket("ws://x/ws/live", hooks).start();
    newest().onopen();
    newest().onclose();
    expect(states.at(-1)).toBe("reconnecting");
    expect(hooks.lost).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(700);
    expect(FakeSocket.made).toHaveLength(2);
    newest().onopen();
    expect(states.at(-1)).toBe("live");
    expect(hooks.missed).toHaveBeenCalledTimes(1);
  });

  test("waits longer each time, up to a limit", () => {
    new LiveSocket("ws://x/ws/live", hooks).start();
    for (let attempt = 0; attempt < 12; attempt += 1) {
      newest().onclose();
      vi.advanceTimersByTime(20_000);
    }
    expect(FakeSocket.made).toHaveLength(13);
  });

  test("a gap means: read again", () => {
    new LiveSocket("ws://x/ws/live", hooks).start();
    newest().onopen();
    newest().onmessage({ data: '{"type":"gap","after_seq":4,"reason":"slow_reader"}' });
    expect(hooks.missed).toHaveBeenCalledTimes(1);
    expect(hooks.message).not.toHaveBeenCalled();
  });

  test("a silent line is closed and opened anew", () => {
    new LiveSocket("ws://x/ws/live", hooks).start();
    newest().onopen();
    vi.advanceTimersByTime(61_000);
    expect(FakeSocket.made.length).toBeGreaterThan(1);
  });

  test("paused means paused: nothing reconnects", () => {
    const socket = new LiveSocket("ws://x/ws/live", hooks);
    socket.start();
    newest().onopen();
    socket.stop();
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.made).toHaveLength(1);
    expect(states.at(-1)).toBe("paused");
  });
});
