import { describe, expect, test, vi } from "vitest";
import type { DeviceEvent, LiveMessage } from "../src/api/types";
import { LiveStore } from "../src/live/store";

const NOW = Date.parse("2026-01-01T12:00:10Z");

function frames(
  ...items: [id: string, second: number, values: Record<string, number | string>][]
): LiveMessage {
  return {
    type: "readings",
    seq: 1,
    frames: items.map(([device_id, second, values]) => ({
      device_id,
      timestamp: `2026-01-01T12:00:0${second}Z`,
      values,
    })),
  };
}

function made() {
  const flushes: (() => void)[] = [];
  const store = new LiveStore((flush) => flushes.push(flush));
  const flush = () => {
    for (const one of flushes.splice(0)) one();
  };
  return { store, flush, flushes };
}

describe("the live store", () => {
  test("tells listeners once a frame, however many messages came", () => {
    const { store, flush, flushes } = made();
    const listener = vi.fn();
    store.subscribe("device:a", listener);
    for (let second = 0; second < 5; second += 1) store.apply(frames(["a", second, { speed: second }]), NOW);
    expect(listener).not.toHaveBeenCalled();
    expect(flushes).toHaveLength(1);
    flush();
    expect(listener).toHaveBeenCalledTimes(1);
    expect(store.device("a").values.get("speed")?.value).toBe(4);
  });

  test("tells only the listeners of devices that changed", () => {
    const { store, flush } = made();
    const [a, b] = [vi.fn(), vi.fn()];
    store.subscribe("device:a", a);
    store.subscribe("device:b", b);
    store.apply(frames(["a", 1, { speed: 1 }]), NOW);
    flush();
    expect(a).toHaveBeenCalledTimes(1);
    expect(b).not.toHaveBeenCalled();
  });

  test("never lets a late reading overwrite a newer one", () => {
    const { store } = made();
    store.apply(frames(["a", 5, { speed: 5 }]), NOW);
    store.apply(frames(["a", 2, { speed: 2 }]), NOW);
    expect(store.device("a").values.get("speed")?.value).toBe(5);
  });

  test("keeps the unit it learnt from the lists when live values come without one", () => {
    const { store } = made();
    store.seedLatest([
      {
        device_id: "a",
        values: { speed: { value: 1, unit: "m/s", timestamp: "2026-01-01T12:00:00Z", quality_score: 1 } },
      },
    ]);
    store.apply(frames(["a", 3, { speed: 3 }]), NOW);
    expect(store.device("a").values.get("speed")).toMatchObject({ value: 3, unit: "m/s" });
  });

  test("follows a device over the ground and keeps a bounded trail", () => {
    const { store } = made();
    for (let step = 0; step < 200; step += 1) {
      store.apply(frames(["a", 1, { latitude: 50 + step / 1000, longitude: 4 }]), NOW);
    }
    expect(store.device("a").position).toEqual({ lat: 50.199, lon: 4 });
    expect(store.device("a").trail.length).toBeLessThanOrEqual(90);
  });

  test("forgets devices that are gone from the list", () => {
    const { store } = made();
    store.seed([
      { id: "a", status: "online", last_seen: null },
      { id: "b", status: "never", last_seen: null },
    ]);
    store.seed([{ id: "b", status: "never", last_seen: null }]);
    expect([...store.devices.keys()]).toEqual(["b"]);
  });

  test("takes presence as it comes", () => {
    const { store, flush } = made();
    const listener = vi.fn();
    store.subscribe("presence", listener);
    store.apply(
      { type: "presence", items: [{ device_id: "a", status: "offline", at: "2026-01-01T12:00:00Z" }] },
      NOW,
    );
    flush();
    expect(store.device("a").status).toBe("offline");
    expect(listener).toHaveBeenCalledTimes(1);
  });

  test("hands every frame to a chart, unbatched", () => {
    const { store } = made();
    const heard = vi.fn();
    const stop = store.onFrames("a", heard);
    store.apply(frames(["a", 1, { speed: 1 }], ["a", 2, { speed: 2 }], ["b", 2, { speed: 9 }]), NOW);
    expect(heard.mock.calls.map(([, values]) => values)).toEqual([{ speed: 1 }, { speed: 2 }]);
    stop();
    store.apply(frames(["a", 3, { speed: 3 }]), NOW);
    expect(heard).toHaveBeenCalledTimes(2);
  });

  test("notes a change of state as activity, but not the first word", () => {
    const { store } = made();
    store.apply(frames(["a", 1, { state: "idle" }]), NOW);
    expect(store.changes).toHaveLength(0);
    store.apply(frames(["a", 2, { state: "driving" }]), NOW);
    expect(store.changes[0]?.message).toBe("state: idle → driving");
  });

  test("merges events without doubles, newest first", () => {
    const { store } = made();
    const event = (id: number): DeviceEvent => ({
      id,
      device_id: "a",
      device_name: "A",
      event_type: "connected",
      severity: "info",
      message: "",
      timestamp: `2026-01-01T12:00:0${id}Z`,
    });
    store.seedEvents([event(2), event(1)]);
    store.apply({ type: "events", items: [event(3), event(2)] }, NOW);
    expect(store.events.map(({ id }) => id)).toEqual([3, 2, 1]);
  });
});
