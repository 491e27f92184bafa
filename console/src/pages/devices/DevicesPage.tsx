/** The fleet as a table: filter, sort, sparkline, all of it in the address. */
import { Button, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Download, Plus, RadioTower, Search, SearchX } from "lucide-react";
import { useEffect, useMemo } from "react";
import { useLocation } from "wouter";
import { devicesQuery } from "../../api/queries";
import type { Device } from "../../api/types";
import { csvOf, download } from "../../lib/csv";
import { formatCount, formatKey, formatValue } from "../../lib/format";
import { useUrlState } from "../../lib/useUrlState";
import { useNow, usePresenceVersion } from "../../live/hooks";
import { store } from "../../live/live";
import { Card } from "../../shell/Card";
import { Empty } from "../../shell/Empty";
import { PageHeader } from "../../shell/PageHeader";
import { PageSkeleton } from "../../shell/PageSkeleton";
import { Trouble } from "../../shell/Trouble";
import { isTyping } from "../../shell/useShortcuts";
import { AddDevice } from "./AddDevice";
import classes from "./DevicesPage.module.css";
import { DeviceTable } from "./DeviceTable";
import { chooseRows, numericKeys, type SortKey, statusOf, type Tally, tally, type Wish } from "./rows";

const NO_DEVICES: Device[] = [];
const RESORT_MS = 3_000;
const SPARK_MINUTES = [2, 5, 15, 30];
const LONGEST_SPARK = 60;

function useWish() {
  const [text, setText] = useUrlState("q");
  const [status, setStatus] = useUrlState("status");
  const [type, setType] = useUrlState("type");
  const [series, setSeries] = useUrlState("series");
  const [order, setOrder] = useUrlState("sort", "name");
  const descending = order.startsWith("-");
  const sort = (descending ? order.slice(1) : order) as SortKey;
  const choose = (wanted: SortKey) => setOrder(wanted === sort && !descending ? `-${wanted}` : wanted);
  const wish: Wish = { text, status, type, sort, descending, series };
  return { wish, setText, setStatus, setType, setSeries, choose };
}

/** An hour, or less while the whole fleet is younger: a new fleet has sparklines at once. */
function sparkMinutes(devices: Device[]): number {
  const oldest = devices.reduce((at, { created_at }) => Math.min(at, Date.parse(created_at)), Date.now());
  const age = (Date.now() - oldest) / 60_000;
  return SPARK_MINUTES.find((minutes) => age <= minutes) ?? LONGEST_SPARK;
}

function exportRows(rows: Device[]): void {
  const keys = [
    ...new Set(rows.flatMap(({ id }) => [...(store.devices.get(id)?.values.keys() ?? [])])),
  ].sort();
  const lines = rows.map((device) => {
    const live = store.devices.get(device.id);
    const seen = live?.seenAt ? new Date(live.seenAt).toISOString() : "";
    const values = keys.map((key) => {
      const reading = live?.values.get(key);
      return typeof reading?.value === "number"
        ? reading.value
        : formatValue(reading?.value, key).replace("–", "");
    });
    return [device.id, device.name, device.device_type, statusOf(device), seen, ...values];
  });
  download("devices.csv", csvOf(["id", "name", "type", "status", "last_seen", ...keys], lines));
}

/** `n` opens the dialog; so does `?add=1`, which the palette and empty states link to. */
function useAddDialog(): [boolean, (opened: boolean) => void] {
  const [add, setAdd] = useUrlState("add");
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "n" || event.ctrlKey || event.metaKey || isTyping(event)) return;
      event.preventDefault();
      setAdd("1");
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [setAdd]);
  return [add === "1", (opened) => setAdd(opened ? "1" : "")];
}

