/** The whole fleet on one screen: how many are well, where they are, what just happened. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { RadioTower } from "lucide-react";
import { useMemo } from "react";
import { Link } from "wouter";
import { devicesQuery, overviewQuery } from "../../api/queries";
import type { Device, Overview } from "../../api/types";
import { formatDuration, momentOf } from "../../lib/format";
import { useNow } from "../../live/hooks";
import { Card } from "../../shell/Card";
import { Empty } from "../../shell/Empty";
import { PageHeader } from "../../shell/PageHeader";
import { PageSkeleton } from "../../shell/PageSkeleton";
import { Trouble } from "../../shell/Trouble";
import { Activity } from "./Activity";
import { Attention } from "./Attention";
import { Figures } from "./Figures";
import { FleetByType } from "./FleetByType";
import { MapCard } from "./MapCard";
import classes from "./OverviewPage.module.css";

export function OverviewPage() {
  const devices = useQuery(devicesQuery);
  const overview = useQuery(overviewQuery);
  const error = devices.error ?? overview.error;
  return (
    <>
      <PageHeader title="Overview" about={overview.data && <About overview={overview.data} />} />
      {error && !devices.data && <Trouble error={error} retry={() => void devices.refetch()} />}
      {!devices.data && !error && <PageSkeleton />}
      {devices.data && <Content devices={devices.data} overview={overview.data} />}
    </>
  );
}

function About({ overview }: { overview: Overview }) {
  const now = useNow();
  const since = momentOf(overview.server.started_at) ?? now;
  return (
    <>
      <span>{overview.server.name}</span>
      <span>version {overview.server.version}</span>
      <span>up {formatDuration(Math.max(0, now - since))}</span>
    </>
  );
}

function Content({ devices, overview }: { devices: Device[]; overview: Overview | undefined }) {
  const names = useMemo(() => new Map(devices.map(({ id, name }) => [id, name])), [devices]);
  if (devices.length === 0) return <FirstDevice />;
  return (
    <div className={classes.page}>
      <Figures devices={devices} overview={overview} />
      <MapCard devices={devices} />
      <Card title="Activity" flush className={classes.activity}>
        <Activity names={names} />
      </Card>
      <Card title="Needs attention" flush className={classes.attention}>
        <Attention devices={devices} />
      </Card>
      <Card title="Fleet by type" flush className={classes.types}>
        <FleetByType devices={devices} />
      </Card>
    </div>
  );
}

function FirstDevice() {
  return (
    <Card>
      <Empty icon={RadioTower} title="Connect the first device">
        <p>
          Add a device, copy three lines of curl, and watch its first message arrive here. Or run{" "}
          <code>mooring demo</code> for a fleet to look at.
        </p>
        <Button component={Link} href="/devices?add=1" size="sm">
          Add device
        </Button>
      </Empty>
    </Card>
  );
}
