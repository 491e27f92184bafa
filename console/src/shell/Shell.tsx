/** The frame around every page: navigation, live badge, palette, shortcuts. */
import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import { sessionQuery } from "../api/queries";
import { useSeeds } from "../live/hooks";
import { LiveBadge } from "./LiveBadge";
import { Mark } from "./Mark";
import { Palette } from "./Palette";
import { PLACES } from "./places";
import classes from "./Shell.module.css";
import { ShortcutsHelp } from "./ShortcutsHelp";
import { ThemeButton } from "./ThemeButton";
import { Toasts } from "./Toasts";
import { useShortcuts } from "./useShortcuts";

function isAt(path: string, place: string): boolean {
  return place === "/" ? path === "/" : path === place || path.startsWith(`${place}/`);
}

function Navigation() {
  const [path] = useLocation();
  return (
    <nav className={classes.nav} aria-label="main">
      {PLACES.map(({ path: to, label, icon: Icon }) => (
        <Link key={to} href={to} className={classes.place} aria-current={isAt(path, to) ? "page" : undefined}>
          <Icon size={17} strokeWidth={1.9} aria-hidden />
          <span>{label}</span>
        </Link>
      ))}
    </nav>
  );
}

function WhoAmI() {
  const { data } = useQuery(sessionQuery);
  if (!data) return null;
  return (
    <Link href="/account" className={classes.who}>
      <span className={classes.avatar} aria-hidden>
        {data.user.username.charAt(0).toUpperCase()}
      </span>
      <span className="clip">{data.user.username}</span>
    </Link>
  );
}

export function Shell({ children }: { children: ReactNode }) {
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  useSeeds();
  useShortcuts({ openPalette: () => setPalette(true), openHelp: () => setHelp(true) });
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        skip to content
      </a>
      <aside className={classes.side} aria-label="console">
        <Link href="/" className={classes.brand} aria-label="Mooring, overview">
          <Mark />
          <span>Mooring</span>
        </Link>
        <button type="button" className={classes.search} onClick={() => setPalette(true)}>
          <Search size={15} aria-hidden />
          <span>Search</span>
          <kbd>Ctrl K</kbd>
        </button>
        <Navigation />
        <div className={classes.foot}>
          <LiveBadge />
          <div className={classes.footRow}>
            <WhoAmI />
            <ThemeButton />
          </div>
        </div>
      </aside>
      <main id="main" className={classes.main} tabIndex={-1}>
        {children}
      </main>
      <Palette opened={palette} onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />
      <ShortcutsHelp opened={help} onClose={() => setHelp(false)} />
      <Toasts />
    </div>
  );
}
