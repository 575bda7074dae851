/** The page's address: read by components, changed without loading the page again. */

import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from "react";

import { Listeners } from "../data/store";

/** Where the page is. */
export interface Place {
  /** Decoded, as in `/jobs/0190…`. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly search: string;
}

const moves = new Listeners();
let place = current();

function current(): Place {
  return { path: decodeURI(location.pathname), search: location.search };
}

function moved(): void {
  place = current();
  moves.tell();
}

addEventListener("popstate", moved);

function subscribe(changed: () => void): () => void {
  return moves.add(changed);
}

/** Where the page is now. */
export function usePlace(): Place {
  return useSyncExternalStore(subscribe, () => place);
}

/** Goes to an address of this page; `replace` leaves no step back to the present one. */
export function navigate(to: string, { replace = false } = {}): void {
  if (to === location.pathname + location.search) {
    return;
  }
  if (replace) {
    history.replaceState(null, "", to);
  } else {
    history.pushState(null, "", to);
    scrollTo(0, 0);
  }
  moved();
}

/** The values of one field of the address, `?name=…`, and how to set them without a step back. */
export function useSearchField(name: string): [string, (value: string) => void] {
  const { search } = usePlace();
  const set = (value: string): void => {
    const fields = new URLSearchParams(location.search);
    if (value === "") {
      fields.delete(name);
    } else {
      fields.set(name, value);
    }
    const text = fields.toString();
    navigate(location.pathname + (text === "" ? "" : `?${text}`), { replace: true });
  };
  return [new URLSearchParams(search).get(name) ?? "", set];
}

/** A link within the page. Opening it in a new tab works as with any link. */
export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (plain && !event.defaultPrevented) {
      event.preventDefault();
      navigate(href);
    }
  };
  return <a href={href} onClick={follow} {...rest} />;
}

/** The page of one job. */
export function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}
