/** Who I am here, my keys, my colours. */
import { Button, SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { actions, overviewQuery, sessionQuery } from "../../api/queries";
import type { Session } from "../../api/types";
import { formatCount, formatMoment } from "../../lib/format";
import { Card } from "../../shell/Card";
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
    <>
      <PageHeader title="Account" about={`${session.user.username}, ${session.user.role}`}>
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
          <Facts session={session} />
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
    </>
  );
}

function Facts({ session }: { session: Session }) {
  const { user } = session;
  return (
    <dl className={classes.facts}>
      <dt>User name</dt>
      <dd>{user.username}</dd>
      <dt>E-mail</dt>
      <dd>{user.email || "–"}</dd>
      <dt>Role</dt>
      <dd>{user.role}</dd>
      <dt>Member since</dt>
      <dd>{formatMoment(Date.parse(user.created_at))}</dd>
    </dl>
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
      aria-label="colours"
      value={colorScheme}
      data={SCHEMES}
      onChange={(value) => setColorScheme(value as typeof colorScheme)}
    />
  );
}

function Server() {
  const { data } = useQuery(overviewQuery);
  return (
    <dl className={classes.facts}>
      <dt>Name</dt>
      <dd>{data?.server.name ?? "–"}</dd>
      <dt>Version</dt>
      <dd>{data?.server.version ?? "–"}</dd>
      <dt>API</dt>
      <dd>
        <a className="link" href="/docs">
          reference
        </a>
      </dd>
    </dl>
  );
}
