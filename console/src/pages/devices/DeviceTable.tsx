/** The virtualised table: thousands of devices, some thirty rows in the page. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Device } from "../../api/types";
import { formatDuration } from "../../lib/format";
import { isTyping } from "../../shell/useShortcuts";
import { DeviceRow } from "./DeviceRow";
import classes from "./DeviceTable.module.css";
import type { SortKey } from "./rows";
import { useSparkReader } from "./sparks";

interface Sorting {
  sort: SortKey;
  descending: boolean;
  choose(sort: SortKey): void;
}

interface Props {
  rows: Device[];
  series: string;
  /** How far back the sparklines look. */
  minutes: number;
  sorting: Sorting;
}

const ROW_HEIGHT = 50;
const COLUMNS: { label: string; sort: SortKey | null; className: string | undefined }[] = [
  { label: "Name", sort: "name", className: classes.name },
  { label: "Type", sort: "type", className: classes.type },
  { label: "Last seen", sort: "seen", className: classes.seen },
  { label: "Trend", sort: "value", className: classes.spark },
  { label: "Battery", sort: "battery", className: classes.battery },
  { label: "Latest values", sort: null, className: classes.values },
];

function stepOf(event: KeyboardEvent): number {
  if (event.ctrlKey || event.metaKey || isTyping(event)) return 0;
  return event.key === "j" ? 1 : event.key === "k" ? -1 : 0;
}

/** False when the row is not in the page yet. */
function focusRow(index: number): boolean {
  const link = document.querySelector<HTMLElement>(`[data-row="${index}"]`);
  link?.focus({ preventScroll: true });
  return link !== null;
}

/** j and k walk the rows; the focus follows, so Enter opens. */
function useRowKeys(count: number, scrollTo: (index: number) => void): number {
  const [active, setActive] = useState(-1);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const step = stepOf(event);
      if (step === 0) return;
      const to = Math.max(0, Math.min(count - 1, active + step));
      setActive(to);
      scrollTo(to);
      if (!focusRow(to)) requestAnimationFrame(() => focusRow(to));
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [active, count, scrollTo]);
  return active;
}

export function DeviceTable({ rows, series, minutes, sorting }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  const active = useRowKeys(rows.length, virtual.scrollToIndex);
  const items = virtual.getVirtualItems();
  useSparkReader(
    items.flatMap(({ index }) => rows[index]?.id ?? []),
    series,
    minutes,
  );
  return (
    <div
      ref={scroller}
      className={classes.table}
      role="table"
      aria-label="devices"
      aria-rowcount={rows.length + 1}
      tabIndex={0}
    >
      <div role="rowgroup" className={classes.headGroup}>
        <div className={classes.head} role="row" tabIndex={-1} aria-rowindex={1}>
          {COLUMNS.map((column) => (
            <HeadCell
              key={column.label}
              {...column}
              label={column.sort === "value" ? `Last ${formatDuration(minutes * 60_000)}` : column.label}
              sorting={sorting}
            />
          ))}
        </div>
      </div>
      <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, key, start }) => {
          const device = rows[index];
          return (
            device && (
              <DeviceRow
                key={key}
                device={device}
                index={index}
                top={start}
                series={series}
                active={index === active}
              />
            )
          );
        })}
      </div>
    </div>
  );
}

type HeadProps = (typeof COLUMNS)[number] & { sorting: Sorting };

function HeadCell({ label, sort, className, sorting }: HeadProps) {
  const active = sort !== null && sorting.sort === sort;
  const order = active ? (sorting.descending ? "descending" : "ascending") : undefined;
  const Icon = sorting.descending ? ArrowDown : ArrowUp;
  return (
    <div role="columnheader" className={className} aria-sort={order}>
      {sort === null ? (
        label
      ) : (
        <button type="button" onClick={() => sorting.choose(sort)}>
          {label}
          {active && <Icon size={13} aria-hidden />}
        </button>
      )}
    </div>
  );
}
