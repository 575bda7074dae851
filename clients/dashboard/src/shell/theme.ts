/** Dark or light: as the system has it, unless somebody has chosen. The choice stays in this browser. */

import { Cell } from "../data/store";

export type Theme = "system" | "light" | "dark";

const KEY = "slotd-theme";

/** What was chosen. */
export const theme = new Cell<Theme>(stored());

/** Chooses, and keeps that. */
export function chooseTheme(chosen: Theme): void {
  localStorage.setItem(KEY, chosen);
  theme.set(chosen);
  applyTheme();
}

/** Puts the choice into effect. */
export function applyTheme(): void {
  document.documentElement.dataset["theme"] = theme.read();
}

function stored(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}
