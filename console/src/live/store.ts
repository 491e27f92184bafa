/**
 * What the fleet looks like right now, kept outside React and mutated in place.
 *
 * Messages only mark topics dirty; listeners hear of them once per animation frame, so two thousand updates a second
 * cost one flush and re-render only the rows on screen. A late reading never overwrites a newer one.
 */
import type { DeviceEvent, DeviceLatest, DeviceStatus, LiveFrame, LiveMessage, Value } from "../api/types";
import { momentOf } from "../lib/format";
import { type Position, positionOf } from "../lib/position";
import { Meter } from "./meter";

export interface Reading {
  value: Value;
  unit: string | null;
  at: number;
}

export interface DeviceLive {
  readonly id: string;
  status: DeviceStatus;
  seenAt: number | null;
  readonly values: Map<string, Reading>;
  position: Position | null;
  readonly trail: Position[];
  version: number;
}

export type Topic = `device:${string}` | "fleet" | "presence" | "events";
type FrameListener = (at: number, values: Record<string, Value>) => void;
type Listener = () => void;

const TRAIL_LENGTH = 90;
const EVENTS_KEPT = 200;

export class LiveStore {
  readonly devices = new Map<string, DeviceLive>();
  readonly meter = new Meter();
  events: DeviceEvent[] = [];
  /** Changes of text readings seen since the page opened, as events: what the fleet does between its events. */
  changes: DeviceEvent[] = [];
  readonly #versions = new Map<Topic, number>();
  readonly #dirty = new Set<Topic>();
  readonly #listeners = new Map<Topic, Set<Listener>>();
  readonly #frameListeners = new Map<string, Set<FrameListener>>();
  readonly #schedule: (flush: () => void) => void;
  #scheduled = false;
  #noted = 0;

  constructor(schedule: (flush: () => void) => void = requestAnimationFrame) {
    this.#schedule = schedule;
  }

  device(id: string): DeviceLive {
    const known = this.devices.get(id);
    if (known) return known;
    const device: DeviceLive = {
      id,
      status: "never",
      seenAt: null,
      values: new Map(),
      position: null,
      trail: [],
      version: 0,
    };
    this.devices.set(id, device);
    return device;
  }

  version(topic: Topic): number {
    return this.#versions.get(topic) ?? 0;
  }

  subscribe(topic: Topic, listener: Listener): () => void {
    return addTo(this.#listeners, topic, listener);
  }

  /** Hear every frame of one device at once, not batched: charts keep each point. */
  onFrames(id: string, listener: FrameListener): () => void {
    return addTo(this.#frameListeners, id, listener);
  }

  /** Take over what the server's lists say; live messages that came later stay. */
  seed(devices: { id: string; status: DeviceStatus; last_seen: string | null }[]): void {
    const present = new Set(devices.map(({ id }) => id));
    for (const id of this.devices.keys()) if (!present.has(id)) this.devices.delete(id);
    for (const { id, status, last_seen } of devices) {
      const device = this.device(id);
      device.status = status;
      device.seenAt = latest(device.seenAt, momentOf(last_seen));
      this.#touch(device);
    }
    this.#mark("presence");
  }

  seedLatest(items: DeviceLatest[]): void {
    for (const { device_id, values } of items) {
      const device = this.device(device_id);
      for (const [key, { value, unit, timestamp }] of Object.entries(values)) {
        this.#keep(device, key, { value, unit, at: momentOf(timestamp) ?? 0 });
      }
      this.#locate(device);
      this.#touch(device);
    }
  }

  seedEvents(events: DeviceEvent[]): void {
    const known = new Set(events.map(({ id }) => id));
    const newer = this.events.filter(({ id }) => !known.has(id));
    this.events = [...newer, ...events].sort(byNewest).slice(0, EVENTS_KEPT);
    this.#mark("events");
  }

  apply(message: LiveMessage, now: number): void {
    if (message.type === "readings") this.#applyFrames(message.frames, now);
    else if (message.type === "presence") this.#applyPresence(message.items);
    else if (message.type === "events") this.seedEvents([...message.items]);
  }

  clear(): void {
    this.devices.clear();
    this.events = [];
    this.changes = [];
    this.#mark("presence");
    this.#mark("events");
  }

  #applyFrames(frames: LiveFrame[], now: number): void {
    let count = 0;
    for (const { device_id, timestamp, values } of frames) {
      const at = momentOf(timestamp) ?? now;
      const device = this.device(device_id);
      for (const key of Object.keys(values)) {
        count += 1;
        const value = values[key];
        if (value !== undefined) this.#keep(device, key, { value, unit: null, at });
      }
      device.seenAt = latest(device.seenAt, Math.min(at, now));
      this.#locate(device);
      this.#touch(device);
      for (const listener of this.#frameListeners.get(device_id) ?? []) listener(at, values);
    }
    this.meter.add(count, now);
  }

  #applyPresence(items: { device_id: string; status: DeviceStatus; at: string }[]): void {
    for (const { device_id, status, at } of items) {
      const device = this.device(device_id);
      device.status = status;
      if (status === "online") device.seenAt = latest(device.seenAt, momentOf(at));
      this.#touch(device);
    }
    this.#mark("presence");
  }

  #keep(device: DeviceLive, key: string, reading: Reading): void {
    const known = device.values.get(key);
    if (known && known.at > reading.at) return;
    if (known && typeof reading.value === "string" && known.value !== reading.value)
      this.#note(device, key, known, reading);
    device.values.set(key, known ? { ...reading, unit: reading.unit ?? known.unit } : reading);
  }

  #note(device: DeviceLive, key: string, before: Reading, after: Reading): void {
    const change: DeviceEvent = {
      id: -1 - this.#noted,
      device_id: device.id,
      device_name: "",
      event_type: "change",
      severity: "debug",
      message: `${key}: ${String(before.value)} → ${String(after.value)}`,
      timestamp: new Date(after.at).toISOString(),
    };
    this.#noted += 1;
    this.changes = [change, ...this.changes.slice(0, EVENTS_KEPT - 1)];
    this.#mark("events");
  }

  #locate(device: DeviceLive): void {
    const position = positionOf((key) => device.values.get(key)?.value);
    if (!position) return;
    const before = device.position;
    if (before && before.lat === position.lat && before.lon === position.lon) return;
    device.position = position;
    device.trail.push(position);
    if (device.trail.length > TRAIL_LENGTH) device.trail.shift();
  }

  #touch(device: DeviceLive): void {
    device.version += 1;
    this.#mark(`device:${device.id}`);
    this.#mark("fleet");
  }

  #mark(topic: Topic): void {
    this.#dirty.add(topic);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const topics = [...this.#dirty];
    this.#dirty.clear();
    for (const topic of topics) this.#versions.set(topic, this.version(topic) + 1);
    for (const topic of topics) for (const listener of this.#listeners.get(topic) ?? []) listener();
  }
}

function addTo<K, V>(index: Map<K, Set<V>>, key: K, value: V): () => void {
  const set = index.get(key) ?? new Set<V>();
  index.set(key, set.add(value));
  return () => {
    set.delete(value);
    if (set.size === 0 && index.get(key) === set) index.delete(key);
  };
}

function latest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}

function byNewest(one: DeviceEvent, other: DeviceEvent): number {
  return Date.parse(other.timestamp) - Date.parse(one.timestamp) || other.id - one.id;
}
