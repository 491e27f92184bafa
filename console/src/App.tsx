/** Which page a path shows; everything but the log-in stands inside the shell. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { Problem } from "./api/client";
import { sessionQuery } from "./api/queries";
import { startLive, store } from "./live/live";
import { LoginPage } from "./pages/login/LoginPage";
import { NotFoundPage } from "./pages/NotFoundPage";
import { OverviewPage } from "./pages/overview/OverviewPage";
import { PageSkeleton } from "./shell/PageSkeleton";
import { Shell } from "./shell/Shell";
import { Trouble } from "./shell/Trouble";

const loadDevices = () => import("./pages/devices/DevicesPage");
const loadDevice = () => import("./pages/device/DevicePage");
const loadAccount = () => import("./pages/account/AccountPage");
const DevicesPage = lazy(loadDevices);
const DevicePage = lazy(loadDevice);
const AccountPage = lazy(loadAccount);
const PREFETCH_AFTER_MS = 1_500;

function isRefusal(error: Error | null): boolean {
  return error instanceof Problem && error.status === 401;
}

export function App() {
  const session = useQuery(sessionQuery);
  const [path] = useLocation();
  if (isRefusal(session.error)) {
    return path === "/login" ? <LoginPage /> : <Redirect to={loginPath(path)} replace />;
  }
  if (session.error && !session.data)
    return <Trouble error={session.error} retry={session.refetch} standalone />;
  if (!session.data) return null;
  if (path === "/login") return <Redirect to={wantedPath()} replace />;
  return <Console />;
}

function loginPath(path: string): string {
  return path === "/" ? "/login" : `/login?to=${encodeURIComponent(path + location.search)}`;
}

/** Where a person wanted to go before logging in; only paths of this console. */
function wantedPath(): string {
  const to = new URLSearchParams(location.search).get("to") ?? "/";
  return to.startsWith("/") && !to.startsWith("//") ? to : "/";
}

function Console() {
  const client = useQueryClient();
  useEffect(() => {
    const stop = startLive(client);
    return () => {
      stop();
      store.clear();
    };
  }, [client]);
  useEffect(() => {
    // The other pages' code comes while nobody waits; a failure here is told when the page is opened.
    const load = () => void Promise.allSettled([loadDevices(), loadDevice(), loadAccount()]);
    const timer = setTimeout(load, PREFETCH_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Shell>
      <Suspense fallback={<PageSkeleton />}>
        <Switch>
          <Route path="/" component={OverviewPage} />
          <Route path="/devices" component={DevicesPage} />
          <Route path="/devices/:id">{({ id }) => <DevicePage key={id} id={decodeURIComponent(id)} />}</Route>
          <Route path="/account" component={AccountPage} />
          <Route component={NotFoundPage} />
        </Switch>
      </Suspense>
    </Shell>
  );
}
