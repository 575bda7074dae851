/** Moving through the table by keys: j and k, or the arrows, from row to row; x chooses; Esc clears the choice. */

import { type RefObject, useEffect, useRef, useState } from "react";
import type { Job } from "slotd/web";

import { isTyping } from "../../shell/keys";

interface Table {
  body: RefObject<HTMLElement | null>;
  jobs: readonly Job[];
  rowHeight: number;
  toggle: (job: Job) => void;
  clear: () => void;
}

/** Whether the focus is on a row. */
export function useRowKeys(table: Table): boolean {
  const { body } = table;
  const now = useRef(table);
  const [within, setWithin] = useState(false);
  useEffect(() => {
    now.current = table;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (plain && !isTyping(event.target) && !document.querySelector("dialog[open]") && act(now.current, event.key)) {
        event.preventDefault();
      }
    };
    const moved = (): void => setWithin(focusedRow(body.current) !== undefined);
    document.addEventListener("keydown", pressed);
    document.addEventListener("focusin", moved);
    document.addEventListener("focusout", moved);
    return () => {
      document.removeEventListener("keydown", pressed);
      document.removeEventListener("focusin", moved);
      document.removeEventListener("focusout", moved);
    };
  }, [body]);
  return within;
}

/** Whether the key meant something. */
function act({ body, jobs, rowHeight, toggle, clear }: Table, key: string): boolean {
  const row = focusedRow(body.current);
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[key];
  if (step !== undefined && (row !== undefined || key === "j" || key === "k")) {
    const next = row === undefined ? 0 : Math.max(0, Math.min(jobs.length - 1, row + step));
    focusRow(body.current, next, rowHeight);
    return true;
  }
  const job = row === undefined ? undefined : jobs[row];
  if (key === "x" && job) {
    toggle(job);
    return true;
  }
  if (key === "Escape") {
    clear();
    return true;
  }
  return false;
}

function focusedRow(body: HTMLElement | null): number | undefined {
  const row = document.activeElement?.closest<HTMLElement>("[data-row]");
  return row && body?.contains(row) ? Number(row.dataset["row"]) : undefined;
}

function focusRow(body: HTMLElement | null, row: number, rowHeight: number): void {
  if (!body) {
    return;
  }
  const top = body.getBoundingClientRect().top + row * rowHeight;
  const above = 2 * rowHeight;
  if (top < above || top + rowHeight > innerHeight - above) {
    scrollBy(0, top - innerHeight / 2);
  }
  // The row may have to be drawn first.
  requestAnimationFrame(() => {
    body.querySelector<HTMLElement>(`[data-row="${row}"] a`)?.focus({ preventScroll: true });
  });
}
