/** Who I am here, my keys, my colours. */
import { Button, SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { actions, overviewQuery, sessionQuery } from "../../api/queries";
import type { Session } from "../../api/types";
import { formatCount, formatMoment } from "../../lib/format";
import { Card } from "../../shell/Card";
import { Facts } from "../../shell/Facts";
import { PageHeader } from "../../shell/PageHeader";
import { toastFailed } from "../../shell/toast";
import classes from "./AccountPage.module.css";
import { ApiKeys } from "./ApiKeys";

const SCHEMES = [
  { value: "auto", label: "As the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

export default function AccountPage() {
  const { data: session } = useQuery(sessionQuery);
  const client = useQueryClient();
  const logOut = useMutation({
    mutationFn: actions.logOut,
    onSuccess: () => client.resetQueries({ queryKey: sessionQuery.queryKey }),
    onError: toastFailed,
  });
  if (!session) return null;
  return (
    <div className={classes.whole}>
      <PageHeader title="Account" about={`signed in as ${session.user.username}`}>
        <Button
          variant="default"
          leftSection={<LogOut size={15} />}
          onClick={() => logOut.mutate()}
          loading={logOut.isPending}
        >
          Log out
        </Button>
      </PageHeader>
      <div className={classes.page}>
        <Card title="You">
          <You session={session} />
        </Card>
        <Card title="Devices">
          <Quota session={session} />
        </Card>
        <Card title="API keys" flush className={classes.wide}>
          <ApiKeys />
        </Card>
        <Card title="Colours">
          <Colours />
        </Card>
        <Card title="Server">
          <Server />
        </Card>
      </div>
    </div>
  );
}

function You({ session }: { session: Session }) {
  const { user } = session;
  return (
    <Facts
      facts={[
        ["User name", user.username],
        ["Email", user.email],
        ["Role", user.role],
        ["Member since", formatMoment(Date.parse(user.created_at))],
      ]}
    />
  );
}

function Quota({ session }: { session: Session }) {
  const { used, limit } = session.quota.devices;
  const share = limit > 0 ? Math.min(1, used / limit) : 0;
  return (
    <div className={classes.quota}>
      <p>
        <strong>{formatCount(used)}</strong>{" "}
        <span className="muted">of {formatCount(limit)} you may own</span>
      </p>
      <span className={classes.track} data-tone={share >= 0.9 ? "warn" : undefined} aria-hidden>
        <span style={{ width: `${share * 100}%` }} />
      </span>
    </div>
  );
}

function Colours() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      role="radiogroup"
      aria-label="colours"
      value={colorScheme}
      data={SCHEMES}
      onChange={(value) => setColorScheme(value as typeof colorScheme)}
    />
  );
}

function Server() {
  const { data } = useQuery(overviewQuery);
  const reference = (
    <a className="link" href="/docs">
      reference
    </a>
  );
  return (
    <Facts
      facts={[
        ["Name", data?.server.name],
        ["Version", data?.server.version],
        ["API", reference],
      ]}
    />
  );
}
