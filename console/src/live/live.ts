/** Ties store, socket and query cache together, once per log-in. */
import type { QueryClient } from "@tanstack/react-query";
import {
  deviceQuery,
  devicesQuery,
  eventsQuery,
  latestQuery,
  overviewQuery,
  sessionQuery,
} from "../api/queries";
import type { LiveMessage } from "../api/types";
import { type LinkState, LiveSocket } from "./socket";
import { LiveStore } from "./store";

const REREAD_PAUSE = 300;

export const store = new LiveStore((flush) => requestAnimationFrame(flush));

let link: LinkState = "connecting";
let socket: LiveSocket | null = null;
const linkListeners = new Set<() => void>();

export const linkState = {
  get: () => link,
  subscribe(listener: () => void): () => void {
    linkListeners.add(listener);
    return () => linkListeners.delete(listener);
  },
};

function setLink(state: LinkState): void {
  link = state;
  for (const listener of linkListeners) listener();
}

/** Open the live link; returns how to end it. Seeds the store from the lists and re-reads them after a gap. */
export function startLive(client: QueryClient): () => void {
  let pending: ReturnType<typeof setTimeout> | undefined;
  const reread = () => {
    clearTimeout(pending);
    pending = setTimeout(() => {
      for (const { queryKey } of [devicesQuery, latestQuery, eventsQuery, overviewQuery]) {
        void client.invalidateQueries({ queryKey });
      }
    }, REREAD_PAUSE);
  };
  const message = (received: LiveMessage) => {
    store.apply(received, Date.now());
    if (received.type === "devices") {
      reread();
      for (const { device_id, change } of received.items) {
        const { queryKey } = deviceQuery(device_id);
        if (change === "deleted") client.setQueryData(queryKey, null);
        else void client.invalidateQueries({ queryKey, exact: true });
      }
    }
  };
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const opened = new LiveSocket(`${scheme}://${location.host}/ws/live`, {
    message,
    state: setLink,
    missed: reread,
    lost: () => void client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  });
  socket = opened;
  opened.start();
  return () => {
    clearTimeout(pending);
    opened.stop("connecting");
    socket = null;
  };
}

/** Freeze the picture, or let it run again; what was missed meanwhile is re-read. */
export function togglePause(): void {
  if (link === "paused") socket?.start();
  else socket?.stop("paused");
}