export default function DevicesPage() {
  const { data, error, refetch } = useQuery(devicesQuery);
  const devices = data ?? NO_DEVICES;
  const { wish, ...set } = useWish();
  const [adding, setAdding] = useAddDialog();
  const [, navigate] = useLocation();
  const presence = usePresenceVersion();
  const beat = Math.floor(useNow() / RESORT_MS);
  const wishText = JSON.stringify(wish);
  // biome-ignore lint/correctness/useExhaustiveDependencies: presence and beat stand for the mutable live store
  const rows = useMemo(
    () => chooseRows(devices, JSON.parse(wishText) as Wish),
    [devices, wishText, presence, beat],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: presence stands for the mutable live store
  const counts = useMemo(() => tally(devices), [devices, presence]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: beat stands for the mutable live store
  const seriesNames = useMemo(() => numericKeys(devices), [devices, beat]);
  return (
    <>
      <PageHeader
        title="Devices"
        about={data ? `${formatCount(rows.length)} of ${formatCount(devices.length)} shown` : null}
      >
        <Button
          variant="default"
          leftSection={<Download size={15} />}
          onClick={() => exportRows(rows)}
          disabled={rows.length === 0}
        >
          CSV
        </Button>
        <Button leftSection={<Plus size={16} />} onClick={() => setAdding(true)}>
          Add device
        </Button>
      </PageHeader>
      <Toolbar wish={wish} set={set} counts={counts} devices={devices} seriesNames={seriesNames} />
      {error && <Trouble error={error} retry={refetch} />}
      {!data && !error && <PageSkeleton />}
      {data && devices.length === 0 && <NoDevices onAdd={() => setAdding(true)} />}
      {devices.length > 0 && rows.length === 0 && <NothingFits onClear={() => navigate("/devices")} />}
      {rows.length > 0 && (
        <DeviceTable
          rows={rows}
          series={wish.series}
          minutes={sparkMinutes(devices)}
          sorting={{ ...wish, choose: set.choose }}
        />
      )}
      <AddDevice opened={adding} onClose={() => setAdding(false)} />
    </>
  );
}

function NoDevices({ onAdd }: { onAdd(): void }) {
  return (
    <Empty icon={RadioTower} title="No devices yet">
      <p>Add one, and it gets a token and a few lines of code that send its first message.</p>
      <Button size="xs" onClick={onAdd}>
        Add device
      </Button>
    </Empty>
  );
}

function NothingFits({ onClear }: { onClear(): void }) {
  return (
    <Card>
      <Empty icon={SearchX} title="No device fits this filter">
        <p>Words look at name, type and id; battery&lt;20 or state=docked look at what devices say.</p>
        <Button size="xs" variant="default" onClick={onClear}>
          Show all devices
        </Button>
      </Empty>
    </Card>
  );
}

interface ToolbarProps {
  wish: Wish;
  set: Omit<ReturnType<typeof useWish>, "wish">;
  counts: Tally;
  devices: Device[];
  seriesNames: string[];
}

function Toolbar({ wish, set, counts, devices, seriesNames }: ToolbarProps) {
  const types = useMemo(() => [...new Set(devices.map(({ device_type }) => device_type))].sort(), [devices]);
  const states = [
    { value: "", label: `All ${counts.all}` },
    { value: "online", label: `Online ${counts.online}` },
    { value: "offline", label: `Offline ${counts.offline}` },
    { value: "never", label: `Never ${counts.never}` },
  ];
  return (
    <search className={classes.toolbar}>
      <TextInput
        className={classes.filter}
        placeholder="Filter: name, battery<20, state=docked"
        aria-label="filter devices"
        leftSection={<Search size={15} />}
        rightSection={<kbd className={classes.slash}>/</kbd>}
        data-filter
        value={wish.text}
        onChange={(event) => set.setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
      <SegmentedControl
        role="radiogroup"
        className={classes.states}
        value={wish.status}
        onChange={set.setStatus}
        data={states}
        aria-label="status"
      />
      <Select
        className={classes.select}
        aria-label="type"
        placeholder="Any type"
        clearable
        data={types}
        value={wish.type || null}
        onChange={(value) => set.setType(value ?? "")}
      />
      <Select
        className={classes.select}
        aria-label="sparkline series"
        placeholder="Sparkline: auto"
        clearable
        searchable
        data={seriesNames.map((key) => ({ value: key, label: formatKey(key) }))}
        value={wish.series || null}
        onChange={(value) => set.setSeries(value ?? "")}
      />
    </search>
  );
}
