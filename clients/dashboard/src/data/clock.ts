/** The passing of seconds, for what shows how long ago something was; it stands still while nobody looks. */

import { Listeners, type Store } from "./store";

const listeners = new Listeners();
let timer: ReturnType<typeof setInterval> | undefined;

/** Counts seconds since 1970. */
export const clock: Store<number> = {
  subscribe(changed) {
    const stop = listeners.add(changed);
    timer ??= setInterval(() => {
      if (document.visibilityState === "visible") {
        listeners.tell();
      }
    }, 1000);
    return () => {
      stop();
      if (listeners.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  },
  read: () => Math.floor(Date.now() / 1000),
};
