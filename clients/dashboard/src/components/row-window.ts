/** Which rows of a long list are to be drawn: those in the window, and a few around them. */

import { type RefObject, useEffect, useMemo, useSyncExternalStore } from "react";

// Rows above and below what is seen, so that a quick scroll meets no gap.
const MARGIN = 10;

/** Rows from `start` up to, not including, `end`. */
export interface RowWindow {
  readonly start: number;
  readonly end: number;
  /** The first row is above what is seen. */
  readonly scrolled: boolean;
}

/** The rows of `count`, each of `rowHeight` pixels, that are to be drawn of a list that scrolls with the page. */
export function useRowWindow(list: RefObject<HTMLElement | null>, count: number, rowHeight: number): RowWindow {
  const watch = useMemo(() => new ScrollWatch(list, rowHeight), [list, rowHeight]);
  const [first, shown] = useSyncExternalStore(watch.subscribe, watch.read).split(" ").map(Number);
  useEffect(() => watch.measure());
  return rowsShown(first ?? 0, shown ?? 0, count);
}

/** `first` is the row at the top of the window, below zero where the list begins further down. */
export function rowsShown(first: number, shown: number, count: number): RowWindow {
  const start = Math.max(0, Math.min(first, count - shown) - MARGIN);
  return { start, end: Math.min(count, Math.max(0, first) + shown + MARGIN), scrolled: first > 0 };
}

/** Draws anew only when another row comes to the top, not for every pixel. */
class ScrollWatch {
  readonly #list: RefObject<HTMLElement | null>;
  readonly #rowHeight: number;
  #changed: () => void = () => undefined;
  #rows = "0 40";

  constructor(list: RefObject<HTMLElement | null>, rowHeight: number) {
    this.#list = list;
    this.#rowHeight = rowHeight;
  }

  readonly read = (): string => this.#rows;

  readonly subscribe = (changed: () => void): (() => void) => {
    this.#changed = changed;
    const measure = (): void => this.measure();
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  };

  measure(): void {
    const top = this.#list.current?.getBoundingClientRect().top ?? 0;
    const rows = `${Math.floor(-top / this.#rowHeight)} ${Math.ceil(innerHeight / this.#rowHeight)}`;
    if (rows !== this.#rows) {
      this.#rows = rows;
      this.#changed();
    }
  }
}
