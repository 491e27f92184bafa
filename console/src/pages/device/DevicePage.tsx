/** One device: how it is, what it measures, what happened, and how it connects. */
import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, Unplug } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { Problem } from "../../api/client";
import { deviceQuery } from "../../api/queries";
import type { Device } from "../../api/types";
import { Connect } from "../../connect/Connect";
import { formatAgo } from "../../lib/format";
import { useUrlState } from "../../lib/useUrlState";
import { useDeviceLive, useNow } from "../../live/hooks";
import { Battery } from "../../shell/Battery";
import { Card } from "../../shell/Card";
import { Empty } from "../../shell/Empty";
import { PageHeader } from "../../shell/PageHeader";
import { PageSkeleton } from "../../shell/PageSkeleton";
import { StatusMark } from "../../shell/StatusMark";
import { Trouble } from "../../shell/Trouble";
import { batteryOf, readerOf } from "../devices/rows";
import { DeviceCharts } from "./DeviceCharts";
import { DeviceEvents } from "./DeviceEvents";
import { DeviceFacts } from "./DeviceFacts";
import { DeviceMenu } from "./DeviceMenu";
import classes from "./DevicePage.module.css";
import { DeviceValues } from "./DeviceValues";

const TABS = [
  { value: "charts", label: "Charts" },
  { value: "values", label: "Latest values" },
  { value: "events", label: "Events" },
  { value: "connect", label: "Connect" },
];

export default function DevicePage({ id }: { id: string }) {
  const { data: device, error, refetch } = useQuery(deviceQuery(id));
  const [tab, setTab] = useUrlState("tab", "charts");
  const [token, setToken] = useState<string | null>(null);
  if (error) {
    const gone = error instanceof Problem && error.status === 404;
    return (
      <>
        <BackLink />
        <PageHeader title={gone ? "Unknown device" : "Device"} />
        <Trouble error={error} retry={gone ? undefined : refetch} />
      </>
    );
  }
  if (device === null) return <Gone />;
  if (!device) return <PageSkeleton />;
  const onToken = (fresh: string) => {
    setToken(fresh);
    setTab("connect");
  };
  return (
    <>
      <BackLink />
      <PageHeader title={device.name} about={<About device={device} />}>
        <DeviceMenu device={device} onToken={onToken} />
      </PageHeader>
      <Tabs value={tab} onChange={(value) => setTab(value ?? "charts")} keepMounted={false}>
        <Tabs.List mb={18}>
          {TABS.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="charts">
          <DeviceCharts device={device} onConnect={() => setTab("connect")} />
        </Tabs.Panel>
        <Tabs.Panel value="values">
          <DeviceValues device={device} />
        </Tabs.Panel>
        <Tabs.Panel value="events">
          <DeviceEvents id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="connect">
          <ConnectPanel device={device} token={token} onToken={onToken} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Gone() {
  return (
    <>
      <BackLink />
      <PageHeader title="Removed device" />
      <Empty icon={Unplug} title="This device has been removed" />
    </>
  );
}

function BackLink() {
  return (
    <Link href="/devices" className={classes.back}>
      <ChevronLeft size={15} aria-hidden />
      Devices
    </Link>
  );
}

function About({ device }: { device: Device }) {
  const live = useDeviceLive(device.id);
  const now = useNow();
  const battery = batteryOf(readerOf(device.id));
  const status = live.status === "never" ? device.status : live.status;
  return (
    <>
      <StatusMark status={status} word />
      {live.seenAt !== null && <span>last seen {formatAgo(live.seenAt, now)}</span>}
      <span>{device.device_type}</span>
      {device.firmware_version && <span>firmware {device.firmware_version}</span>}
      {device.ip_address && <span className="mono">{device.ip_address}</span>}
      {battery !== null && <Battery level={battery} />}
    </>
  );
}

interface ConnectPanelProps {
  device: Device;
  token: string | null;
  onToken(token: string): void;
}

function ConnectPanel({ device, token, onToken }: ConnectPanelProps) {
  return (
    <div className={classes.connect}>
      <div className={classes.how}>
        {!token && (
          <p className="muted">
            A token is shown once, when it is made, and kept only as a hash. If it is lost, make a new one:
            the old one stops working at once. <DeviceMenu.Rotate device={device} onToken={onToken} />
          </p>
        )}
        <Connect id={device.id} token={token} />
      </div>
      <Card title="This device">
        <DeviceFacts device={device} />
      </Card>
    </div>
  );
}
