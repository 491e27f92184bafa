/** Every series of a device with its newest value, whatever its kind. */
import { Button, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Download, Rows3 } from "lucide-react";
import { seriesQuery } from "../../api/queries";
import type { Device, Series } from "../../api/types";
import { csvOf, download } from "../../lib/csv";
import { formatAgo, formatValue, momentOf } from "../../lib/format";
import { useDeviceLive, useNow } from "../../live/hooks";
import type { DeviceLive } from "../../live/store";
import { Card } from "../../shell/Card";
import { Empty } from "../../shell/Empty";
import { PageSkeleton } from "../../shell/PageSkeleton";
import { Trouble } from "../../shell/Trouble";
import classes from "./DeviceValues.module.css";

interface Line {
  key: string;
  kind: string;
  text: string;
  unit: string;
  at: number | null;
}

function lineOf({ sensor_type: key, kind, unit, value, last_at }: Series, live: DeviceLive): Line {
  const reading = live.values.get(key);
  return {
    key,
    kind: kind ?? "",
    text: formatValue(reading?.value ?? value, key),
    unit: unit ?? reading?.unit ?? "",
    at: reading?.at ?? momentOf(last_at),
  };
}

function exportLines(name: string, lines: Line[]): void {
  const rows = lines.map(({ key, kind, text, unit, at }) => [
    key,
    text,
    unit,
    kind,
    at === null ? "" : new Date(at).toISOString(),
  ]);
  download(`${name}-latest.csv`, csvOf(["sensor_type", "value", "unit", "kind", "timestamp"], rows));
}

export function DeviceValues({ device }: { device: Device }) {
  const { data: series, error, refetch } = useQuery(seriesQuery(device.id));
  const live = useDeviceLive(device.id);
  const now = useNow();
  if (error) return <Trouble error={error} retry={refetch} />;
  if (!series) return <PageSkeleton />;
  if (series.length === 0) return <Empty icon={Rows3} title="Nothing heard yet" />;
  const lines = series.map((one) => lineOf(one, live));
  const csv = (
    <Button
      variant="subtle"
      size="compact-sm"
      leftSection={<Download size={14} />}
      onClick={() => exportLines(device.name, lines)}
    >
      CSV
    </Button>
  );
  return (
    <Card title={`${lines.length} series`} note={csv} flush>
      <div className={classes.scroll} tabIndex={0} role="region" aria-label="latest values">
        <Table verticalSpacing={9} horizontalSpacing={16} className={classes.table}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Series</Table.Th>
              <Table.Th>Value</Table.Th>
              <Table.Th>Kind</Table.Th>
              <Table.Th>When</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {lines.map(({ key, kind, text, unit, at }) => (
              <Table.Tr key={key}>
                <Table.Td className="mono">{key}</Table.Td>
                <Table.Td className={classes.value}>
                  {text} <span className="faint">{unit}</span>
                </Table.Td>
                <Table.Td c="dimmed">{kind}</Table.Td>
                <Table.Td c="dimmed">{formatAgo(at, now)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Card>
  );
}
