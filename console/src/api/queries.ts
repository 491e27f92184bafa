/** Every question the console asks, with its cache key; pages never build a URL themselves. */
import { queryOptions } from "@tanstack/react-query";
import { momentOf } from "../lib/format";
import { call, submit, withQuery } from "./client";
import type {
  ApiKey,
  BucketRow,
  CreatedDevice,
  CreatedKey,
  Device,
  DeviceEvent,
  DeviceLatest,
  NewDevice,
  Overview,
  Page,
  RawRow,
  Series,
  Session,
  TokenAnswer,
} from "./types";

const PAGE_SIZE = 500;
const MOST_PAGES = 100;

async function allDevices(signal: AbortSignal): Promise<Device[]> {
  const devices: Device[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const path = withQuery("/api/devices", { limit: PAGE_SIZE, cursor });
    const { items, next } = await call<Page<Device>>(path, { signal });
    devices.push(...items);
    if (!next) break;
    cursor = next;
  }
  return devices;
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => call<Session>("/api/auth/user", { signal }),
  staleTime: 5 * 60_000,
});

export const devicesQuery = queryOptions({
  queryKey: ["devices"],
  queryFn: ({ signal }) => allDevices(signal),
  staleTime: 60_000,
});

export const latestQuery = queryOptions({
  queryKey: ["latest"],
  queryFn: async ({ signal }) => (await call<Page<DeviceLatest>>("/api/latest", { signal })).items,
  staleTime: 60_000,
});

export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: ({ signal }) => call<Overview>("/api/overview", { signal }),
  refetchInterval: 5_000,
});

export const eventsQuery = queryOptions({
  queryKey: ["events"],
  queryFn: async ({ signal }) => (await call<Page<DeviceEvent>>("/api/events?limit=60", { signal })).items,
  staleTime: 60_000,
});

export const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: async ({ signal }) => (await call<Page<ApiKey>>("/api/keys", { signal })).items,
});

/** One device; null once the live link has said that it is gone. */
export function deviceQuery(id: string) {
  return queryOptions({
    queryKey: ["device", id],
    queryFn: ({ signal }): Promise<Device | null> =>
      call(`/api/devices/${encodeURIComponent(id)}`, { signal }),
    staleTime: 30_000,
  });
}

export function seriesQuery(id: string) {
  return queryOptions({
    queryKey: ["device", id, "series"],
    queryFn: async ({ signal }) =>
      (await call<Page<Series>>(`/api/devices/${encodeURIComponent(id)}/series`, { signal })).items,
    staleTime: 30_000,
  });
}

export function deviceEventsQuery(id: string) {
  return queryOptions({
    queryKey: ["device", id, "events"],
    queryFn: async ({ signal }) =>
      (await call<Page<DeviceEvent>>(`/api/devices/${encodeURIComponent(id)}/events?limit=200`, { signal }))
        .items,
  });
}

export interface Span {
  from: number;
  to: number;
}

function spanParams({ from, to }: Span) {
  return { start_date: new Date(from).toISOString(), end_date: new Date(to).toISOString() };
}

function dataPath(id: string, params: Parameters<typeof withQuery>[1]): string {
  return withQuery(`/api/devices/${encodeURIComponent(id)}/data`, params);
}

/** When the oldest reading inside `span` was taken, whatever its series; null when there is none. */
export function oldestQuery(id: string, span: Span) {
  return queryOptions({
    queryKey: ["device", id, "oldest", span.from, span.to],
    queryFn: async ({ signal }) => {
      const path = dataPath(id, { ...spanParams(span), order: "asc", limit: 1 });
      const [first] = (await call<Page<RawRow>>(path, { signal })).items;
      return momentOf(first?.timestamp);
    },
    staleTime: 60_000,
  });
}

/** Average, lowest and highest of a numeric series per `interval` over `span`. */
export function bucketsQuery(id: string, key: string, span: Span, interval: string) {
  return queryOptions({
    queryKey: ["device", id, "buckets", key, span.from, span.to, interval],
    queryFn: async ({ signal }) => {
      const path = dataPath(id, {
        sensor_type: key,
        ...spanParams(span),
        interval,
        aggregate: ["avg", "min", "max"],
        order: "asc",
        limit: 2000,
      });
      return (await call<Page<BucketRow>>(path, { signal })).items;
    },
    staleTime: 60_000,
  });
}

/** The raw rows of one series over `span`, newest first, at most `limit`. */
export function rowsQuery(id: string, key: string, span: Span, limit: number) {
  return queryOptions({
    queryKey: ["device", id, "rows", key, span.from, span.to, limit],
    queryFn: async ({ signal }) => {
      const path = dataPath(id, {
        sensor_type: key,
        ...spanParams(span),
        order: "desc",
        limit,
      });
      return (await call<Page<RawRow>>(path, { signal })).items;
    },
    staleTime: 60_000,
  });
}

export const actions = {
  logIn: (username: string, password: string) =>
    submit<void>("POST", "/api/auth/login", { username, password }),
  logOut: () => submit<void>("POST", "/api/auth/logout"),
  addDevice: (device: NewDevice) => submit<CreatedDevice>("POST", "/api/devices", device),
  removeDevice: (id: string) => submit<void>("DELETE", `/api/devices/${encodeURIComponent(id)}`),
  rotateToken: (id: string) => submit<TokenAnswer>("POST", `/api/devices/${encodeURIComponent(id)}/token`),
  createKey: (name: string) => submit<CreatedKey>("POST", "/api/keys", { name }),
  revokeKey: (id: string) => submit<void>("DELETE", `/api/keys/${encodeURIComponent(id)}`),
};
