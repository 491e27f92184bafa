/** Ctrl/⌘-K: go to any device or page, or do something, without leaving the keyboard. */
import { Modal, useMantineColorScheme } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { CirclePlus, Keyboard, LogOut, type LucideIcon, Pause, SunMoon } from "lucide-react";
import { type KeyboardEvent, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { actions, devicesQuery, sessionQuery } from "../api/queries";
import type { Device } from "../api/types";
import { matchScore } from "../lib/match";
import { store, togglePause } from "../live/live";
import classes from "./Palette.module.css";
import { PLACES } from "./places";
import { StatusMark } from "./StatusMark";

interface Entry {
  id: string;
  group: "Devices" | "Pages" | "Actions";
  label: string;
  detail: string;
  icon: LucideIcon | null;
  run(): void;
}

interface Props {
  opened: boolean;
  onClose(): void;
  onHelp(): void;
}

const MOST_DEVICES = 8;
const MOST_UNASKED = 4;
const NO_DEVICES: Device[] = [];

function bestDevices(devices: Device[], query: string): Device[] {
  return devices
    .map((device) => ({
      device,
      score: Math.max(
        matchScore(query, device.name),
        matchScore(query, `${device.device_type} ${device.id}`) / 2,
      ),
    }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score || one.device.name.localeCompare(other.device.name))
    .slice(0, query === "" ? MOST_UNASKED : MOST_DEVICES)
    .map(({ device }) => device);
}

function useEntries(query: string, onHelp: () => void): Entry[] {
  const [, navigate] = useLocation();
  const client = useQueryClient();
  const devices = useQuery(devicesQuery).data ?? NO_DEVICES;
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return useMemo(() => {
    const logOut = async () => {
      await actions.logOut();
      await client.resetQueries({ queryKey: sessionQuery.queryKey });
      client.clear();
    };
    const scheme = colorScheme === "dark" ? "light" : "dark";
    const fixed: Entry[] = [
      ...PLACES.map(
        ({ path, label, icon, keys }): Entry => ({
          id: path,
          group: "Pages",
          label,
          detail: keys,
          icon,
          run: () => navigate(path),
        }),
      ),
      action("add", "Add a device", "n", CirclePlus, () => navigate("/devices?add=1")),
      action("scheme", `Use ${scheme} colours`, "", SunMoon, () => setColorScheme(scheme)),
      action("pause", "Pause or resume the live picture", "", Pause, togglePause),
      action("help", "Keyboard shortcuts", "?", Keyboard, onHelp),
      action("logout", "Log out", "", LogOut, () => void logOut()),
    ];
    const found = bestDevices(devices, query).map(
      (device): Entry => ({
        id: device.id,
        group: "Devices",
        label: device.name,
        detail: device.device_type,
        icon: null,
        run: () => navigate(`/devices/${encodeURIComponent(device.id)}`),
      }),
    );
    return [...found, ...fixed.filter(({ label }) => matchScore(query, label) > 0)];
  }, [query, devices, colorScheme, setColorScheme, navigate, client, onHelp]);
}

function action(id: string, label: string, detail: string, icon: LucideIcon, run: () => void): Entry {
  return { id, group: "Actions", label, detail, icon, run };
}

export function Palette({ opened, onClose, onHelp }: Props) {
  return (
    <Modal.Root opened={opened} onClose={onClose} size={600} yOffset="12vh">
      <Modal.Overlay />
      <Modal.Content aria-label="search and commands">
        <Modal.Body p={0}>
          <PaletteBody onClose={onClose} onHelp={onHelp} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function PaletteBody({ onClose, onHelp }: Omit<Props, "opened">) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const entries = useEntries(query, onHelp);
  const run = (entry: Entry | undefined) => {
    onClose();
    entry?.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      const to = (at + step + entries.length) % Math.max(1, entries.length);
      setAt(to);
      document.getElementById(`palette-${to}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(entries[at]);
    }
  };
  return (
    <div onKeyDown={onKeyDown}>
      <input
        className={classes.input}
        placeholder="Search devices, pages and actions"
        aria-label="search devices, pages and actions"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={entries.length > 0 ? `palette-${at}` : undefined}
        autoComplete="off"
        data-autofocus
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
      />
      <div className={classes.list} id="palette-list" role="listbox" aria-label="results">
        {entries.map((entry, index) => (
          <Row
            key={entry.id}
            entry={entry}
            index={index}
            active={index === at}
            first={isFirst(entries, index)}
            run={run}
          />
        ))}
      </div>
      {entries.length === 0 && <p className={classes.none}>Nothing fits “{query}”</p>}
    </div>
  );
}

function isFirst(entries: Entry[], index: number): boolean {
  return entries[index]?.group !== entries[index - 1]?.group;
}

interface RowProps {
  entry: Entry;
  index: number;
  active: boolean;
  first: boolean;
  run(entry: Entry): void;
}

function Row({ entry, index, active, first, run }: RowProps) {
  const Icon = entry.icon;
  return (
    <>
      {first && (
        <div className={classes.group} role="presentation">
          {entry.group}
        </div>
      )}
      <div
        id={`palette-${index}`}
        role="option"
        aria-selected={active}
        tabIndex={-1}
        className={classes.row}
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => run(entry)}
      >
        <span className={classes.icon}>
          {Icon ? <Icon size={16} aria-hidden /> : <StatusMark status={store.device(entry.id).status} />}
        </span>
        <span className="clip">{entry.label}</span>
        <span className={classes.detail}>{entry.detail}</span>
      </div>
    </>
  );
}
