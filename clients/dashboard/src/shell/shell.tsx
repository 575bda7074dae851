/** What is around every page: navigation, banner, toasts, the list of keys. */

import { type ReactNode, useCallback, useEffect, useState } from "react";

import { Dialog } from "../components/dialog";
import { Icon } from "../components/icon";
import { useConnection, useStore } from "../data/hooks";
import { ConnectionBanner } from "./connection-banner";
import { useGlobalKeys } from "./keys";
import { KeyList } from "./key-list";
import { PAGES } from "./pages";
import { Link, usePlace } from "./router";
import { chooseTheme, type Theme, theme } from "./theme";
import { Toasts } from "./toasts";
import "./shell.css";

export function Shell({ title, children }: { title: string; children: ReactNode }) {
  const [keysShown, setKeysShown] = useState(false);
  useGlobalKeys(useCallback(() => setKeysShown(true), []));
  useEffect(() => {
    document.title = `${title} · slotd`;
  }, [title]);
  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <Navigation showKeys={() => setKeysShown(true)} />
      <main id="main" className="main" tabIndex={-1}>
        <ConnectionBanner />
        {children}
      </main>
      <Toasts />
      {keysShown && (
        <Dialog title="Keys" close={() => setKeysShown(false)}>
          <KeyList />
        </Dialog>
      )}
    </div>
  );
}

function Navigation({ showKeys }: { showKeys: () => void }) {
  const { path } = usePlace();
  return (
    <header className="navigation">
      <Link className="brand" href="/" aria-label="slotd: start page">
        <Icon name="logo" />
        <span>slotd</span>
      </Link>
      <nav aria-label="Pages">
        <ul>
          {PAGES.map((page) => (
            <li key={page.path}>
              <Link href={page.path} aria-current={isWithin(path, page.path) ? "page" : undefined}>
                <Icon name={page.icon} />
                <span>{page.title}</span>
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="navigation-foot">
        <ConnectionMark />
        <ThemeSwitch />
        <button type="button" className="icon-button" aria-label="Keys" title="Keys (?)" onClick={showKeys}>
          <Icon name="keyboard" />
        </button>
      </div>
    </header>
  );
}

function isWithin(path: string, page: string): boolean {
  return path === page || (page !== "/" && path.startsWith(`${page}/`));
}

function ConnectionMark() {
  const { state } = useConnection();
  const text = { connecting: "Connecting", connected: "Live", reconnecting: "Disconnected" }[state];
  return (
    <span className={`connection connection-${state}`}>
      <Icon name={state === "connected" ? "live" : "offline"} />
      <span>{text}</span>
    </span>
  );
}

const NEXT: Readonly<Record<Theme, Theme>> = { system: "dark", dark: "light", light: "system" };

function ThemeSwitch() {
  const chosen = useStore(theme);
  const label = `Colours: ${chosen === "system" ? "as the system has them" : chosen}`;
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      onClick={() => chooseTheme(NEXT[chosen])}
    >
      <Icon name={chosen === "system" ? "contrast" : chosen === "dark" ? "moon" : "sun"} />
    </button>
  );
}
