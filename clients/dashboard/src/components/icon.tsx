/** Small pictures, drawn with the text's colour. They never stand alone for a meaning: a text or a label is with them. */

import type { ReactNode } from "react";

const PATHS = {
  logo: (
    <>
      <rect x="2" y="2.5" width="12" height="3" rx="1" fill="currentColor" stroke="none" />
      <rect x="2" y="6.5" width="8" height="3" rx="1" fill="currentColor" stroke="none" opacity="0.75" />
      <rect x="2" y="10.5" width="5" height="3" rx="1" fill="currentColor" stroke="none" opacity="0.5" />
    </>
  ),
  overview: <path d="M2 13.5h12M3.5 11V7M8 11V3M12.5 11V5.5" />,
  list: <path d="M5.5 4H14M5.5 8H14M5.5 12H14M2 4h.5M2 8h.5M2 12h.5" />,
  queues: <path d="M2 3.5h12v3H2zM2 9.5h12v3H2z" />,
  schedules: <path d="M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z" />,
  workers: <path d="M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.5M5 11h.5" />,
  submit: <path d="M8 3v10M3 8h10" />,
  search: <path d="M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM10 10l3.5 3.5" />,
  close: <path d="M4 4l8 8M12 4l-8 8" />,
  check: <path d="M3 8.5l3.5 3.5L13 4.5" />,
  up: <path d="M8 13V3M4 7l4-4 4 4" />,
  down: <path d="M8 3v10M4 9l4 4 4-4" />,
  left: <path d="M10 3L5 8l5 5" />,
  right: <path d="M6 3l5 5-5 5" />,
  copy: <path d="M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z" />,
  retry: <path d="M13 8a5 5 0 1 1-1.5-3.5L13 6M13 2.5V6H9.5" />,
  cancel: <path d="M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0zM3.8 3.8l8.4 8.4" />,
  remove: <path d="M3 4.5h10M6 4.5v-2h4v2M4.5 4.5l.5 9h6l.5-9M7 7v4M9 7v4" />,
  pause: <path d="M5.5 3v10M10.5 3v10" />,
  play: <path d="M4.5 3l8 5-8 5z" />,
  edit: <path d="M3 13l.5-3L11 2.5 13.5 5 6 12.5z" />,
  link: <path d="M6.5 9.5l3-3M7 4.5L9 2.5a2.8 2.8 0 0 1 4 4l-2 2M9 11.5l-2 2a2.8 2.8 0 0 1-4-4l2-2" />,
  keyboard: <path d="M1.5 4h13v8h-13zM4 6.5h.5M7 6.5h.5M10 6.5h.5M5 9.5h6" />,
  sun: (
    <path d="M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1M11 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0z" />
  ),
  moon: <path d="M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z" />,
  contrast: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor" />
    </>
  ),
  live: <circle cx="8" cy="8" r="3" fill="currentColor" stroke="none" />,
  offline: <path d="M8 2l6.5 11.5h-13zM8 6.5v3.5M8 12v.2" />,
  scheduled: <path d="M8 4.5V8l2.5 1.5M13.5 8a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0z" />,
  blocked: <path d="M4 7h8v6H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2" />,
  queued: <circle cx="8" cy="8" r="5.5" strokeDasharray="2.4 2.4" />,
  running: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M6.5 5.5l4 2.5-4 2.5z" fill="currentColor" />
    </>
  ),
  succeeded: <path d="M5 8.3l2.2 2.2L11 6M13.5 8a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0z" />,
  failed: <path d="M6 6l4 4M10 6l-4 4M13.5 8a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0z" />,
  cancelled: <path d="M5.5 8h5M13.5 8a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0z" />,
  unknown: <path d="M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.1M8 11v.2" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {PATHS[name]}
    </svg>
  );
}
