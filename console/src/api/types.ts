/** What the server says, in the words of its API. */
export type Value = number | boolean | string | Value[] | { [key: string]: Value };
export type DeviceStatus = "online" | "offline" | "never";
export type Severity = "debug" | "info" | "warning" | "error" | "critical";

export interface Page<T> {
  items: T[];
  total: number;
  next: string | null;
}

export interface Device {
  id: string;
  name: string;
  device_type: string;
  description: string | null;
  status: DeviceStatus;
  last_seen: string | null;
  created_at: string;
  ip_address: string | null;
  mac_address: string | null;
  firmware_version: string | null;
  group_id: string | null;
  user_id: string;
  device_status: string | null;
}

export interface NewDevice {
  name: string;
  device_type: string;
  description?: string;
}

export type CreatedDevice = Device & { auth_token: string };

export interface LatestValue {
  value: Value;
  unit: string | null;
  timestamp: string;
}

export interface DeviceLatest {
  device_id: string;
  values: Record<string, LatestValue>;
}

export type SeriesKind = "number" | "boolean" | "text" | "json";

export interface Series {
  sensor_type: string;
  unit: string | null;
  kind: SeriesKind;
  first_at: string | null;
  last_at: string | null;
  count: number;
  value: Value | null;
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

export interface DeviceEvent {
  id: number;
  device_id: string;
  device_name?: string | null;
  event_type: string;
  severity: Severity;
  message: string;
  timestamp: string;
}

export interface Sparkline {
  device_id: string;
  key: string;
  points: (number | null)[];
}

export interface Overview {
  devices: { total: number; online: number; offline: number; never: number };
  readings: { total: number; per_second: number };
  series: number;
  frames_per_second: number;
  server: { version: string; started_at: string; name: string };
  storage: { bytes: number };
  setup: { first_device: boolean };
}

export interface User {
  id: string;
  username: string;
  email: string;
  role: string;
  created_at: string;
  device_quota: number;
}

export interface Session {
  user: User;
  quota: { devices: { limit: number; used: number } };
  permissions: string[];
}

export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
}

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

export interface LiveFrame {
  device_id: string;
  timestamp: string;
  values: Record<string, Value>;
}
