/** Keys that work anywhere on the page. */

import { useEffect, useRef } from "react";

import { navigate } from "./router";
import { PAGES } from "./pages";

// So long after `g` the next key still counts.
const SEQUENCE_MS = 1_500;

/** `/` to the page's search, `?` the list of keys, `g` and a page's key to that page. */
export function useGlobalKeys(showKeys: () => void): void {
  const went = useRef(-Infinity);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isModal()) {
        return;
      }
      const page = PAGES.find(({ key }) => key === event.key);
      if (page && event.timeStamp - went.current < SEQUENCE_MS) {
        navigate(page.path);
      } else if (event.key === "/") {
        document.querySelector<HTMLElement>("[data-search]")?.focus();
      } else if (event.key === "?") {
        showKeys();
      } else {
        went.current = event.key === "g" ? event.timeStamp : -Infinity;
        return;
      }
      went.current = -Infinity;
      event.preventDefault();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [showKeys]);
}

/** Whether keys are for a field that has the focus. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select");
}

function isModal(): boolean {
  return document.querySelector("dialog[open]") !== null;
}
