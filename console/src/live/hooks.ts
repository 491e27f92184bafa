/** How components look at the live store: by topic, by second, by link state. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { devicesQuery, eventsQuery, latestQuery } from "../api/queries";
import type { DeviceEvent } from "../api/types";
import { linkState, store } from "./live";
import type { LinkState } from "./socket";
import type { DeviceLive, Topic } from "./store";

function useTopic(topic: Topic): number {
  const subscribe = useCallback((listener: () => void) => store.subscribe(topic, listener), [topic]);
  return useSyncExternalStore(subscribe, () => store.version(topic));
}

/** The live side of one device; re-renders when that device changes, at most once a frame. */
export function useDeviceLive(id: string): DeviceLive {
  useTopic(`device:${id}`);
  return store.device(id);
}

/** Events and state changes, newest first. */
export function useActivity(most: number): DeviceEvent[] {
  const version = useTopic("events");
  // biome-ignore lint/correctness/useExhaustiveDependencies: version stands for the mutable live store
  return useMemo(
    () => [...store.events, ...store.changes].sort((one, other) => compareMoments(other, one)).slice(0, most),
    [version, most],
  );
}

function compareMoments(one: DeviceEvent, other: DeviceEvent): number {
  return Date.parse(one.timestamp) - Date.parse(other.timestamp);
}

/** A number that changes whenever any device comes or goes. */
export function usePresenceVersion(): number {
  return useTopic("presence");
}

export function useLink(): LinkState {
  return useSyncExternalStore(linkState.subscribe, linkState.get);
}

const ticks = new Set<() => void>();
let second = Math.floor(Date.now() / 1000);
let timer: ReturnType<typeof setInterval> | undefined;

function subscribeTick(listener: () => void): () => void {
  ticks.add(listener);
  if (ticks.size === 1) timer = setInterval(tick, 1000);
  return () => {
    ticks.delete(listener);
    if (ticks.size === 0) clearInterval(timer);
  };
}

function tick(): void {
  second = Math.floor(Date.now() / 1000);
  for (const listener of ticks) listener();
}

/** Milliseconds since 1970, moving once a second for everyone at the same moment. */
export function useNow(): number {
  return useSyncExternalStore(subscribeTick, () => second) * 1000;
}

/** Pour the server's lists into the live store; mounted once, by the shell. */
export function useSeeds(): void {
  const devices = useQuery(devicesQuery).data;
  const latest = useQuery(latestQuery).data;
  const events = useQuery(eventsQuery).data;
  useEffect(() => {
    if (devices) store.seed(devices);
  }, [devices]);
  useEffect(() => {
    if (latest) store.seedLatest(latest);
  }, [latest]);
  useEffect(() => {
    if (events) store.seedEvents(events);
  }, [events]);
}
