/** Chooses the page for the address. */

import type { ReactNode } from "react";

import { EmptyNote } from "./components/notes";
import { DETAIL_PAGES, PAGES } from "./shell/pages";
import { usePlace } from "./shell/router";
import { Shell } from "./shell/shell";

export function App() {
  const { path } = usePlace();
  const { title, content } = pageAt(path);
  return <Shell title={title}>{content}</Shell>;
}

function pageAt(path: string): { title: string; content: ReactNode } {
  const page = PAGES.find((page) => page.path === path);
  if (page) {
    return { title: page.title, content: <page.component /> };
  }
  for (const { path: start, title, component: Component } of DETAIL_PAGES) {
    if (path.startsWith(`${start}/`)) {
      const name = path.slice(start.length + 1);
      return { title, content: <Component key={name} name={name} /> };
    }
  }
  return { title: "Not found", content: <NotFound path={path} /> };
}

function NotFound({ path }: { path: string }) {
  return (
    <div className="page">
      <div className="page-head">
        <h1>Not found</h1>
      </div>
      <EmptyNote title="There is no such page">{path}</EmptyNote>
    </div>
  );
}
