/** The server's words, taken from its OpenAPI file; narrowed where that file says only "string" or "object". */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Value = number | boolean | string | Value[] | { [key: string]: Value };
export type DeviceStatus = "online" | "offline" | "never";
export type SeriesKind = "number" | "integer" | "boolean" | "text" | "json";

export interface Page<T> {
  items: T[];
  total: number;
  next?: string | null;
}

type Stated<T> = Omit<T, "status"> & { status: DeviceStatus };

export type Device = Stated<Schemas["DeviceOut"]>;
export type CreatedDevice = Stated<Schemas["DeviceRegistered"]>;
export type NewDevice = Pick<Schemas["DeviceNew"], "name" | "device_type" | "description">;
export type DeviceEvent = Schemas["EventOut"];
export type Overview = Schemas["OverviewOut"];
export type Session = Schemas["AccountOut"];
export type ApiKey = Schemas["KeyOut"];
export type CreatedKey = Schemas["KeyCreatedOut"];
export type TokenAnswer = Schemas["TokenOut"];
export type Sparkline = Schemas["Sparkline"];

export type Series = Omit<Schemas["SeriesOut"], "kind" | "value"> & {
  kind: SeriesKind | null;
  value: Value | null;
};

export type LatestValue = Omit<Schemas["LatestReading"], "value"> & { value: Value };

export interface DeviceLatest {
  device_id: string;
  values: Record<string, LatestValue>;
}

export interface RawRow {
  timestamp: string;
  sensor_type: string;
  value: Value;
  unit: string | null;
  quality_score: number;
}

export interface BucketRow {
  timestamp: string;
  sensor_type: string;
  unit: string | null;
  avg: number | null;
  min: number | null;
  max: number | null;
}

export interface LiveFrame {
  device_id: string;
  timestamp: string;
  values: Record<string, Value>;
}

/** What comes over `/ws/live`. */
export type LiveMessage =
  | { type: "hello"; version: string; seq: number; tick_ms: number }
  | { type: "subscribed" }
  | { type: "pong" }
  | { type: "readings"; seq: number; frames: LiveFrame[] }
  | { type: "presence"; items: { device_id: string; status: DeviceStatus; at: string }[] }
  | { type: "events"; items: DeviceEvent[] }
  | { type: "devices"; items: { device_id: string; change: "created" | "updated" | "deleted" }[] }
  | { type: "gap"; after_seq: number; reason: string }
  | { type: "error"; code: string; message: string };
